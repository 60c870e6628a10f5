//! What a site on Google Cloud can do.

use std::collections::{BTreeMap, BTreeSet};

use strat_model::{
    Bytes, Capabilities, Idempotency, Internet, InternetWays, Kind, Limits, MarkStore, Prefixes,
    ReservedAddresses, Sizing, SubnetScope,
};

/// How many machines one call makes. Google takes up to 1000 in a zone; all of a batch are listed by
/// their names afterwards, in the text of one filter.
///
/// <https://cloud.google.com/compute/docs/instances/multiple/about-bulk-creation>
pub(crate) const CREATE_BATCH: u32 = 50;

/// How many things one call reads: so many names make a filter of some 4 kB in an address.
pub(crate) const IDS_PER_CALL: u32 = 50;

/// How long a list may lag behind a write. Google names no bound; what an operation has made is listed
/// once it is done.
const CONSISTENCY_WINDOW_MS: u64 = 5_000;

/// The most user data: that of one entry of a machine's metadata.
///
/// <https://cloud.google.com/compute/docs/metadata/setting-custom-metadata#limitations>
pub(crate) const USER_DATA_MAX: u64 = 256 << 10;

/// What a site on Google Cloud can do. `consistency_window_ms` is how long lists may lag there; `None`
/// is as Google does.
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
        // Names are unique where a thing is. The request id of a call is remembered beside that.
        idempotency: Idempotency::Name,
        labels: strat_model::LabelRules::Google,
        marks: MarkStore::Metadata,
        unreadable: BTreeMap::new(),
        create_batch: CREATE_BATCH,
        ids_per_call: IDS_PER_CALL,
        // Google tries to shut the system down, and cuts the power after 90 seconds: a machine that
        // has data is shut down before, by a call of its own.
        // https://cloud.google.com/compute/docs/instances/deleting-instance
        delete_shuts_down: false,
        consistency_window_ms: consistency_window_ms.unwrap_or(CONSISTENCY_WINDOW_MS),
        user_data_max: Bytes(USER_DATA_MAX),
        public_ips: true,
        internet: InternetWays::only(Internet::Public),
        // The first two and the last two of a range:
        // <https://cloud.google.com/vpc/docs/subnets#unusable-ip-addresses-in-every-subnet>
        reserved_addresses: ReservedAddresses {
            fixed: 4,
            share: None,
        },
        limits: Limits {
            // https://cloud.google.com/vpc/docs/subnets#valid-ranges. A network has no range there.
            subnet: Prefixes::new(0, 29),
            // https://cloud.google.com/compute/docs/disks/persistent-disks#disk-types; a smaller disk
            // than Google has is made as large as its smallest.
            disk_max: Bytes::gib(64 << 10),
            // https://cloud.google.com/compute/docs/disks/persistent-disks#maximum: with the one that
            // a machine boots from, of most machine types.
            disks: 128,
            // Each is a network tag of the machine:
            // https://cloud.google.com/vpc/docs/add-remove-network-tags#restrictions
            firewalls: 64,
            ..Limits::default()
        },
    }
}
