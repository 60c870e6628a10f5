"""A program under load: a web server that counts what it serves, and a client of its own that asks it.

Reads from standard input, line by line, how many requests there are to be each second from then on, and ends
with it. Says its address on standard output first; a request is one of `/`, and `/metrics` is for Prometheus.
"""

import http.client
import http.server
import sys
import threading
import time

served = 0
rate = 0.0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Or each answer waits for the client's delayed acknowledgement of its head.
    disable_nagle_algorithm = True

    def do_GET(self):
        global served
        if self.path == "/metrics":
            text = f"# TYPE http_requests_total counter\nhttp_requests_total {served}\n"
        else:
            served += 1
            text = "served\n"
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def ask(address):
    """Asks as often as it is to; what it could not ask in time, it asks as soon as it can."""
    connection = http.client.HTTPConnection(*address)
    due, last = 0.0, time.monotonic()
    while True:
        time.sleep(0.02)
        now = time.monotonic()
        due, last = due + rate * (now - last), now
        while due >= 1:
            connection.request("GET", "/")
            connection.getresponse().read()
            due -= 1


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
for work in [server.serve_forever, lambda: ask(server.server_address)]:
    threading.Thread(target=work, daemon=True).start()
print("{}:{}".format(*server.server_address), flush=True)
for line in sys.stdin:
    rate = float(line)
