"""moto, for as long as standard input stays open: so that it ends with the tests that started it."""

import os
import sys
import threading


def watch():
    sys.stdin.buffer.read()
    os._exit(0)


threading.Thread(target=watch, daemon=True).start()

from moto.core.responses import EmptyResult  # noqa: E402
from moto.ec2.responses.elastic_network_interfaces import ElasticNetworkInterfaces  # noqa: E402
from moto.ec2.utils import random_public_ip  # noqa: E402
from moto.ec2.responses.subnets import Subnets  # noqa: E402
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


def delete_subnet(self, ended=Subnets.delete_subnet):
    """In moto what binds a subnet to a route table outlives the subnet, and keeps the table from being
    deleted."""
    answer = ended(self)
    gone = self._get_param("SubnetId")
    for table in self.ec2_backend.route_tables.values():
        for bond in [bond for bond, of in table._associations.items() if of == gone]:
            del table._associations[bond]
    return answer


Subnets.delete_subnet = delete_subnet


def modify_interface(self, done=ElasticNetworkInterfaces.modify_network_interface_attribute):
    """moto does not know that a running machine is given a public address, or loses its own."""
    asked = self._get_param("AssociatePublicIpAddress")
    if asked is None:
        return done(self)
    self.error_on_dryrun()
    asked = str(asked).lower() == "true"
    interface = self.ec2_backend.get_network_interface(self._get_param("NetworkInterfaceId"))
    if asked != bool(interface.public_ip):
        interface.public_ip = random_public_ip() if asked else None
    interface.public_ip_auto_assign = asked
    return EmptyResult()


ElasticNetworkInterfaces.modify_network_interface_attribute = modify_interface

main(["-H", "127.0.0.1", "-p", sys.argv[1]])
