"""Disks and machines: made, changed, stopped, spot, and what happens where none is left."""

import base64

from azure.core import MatchConditions
from azure.mgmt.compute import models

from common import *


VMS = compute.virtual_machines
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKeyOfTheDouble us"


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def machine(interface, size="Standard_D2s_v5", **more):
    more = {"zones": ["1"], **more}
    return models.VirtualMachine(
        location=PLACE,
        hardware_profile={"vmSize": size},
        storage_profile={
            "imageReference": {
                "publisher": "Debian", "offer": "debian-12", "sku": "12-gen2", "version": "latest"
            },
            "osDisk": {
                "createOption": "FromImage",
                "deleteOption": "Delete",
                "managedDisk": {"storageAccountType": "StandardSSD_LRS"},
            },
        },
        os_profile={
            "computerName": "web",
            "adminUsername": "us",
            "customData": encoded("#cloud-config"),
            "linuxConfiguration": {
                "disablePasswordAuthentication": True,
                "ssh": {"publicKeys": [{"path": "/home/us/.ssh/authorized_keys", "keyData": KEY}]},
            },
        },
        network_profile={
            "networkInterfaces": [
                {
                    "id": of("Microsoft.Network/networkInterfaces", interface),
                    "properties": {"primary": True, "deleteOption": "Detach"},
                }
            ]
        },
        **more,
    )


def the_disk():
    disks = compute.disks
    body = {
        "location": PLACE,
        "zones": ["1"],
        "sku": {"name": "Premium_LRS"},
        "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 16},
        "tags": {"a": "1"},
    }
    made = disks.begin_create_or_update(GROUP, "data", body).result()
    same((made.disk_state, made.disk_size_gb, made.zones), ("Unattached", 16, ["1"]))
    # Microsoft.Compute merges: what is left out stays.
    grown = {"location": PLACE, "zones": ["1"], "properties": {"diskSizeGB": 32}}
    after = disks.begin_update(GROUP, "data", {"properties": {"diskSizeGB": 32}}).result()
    same((after.disk_size_gb, after.tags, after.sku.name), (32, {"a": "1"}, "Premium_LRS"))
    with refused(400, "BadRequest", "shrunk"):
        disks.begin_update(GROUP, "data", {"properties": {"diskSizeGB": 8}}).result()
    same(disks.get(GROUP, "data").disk_size_gb, grown["properties"]["diskSizeGB"])


def power(name):
    statuses = VMS.instance_view(GROUP, name).statuses
    return [one.code for one in statuses if one.code.startswith("PowerState")]


def the_machine():
    with refused(400, "InvalidParameter", "vmSize"):
        VMS.begin_create_or_update(GROUP, "vm", machine("nic", size="Standard_None")).result()
    wrong = machine("nic")
    wrong.storage_profile.image_reference.sku = "none"
    with refused(404, "PlatformImageNotFound"):
        VMS.begin_create_or_update(GROUP, "vm", wrong).result()
    with refused(400, "BadRequest", "Architecture"):
        VMS.begin_create_or_update(GROUP, "vm", machine("nic", size="Standard_D2ps_v5")).result()
    new = machine("nic", tags={"a": "1"}, user_data=encoded("mark"))
    only_new = {"etag": "*", "match_condition": MatchConditions.IfMissing}
    made = VMS.begin_create_or_update(GROUP, "vm", new, **only_new).result()
    same((made.provisioning_state, made.zones, made.tags), ("Succeeded", ["1"], {"a": "1"}))
    same((made.os_profile.custom_data, made.user_data), (None, None))
    same(VMS.get(GROUP, "vm", expand="userData").user_data, encoded("mark"))
    same(power("vm"), ["PowerState/running"])
    with refused(412, "PreconditionFailed"):
        VMS.begin_create_or_update(GROUP, "vm", new, **only_new).result()
    os = made.storage_profile.os_disk
    same(compute.disks.get(GROUP, os.name).managed_by, made.id)
    with refused(400, "NicInUse"):
        VMS.begin_create_or_update(GROUP, "vm2", machine("nic")).result()
    same(names(VMS.list(GROUP)), ["vm"])
    viewed = next(iter(VMS.list_all(status_only="true")))
    same(viewed.instance_view.statuses[-1].code, "PowerState/running")


def the_key():
    keys = compute.ssh_public_keys
    made = keys.create(GROUP, "key", {"location": PLACE, "properties": {"publicKey": KEY}})
    same((made.public_key, names(keys.list_by_resource_group(GROUP))), (KEY, ["key"]))
    with refused(400, "InvalidParameter", "Ed25519"):
        keys.create(GROUP, "wrong", {"location": PLACE, "properties": {"publicKey": "ssh-dss AAAA"}})
    same(keys.update(GROUP, "key", {"tags": {"a": "1"}}).public_key, KEY)
    keys.delete(GROUP, "key")
    same(names(keys.list_by_subscription()), [])


def attach(*disks):
    all = [
        {"lun": lun, "createOption": "Attach", "managedDisk": {"id": of("Microsoft.Compute/disks", one)}}
        for lun, one in enumerate(disks)
    ]
    return VMS.begin_update(GROUP, "vm", {"properties": {"storageProfile": {"dataDisks": all}}})


def changes_of_the_machine():
    found = attach("data").result()
    same([one.lun for one in found.storage_profile.data_disks], [0])
    same(compute.disks.get(GROUP, "data").disk_state, "Attached")
    with refused(409, "OperationNotAllowed", "deallocated"):
        change = {"sku": {"name": "StandardSSD_LRS"}}
        compute.disks.begin_update(GROUP, "data", change).result()
    # A PUT that says only what changes: the rest stays.
    again = {"location": PLACE, "zones": ["1"], "tags": {"b": "2"}}
    merged = VMS.begin_create_or_update(GROUP, "vm", again).result()
    same((merged.tags, merged.hardware_profile.vm_size), ({"b": "2"}, "Standard_D2s_v5"))
    same(len(merged.storage_profile.data_disks), 1)
    with refused(409, "PropertyChangeNotAllowed", "adminUsername"):
        VMS.begin_create_or_update(
            GROUP, "vm", {"location": PLACE, "properties": {"osProfile": {"adminUsername": "them"}}}
        ).result()
    resize = lambda size: VMS.begin_update(GROUP, "vm", {"properties": {"hardwareProfile": {"vmSize": size}}})
    same(resize("Standard_D4s_v5").result().hardware_profile.vm_size, "Standard_D4s_v5")
    with refused(409, "OperationNotAllowed", "hardware cluster"):
        resize("Standard_E4s_v5").result()
    VMS.begin_power_off(GROUP, "vm").result()
    same(power("vm"), ["PowerState/stopped"])
    VMS.begin_deallocate(GROUP, "vm").result()
    same(power("vm"), ["PowerState/deallocated"])
    same(compute.disks.get(GROUP, "data").disk_state, "Reserved")
    resize("Standard_E4s_v5").result()
    change = {"sku": {"name": "StandardSSD_LRS"}}
    same(compute.disks.begin_update(GROUP, "data", change).result().sku.name, "StandardSSD_LRS")
    with refused(409, "OperationNotAllowed", "restart"):
        VMS.begin_restart(GROUP, "vm").result()
    VMS.begin_start(GROUP, "vm").result()
    same(power("vm"), ["PowerState/running"])
    VMS.begin_restart(GROUP, "vm").result()
    network_again = VMS.get(GROUP, "vm")
    with refused(412, "PreconditionFailed"):
        VMS.begin_update(
            GROUP, "vm", {"tags": {}}, etag='W/"0"', match_condition=MatchConditions.IfNotModified
        )
    same(network_again.etag, VMS.get(GROUP, "vm").etag)


def spot():
    with refused(400, "InvalidParameter", "Eviction"):
        VMS.begin_create_or_update(GROUP, "spot", machine("nic2", eviction_policy="Delete")).result()
    body = machine("nic2", priority="Spot", eviction_policy="Deallocate")
    made = VMS.begin_create_or_update(GROUP, "spot", body).result()
    same((made.priority, made.billing_profile.max_price), ("Spot", -1.0))
    VMS.simulate_eviction(GROUP, "spot")
    same(power("spot"), ["PowerState/deallocated"])
    VMS.begin_delete(GROUP, "spot").result()
    with refused(404, "ResourceNotFound", "virtualMachines/spot"):
        VMS.get(GROUP, "spot")
    # The disk of the system went with it, the interface stayed.
    assert not any(name.startswith("spot") for name in names(compute.disks.list()))
    assert "nic2" in names(network.network_interfaces.list(GROUP))


def stock():
    make = lambda **more: VMS.begin_create_or_update(GROUP, "more", machine("nic2", **more)).result()
    arrange("leave_stock", "Standard_D2s_v5", f"{PLACE}-1", 0)
    with refused(None, "ZonalAllocationFailed", "aka.ms/allocation-guidance"):
        make()
    # What could not be allocated stays, failed, and is deleted like any other.
    same(VMS.get(GROUP, "more").provisioning_state, "Failed")
    VMS.begin_delete(GROUP, "more").result()
    arrange("stock_out_as", "overconstrained")
    with refused(None, "OverconstrainedZonalAllocationRequest"):
        make()
    VMS.begin_delete(GROUP, "more").result()
    arrange("stock_out_as", "sku")
    with refused(409, "SkuNotAvailable", "aka.ms/azureskunotavailable"):
        make()
    with refused(404, "ResourceNotFound"):
        VMS.get(GROUP, "more")
    arrange("restock")
    arrange("leave_stock", "*", "*", 0)
    arrange("stock_out_as", "allocation")
    with refused(None, "AllocationFailed"):
        make(zones=None)
    VMS.begin_delete(GROUP, "more").result()
    arrange("restock")
    arrange("set_quota", PLACE, "cores", 5)
    with refused(409, "OperationNotAllowed", "Total Regional Cores quota", "Current Limit: 5"):
        make()
    arrange("set_quota", PLACE, "cores", 100)
    arrange("set_quota", PLACE, "standardDSv5Family", 1)
    with refused(409, "OperationNotAllowed", "standardDSv5Family Cores quota"):
        make()
    arrange("set_quota", PLACE, "standardDSv5Family", 100)
    arrange("restrict_sku", "Standard_D2s_v5", PLACE, "1")
    with refused(409, "SkuNotAvailable"):
        make()
    sizes = compute.resource_skus.list(filter=f"location eq '{PLACE}'")
    found = next(one for one in sizes if one.name == "Standard_D2s_v5").restrictions[0]
    same((found.type, found.restriction_info.zones), ("Zone", ["1"]))
    arrange("set_quota", PLACE, "PublicIPAddresses", 1)
    ips = network.public_ip_addresses
    with refused(400, "PublicIPCountLimitReached"):
        ips.begin_create_or_update(GROUP, "ip2", {"location": PLACE, "sku": {"name": "Standard"}}).result()
    arrange("set_quota", PLACE, "VirtualNetworks", 1)
    with refused(409, "QuotaExceeded", "VirtualNetworks"):
        body = {"location": PLACE, "properties": {"addressSpace": {"addressPrefixes": ["10.9.0.0/16"]}}}
        network.virtual_networks.begin_create_or_update(GROUP, "net2", body).result()
    for name in ["PublicIPAddresses", "VirtualNetworks"]:
        arrange("set_quota", PLACE, name, 1000)
    inline()


def inline():
    """A machine whose interface and address are made with it, and go with it."""
    body = machine("none", size="Standard_B2s")
    one = {
        "primary": True,
        "subnet": {"id": of("Microsoft.Network/virtualNetworks", "net/subnets/a")},
        "publicIPAddressConfiguration": {
            "name": "own",
            "sku": {"name": "Standard"},
            "properties": {"deleteOption": "Delete", "publicIPAllocationMethod": "Static"},
        },
    }
    interface = {
        "name": "own",
        "properties": {
            "primary": True,
            "deleteOption": "Delete",
            "ipConfigurations": [{"name": "one", "properties": one}],
        },
    }
    body.network_profile = models.NetworkProfile(
        {"networkApiVersion": "2022-11-01", "networkInterfaceConfigurations": [interface]}
    )
    made = VMS.begin_create_or_update(GROUP, "whole", body).result()
    found = made.network_profile.network_interfaces[0].id.rsplit("/", 1)[1]
    first = network.network_interfaces.get(GROUP, found).ip_configurations[0]
    address = first.public_ip_address.id.rsplit("/", 1)[1]
    same(network.public_ip_addresses.get(GROUP, address).zones, ["1"])
    VMS.begin_delete(GROUP, "whole").result()
    with refused(404, "ResourceNotFound"):
        network.network_interfaces.get(GROUP, found)
    with refused(404, "ResourceNotFound"):
        network.public_ip_addresses.get(GROUP, address)
