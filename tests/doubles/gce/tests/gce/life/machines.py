"""Disks, addresses and machines, and what uses what."""

from google.api_core import exceptions
from google.cloud import compute_v1 as compute

from common import *


def address(name):
    made = compute.Address(name=name, labels={"team": "shop"})
    addresses.insert(address_resource=made, **IN_REGION).result()
    return addresses.get(address=name, **IN_REGION)


def disk(name, **fields):
    made = compute.Disk(name=name, size_gb=20, type_=f"zones/{ZONE}/diskTypes/pd-ssd", **fields)
    return disks.insert(disk_resource=made, **HERE)


def set_disk_labels(name, labels, fingerprint):
    wanted = compute.ZoneSetLabelsRequest(labels=labels, label_fingerprint=fingerprint)
    return disks.set_labels(resource=name, zone_set_labels_request_resource=wanted, **HERE)


def the_disk():
    disk("data", labels={"a": "b"}).result()
    seen = disks.get(disk="data", **HERE)
    same((seen.status, seen.size_gb, dict(seen.labels)), ("READY", 20, {"a": "b"}))
    disk("other", labels={"a": "b"}).result()
    # Fingerprints are digests of the contents: equal labels have equal ones.
    same(disks.get(disk="other", **HERE).label_fingerprint, seen.label_fingerprint)
    for stale in ["", "AAAAAAAAAAA="]:
        with refused(exceptions.PreconditionFailed, "Labels fingerprint"):
            set_disk_labels("data", {"c": "d"}, stale)
    set_disk_labels("data", {"c": "d"}, seen.label_fingerprint).result()
    after = disks.get(disk="data", **HERE)
    same(dict(after.labels), {"c": "d"})
    assert after.label_fingerprint != seen.label_fingerprint
    with refused(exceptions.BadRequest, "Label key 'Big' violates format constraints"):
        set_disk_labels("data", {"Big": "x"}, after.label_fingerprint)
    grow = lambda gb: disks.resize(
        disk="data", disks_resize_request_resource=compute.DisksResizeRequest(size_gb=gb), **HERE
    )
    grow(30).result()
    same(disks.get(disk="data", **HERE).size_gb, 30)
    with refused(exceptions.BadRequest, "must be larger than existing size '30'"):
        grow(10)
    small = compute.Disk(name="small", size_gb=5)
    with refused(exceptions.BadRequest, "Disk size must be between"):
        disks.insert(disk_resource=small, **HERE)


DEBIAN = "projects/debian-cloud/global/images/family/debian-12"


def boot_disk(image=DEBIAN):
    params = compute.AttachedDiskInitializeParams(source_image=image, disk_size_gb=10)
    return compute.AttachedDisk(boot=True, auto_delete=True, initialize_params=params)


def interface(**fields):
    return compute.NetworkInterface(subnetwork=f"regions/{REGION}/subnetworks/sub", **fields)


def machine(name, machine_type="e2-small", **fields):
    fields.setdefault("disks", [boot_disk()])
    fields.setdefault("network_interfaces", [interface()])
    return compute.Instance(
        name=name, machine_type=f"zones/{ZONE}/machineTypes/{machine_type}", **fields
    )


def insert(made, **query):
    request = compute.InsertInstanceRequest(instance_resource=made, **HERE, **query)
    return instances.insert(request)


def get(name):
    return instances.get(instance=name, **HERE)


def listed(**query):
    return names(instances.list(compute.ListInstancesRequest(**HERE, **query)))


def the_machine():
    items = [compute.Items(key="ssh-keys", value="me:ssh-ed25519 AAAA me")]
    insert(
        machine(
            "web-1",
            labels={"role": "web"},
            tags=compute.Tags(items=["web"]),
            metadata=compute.Metadata(items=items),
        )
    ).result()
    seen = get("web-1")
    same((seen.status, dict(seen.labels), list(seen.tags.items)), ("RUNNING", {"role": "web"}, ["web"]))
    same(seen.network_interfaces[0].network_i_p, "10.0.0.2")
    same(seen.scheduling.provisioning_model, "STANDARD")
    boot = disks.get(disk="web-1", **HERE)
    same((boot.users[0], boot.source_image.rsplit("/", 1)[1][:9]), (seen.self_link, "debian-12"))
    with refused(exceptions.Conflict, "zones/europe-west1-b/instances/web-1' already exists"):
        insert(machine("web-1"))
    # The same name in another zone is another machine.
    elsewhere = machine("web-1")
    elsewhere.machine_type = f"zones/{OTHER_ZONE}/machineTypes/e2-small"
    instances.insert(project=PROJECT, zone=OTHER_ZONE, instance_resource=elsewhere).result()
    by_zone = dict(instances.aggregated_list(project=PROJECT))
    for zone in (ZONE, OTHER_ZONE):
        same(names(by_zone[f"zones/{zone}"].instances), ["web-1"])
    instances.delete(project=PROJECT, zone=OTHER_ZONE, instance="web-1").result()
    with refused(exceptions.NotFound, "disks/web-1"):
        disks.get(project=PROJECT, zone=OTHER_ZONE, disk="web-1")
    wrong = [
        (machine("a", "e2-huge"), exceptions.BadRequest, "e2-huge"),
        (machine("b", disks=[]), exceptions.BadRequest, "boot disk"),
        (machine("c", network_interfaces=[]), exceptions.BadRequest, "network interface"),
        (machine("d", disks=[boot_disk(DEBIAN + "x")]), exceptions.NotFound, "debian-12x"),
        (
            machine("e", disks=[boot_disk(DEBIAN + "-arm64")]),
            exceptions.BadRequest,
            "Requested boot disk architecture (ARM64) is not compatible",
        ),
        (
            machine("f", network_interfaces=[compute.NetworkInterface(subnetwork="global/x")]),
            exceptions.BadRequest,
            "The URL is malformed",
        ),
    ]
    for one, kind, words in wrong:
        with refused(kind, words):
            insert(one)
    bare = machine("g")
    bare.machine_type = "e2-small"
    with refused(exceptions.BadRequest, "The URL is malformed"):
        insert(bare)
    both = compute.Scheduling(provisioning_model="SPOT", automatic_restart=True)
    with refused(exceptions.BadRequest, "automaticRestart be false"):
        insert(machine("h", scheduling=both))
    spot = compute.Scheduling(provisioning_model="SPOT", instance_termination_action="DELETE")
    insert(machine("spot", scheduling=spot)).result()
    assert get("spot").scheduling.preemptible
    instances.delete(instance="spot", **HERE).result()


def changes_of_the_machine():
    seen = get("web-1")
    labels = compute.InstancesSetLabelsRequest(labels={"role": "api"})
    ask = {"instance": "web-1", "instances_set_labels_request_resource": labels}
    with refused(exceptions.PreconditionFailed, "Labels fingerprint"):
        instances.set_labels(**ask, **HERE)
    labels.label_fingerprint = seen.label_fingerprint
    instances.set_labels(**ask, **HERE).result()
    same(dict(get("web-1").labels), {"role": "api"})
    tags = compute.Tags(items=["web", "api"], fingerprint=seen.tags.fingerprint)
    instances.set_tags(instance="web-1", tags_resource=tags, **HERE).result()
    with refused(exceptions.PreconditionFailed, "tags fingerprint"):
        instances.set_tags(instance="web-1", tags_resource=tags, **HERE)
    metadata = compute.Metadata(items=[compute.Items(key="k", value="v")])
    with refused(exceptions.PreconditionFailed, "metadata fingerprint"):
        instances.set_metadata(instance="web-1", metadata_resource=metadata, **HERE)
    metadata.fingerprint = seen.metadata.fingerprint
    instances.set_metadata(instance="web-1", metadata_resource=metadata, **HERE).result()
    seen = get("web-1")
    same((list(seen.tags.items), seen.metadata.items[0].value), (["web", "api"], "v"))
    larger = compute.InstancesSetMachineTypeRequest(
        machine_type=f"zones/{ZONE}/machineTypes/e2-medium"
    )
    ask = {"instance": "web-1", "instances_set_machine_type_request_resource": larger}
    with refused(exceptions.BadRequest, "TERMINATED"):
        instances.set_machine_type(**ask, **HERE)
    instances.stop(instance="web-1", **HERE).result()
    same(get("web-1").status, "TERMINATED")
    instances.set_machine_type(**ask, **HERE).result()
    instances.start(instance="web-1", **HERE).result()
    seen = get("web-1")
    same((seen.status, seen.machine_type.rsplit("/", 1)[1]), ("RUNNING", "e2-medium"))
    protect = lambda on: instances.set_deletion_protection(
        compute.SetDeletionProtectionInstanceRequest(resource="web-1", deletion_protection=on, **HERE)
    )
    protect(True).result()
    with refused(exceptions.BadRequest, "protected against deletion"):
        instances.delete(instance="web-1", **HERE)
    protect(False).result()


def what_is_attached():
    data = compute.AttachedDisk(source=f"zones/{ZONE}/disks/data", device_name="data")
    attach = lambda name: instances.attach_disk(
        instance=name, attached_disk_resource=data, **HERE
    )
    attach("web-1").result()
    same(disks.get(disk="data", **HERE).users[0].rsplit("/", 1)[1], "web-1")
    insert(machine("web-2")).result()
    with refused(exceptions.BadRequest, "disks/data' is already being used by"):
        attach("web-2")
    with refused(exceptions.BadRequest, "disks/data' is already being used by"):
        disks.delete(disk="data", **HERE)
    detach = lambda name: instances.detach_disk(instance="web-1", device_name=name, **HERE)
    with refused(exceptions.BadRequest, "No attached disk found with device name 'none'"):
        detach("none")
    with refused(exceptions.BadRequest, "boot disk can only be detached"):
        detach("persistent-disk-0")
    detach("data").result()
    same(list(disks.get(disk="data", **HERE).users), [])
    ip = address("ip")
    same((ip.status, dict(ip.labels)), ("RESERVED", {"team": "shop"}))
    config = compute.AccessConfig(name="External NAT", type_="ONE_TO_ONE_NAT", nat_i_p=ip.address)
    add = lambda name: instances.add_access_config(
        instance=name, network_interface="nic0", access_config_resource=config, **HERE
    )
    add("web-1").result()
    ip = addresses.get(address="ip", **IN_REGION)
    same((ip.status, ip.users[0].rsplit("/", 1)[1]), ("IN_USE", "web-1"))
    with refused(exceptions.BadRequest, "At most one access config"):
        add("web-1")
    with refused(exceptions.BadRequest, "already in-use"):
        add("web-2")
    with refused(exceptions.BadRequest, "addresses/ip' is already being used by"):
        addresses.delete(address="ip", **IN_REGION)
    instances.delete_access_config(
        instance="web-1", network_interface="nic0", access_config="External NAT", **HERE
    ).result()
    same(addresses.get(address="ip", **IN_REGION).status, "RESERVED")
    with refused(exceptions.BadRequest, "subnetworks/sub' is already being used by"):
        subnetworks.delete(subnetwork="sub", **IN_REGION)
    # A network that is used is told at the end of the operation.
    with refused(exceptions.BadRequest, "networks/net' is already being used by"):
        networks.delete(project=PROJECT, network="net").result()
