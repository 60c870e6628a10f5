"""moto, for as long as standard input stays open: so that it ends with the tests that started it."""

import os
import sys
import threading


def watch():
    sys.stdin.buffer.read()
    os._exit(0)


threading.Thread(target=watch, daemon=True).start()

from moto.server import main  # noqa: E402  (the watch begins first)

main(["-H", "127.0.0.1", "-p", sys.argv[1]])
