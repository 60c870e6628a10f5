"""Google's own client for Python does a whole life through the double, and meets each error.

    python life ENDPOINT PROJECT

What it sees is held against Google's reference. It asks the test that started it to arrange what it
cannot arrange itself: it prints one line of JSON, and goes on when a line comes back.
"""

import sys

from google.api_core import exceptions

from buckets import buckets
from common import *
from disturbances import disturbances
from fleets import exactly_once, fleets, lists
from machines import changes_of_the_machine, listed, the_disk, the_machine, what_is_attached
from network import the_firewall, the_network, what_google_has


def the_end():
    for one in listed():
        instances.delete(instance=one, **HERE).result()
    for name in ["data", "other"]:
        disks.delete(disk=name, **HERE).result()
    same(names(disks.list(**HERE)), [])
    addresses.delete(address="ip", **IN_REGION).result()
    firewalls.delete(project=PROJECT, firewall="web").result()
    subnetworks.delete(subnetwork="sub", **IN_REGION).result()
    networks.delete(project=PROJECT, network="net").result()
    with refused(exceptions.NotFound, "global/networks/net"):
        networks.delete(project=PROJECT, network="net")


PARTS = [
    what_google_has,
    the_network,
    the_firewall,
    the_disk,
    the_machine,
    changes_of_the_machine,
    what_is_attached,
    fleets,
    lists,
    exactly_once,
    disturbances,
    buckets,
    the_end,
]

for part in PARTS:
    try:
        part()
    except Exception:
        sys.stderr.write(f"in {part.__name__}:\n")
        raise
