"""What somebody changes with Google's own client for Python, one change for each line read.

    outside.py ENDPOINT PROJECT REGION

A line is a JSON list: what to do, the id of the thing, and more. It is answered with "done" once the
change is made; what goes wrong ends the program with a trace.
"""

import contextlib
import ipaddress
import json
import sys

from google.auth.credentials import AnonymousCredentials
from google.cloud import compute_v1 as compute
from google.cloud import storage

ENDPOINT, PROJECT, REGION = sys.argv[1:]
IN_REGION = {"project": PROJECT, "region": REGION}
LABEL = {"cost-center": "7"}


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
projects = client("Projects")
gcs = storage.Client(
    project=PROJECT,
    credentials=AnonymousCredentials(),
    client_options={"api_endpoint": ENDPOINT},
)


def at(id):
    """The project, zone and name of what is in a zone."""
    zone, name = id.split("/")
    return {"project": PROJECT, "zone": zone}, name


def last(link):
    return link.rsplit("/", 1)[1]


def machine(id):
    place, name = at(id)
    return {**place, "instance": name}, instances.get(instance=name, **place)


@contextlib.contextmanager
def off(id):
    """Some changes are made only while a machine is off."""
    which, _ = machine(id)
    instances.stop(**which).result()
    yield
    instances.start(**which).result()


def merged(labels):
    return {**dict(labels), **LABEL}


def label_machine(id):
    which, found = machine(id)
    wanted = compute.InstancesSetLabelsRequest(
        labels=merged(found.labels), label_fingerprint=found.label_fingerprint
    )
    instances.set_labels(instances_set_labels_request_resource=wanted, **which).result()


def label_disk(id):
    place, name = at(id)
    found = disks.get(disk=name, **place)
    wanted = compute.ZoneSetLabelsRequest(
        labels=merged(found.labels), label_fingerprint=found.label_fingerprint
    )
    disks.set_labels(resource=name, zone_set_labels_request_resource=wanted, **place).result()


def label_address(name):
    found = addresses.get(address=name, **IN_REGION)
    wanted = compute.RegionSetLabelsRequest(
        labels=merged(found.labels), label_fingerprint=found.label_fingerprint
    )
    addresses.set_labels(
        resource=name, region_set_labels_request_resource=wanted, **IN_REGION
    ).result()


def label_bucket(name):
    bucket = gcs.get_bucket(name)
    bucket.labels = merged(bucket.labels)
    bucket.patch()


def labelled(text):
    note = json.loads(text)
    note.setdefault("labels", {}).update(LABEL)
    return json.dumps(note)


def label_firewall(name):
    """Firewall rules have no labels: ours are in the description."""
    found = firewalls.get(project=PROJECT, firewall=name)
    wanted = compute.Firewall(name=name, description=labelled(found.description))
    firewalls.patch(project=PROJECT, firewall=name, firewall_resource=wanted).result()


def change_entry(key, change):
    """Changes one entry of the project's metadata; `change` is given its text, or none."""
    metadata = projects.get(project=PROJECT).common_instance_metadata
    entries = {item.key: item.value for item in metadata.items}
    entries[key] = change(entries.get(key))
    items = [compute.Items(key=key, value=value) for key, value in entries.items()]
    wanted = compute.Metadata(fingerprint=metadata.fingerprint, items=items)
    projects.set_common_instance_metadata(project=PROJECT, metadata_resource=wanted).result()


def change_note(name, change):
    """Nobody changes a network's description: what changes is an entry of the project's metadata."""
    found = networks.get(project=PROJECT, network=name)
    key = f"stratiform-note-network-{found.id}"
    change_entry(key, lambda text: change(text or found.description))


def label_network(name):
    change_note(name, labelled)


def note_range(name, cidr):
    """Google's networks have no range of their own: ours is noted."""

    def change(text):
        note = json.loads(text)
        note["more"]["cidr"] = cidr
        return json.dumps(note)

    change_note(name, change)


def label_subnet(name):
    found = subnetworks.get(subnetwork=name, **IN_REGION)
    key = f"stratiform-note-subnet-{found.id}"
    change_entry(key, lambda text: labelled(text or found.description))


def label_key(name):
    def change(text):
        kept = json.loads(text)
        kept["note"] = json.loads(labelled(json.dumps(kept["note"])))
        return json.dumps(kept)

    change_entry(f"stratiform-key-{name}", change)


def rekey(name):
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKeyOfSomebodyElseWhoMayLogInNow00000000"
    change_entry(
        f"stratiform-key-{name}",
        lambda text: json.dumps({**json.loads(text), "public_key": key}),
    )


def expand_subnet(name):
    found = subnetworks.get(subnetwork=name, **IN_REGION)
    # The range of which this is a half: the beginning of a range is of its own prefix.
    wider = ipaddress.ip_network(found.ip_cidr_range).supernet()
    wanted = compute.SubnetworksExpandIpCidrRangeRequest(ip_cidr_range=str(wider))
    subnetworks.expand_ip_cidr_range(
        subnetwork=name,
        subnetworks_expand_ip_cidr_range_request_resource=wanted,
        **IN_REGION,
    ).result()


def admit(name):
    """Lets more in by one of the firewall's rules."""
    rules = firewalls.list(project=PROJECT)
    own = [one for one in rules if list(one.target_tags) == [name] and one.direction == "INGRESS"]
    ranges = [*own[0].source_ranges, "192.0.2.0/24"]
    wanted = compute.Firewall(name=own[0].name, source_ranges=ranges)
    firewalls.patch(project=PROJECT, firewall=own[0].name, firewall_resource=wanted).result()


def lead_to(id, address):
    which, found = machine(id)
    for way in found.network_interfaces[0].access_configs:
        instances.delete_access_config(
            network_interface="nic0", access_config=way.name, **which
        ).result()
    ip = addresses.get(address=address, **IN_REGION).address
    way = compute.AccessConfig(name="external-nat", type_="ONE_TO_ONE_NAT", nat_i_p=ip)
    instances.add_access_config(
        network_interface="nic0", access_config_resource=way, **which
    ).result()


def resize(id, machine_type):
    which, _ = machine(id)
    path = f"zones/{which['zone']}/machineTypes/{machine_type}"
    wanted = compute.InstancesSetMachineTypeRequest(machine_type=path)
    with off(id):
        instances.set_machine_type(
            instances_set_machine_type_request_resource=wanted, **which
        ).result()


def sell_as(id, model):
    """On demand or spot: another can be set while a machine is off."""
    which, _ = machine(id)
    is_spot = model == "SPOT"
    wanted = compute.Scheduling(
        provisioning_model=model,
        preemptible=is_spot,
        automatic_restart=not is_spot,
        on_host_maintenance="TERMINATE" if is_spot else "MIGRATE",
    )
    with off(id):
        instances.set_scheduling(scheduling_resource=wanted, **which).result()


def guard_by(id, firewall):
    which, found = machine(id)
    wanted = compute.Tags(items=[firewall], fingerprint=found.tags.fingerprint)
    instances.set_tags(tags_resource=wanted, **which).result()


def note_key(id, key):
    """Which key pair a machine got at its first boot stands in its metadata."""
    which, found = machine(id)
    items = [item for item in found.metadata.items if item.key != "stratiform-keypair"]
    items.append(compute.Items(key="stratiform-keypair", value=key))
    wanted = compute.Metadata(fingerprint=found.metadata.fingerprint, items=items)
    instances.set_metadata(metadata_resource=wanted, **which).result()


def move_machine(id):
    """Into another subnet of its network, which a machine that is off can."""
    which, found = machine(id)
    own = found.network_interfaces[0]
    others = [
        one
        for one in subnetworks.list(**IN_REGION)
        if one.network == own.network and one.self_link != own.subnetwork
    ]
    with off(id):
        own = machine(id)[1].network_interfaces[0]
        wanted = compute.NetworkInterface(
            network=own.network, subnetwork=others[0].self_link, fingerprint=own.fingerprint
        )
        instances.update_network_interface(
            network_interface="nic0", network_interface_resource=wanted, **which
        ).result()


def grow(id, gb):
    place, name = at(id)
    wanted = compute.DisksResizeRequest(size_gb=gb)
    disks.resize(disk=name, disks_resize_request_resource=wanted, **place).result()


def grow_boot_disk(id, more):
    """The disk that a machine boots from."""
    which, found = machine(id)
    own = next(disk for disk in found.disks if disk.boot)
    grow(f"{which['zone']}/{last(own.source)}", own.disk_size_gb + more)


def attach(id, disk):
    which, _ = machine(id)
    place, name = at(disk)
    source = f"projects/{PROJECT}/zones/{place['zone']}/disks/{name}"
    instances.attach_disk(
        attached_disk_resource=compute.AttachedDisk(source=source), **which
    ).result()


def detach(disk):
    place, name = at(disk)
    user = last(disks.get(disk=name, **place).users[0])
    found = instances.get(instance=user, **place)
    device = next(one.device_name for one in found.disks if last(one.source) == name)
    instances.detach_disk(instance=user, device_name=device, **place).result()


def keep_versions(name, on):
    bucket = gcs.get_bucket(name)
    bucket.versioning_enabled = on
    bucket.patch()


CHANGES = [
    label_machine, label_disk, label_address, label_bucket, label_firewall, label_network,
    note_range, note_key, label_subnet, label_key, rekey, expand_subnet, admit, lead_to, resize, sell_as, guard_by,
    move_machine, grow, grow_boot_disk, attach, detach, keep_versions,
]
KNOWN = {change.__name__: change for change in CHANGES}

for line in sys.stdin:
    what, *of = json.loads(line)
    KNOWN[what](*of)
    print("done", flush=True)
