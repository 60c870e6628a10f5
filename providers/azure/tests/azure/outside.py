"""What somebody changes with Microsoft's own clients for Python, one change for each line read.

    outside.py ENDPOINT SUBSCRIPTION TOKEN ROOT GROUP

A line is a JSON list: what to do, the name of the thing, and more. It is answered with "done" once the
change is made; what goes wrong ends the program with a trace.
"""

import contextlib
import json
import sys
import time

from azure.core.credentials import AccessToken
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.storage import StorageManagementClient

ENDPOINT, SUBSCRIPTION, TOKEN, ROOT, GROUP = sys.argv[1:]
SCOPE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
PLACE = "westeurope"


class Credential:
    def get_token(self, *scopes, **more):
        return AccessToken(TOKEN, int(time.time()) + 3600)


def client(kind):
    return kind(
        Credential(),
        SUBSCRIPTION,
        base_url=ENDPOINT,
        credential_scopes=[f"{ENDPOINT}/.default"],
        connection_verify=ROOT,
        polling_interval=0,
        retry_total=0,
    )


compute, network = client(ComputeManagementClient), client(NetworkManagementClient)
resources, storage = client(ResourceManagementClient), client(StorageManagementClient)


def path(kind, name):
    return f"{SCOPE}/providers/{kind}/{name}"


def last(id):
    return id.rsplit("/", 1)[1]


def merge(kind, name, tags):
    patch = {"operation": "Merge", "properties": {"tags": tags}}
    resources.tags.begin_update_at_scope(path(kind, name), patch).result()


def tag(kind, name, key="cost-center", value="7"):
    merge(kind, name, {key: value})


def label_subnet(net, name):
    """A subnet has no tags: what is noted of it is in its network's, 256 characters in each."""
    tags = network.virtual_networks.get(GROUP, net).tags
    word = f"stratiform:subnet-{name.lower()}"
    keys = [word, *(f"{word}---{part}" for part in range(2, 9))]
    note = json.loads("".join(tags.get(key, "") for key in keys))
    note.setdefault("labels", {})["cost-center"] = "7"
    text = json.dumps(note, separators=(",", ":"), ensure_ascii=False)
    parts = [text[start : start + 256] for start in range(0, len(text), 256)]
    merge("Microsoft.Network/virtualNetworks", net, dict(zip(keys, parts)))


def move_network(name):
    found = network.virtual_networks.get(GROUP, name)
    found.address_space.address_prefixes = ["10.99.0.0/16"]
    network.virtual_networks.begin_create_or_update(GROUP, name, found).result()


def move_subnet(net, name):
    found = network.subnets.get(GROUP, net, name)
    found.address_prefix = "10.77.200.0/24"
    network.subnets.begin_create_or_update(GROUP, net, name, found).result()


def admit(net, name):
    rule = {"properties": {
        "access": "Allow", "direction": "Inbound", "priority": 2999, "protocol": "Tcp",
        "sourcePortRange": "*", "sourceAddressPrefix": "192.0.2.0/24",
        "destinationPortRange": "22",
        "destinationApplicationSecurityGroups": [
            {"id": path("Microsoft.Network/applicationSecurityGroups", name)}
        ],
    }}
    network.security_rules.begin_create_or_update(GROUP, f"{net}_rules", "by-hand", rule).result()


def interface(machine):
    found = compute.virtual_machines.get(GROUP, machine)
    return network.network_interfaces.get(GROUP, last(found.network_profile.network_interfaces[0].id))


def write(found):
    network.network_interfaces.begin_create_or_update(GROUP, found.name, found).result()


def lead_to(machine, address):
    found = interface(machine)
    found.ip_configurations[0].public_ip_address = network.public_ip_addresses.get(GROUP, address)
    write(found)


def guard_by(machine, firewall):
    found = interface(machine)
    group = network.application_security_groups.get(GROUP, firewall)
    found.ip_configurations[0].application_security_groups = [group]
    write(found)


def move_machine(machine, net):
    """Into another subnet of its network."""
    found = interface(machine)
    own = found.ip_configurations[0].subnet.id
    others = [one for one in network.subnets.list(GROUP, net) if one.name != last(own)]
    found.ip_configurations[0].subnet = others[0]
    write(found)


def rekey(name):
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKeyOfSomebodyElseWhoMayLogInNow00000000"
    compute.ssh_public_keys.update(GROUP, name, {"properties": {"publicKey": key}})


def resize(name, size):
    change = {"properties": {"hardwareProfile": {"vmSize": size}}}
    compute.virtual_machines.begin_update(GROUP, name, change).result()


def grow(name, size):
    change = {"properties": {"diskSizeGB": size}}
    compute.disks.begin_update(GROUP, name, change).result()


@contextlib.contextmanager
def off(machine):
    """Some changes are made only while a machine is off."""
    compute.virtual_machines.begin_deallocate(GROUP, machine).result()
    yield
    compute.virtual_machines.begin_start(GROUP, machine).result()


def grow_boot_disk(name, size):
    found = compute.virtual_machines.get(GROUP, name)
    with off(name):
        grow(found.storage_profile.os_disk.name, size)


def reclass(name):
    user = compute.disks.get(GROUP, name).managed_by
    with off(last(user)) if user else contextlib.nullcontext():
        compute.disks.begin_update(GROUP, name, {"sku": {"name": "Standard_LRS"}}).result()


def attach(machine, disk):
    disks = [{"lun": 7, "createOption": "Attach", "managedDisk": {"id": path("Microsoft.Compute/disks", disk)}}]
    change = {"properties": {"storageProfile": {"dataDisks": disks}}}
    compute.virtual_machines.begin_update(GROUP, machine, change).result()


def keep_versions(account):
    on = {"properties": {"isVersioningEnabled": True}}
    storage.blob_services.set_service_properties(GROUP, account, on)


CHANGES = [
    tag, label_subnet, move_network, move_subnet, admit, lead_to, guard_by, move_machine, rekey, resize, grow,
    grow_boot_disk, reclass, attach, keep_versions,
]
KNOWN = {change.__name__: change for change in CHANGES}

for line in sys.stdin:
    what, *of = json.loads(line)
    KNOWN[what](*of)
    print("done", flush=True)
