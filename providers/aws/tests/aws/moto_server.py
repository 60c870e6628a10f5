"""moto, for as long as standard input stays open: so that it ends with the tests that started it."""

import os
import sys
import threading


def watch():
    sys.stdin.buffer.read()
    os._exit(0)


threading.Thread(target=watch, daemon=True).start()

from moto.ec2.responses.vpcs import VPCs  # noqa: E402  (the watch begins first)
from moto.moto_server.werkzeug_app import DomainDispatcherApplication  # noqa: E402
from moto.server import main  # noqa: E402

LOCK = threading.Lock()


def one_at_a_time(self, environ, start_response, answer=DomainDispatcherApplication.__call__):
    """moto answers each call in a thread of its own, and its threads share tables without a lock:
    one that goes through a table to which another adds ends with a 500 ("dictionary changed size
    during iteration")."""
    with LOCK:
        return answer(self, environ, start_response)


DomainDispatcherApplication.__call__ = one_at_a_time


def create_vpc(self, made=VPCs.create_vpc):
    """moto makes a VPC for a dry run too."""
    self.error_on_dryrun()
    return made(self)


VPCs.create_vpc = create_vpc

main(["-H", "127.0.0.1", "-p", sys.argv[1]])
