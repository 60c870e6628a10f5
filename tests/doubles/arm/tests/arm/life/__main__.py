"""Microsoft's own clients for Python do a whole life through the double, and meet each error.

    python life ENDPOINT SUBSCRIPTION TOKEN ROOT

What they see is held against Microsoft's reference. It asks the test that started it to arrange what
it cannot arrange itself: it prints one line of JSON, and goes on when a line comes back.
"""

import faulthandler
import sys

from common import *
from disturbances import disturbances
from machines import changes_of_the_machine, spot, stock, the_disk, the_key, the_machine
from network import (
    addresses_and_interfaces,
    conditions,
    dependencies,
    security,
    the_group,
    the_network,
    what_azure_has,
)
from store import containers, the_account


def the_end():
    resources.resource_groups.begin_delete(GROUP).result()
    same(resources.resource_groups.check_existence(GROUP), False)
    same(list(compute.virtual_machines.list_all()), [])
    same(list(network.network_interfaces.list_all()), [])
    with refused(404, "ResourceGroupNotFound", GROUP):
        resources.resource_groups.begin_delete(GROUP).result()


PARTS = [
    what_azure_has,
    the_group,
    the_network,
    security,
    addresses_and_interfaces,
    conditions,
    the_disk,
    the_key,
    the_machine,
    changes_of_the_machine,
    dependencies,
    spot,
    stock,
    the_account,
    containers,
    disturbances,
    the_end,
]

# What hangs is told with where it does.
faulthandler.dump_traceback_later(900, exit=True)

for part in PARTS:
    try:
        part()
    except BaseException:
        sys.stderr.write(f"in {part.__name__}:\n")
        raise
