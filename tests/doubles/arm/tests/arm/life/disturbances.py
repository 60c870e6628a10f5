"""What a test arranges, as the clients meet it."""

from azure.core.exceptions import ServiceRequestError, ServiceResponseError

from common import *
from network import net

groups, networks = resources.resource_groups, network.virtual_networks


def put(name="lost"):
    return networks.begin_create_or_update("other", name, net()).result()


def disturbances():
    arrange("throttle", "virtualNetworks/write", 1, 7)
    try:
        put()
    except HttpResponseError as error:
        same((error.status_code, error.response.headers["Retry-After"]), (429, "7"))
    else:
        raise AssertionError("nothing was throttled")
    arrange("throttle", "virtualMachines/read", 1, 7)
    try:
        compute.virtual_machines.get(GROUP, "vm")
    except HttpResponseError as error:
        left = error.response.headers["x-ms-ratelimit-remaining-resource"]
        assert left.endswith(";0"), left
    # The answer gets lost, and the write has happened.
    arrange("lose", "virtualNetworks/write", 1)
    try:
        put()
    except (ServiceRequestError, ServiceResponseError) as error:
        why = error
    else:
        raise AssertionError("the answer came")
    assert "lost" in names(networks.list("other")), why
    arrange("fail", "virtualNetworks/write", 1, "RetryableError", "A retryable error occurred.")
    with refused(None, "RetryableError"):
        put()
    arrange("refuse", "virtualNetworks/write", 1, 409, "Conflict", "Another request is going on.")
    with refused(409, "Conflict"):
        put()
    arrange("set_list_lag", 1)
    put("late")
    same("late" in names(networks.list("other")), False)
    same("late" in names(networks.list("other")), True)
    networks.begin_delete("other", "late").result()
    same("late" in names(networks.list("other")), True)
    same("late" in names(networks.list("other")), False)
    arrange("set_list_lag", 0)
    permissions()
    scopes()


def permissions():
    arrange("deny", "Microsoft.Network/virtualNetworks/write")
    with refused(403, "AuthorizationFailed", "Microsoft.Network/virtualNetworks/write"):
        put()
    arrange("allow", "Microsoft.Network/virtualNetworks/write")
    arrange("deny", "Microsoft.Network/virtualNetworks/subnets/join/action")
    found = network.network_interfaces.get(GROUP, "nic")
    with refused(403, "LinkedAuthorizationFailed", "subnets/join/action"):
        network.network_interfaces.begin_create_or_update(GROUP, "nic", found)
    arrange("allow", "Microsoft.Network/virtualNetworks/subnets/join/action")


def scopes():
    scope = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/other"
    arrange("lock", scope, "CanNotDelete")
    with refused(409, "ScopeLocked", "delete", scope):
        networks.begin_delete("other", "lost")
    with refused(409, "ScopeLocked", scope):
        groups.begin_delete("other")
    put()
    arrange("unlock", scope)
    arrange("lock", scope, "ReadOnly")
    with refused(409, "ScopeLocked", "write"):
        put()
    arrange("unlock", scope)
    arrange("policy_denies", "virtualNetworks", True)
    with refused(403, "RequestDisallowedByPolicy", "policyAssignment"):
        put()
    arrange("policy_denies", "virtualNetworks", False)
    arrange("policy_adds_tag", "cost", "42")
    same(put().tags, {"cost": "42"})
    arrange("set_registered", "Microsoft.Network", False)
    with refused(409, "MissingSubscriptionRegistration", "Microsoft.Network"):
        put()
    same(resources.providers.get("Microsoft.Network").registration_state, "NotRegistered")
    resources.providers.register("Microsoft.Network")
    put()
    arrange("set_read_only", True)
    with refused(409, "ReadOnlyDisabledSubscription"):
        put()
    arrange("set_read_only", False)
    groups.begin_delete("other").result()
