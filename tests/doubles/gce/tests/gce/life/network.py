"""What Google has, and networks, subnets, firewall rules."""

from google.api_core import exceptions
from google.cloud import compute_v1 as compute

from common import *


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
    for name in ["custom-1-1024", "n2-custom-36-65536", "n2d-custom-48-65536", "n2-custom-2-32768-ext"]:
        machine_types.get(machine_type=name, **HERE)
    for name in ["n2-custom-3-8192", "n2-custom-4-8193", "n2-custom-34-65536", "n2d-custom-6-8192",
                 "e2-custom-34-65536", "e2-custom-32-262144", "e2-custom-2-32768-ext", "n2-custom-2-32768"]:
        with refused(exceptions.NotFound, f"machineTypes/{name}"):
            machine_types.get(machine_type=name, **HERE)
    by_zone = list(machine_types.aggregated_list(project=PROJECT))
    here = [one.name for scope, of in by_zone if scope == f"zones/{ZONE}" for one in of.machine_types]
    same(here.count("e2-small"), 1)
    assert "pd-balanced" in [one.name for one in disk_types.list(**HERE)]
    same(projects.get(project=PROJECT).name, PROJECT)
    items = [compute.Items(key="ssh-keys", value="me:ssh-ed25519 AAAA me")]
    metadata = compute.Metadata(items=items)
    change = lambda: projects.set_common_instance_metadata(
        project=PROJECT, metadata_resource=metadata
    )
    with refused(exceptions.PreconditionFailed, "metadata fingerprint"):
        change()
    metadata.fingerprint = projects.get(project=PROJECT).common_instance_metadata.fingerprint
    change().result()
    same(projects.get(project=PROJECT).common_instance_metadata.items[0].key, "ssh-keys")
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
    for field, value in [("description", "x"), ("mtu", 1500)]:
        change = compute.Network(**{field: value})
        with refused(exceptions.BadRequest, "Updating this field is not supported"):
            networks.patch(project=PROJECT, network="net", network_resource=change)
    routing = compute.NetworkRoutingConfig(routing_mode="GLOBAL")
    change = compute.Network(routing_config=routing)
    networks.patch(project=PROJECT, network="net", network_resource=change).result()
    same(networks.get(project=PROJECT, network="net").routing_config.routing_mode, "GLOBAL")
    long = compute.Network(name="long", auto_create_subnetworks=False, description="x" * 2049)
    with refused(exceptions.BadRequest, "at most 2048 characters"):
        networks.insert(project=PROJECT, network_resource=long)
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
    seen = subnetworks.get(subnetwork="sub", **IN_REGION)
    assert seen.private_ip_google_access
    change = compute.Subnetwork(description="x", fingerprint=seen.fingerprint)
    with refused(exceptions.BadRequest, "Updating this field is not supported"):
        subnetworks.patch(subnetwork="sub", subnetwork_resource=change, **IN_REGION)
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
