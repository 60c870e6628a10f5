"""Many machines in one call, lists, and calls that are made again."""

import uuid

from google.api_core import exceptions
from google.cloud import compute_v1 as compute

from common import *
from machines import boot_disk, insert, interface, listed, machine


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
