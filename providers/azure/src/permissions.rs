//! Which actions of the least role the identity in use may do.
//!
//! The resource manager tells what all roles of the identity together allow on the subscription, with
//! stars, in one call that does nothing. A role that is given on a single group or thing is not told.
//!
//! <https://learn.microsoft.com/rest/api/authorization/permissions/list-for-resource-group>

use reqwest::Method;
use serde::Deserialize;
use strat_model::{ErrorKind, Result};
use strat_provider::{PermissionCheck, PermissionState};

use crate::arm::Call;
use crate::names::PERMISSIONS as VERSION;
use crate::provider::AzureProvider;

/// The actions of the least role, `docs/azure-role.json`; a test compares them. Sorted.
pub(crate) const PERMISSIONS: [&str; 60] = [
    "Microsoft.Authorization/permissions/read",
    "Microsoft.Compute/disks/delete",
    "Microsoft.Compute/disks/read",
    "Microsoft.Compute/disks/write",
    "Microsoft.Compute/locations/publishers/artifacttypes/offers/skus/versions/read",
    "Microsoft.Compute/locations/usages/read",
    "Microsoft.Compute/skus/read",
    "Microsoft.Compute/sshPublicKeys/delete",
    "Microsoft.Compute/sshPublicKeys/read",
    "Microsoft.Compute/sshPublicKeys/write",
    "Microsoft.Compute/virtualMachines/attachDetachDataDisks/action",
    "Microsoft.Compute/virtualMachines/deallocate/action",
    "Microsoft.Compute/virtualMachines/delete",
    "Microsoft.Compute/virtualMachines/powerOff/action",
    "Microsoft.Compute/virtualMachines/read",
    "Microsoft.Compute/virtualMachines/start/action",
    "Microsoft.Compute/virtualMachines/write",
    "Microsoft.Network/applicationSecurityGroups/delete",
    "Microsoft.Network/applicationSecurityGroups/joinIpConfiguration/action",
    "Microsoft.Network/applicationSecurityGroups/joinNetworkSecurityRule/action",
    "Microsoft.Network/applicationSecurityGroups/read",
    "Microsoft.Network/applicationSecurityGroups/write",
    "Microsoft.Network/networkInterfaces/delete",
    "Microsoft.Network/networkInterfaces/join/action",
    "Microsoft.Network/networkInterfaces/read",
    "Microsoft.Network/networkInterfaces/write",
    "Microsoft.Network/networkSecurityGroups/delete",
    "Microsoft.Network/networkSecurityGroups/join/action",
    "Microsoft.Network/networkSecurityGroups/read",
    "Microsoft.Network/networkSecurityGroups/securityRules/delete",
    "Microsoft.Network/networkSecurityGroups/securityRules/write",
    "Microsoft.Network/networkSecurityGroups/write",
    "Microsoft.Network/publicIPAddresses/delete",
    "Microsoft.Network/publicIPAddresses/join/action",
    "Microsoft.Network/publicIPAddresses/read",
    "Microsoft.Network/publicIPAddresses/write",
    "Microsoft.Network/virtualNetworks/delete",
    "Microsoft.Network/virtualNetworks/read",
    "Microsoft.Network/virtualNetworks/subnets/delete",
    "Microsoft.Network/virtualNetworks/subnets/join/action",
    "Microsoft.Network/virtualNetworks/subnets/read",
    "Microsoft.Network/virtualNetworks/subnets/write",
    "Microsoft.Network/virtualNetworks/write",
    "Microsoft.Resources/subscriptions/read",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    "Microsoft.Resources/subscriptions/resourceGroups/write",
    "Microsoft.Resources/tags/read",
    "Microsoft.Resources/tags/write",
    "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action",
    "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete",
    "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/deleteBlobVersion/action",
    "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",
    "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write",
    "Microsoft.Storage/storageAccounts/blobServices/containers/read",
    "Microsoft.Storage/storageAccounts/blobServices/containers/write",
    "Microsoft.Storage/storageAccounts/blobServices/read",
    "Microsoft.Storage/storageAccounts/blobServices/write",
    "Microsoft.Storage/storageAccounts/delete",
    "Microsoft.Storage/storageAccounts/read",
    "Microsoft.Storage/storageAccounts/write",
];

/// What of them is about data: a role allows it apart.
pub(crate) const DATA: &str = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/";

/// What goes on without a permission, and how.
const SPARED: [(&str, &str); 2] = [
    (
        "Microsoft.Authorization/permissions/read",
        "nobody knows beforehand what may not be done",
    ),
    (
        "Microsoft.Compute/locations/usages/read",
        "quotas are found out by running into them",
    ),
];

/// What one role allows.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Allowed {
    actions: Vec<String>,
    not_actions: Vec<String>,
    data_actions: Vec<String>,
    not_data_actions: Vec<String>,
}

impl Allowed {
    fn allows(&self, action: &str) -> bool {
        let (yes, no) = match action.starts_with(DATA) {
            true => (&self.data_actions, &self.not_data_actions),
            false => (&self.actions, &self.not_actions),
        };
        let any = |patterns: &[String]| patterns.iter().any(|pattern| fits(pattern, action));
        any(yes) && !any(no)
    }
}

/// Whether a pattern with stars is about an action; small letters and capitals are the same.
fn fits(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_ascii_lowercase(), action.to_ascii_lowercase());
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = action.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((end, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(end)
}

impl AzureProvider {
    pub(crate) async fn ask_permissions(&self) -> Result<Vec<PermissionCheck>> {
        let action = "Microsoft.Authorization/permissions/read";
        let scope = self.subscription();
        let path = format!("{scope}/providers/Microsoft.Authorization/permissions");
        let call = Call::new(action, Method::GET, path, VERSION);
        let roles: Vec<Allowed> = match self.list_of(&call).await {
            Ok(roles) => roles,
            Err(error) if error.kind() == ErrorKind::Forbidden => {
                let why = match error.help() {
                    Some(help) => format!("the resource manager does not tell: {help}"),
                    None => "the resource manager does not tell".to_owned(),
                };
                return Ok(checks(|_| PermissionState::Unknown { why: why.clone() }));
            }
            Err(error) => return Err(error),
        };
        Ok(checks(|action| {
            match roles.iter().any(|role| role.allows(action)) {
                true => PermissionState::Granted,
                false => PermissionState::Missing {
                    why: "no role of this identity on the subscription allows it".to_owned(),
                },
            }
        }))
    }
}

fn checks(state: impl Fn(&str) -> PermissionState) -> Vec<PermissionCheck> {
    let one = |permission: &&str| PermissionCheck {
        permission: (*permission).to_owned(),
        without: SPARED
            .iter()
            .find(|(spared, _)| spared == permission)
            .map(|(_, without)| (*without).to_owned()),
        state: state(permission),
    };
    PERMISSIONS.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_role_is_what_is_asked_for() {
        let role = include_str!("../../../docs/azure-role.json");
        let role: serde_json::Value = serde_json::from_str(role).expect("JSON");
        let list = |key: &str| -> Vec<String> {
            serde_json::from_value(role[key].clone()).expect("a list")
        };
        let is_data = |action: &&&str| action.starts_with(DATA);
        let data: Vec<&str> = PERMISSIONS.iter().filter(is_data).copied().collect();
        let other: Vec<&str> = PERMISSIONS
            .iter()
            .filter(|action| !is_data(action))
            .copied()
            .collect();
        assert_eq!(
            (list("Actions"), list("DataActions")),
            (own(&other), own(&data))
        );
        assert!(PERMISSIONS.is_sorted());
        assert!(
            SPARED
                .iter()
                .all(|(spared, _)| PERMISSIONS.contains(spared))
        );
    }

    fn own(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn roles_allow_with_stars_and_take_away() {
        let action = "Microsoft.Compute/virtualMachines/write";
        for (pattern, wanted) in [
            ("*", true),
            ("*/write", true),
            ("microsoft.compute/*", true),
            ("Microsoft.Compute/*/read", false),
            ("Microsoft.Compute/virtualMachines/write", true),
            ("Microsoft.Compute/virtualMachines/writes", false),
            ("Microsoft.*/virtualMachines/*", true),
        ] {
            assert_eq!(fits(pattern, action), wanted, "{pattern}");
        }
        let role = Allowed {
            actions: own(&["*"]),
            not_actions: own(&["*/delete"]),
            ..Allowed::default()
        };
        assert!(role.allows(action));
        assert!(!role.allows("Microsoft.Compute/disks/delete"));
        assert!(!role.allows(&format!("{DATA}read")), "data is apart");
    }
}
