"""What Azure has; groups, networks, security, addresses, interfaces."""

from azure.core import MatchConditions
from azure.mgmt.network import models

from common import *


def what_azure_has():
    found = {one.namespace: one for one in resources.providers.list()}
    same(found["Microsoft.Compute"].registration_state, "Registered")
    sizes = list(compute.resource_skus.list(filter=f"location eq '{PLACE}'"))
    small = next(one for one in sizes if one.name == "Standard_D2s_v5")
    of_it = {one.name: one.value for one in small.capabilities}
    same((of_it["vCPUs"], of_it["MemoryGB"], of_it["CpuArchitectureType"]), ("2", "8", "x64"))
    same((small.location_info[0].zones, small.restrictions), (["1", "2", "3"], []))
    usages = {one.name.value: one for one in compute.usage.list(PLACE)}
    same((usages["cores"].current_value, usages["standardDSv5Family"].limit), (0, 10_000))
    usages = {one.name.value: one for one in network.usages.list(PLACE)}
    same(usages["PublicIPAddresses"].limit, 1_000)
    images = compute.virtual_machine_images
    assert "Debian" in names(images.list_publishers(PLACE))
    same(names(images.list_skus(PLACE, "Debian", "debian-12")), ["12-arm64", "12-gen2"])
    newest = images.list(PLACE, "Debian", "debian-12", "12-gen2", top=1, orderby="name desc")
    same(names(newest), ["0.20261110.2287"])
    image = images.get(PLACE, "Debian", "debian-12", "12-gen2", "latest")
    same((image.name, image.architecture, image.plan), ("0.20261110.2287", "x64", None))
    with refused(404, "NotFound"):
        images.list(PLACE, "Debian", "debian-12", "none")


def the_group():
    groups = resources.resource_groups
    same(groups.check_existence(GROUP), False)
    with refused(404, "ResourceGroupNotFound", GROUP):
        network.virtual_networks.begin_create_or_update(GROUP, "net", net()).result()
    with refused(400, "LocationNotAvailableForResourceType"):
        groups.create_or_update(GROUP, {"location": "atlantis"})
    made = groups.create_or_update(GROUP, {"location": "West Europe", "tags": {"owner": "us"}})
    same((made.location, made.tags, made.properties.provisioning_state), (PLACE, {"owner": "us"}, "Succeeded"))
    same(groups.check_existence(GROUP.upper()), True)
    with refused(409, "InvalidResourceGroupLocation"):
        groups.create_or_update(GROUP, {"location": "eastus"})
    # A PUT of a group replaces its tags.
    same(groups.create_or_update(GROUP, {"location": PLACE}).tags, None)
    groups.update(GROUP, {"tags": {"owner": "us"}})
    same(names(groups.list(filter="tagName eq 'owner' and tagValue eq 'us'")), [GROUP])
    same(names(groups.list(filter="tagName eq 'owner' and tagValue eq 'them'")), [])
    many = {f"t{number}": "" for number in range(51)}
    with refused(400, "TagCountExceeded"):
        groups.update(GROUP, {"tags": many})
    for name, value, code in [
        ("a/b", "", "InvalidTagNameCharacters"),
        ("n" * 513, "", "TagTooLong"),
        ("a", "v" * 257, "TagTooLong"),
    ]:
        with refused(400, code):
            groups.update(GROUP, {"tags": {name: value}})
    patch = {"operation": "Merge", "properties": {"tags": {"more": "1"}}}
    found = resources.tags.begin_update_at_scope(SCOPE, patch).result()
    same(found.properties.tags, {"owner": "us", "more": "1"})
    patch = {"operation": "Delete", "properties": {"tags": {"more": "1"}}}
    resources.tags.begin_update_at_scope(SCOPE, patch).result()
    same(groups.get(GROUP).tags, {"owner": "us"})


def net(**more):
    return models.VirtualNetwork(
        location=PLACE, address_space=models.AddressSpace(address_prefixes=["10.0.0.0/16"]), **more
    )


def subnet(prefix, **more):
    return models.Subnet(address_prefix=prefix, **more)


def the_network():
    networks, subnets = network.virtual_networks, network.subnets
    poller = networks.begin_create_or_update(GROUP, "net", net(tags={"a": "1"}))
    made = poller.result()
    same((made.provisioning_state, made.tags, made.subnets), ("Succeeded", {"a": "1"}, []))
    same(made.id, of("Microsoft.Network/virtualNetworks", "net"))
    a = subnets.begin_create_or_update(GROUP, "net", "a", subnet("10.0.1.0/24")).result()
    same((a.provisioning_state, a.address_prefix), ("Succeeded", "10.0.1.0/24"))
    with refused(400, "NetcfgSubnetRangesOverlap", "'b'"):
        subnets.begin_create_or_update(GROUP, "net", "b", subnet("10.0.1.128/25")).result()
    with refused(400, "NetcfgSubnetRangeOutsideVnet", "'b'"):
        subnets.begin_create_or_update(GROUP, "net", "b", subnet("10.1.0.0/24")).result()
    with refused(404, "ParentResourceNotFound"):
        subnets.begin_create_or_update(GROUP, "none", "b", subnet("10.0.2.0/24")).result()
    # A PUT without subnets leaves them, and drops the tags: it replaces the rest.
    again = networks.begin_create_or_update(GROUP, "net", net()).result()
    same((names(again.subnets), again.tags), (["a"], None))
    # With some, it is those.
    b = models.Subnet(name="b", address_prefix="10.0.2.0/24")
    both = networks.begin_create_or_update(
        GROUP, "net", net(subnets=[models.Subnet(name="a", address_prefix="10.0.1.0/24"), b])
    ).result()
    same(names(both.subnets), ["a", "b"])
    same(networks.update_tags(GROUP, "net", {"tags": {"a": "2"}}).tags, {"a": "2"})
    subnets.begin_delete(GROUP, "net", "b").result()
    same(names(subnets.list(GROUP, "net")), ["a"])
    with refused(404, "NotFound"):
        subnets.get(GROUP, "net", "b")
    # Deleting what is not there is done at once.
    subnets.begin_delete(GROUP, "net", "b").result()
    arrange("hold_operations", True)
    going = subnets.begin_create_or_update(GROUP, "net", "c", subnet("10.0.3.0/24"))
    with refused(429, "AnotherOperationInProgress", "/operations/"):
        subnets.begin_create_or_update(GROUP, "net", "d", subnet("10.0.4.0/24"))
    same(subnets.get(GROUP, "net", "c").provisioning_state, "Creating")
    arrange("hold_operations", False)
    same(going.result().provisioning_state, "Succeeded")


def rule(priority, **more):
    what = {
        "protocol": "Tcp",
        "direction": "Inbound",
        "access": "Allow",
        "source_address_prefix": "*",
        "source_port_range": "*",
        "destination_address_prefix": "*",
        "destination_port_range": "443",
    }
    return models.SecurityRule(priority=priority, **{**what, **more})


def security():
    groups, rules = network.network_security_groups, network.security_rules
    plain = network.application_security_groups
    web = plain.begin_create_or_update(GROUP, "web", {"location": PLACE}).result()
    made = groups.begin_create_or_update(GROUP, "fw", {"location": PLACE}).result()
    same((made.security_rules, len(made.default_security_rules)), ([], 6))
    found = rules.begin_create_or_update(GROUP, "fw", "https", rule(100)).result()
    same((found.priority, found.provisioning_state), (100, "Succeeded"))
    with refused(400, "SecurityRuleConflict"):
        rules.begin_create_or_update(GROUP, "fw", "other", rule(100)).result()
    with refused(400, "SecurityRuleInvalidParameter", "priority"):
        rules.begin_create_or_update(GROUP, "fw", "other", rule(99)).result()
    among = {"source_address_prefix": None, "source_application_security_groups": [{"id": web.id}]}
    rules.begin_create_or_update(GROUP, "fw", "among", rule(110, **among)).result()
    with refused(400, "InUseApplicationSecurityGroupCannotBeDeleted"):
        plain.begin_delete(GROUP, "web").result()
    same(names(groups.get(GROUP, "fw").security_rules), ["among", "https"])
    # A PUT of the group without rules takes them all away.
    again = groups.begin_create_or_update(GROUP, "fw", {"location": PLACE}).result()
    same(again.security_rules, [])
    one = rule(120)
    one.name = "https"
    body = models.NetworkSecurityGroup(location=PLACE, security_rules=[one])
    same(names(groups.begin_create_or_update(GROUP, "fw", body).result().security_rules), ["https"])
    with_group = subnet("10.0.1.0/24", network_security_group={"id": again.id})
    network.subnets.begin_create_or_update(GROUP, "net", "a", with_group).result()
    with refused(400, "InUseNetworkSecurityGroupCannotBeDeleted", "subnets/a"):
        groups.begin_delete(GROUP, "fw").result()


def nic(**more):
    one = models.NetworkInterfaceIPConfiguration(
        name="one",
        subnet={"id": of("Microsoft.Network/virtualNetworks", "net/subnets/a")},
        application_security_groups=[{"id": of("Microsoft.Network/applicationSecurityGroups", "web")}],
        **more,
    )
    return models.NetworkInterface(location=PLACE, ip_configurations=[one])


def addresses_and_interfaces():
    ips, nics = network.public_ip_addresses, network.network_interfaces
    body = models.PublicIPAddress(
        location=PLACE, sku={"name": "Standard"}, public_ip_allocation_method="Static", zones=["1"]
    )
    ip = ips.begin_create_or_update(GROUP, "ip", body).result()
    assert ip.ip_address.count(".") == 3
    again = ips.begin_create_or_update(GROUP, "ip", body).result()
    same(again.ip_address, ip.ip_address)
    one = nics.begin_create_or_update(GROUP, "nic", nic(public_ip_address={"id": ip.id})).result()
    first = one.ip_configurations[0]
    same((first.private_ip_address, first.primary), ("10.0.1.4", True))
    two = nics.begin_create_or_update(GROUP, "nic2", nic()).result()
    same(two.ip_configurations[0].private_ip_address, "10.0.1.5")
    same(ips.get(GROUP, "ip").ip_configuration.id, first.id)
    with refused(400, "PublicIPAddressInUse", "networkInterfaces/nic."):
        nics.begin_create_or_update(GROUP, "nic2", nic(public_ip_address={"id": ip.id})).result()
    with refused(400, "PrivateIPAddressIsAllocated"):
        taken = nic(private_ip_allocation_method="Static", private_ip_address="10.0.1.4")
        nics.begin_create_or_update(GROUP, "nic3", taken).result()
    with refused(400, "InvalidResourceReference", "none"):
        missing = nic(public_ip_address={"id": ip.id + "none"})
        nics.begin_create_or_update(GROUP, "nic3", missing).result()
    with refused(400, "PublicIPAddressCannotBeDeleted", "networkInterfaces/nic"):
        ips.begin_delete(GROUP, "ip").result()
    with refused(400, "InUseSubnetCannotBeDeleted", "aka.ms/deletesubnet"):
        network.virtual_networks.begin_delete(GROUP, "net").result()
    with refused(400, "InUsePrefixCannotBeDeleted", "10.0.1.0/24"):
        network.subnets.begin_create_or_update(GROUP, "net", "a", subnet("10.0.9.0/24")).result()
    arrange("set_page", 1)
    same(names(nics.list(GROUP)), ["nic", "nic2"])
    same(names(nics.list_all()), ["nic", "nic2"])
    found = resources.resources.list_by_resource_group(
        GROUP, filter="resourceType eq 'Microsoft.Network/networkInterfaces'"
    )
    same(names(found), ["nic", "nic2"])
    arrange("set_page", 1000)


def conditions():
    """The clients have conditions for machines alone; every network resource has a tag."""
    ip = network.public_ip_addresses.get(GROUP, "ip")
    headers = {"If-Match": 'W/"0"'}
    with refused(412, "PreconditionFailed"):
        network.public_ip_addresses.begin_create_or_update(GROUP, "ip", ip, headers=headers)
    headers = {"If-Match": ip.etag}
    after = network.public_ip_addresses.begin_create_or_update(GROUP, "ip", ip, headers=headers)
    assert after.result().etag != ip.etag
    same(MatchConditions.IfMissing.value, 5)


def dependencies():
    with refused(400, "NicInUse", "virtualMachines/vm"):
        network.network_interfaces.begin_delete(GROUP, "nic").result()
    with refused(409, "OperationNotAllowed", "Disk data is attached to VM"):
        compute.disks.begin_delete(GROUP, "data").result()
    found = network.network_interfaces.get(GROUP, "nic").virtual_machine
    same(found.id, of("Microsoft.Compute/virtualMachines", "vm"))
