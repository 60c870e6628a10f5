"""moto, for as long as standard input stays open: so that it ends with the tests that started it."""

import os
import sys
import threading


def watch():
    sys.stdin.buffer.read()
    os._exit(0)


threading.Thread(target=watch, daemon=True).start()

from moto.backends import get_backend  # noqa: E402  (the watch begins first)
from moto.ec2.responses.vpcs import VPCs  # noqa: E402
from moto.server import main  # noqa: E402

# moto makes what an account has on the first call for it, and not safely when two come at once.
ACCOUNT = "123456789012"
for region in ["eu-central-1", "us-east-1", "eu-west-1"]:
    get_backend("ec2")[ACCOUNT][region]
for service in ["s3", "iam", "sts"]:
    get_backend(service)[ACCOUNT]["aws"]


def create_vpc(self, made=VPCs.create_vpc):
    """moto makes a VPC for a dry run too."""
    self.error_on_dryrun()
    return made(self)


VPCs.create_vpc = create_vpc

main(["-H", "127.0.0.1", "-p", sys.argv[1]])
