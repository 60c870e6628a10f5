//! Who may do what and where: subscriptions, registered providers, roles, locks, policies.

use serde_json::{Value, json};

use crate::call::{Call, Route};
use crate::id::Id;
use crate::kinds::Kind;
use crate::refusal::Refusal;
use crate::token;
use crate::world::{World, items, reference};

/// Checks what comes before every rule of a kind.
pub(crate) fn check(world: &World, call: &Call<'_>) -> Result<(), Refusal> {
    if matches!(call.route, Route::Subscriptions) {
        return Ok(());
    }
    let subscription = world.subscription(&call.subscription)?;
    token::check_tenant(world, call.asked.header("authorization"), subscription)?;
    if let Some(namespace) = call.namespace()
        && !matches!(call.route, Route::List(_, _))
        && subscription
            .unregistered
            .contains(&namespace.to_lowercase())
    {
        return Err(not_registered(namespace));
    }
    if call.is_write() && subscription.is_read_only {
        // <https://learn.microsoft.com/azure/cost-management-billing/manage/subscription-disabled>
        let message = format!(
            "The subscription '{}' is disabled and therefore marked as read only. You cannot \
             perform any write actions on this subscription until it is re-enabled.",
            call.subscription
        );
        return Err(Refusal::new(409, "ReadOnlyDisabledSubscription", message));
    }
    roles(world, call)?;
    locks(world, call)?;
    policies(world, call)
}

/// <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-register-resource-provider>
fn not_registered(namespace: &str) -> Refusal {
    let message = format!(
        "The subscription is not registered to use namespace '{namespace}'. See \
         https://aka.ms/rps-not-found for how to register subscriptions."
    );
    let details = json!([json!({
        "code": "MissingSubscriptionRegistration", "target": namespace, "message": message,
    })]);
    Refusal::new(409, "MissingSubscriptionRegistration", message.clone()).with("details", details)
}

/// <https://learn.microsoft.com/azure/role-based-access-control/troubleshooting>
fn roles(world: &World, call: &Call<'_>) -> Result<(), Refusal> {
    let (who, scope, action) = (token::caller(), call.scope(), call.action());
    let client = who["client"].as_str().unwrap_or_default();
    let object = who["object"].as_str().unwrap_or_default();
    if !world.arranged.permits(&action) {
        let message = format!(
            "The client '{client}' with object id '{object}' does not have authorization to \
             perform action '{action}' over scope '{scope}' or the scope is invalid. If access was \
             recently granted, please refresh your credentials."
        );
        return Err(Refusal::new(403, "AuthorizationFailed", message));
    }
    for (linked, of) in linked(call) {
        if !world.arranged.permits(linked) {
            let message = format!(
                "The client '{client}' with object id '{object}' has permission to perform action \
                 '{action}' on scope '{scope}'; however, it does not have permission to perform \
                 action '{linked}' on the linked scope(s) '{of}' or the linked scope(s) are invalid."
            );
            return Err(Refusal::new(403, "LinkedAuthorizationFailed", message));
        }
    }
    Ok(())
}

/// What a change takes besides the action on the thing itself: what it refers to, and for what.
/// <https://learn.microsoft.com/azure/role-based-access-control/permissions/networking>
fn linked(call: &Call<'_>) -> Vec<(&'static str, Id)> {
    const NSG: &str = "Microsoft.Network/networkSecurityGroups/join/action";
    const ASG: &str = "Microsoft.Network/applicationSecurityGroups/joinIpConfiguration/action";
    const RULE: &str = "Microsoft.Network/applicationSecurityGroups/joinNetworkSecurityRule/action";
    let Some(properties) = call.body.get("properties").filter(|_| call.http == "PUT") else {
        return Vec::new();
    };
    let mut found: Vec<(&'static str, Option<Id>)> = Vec::new();
    let rule = |properties: &Value| {
        let mut groups = Vec::new();
        for name in [
            "sourceApplicationSecurityGroups",
            "destinationApplicationSecurityGroups",
        ] {
            groups.extend(items(&properties[name]).map(|group| (RULE, reference(group))));
        }
        groups
    };
    match call.kind().map(Kind::word) {
        Some("networkInterfaces") => {
            found.push((NSG, reference(&properties["networkSecurityGroup"])));
            for one in items(&properties["ipConfigurations"]) {
                let one = &one["properties"];
                let subnet = "Microsoft.Network/virtualNetworks/subnets/join/action";
                found.push((subnet, reference(&one["subnet"])));
                let address = "Microsoft.Network/publicIPAddresses/join/action";
                found.push((address, reference(&one["publicIPAddress"])));
                let groups = items(&one["applicationSecurityGroups"]);
                found.extend(groups.map(|group| (ASG, reference(group))));
            }
        }
        Some("subnets") => found.push((NSG, reference(&properties["networkSecurityGroup"]))),
        Some("virtualNetworks") => {
            for one in items(&properties["subnets"]) {
                found.push((NSG, reference(&one["properties"]["networkSecurityGroup"])));
            }
        }
        Some("securityRules") => found.extend(rule(properties)),
        Some("networkSecurityGroups") => {
            for one in items(&properties["securityRules"]) {
                found.extend(rule(&one["properties"]));
            }
        }
        Some("virtualMachines") => {
            for one in items(&properties["networkProfile"]["networkInterfaces"]) {
                let join = "Microsoft.Network/networkInterfaces/join/action";
                found.push((join, reference(one)));
            }
            for one in items(&properties["storageProfile"]["dataDisks"]) {
                found.push((
                    "Microsoft.Compute/disks/write",
                    reference(&one["managedDisk"]),
                ));
            }
        }
        _ => {}
    }
    let found = found.into_iter();
    found
        .filter_map(|(action, of)| Some((action, of?)))
        .collect()
}

/// <https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources>, seen with 409 as
/// in <https://github.com/Azure/apiops/issues/606>.
fn locks(world: &World, call: &Call<'_>) -> Result<(), Refusal> {
    if !call.is_write() || matches!(call.route, Route::Locks(_, _)) {
        return Ok(());
    }
    let (scope, is_delete) = (call.scope().key(), call.http == "DELETE");
    let is_meant = |lock: &&crate::world::Lock| {
        let of = lock.scope.key();
        let is_above = scope == of || scope.starts_with(&format!("{of}/"));
        // What holds something that is locked cannot be deleted.
        let is_below = is_delete && of.starts_with(&format!("{scope}/"));
        (is_above || is_below) && (is_delete || lock.level == "ReadOnly")
    };
    let Some(lock) = world.locks.iter().find(is_meant) else {
        return Ok(());
    };
    let what = if is_delete { "delete" } else { "write" };
    let message = format!(
        "The scope '{}' cannot perform {what} operation because following scope(s) are locked: \
         '{}'. Please remove the lock and try again.",
        call.scope(),
        lock.scope
    );
    Err(Refusal::new(409, "ScopeLocked", message))
}

/// <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-policy-requestdisallowedbypolicy>
fn policies(world: &World, call: &Call<'_>) -> Result<(), Refusal> {
    let Some(kind) = call.kind().filter(|_| call.http == "PUT") else {
        return Ok(());
    };
    if !world.arranged.is_disallowed(&kind.name()) {
        return Ok(());
    }
    let scope = format!("/subscriptions/{}", call.subscription);
    let assignment = format!("{scope}/providers/Microsoft.Authorization/policyAssignments/no-such");
    let definition = format!("{scope}/providers/Microsoft.Authorization/policyDefinitions/no-such");
    let policy = json!([{
        "policyAssignment": { "name": "Not allowed resource types", "id": assignment },
        "policyDefinition": { "name": "Not allowed resource types", "id": definition },
    }]);
    let message = format!(
        "Resource '{}' was disallowed by policy. Policy identifiers: '{policy}'.",
        call.scope().name()
    );
    let info = json!([json!({ "type": "PolicyViolation", "info": {
        "policyAssignmentId": assignment, "policyDefinitionId": definition,
        "policyDefinitionEffect": "deny",
    } })]);
    Err(Refusal::new(403, "RequestDisallowedByPolicy", message).with("additionalInfo", info))
}

/// What the caller may do at a scope.
/// <https://learn.microsoft.com/rest/api/authorization/permissions/list-for-resource-group>
pub(crate) fn permissions(world: &World) -> Value {
    let (actions, denied) = world.arranged.permissions();
    json!({ "value": [{
        "actions": &actions, "notActions": &denied, "dataActions": &actions, "notDataActions": &denied,
    }] })
}
