//! What a site on Azure can do.

use std::collections::{BTreeMap, BTreeSet};

use strat_model::{
    Bytes, Capabilities, ClassSizes, Idempotency, Internet, InternetWays, Kind, LabelRules, Limits,
    MarkStore, Prefixes, ReservedAddresses, Sizing, SubnetScope,
};

/// How many machines are made at once: each is a call of its own.
pub(crate) const CREATE_BATCH: u32 = 20;

/// How many things one call of ours is about: each is a call of its own there.
pub(crate) const IDS_PER_CALL: u32 = 20;

/// The most subnets of one network: each has its note in tags of the network, two at least, and of the
/// network's 50 its own mark has the rest. Azure itself takes 3,000.
///
/// <https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits>
pub(crate) const SUBNETS_MAX: u32 = 20;

/// How long a list may lag behind a write. Microsoft names no bound; the resource manager's caches are
/// told to be fresh within seconds.
const CONSISTENCY_WINDOW_MS: u64 = 10_000;

/// The most user data, before it is encoded.
///
/// <https://learn.microsoft.com/rest/api/compute/virtual-machines/create-or-update#osprofile>
pub(crate) const USER_DATA_MAX: u64 = 65_535;

/// What a site on Azure can do. `consistency_window_ms` is how long lists may lag there; `None` is as
/// Azure does.
#[must_use]
pub fn capabilities(consistency_window_ms: Option<u64>) -> Capabilities {
    let kinds: BTreeSet<Kind> = Kind::ALL
        .into_iter()
        .filter(|kind| *kind != Kind::Image)
        .collect();
    Capabilities {
        kinds,
        subnets: SubnetScope::Regional,
        sizing: Sizing::Catalogue,
        idempotency: Idempotency::Name,
        labels: LabelRules::Azure,
        marks: MarkStore::Tags {
            max: 50,
            key_max: 512,
            value_max: 256,
        },
        unreadable: BTreeMap::new(),
        create_batch: CREATE_BATCH,
        ids_per_call: IDS_PER_CALL,
        // A machine that is deleted is cut off: one that has data is shut down before.
        // https://learn.microsoft.com/rest/api/compute/virtual-machines/delete
        delete_shuts_down: false,
        consistency_window_ms: consistency_window_ms.unwrap_or(CONSISTENCY_WINDOW_MS),
        user_data_max: Bytes(USER_DATA_MAX),
        public_ips: true,
        internet: InternetWays::only(Internet::Public),
        // The first four and the last one of a range:
        // https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq
        reserved_addresses: ReservedAddresses {
            fixed: 5,
            share: None,
        },
        limits: Limits {
            // https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq
            network: Prefixes::new(2, 29),
            subnet: Prefixes::new(2, 29),
            // https://learn.microsoft.com/azure/virtual-machines/disks-types
            subnets: SUBNETS_MAX,
            disk_min: Bytes::gib(1),
            disk_max: Bytes::gib(32_767),
            // 64 of the largest sizes, and the one that a machine boots from.
            disks: 65,
            // Application security groups of one interface; and rules of one security group:
            // https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits
            firewalls: 20,
            rules: 1000,
            classes: ClassSizes::default(),
        },
    }
}
