"""What goes wrong at a cloud, as the test arranges it."""

from google.api_core import exceptions
from google.cloud import compute_v1 as compute

from common import *
from machines import insert, listed, machine
from network import network, subnetwork


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
    # The same reason in an answer and, spelt as a code, in an operation that is done.
    for code, reason, spelt, kind in [
        (412, "conditionNotMet", "CONDITION_NOT_MET", exceptions.PreconditionFailed),
        (400, "resourceNotReady", "RESOURCE_NOT_READY", exceptions.BadRequest),
        (400, "resourceInUseByAnotherResource", "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE",
         exceptions.BadRequest),
    ]:
        arrange("refuse", "networks.insert", 1, code, reason, "not now")
        with refused(kind, "not now"):
            network("second")
        arrange("fail", "networks.insert", 1, code, reason, "not now")
        operation = network("second")
        with refused(kind, spelt):
            operation.result()
        found = OPERATIONS["global_operations"].get(project=PROJECT, operation=operation.name)
        same(found.error.errors[0].code, spelt)
        with refused(exceptions.NotFound, "networks/second"):
            networks.get(project=PROJECT, network="second")
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
