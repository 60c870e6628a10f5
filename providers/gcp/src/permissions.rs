//! Which permissions of the least role the identity in use has.
//!
//! The resource manager tells it in one call that does nothing (`testIamPermissions`). It knows of
//! permissions on the project: one that is given on a single thing is not told.
//!
//! <https://cloud.google.com/resource-manager/reference/rest/v1/projects/testIamPermissions>

use std::collections::BTreeSet;

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use strat_model::{ErrorKind, Result};
use strat_provider::{PermissionCheck, PermissionState};

use crate::provider::GcpProvider;
use crate::storage::{Body, segment};

/// The most permissions of one question.
const ASKED_MAX: usize = 100;

/// The permissions of the least role, `docs/gcp-role.yaml`; a test compares them. Sorted.
pub(crate) const PERMISSIONS: [&str; 65] = [
    "compute.addresses.create",
    "compute.addresses.delete",
    "compute.addresses.get",
    "compute.addresses.list",
    "compute.addresses.setLabels",
    "compute.addresses.use",
    "compute.disks.create",
    "compute.disks.delete",
    "compute.disks.get",
    "compute.disks.list",
    "compute.disks.resize",
    "compute.disks.setLabels",
    "compute.disks.use",
    "compute.firewalls.create",
    "compute.firewalls.delete",
    "compute.firewalls.get",
    "compute.firewalls.list",
    "compute.firewalls.update",
    "compute.globalOperations.get",
    "compute.images.get",
    "compute.images.getFromFamily",
    "compute.images.useReadOnly",
    "compute.instances.addAccessConfig",
    "compute.instances.attachDisk",
    "compute.instances.create",
    "compute.instances.delete",
    "compute.instances.deleteAccessConfig",
    "compute.instances.detachDisk",
    "compute.instances.get",
    "compute.instances.list",
    "compute.instances.setLabels",
    "compute.instances.setMachineType",
    "compute.instances.setMetadata",
    "compute.instances.setTags",
    "compute.instances.start",
    "compute.instances.stop",
    "compute.machineTypes.get",
    "compute.machineTypes.list",
    "compute.networks.create",
    "compute.networks.delete",
    "compute.networks.get",
    "compute.networks.list",
    "compute.networks.updatePolicy",
    "compute.projects.get",
    "compute.projects.setCommonInstanceMetadata",
    "compute.regionOperations.get",
    "compute.regions.get",
    "compute.subnetworks.create",
    "compute.subnetworks.delete",
    "compute.subnetworks.get",
    "compute.subnetworks.list",
    "compute.subnetworks.use",
    "compute.subnetworks.useExternalIp",
    "compute.zoneOperations.get",
    "compute.zoneOperations.list",
    "resourcemanager.projects.get",
    "storage.buckets.create",
    "storage.buckets.delete",
    "storage.buckets.get",
    "storage.buckets.list",
    "storage.buckets.update",
    "storage.objects.create",
    "storage.objects.delete",
    "storage.objects.get",
    "storage.objects.list",
];

/// What goes on without a permission, and how.
const SPARED: [(&str, &str); 2] = [
    (
        "compute.projects.setCommonInstanceMetadata",
        "key pairs cannot be made, and networks and subnets keep the marks that they were made with",
    ),
    (
        "storage.objects.list",
        "nobody knows whether a bucket is empty, so none is deleted without consent",
    ),
];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Granted {
    permissions: BTreeSet<String>,
}

impl GcpProvider {
    pub(crate) async fn ask_permissions(&self) -> Result<Vec<PermissionCheck>> {
        const ACTION: &str = "resourcemanager.projects.get";
        let url = format!(
            "{}/v1/projects/{}:testIamPermissions",
            self.access.resource_manager,
            segment(&self.settings.project)
        );
        let mut granted = BTreeSet::new();
        for some in PERMISSIONS.chunks(ASKED_MAX) {
            let body = Body::Json(json!({ "permissions": some }));
            let answer = self
                .call_json::<Granted>(ACTION, Method::POST, &url, &[], body)
                .await;
            match answer {
                Ok(answer) => granted.extend(answer.permissions),
                Err(error) if error.kind() == ErrorKind::Forbidden => {
                    let why = match error.help() {
                        Some(help) => format!("the resource manager does not tell: {help}"),
                        None => "the resource manager does not tell".to_owned(),
                    };
                    return Ok(checks(|_| PermissionState::Unknown { why: why.clone() }));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(checks(|permission| match granted.contains(permission) {
            true => PermissionState::Granted,
            false => PermissionState::Missing {
                why: "no role of this identity on the project has it".to_owned(),
            },
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
        let role = include_str!("../../../docs/gcp-role.yaml");
        let included: Vec<&str> = role
            .lines()
            .filter_map(|line| line.strip_prefix("- "))
            .collect();
        assert_eq!(included, PERMISSIONS);
        assert!(PERMISSIONS.is_sorted());
        assert!(
            SPARED
                .iter()
                .all(|(spared, _)| PERMISSIONS.contains(spared))
        );
    }
}
