"""What the parts of the life share: clients, and what they see held against what is wanted."""

import contextlib
import json
import sys

from google.auth.credentials import AnonymousCredentials
from google.cloud import compute_v1 as compute

ENDPOINT, PROJECT = sys.argv[1], sys.argv[2]
REGION, ZONE, OTHER_ZONE = "europe-west1", "europe-west1-b", "europe-west1-c"
HERE = {"project": PROJECT, "zone": ZONE}
IN_REGION = {"project": PROJECT, "region": REGION}


def client(name):
    kind = getattr(compute, f"{name}Client")
    transport = kind.get_transport_class("rest")
    host = ENDPOINT.removeprefix("http://")
    made = kind(
        transport=transport(host=host, credentials=AnonymousCredentials(), url_scheme="http")
    )
    # Otherwise `result()` asks Google about the operation.
    made._transport._extended_operations_services = OPERATIONS
    return made


OPERATIONS = {}
OPERATIONS.update(
    zone_operations=client("ZoneOperations"),
    region_operations=client("RegionOperations"),
    global_operations=client("GlobalOperations"),
)


networks, subnetworks, firewalls = client("Networks"), client("Subnetworks"), client("Firewalls")
addresses, disks, instances = client("Addresses"), client("Disks"), client("Instances")
images, machine_types, zones = client("Images"), client("MachineTypes"), client("Zones")
regions, projects, disk_types = client("Regions"), client("Projects"), client("DiskTypes")


def arrange(what, *arguments):
    print(json.dumps([what, *arguments]), flush=True)
    assert sys.stdin.readline().strip() == "done", what


@contextlib.contextmanager
def refused(kind, *words):
    """What is within must end in this error, whose text has these words."""
    try:
        yield
    except kind as error:
        missing = [word for word in words if word not in str(error)]
        assert not missing, f"{missing} in: {error}"
    else:
        raise AssertionError(f"nothing was refused: {kind.__name__} {words}")


def same(found, wanted):
    assert found == wanted, f"{found!r} is not {wanted!r}"


def names(answer):
    return [one.name for one in answer]
