"""Google's own client for Python does a whole life through the double, and meets each error.

    client.py ENDPOINT PROJECT

What it sees is held against Google's reference. It asks the test that started it to arrange what it
cannot arrange itself: it prints one line of JSON, and goes on when a line comes back.
"""

import contextlib
import json
import sys
import uuid

from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import compute_v1 as compute
from google.cloud import storage

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


def what_google_has():
    same(zones.get(project=PROJECT, zone=ZONE).region.rsplit("/", 1)[1], REGION)
    assert len(list(zones.list(project=PROJECT))) > 10
    region = regions.get(project=PROJECT, region=REGION)
    quotas = {quota.metric: (quota.limit, quota.usage) for quota in region.quotas}
    same(quotas["INSTANCES"], (24000.0, 0.0))
    small = machine_types.get(machine_type="e2-small", **HERE)
    same((small.guest_cpus, small.memory_mb, small.architecture), (2, 2048, "X86_64"))
    custom = machine_types.get(machine_type="n2-custom-4-8192", **HERE)
    same((custom.guest_cpus, custom.memory_mb), (4, 8192))
    with refused(exceptions.NotFound, "machineTypes/n2-custom-3-8192"):
        machine_types.get(machine_type="n2-custom-3-8192", **HERE)
    by_zone = list(machine_types.aggregated_list(project=PROJECT))
    here = [one.name for scope, of in by_zone if scope == f"zones/{ZONE}" for one in of.machine_types]
    same(here.count("e2-small"), 1)
    assert "pd-balanced" in [one.name for one in disk_types.list(**HERE)]
    same(projects.get(project=PROJECT).name, PROJECT)
    image = images.get_from_family(project="debian-cloud", family="debian-12")
    same((image.family, image.architecture), ("debian-12", "X86_64"))
    assert image.name.endswith("v20261110"), image.name
    with refused(exceptions.NotFound, "projects/debian-cloud/global/images/family/none"):
        images.get_from_family(project="debian-cloud", family="none")
    with refused(exceptions.BadRequest, "Unknown zone"):
        list(instances.list(project=PROJECT, zone="europe-west1-z"))
    with refused(exceptions.NotFound, "projects/another"):
        list(zones.list(project="another"))


def network(name):
    made = compute.Network(name=name, auto_create_subnetworks=False, description="ours")
    return networks.insert(project=PROJECT, network_resource=made)


def subnetwork(name, cidr, of="net"):
    made = compute.Subnetwork(
        name=name, network=f"projects/{PROJECT}/global/networks/{of}", ip_cidr_range=cidr
    )
    return subnetworks.insert(subnetwork_resource=made, **IN_REGION)


def the_network():
    network("net").result()
    with refused(exceptions.Conflict, "already exists", "global/networks/net"):
        network("net")
    made = networks.get(project=PROJECT, network="net")
    same((made.description, made.auto_create_subnetworks), ("ours", False))
    subnetwork("sub", "10.0.0.0/24").result()
    with refused(exceptions.BadRequest, "conflicts with existing subnetwork 'sub'"):
        subnetwork("twin", "10.0.0.128/25")
    with refused(exceptions.BadRequest, "The referenced network resource cannot be found"):
        subnetwork("lost", "10.9.0.0/24", of="none")
    same(networks.get(project=PROJECT, network="net").subnetworks[0].rsplit("/", 1)[1], "sub")
    wider = compute.SubnetworksExpandIpCidrRangeRequest(ip_cidr_range="10.0.0.0/23")
    ask = {"subnetwork": "sub", "subnetworks_expand_ip_cidr_range_request_resource": wider}
    subnetworks.expand_ip_cidr_range(**ask, **IN_REGION).result()
    with refused(exceptions.BadRequest, "must contain the old one"):
        subnetworks.expand_ip_cidr_range(**ask, **IN_REGION)
    seen = subnetworks.get(subnetwork="sub", **IN_REGION)
    same((seen.ip_cidr_range, seen.gateway_address), ("10.0.0.0/23", "10.0.0.1"))
    change = compute.Subnetwork(private_ip_google_access=True, fingerprint="AAAAAAAAAAA=")
    with refused(exceptions.PreconditionFailed, "fingerprint"):
        subnetworks.patch(subnetwork="sub", subnetwork_resource=change, **IN_REGION)
    change.fingerprint = seen.fingerprint
    subnetworks.patch(subnetwork="sub", subnetwork_resource=change, **IN_REGION).result()
    assert subnetworks.get(subnetwork="sub", **IN_REGION).private_ip_google_access
    by_region = dict(subnetworks.aggregated_list(project=PROJECT))
    same([one.name for one in by_region[f"regions/{REGION}"].subnetworks], ["sub"])
    same(by_region["regions/us-east4"].warning.code, "NO_RESULTS_ON_PAGE")


def the_firewall():
    def make(name, **fields):
        allowed = compute.Allowed(I_p_protocol="tcp", ports=["80", "8000-8080"])
        fields = {
            "network": "global/networks/net",
            "allowed": [allowed],
            "source_ranges": ["0.0.0.0/0"],
            "target_tags": ["web"],
            **fields,
        }
        rule = compute.Firewall(name=name, **fields)
        return firewalls.insert(project=PROJECT, firewall_resource=rule)

    make("web").result()
    seen = firewalls.get(project=PROJECT, firewall="web")
    same((seen.direction, seen.priority, list(seen.target_tags)), ("INGRESS", 1000, ["web"]))
    wrong = [
        ({"allowed": []}, "at least one rule"),
        ({"denied": [compute.Denied(I_p_protocol="udp")]}, "both allowed and denied"),
        ({"source_service_accounts": ["a@b"]}, "cannot be used together"),
        ({"priority": 70000}, "between 0 and 65535"),
        ({"source_ranges": ["10.0.0.0/99"]}, "CIDR"),
    ]
    for fields, words in wrong:
        with refused(exceptions.BadRequest, words):
            make("wrong", **fields)
    with refused(exceptions.NotFound, "global/networks/none"):
        make("wrong", network="global/networks/none")
    change = compute.Firewall(name="web", priority=900, target_tags=["web", "front"])
    firewalls.patch(project=PROJECT, firewall="web", firewall_resource=change).result()
    seen = firewalls.get(project=PROJECT, firewall="web")
    same((seen.priority, sorted(seen.target_tags)), (900, ["front", "web"]))
    same(list(seen.allowed[0].ports), ["80", "8000-8080"])


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


def names(answer):
    return [one.name for one in answer]


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


def bulk(count, least=None, pattern=None, of=None, machine_type="e2-small"):
    properties = compute.InstanceProperties(
        machine_type=machine_type,
        disks=[boot_disk()],
        network_interfaces=[interface()],
        labels={"fleet": "web"},
    )
    made = compute.BulkInsertInstanceResource(count=count, instance_properties=properties)
    if least is not None:
        made.min_count = least
    if pattern:
        made.name_pattern = pattern
    for name in of or []:
        made.per_instance_properties[name] = compute.BulkInsertInstanceResourcePerInstanceProperties()
    return instances.bulk_insert(bulk_insert_instance_resource_resource=made, **HERE)


def of_operation(operation):
    found = OPERATIONS["zone_operations"].get(operation=operation.name, **HERE)
    status = found.instances_bulk_insert_operation_metadata.per_location_status
    return found, status[f"zones/{ZONE}"]


def members(group):
    request = compute.ListZoneOperationsRequest(
        filter=f'(operationGroupId="{group}") (operationType="insert")', **HERE
    )
    found = OPERATIONS["zone_operations"].list(request)
    codes = lambda one: [error.code for error in one.error.errors]
    return {one.target_link.rsplit("/", 1)[1]: codes(one) for one in found}


def fleets():
    bulk(3, pattern="fleet-##").result()
    same(listed(filter="labels.fleet=web"), ["fleet-01", "fleet-02", "fleet-03"])
    bulk(1, pattern="fleet-##").result()
    assert "fleet-04" in listed()
    # Two of three are to be had, which is enough: the operation succeeds, and each member tells.
    arrange("leave_stock", "e2-medium", ZONE, 2)
    operation = bulk(3, least=1, of=["m-a", "m-b", "m-c"], machine_type="e2-medium")
    operation.result()
    found, status = of_operation(operation)
    same((status.created_vm_count, status.target_vm_count), (2, 3))
    told = members(found.operation_group_id)
    same(told, {"m-a": [], "m-b": [], "m-c": ["ZONE_RESOURCE_POOL_EXHAUSTED"]})
    # None of two is enough: what was made goes again.
    arrange("leave_stock", "e2-medium", ZONE, 1)
    operation = bulk(2, of=["n-a", "n-b"], machine_type="e2-medium")
    with refused(exceptions.ServiceUnavailable, "ZONE_RESOURCE_POOL_EXHAUSTED"):
        operation.result()
    assert not [name for name in listed() if name.startswith("n-")]
    arrange("restock")
    operation = bulk(2, least=1, of=["m-a", "m-d"], machine_type="e2-medium")
    operation.result()
    told = members(of_operation(operation)[0].operation_group_id)
    same(told, {"m-a": ["RESOURCE_ALREADY_EXISTS"], "m-d": []})
    with refused(exceptions.InternalServerError, "machine type"):
        bulk(1, of=["m-e"], machine_type=f"zones/{ZONE}/machineTypes/e2-small")
    with refused(exceptions.BadRequest, "name pattern"):
        bulk(1)


def lists():
    every = listed()
    same(every, sorted(every))
    pages = list(instances.list(compute.ListInstancesRequest(max_results=2, **HERE)).pages)
    assert len(pages) == -(-len(every) // 2), len(pages)
    same([one.name for page in pages for one in page.items], every)
    request = compute.AggregatedListInstancesRequest(project=PROJECT, max_results=3)
    found = [one.name for _, scoped in instances.aggregated_list(request) for one in scoped.instances]
    same(sorted(found), every)
    same(listed(filter="name=web-1"), ["web-1"])
    same(listed(filter="name eq fleet-0[12]"), ["fleet-01", "fleet-02"])
    same(listed(filter="(labels.fleet=web) (name!=fleet-01)")[0], "fleet-02")
    same(listed(filter="(status=RUNNING) AND (labels.role=api)"), ["web-1"])
    same(listed(filter="labels.role:*"), ["web-1"])
    same(listed(filter="labels.none=x"), [])
    for wrong in ["name>web", "name", "(name=x"]:
        with refused(exceptions.BadRequest, "Invalid list filter expression"):
            listed(filter=wrong)
    with refused(exceptions.BadRequest, "pageToken"):
        listed(page_token="nonsense")


def exactly_once():
    token = str(uuid.uuid4())
    first = insert(machine("once"), request_id=token)
    second = insert(machine("once"), request_id=token)
    same(first.name, second.name)
    second.result()
    same(listed(filter="name=once"), ["once"])
    third = insert(machine("once"), request_id=token)
    same((third.name, third.client_operation_id), (first.name, token))
    for wrong in ["not-a-uuid", str(uuid.UUID(int=0))]:
        with refused(exceptions.BadRequest, "requestId"):
            insert(machine("twice"), request_id=wrong)
    # The answer gets lost; the machine is made, and the same request finds its operation.
    token = str(uuid.uuid4())
    arrange("lose", "instances.insert", 1)
    try:
        insert(machine("lost"), request_id=token)
    except Exception as error:
        assert "RemoteDisconnected" in repr(error) or "Connection" in repr(error), repr(error)
    else:
        raise AssertionError("the answer did not get lost")
    insert(machine("lost"), request_id=token).result()
    same(listed(filter="name=lost"), ["lost"])


def disturbances():
    for with_details, code in [
        (False, "ZONE_RESOURCE_POOL_EXHAUSTED"),
        (True, "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS"),
    ]:
        arrange("leave_stock", "e2-small", ZONE, 0)
        arrange("stock_out_with_details", with_details)
        operation = insert(machine("none"))
        with refused(exceptions.ServiceUnavailable, code):
            operation.result()
        found = OPERATIONS["zone_operations"].get(operation=operation.name, **HERE)
        same(found.error.errors[0].code, code)
        assert "none" not in listed()
        with refused(exceptions.NotFound, "disks/none"):
            disks.get(disk="none", **HERE)
        if with_details:
            info = found.error.errors[0].error_details[2].error_info
            same(info.metadatas["vmType"], "e2-small")
    arrange("restock")
    cpus = compute.Quota.Metric.CPUS.name
    arrange("set_quota", REGION, cpus, 1)
    operation = insert(machine("none"))
    with refused(exceptions.Forbidden, "Quota 'CPUS' exceeded.  Limit: 1.0 in region europe-west1."):
        operation.result()
    found = OPERATIONS["zone_operations"].get(operation=operation.name, **HERE)
    error = found.error.errors[0]
    same((error.code, error.error_details[0].quota_info.metric_name),
         ("QUOTA_EXCEEDED", "compute.googleapis.com/cpus"))
    arrange("set_quota", REGION, cpus, 10000)
    arrange("set_quota", "", "NETWORKS", 1)
    with refused(exceptions.Forbidden, "Quota 'NETWORKS' exceeded.  Limit: 1.0 globally."):
        network("second")
    arrange("set_quota", "", "NETWORKS", 100)
    for code, kind in [(403, exceptions.Forbidden), (429, exceptions.TooManyRequests)]:
        arrange("throttle", "networks.insert", 1, code)
        with refused(kind, "Rate Limit Exceeded"):
            network("second")
    arrange("deny", "compute.networks.create")
    with refused(exceptions.Forbidden, "Required 'compute.networks.create' permission for"):
        network("second")
    arrange("allow", "compute.networks.create")
    arrange("disable_service", "compute.googleapis.com", True)
    with refused(exceptions.Forbidden, "has not been used in project", "SERVICE_DISABLED"):
        network("second")
    arrange("disable_service", "compute.googleapis.com", False)
    # While an operation runs, what it makes is not ready.
    arrange("hold_operations", True)
    operation = network("second")
    assert not operation.done()
    with refused(exceptions.BadRequest, "networks/second' is not ready"):
        subnetwork("early", "10.5.0.0/24", of="second")
    same(OPERATIONS["global_operations"].get(project=PROJECT, operation=operation.name).status.name,
         "PENDING")
    arrange("hold_operations", False)
    operation.result()
    networks.delete(project=PROJECT, network="second").result()


def buckets():
    options = {"api_endpoint": ENDPOINT}
    gcs = storage.Client(project=PROJECT, credentials=AnonymousCredentials(), client_options=options)
    bucket = storage.Bucket(gcs, "shop-store")
    bucket.labels = {"team": "shop"}
    bucket.iam_configuration.uniform_bucket_level_access_enabled = True
    bucket.iam_configuration.public_access_prevention = "enforced"
    bucket.create(location=REGION)
    with refused(exceptions.Conflict, "you already own it"):
        gcs.create_bucket("shop-store")
    seen = gcs.get_bucket("shop-store")
    same((seen.labels, seen.location), ({"team": "shop"}, "EUROPE-WEST1"))
    same((seen.metageneration, seen.versioning_enabled), (1, False))
    seen.labels = {"team": "web"}
    seen.versioning_enabled = True
    seen.patch(if_metageneration_match=1)
    with refused(exceptions.PreconditionFailed, "pre-conditions"):
        seen.patch(if_metageneration_match=1)
    same(gcs.get_bucket("shop-store").labels, {"team": "web"})
    same([one.name for one in gcs.list_buckets()], ["shop-store"])
    blob = seen.blob("lease/one")
    blob.upload_from_string("first", if_generation_match=0)
    first = blob.generation
    with refused(exceptions.PreconditionFailed, "pre-conditions"):
        seen.blob("lease/one").upload_from_string("thief", if_generation_match=0)
    blob.upload_from_string("second", if_generation_match=first)
    assert blob.generation > first
    with refused(exceptions.PreconditionFailed, "pre-conditions"):
        seen.blob("lease/one").upload_from_string("late", if_generation_match=first)
    same(seen.blob("lease/one").download_as_bytes(), b"second")
    same([one.name for one in gcs.list_blobs("shop-store", prefix="lease/")], ["lease/one"])
    same(len(list(gcs.list_blobs("shop-store", versions=True))), 2)
    with refused(exceptions.NotFound, "No such object"):
        seen.blob("none").download_as_bytes()
    with refused(exceptions.Conflict, "not empty"):
        seen.delete()
    with refused(exceptions.PreconditionFailed, "pre-conditions"):
        blob.delete(if_generation_match=first)
    blob.delete(if_generation_match=blob.generation)
    with refused(exceptions.Conflict, "not empty"):
        seen.delete()
    for one in gcs.list_blobs("shop-store", versions=True):
        seen.blob(one.name, generation=one.generation).delete()
    seen.delete()
    with refused(exceptions.NotFound, "The specified bucket does not exist"):
        gcs.get_bucket("shop-store")


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


for part in [
    what_google_has, the_network, the_firewall, the_disk, the_machine, changes_of_the_machine,
    what_is_attached, fleets, lists, exactly_once, disturbances, buckets, the_end,
]:
    try:
        part()
    except Exception:
        sys.stderr.write(f"in {part.__name__}:\n")
        raise
