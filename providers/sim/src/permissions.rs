//! What one may do at a simulated site: everything that its profile has, but for what a planned
//! fault refuses.

use std::collections::BTreeSet;

use strat_model::{Capabilities, ErrorKind, Kind};
use strat_provider::{PermissionCheck, PermissionState};

use crate::faults::{Fault, PlannedFault, Trials};

/// The operations on a kind that change something.
const fn writes(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Network => &["create_network", "update_network", "delete_network"],
        Kind::Subnet => &["create_subnet", "update_subnet", "delete_subnet"],
        Kind::Firewall => &["create_firewall", "update_firewall", "delete_firewall"],
        Kind::Address => &["create_address", "update_address", "delete_address"],
        Kind::Keypair => &["create_keypair", "update_keypair", "delete_keypair"],
        Kind::Image => &["create_image", "update_image", "delete_image"],
        Kind::Machine => &[
            "create_machines",
            "update_machine",
            "start_machines",
            "stop_machines",
            "delete_machines",
        ],
        Kind::Volume => &[
            "create_volume",
            "update_volume",
            "attach_volume",
            "detach_volume",
            "delete_volume",
        ],
        Kind::Bucket => &[
            "create_bucket",
            "update_bucket",
            "empty_bucket",
            "delete_bucket",
        ],
    }
}

/// The operations that only look.
const READS: [&str; 2] = ["get", "list"];

/// Each operation of a site, and whether the next call of it would be refused. Planned faults stay
/// planned.
pub(crate) fn check(capabilities: &Capabilities, trials: &Trials) -> Vec<PermissionCheck> {
    let writes = capabilities.kinds.iter().flat_map(|kind| writes(*kind));
    let writes: BTreeSet<&str> = writes.copied().collect();
    let operations: BTreeSet<&str> = writes.iter().copied().chain(READS).collect();
    let check = |operation: &str| {
        let is_meant = |planned: &&PlannedFault| match &planned.operation {
            Some(name) => name == operation,
            None => writes.contains(operation),
        };
        let next = trials.faults.iter().find(is_meant);
        let state = match next.filter(|planned| planned.after == 0) {
            Some(PlannedFault {
                fault:
                    Fault::Fail {
                        kind: ErrorKind::Forbidden | ErrorKind::Unauthenticated,
                        ..
                    },
                ..
            }) => {
                let why = "a planned fault refuses it".to_owned();
                PermissionState::Missing { why }
            }
            _ => PermissionState::Granted,
        };
        PermissionCheck {
            permission: operation.to_owned(),
            without: None,
            state,
        }
    };
    operations.into_iter().map(check).collect()
}
