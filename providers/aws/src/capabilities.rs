//! What a site on AWS can do.

use std::collections::{BTreeMap, BTreeSet};

use strat_model::{
    Bytes, Capabilities, Idempotency, Internet, InternetWays, Kind, Limits, MarkStore, Prefixes,
    ReservedAddresses, Sizing, SubnetScope,
};

use crate::compute::DISKS_MAX;
use crate::storage::class;

/// The tags that are kept for `Name`, the token and the names of a batch.
const TAGS_KEPT: u32 = 6;

/// How many machines one `RunInstances` makes: AWS's own advice for a large launch.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html>: "create five
/// separate launch requests for 100 instances each instead of one launch request for 500".
pub(crate) const CREATE_BATCH: u32 = 100;

/// How many things one call deletes or reads by id: the most values that a filter takes.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html>
pub(crate) const IDS_PER_CALL: u32 = 200;

/// How long a list may lag behind a write. EC2 names no bound; its guide waits up to minutes in the
/// worst case, and tags and lists are behind by seconds.
///
/// <https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>
const CONSISTENCY_WINDOW_MS: u64 = 15_000;

/// What AWS refuses whoever asks. Five firewalls of a machine and sixty rules of a firewall are what an
/// account has at first, not what it may have: so those are left to AWS.
fn limits() -> Limits {
    Limits {
        // https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
        network: Prefixes::new(16, 28),
        subnet: Prefixes::new(16, 28),
        disk_min: Bytes::gib(1),
        disk_max: Bytes::gib(class::MAX_GIB),
        classes: class::SIZES,
        disks: DISKS_MAX,
        // https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html: at most 16 of one
        // interface, and the groups of one times the rules of each at most 1,000.
        firewalls: 16,
        rules: 1_000,
        // 200 of a VPC, which AWS raises on request:
        // https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
        ..Limits::default()
    }
}

/// What a site on AWS can do. `consistency_window_ms` is how long lists may lag there; `None` is
/// as AWS does.
#[must_use]
pub fn capabilities(consistency_window_ms: Option<u64>) -> Capabilities {
    let kinds: BTreeSet<Kind> = Kind::ALL
        .into_iter()
        .filter(|kind| *kind != Kind::Image)
        .collect();
    Capabilities {
        kinds,
        subnets: SubnetScope::Zonal,
        sizing: Sizing::Catalogue,
        idempotency: Idempotency::Token {
            window_ms: 24 * 3_600_000,
        },
        labels: strat_model::LabelRules::Aws,
        marks: MarkStore::Tags {
            max: 50 - TAGS_KEPT,
            key_max: 128,
            value_max: 256,
        },
        unreadable: BTreeMap::new(),
        create_batch: CREATE_BATCH,
        ids_per_call: IDS_PER_CALL,
        // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-terminate-methods.html
        delete_shuts_down: true,
        consistency_window_ms: consistency_window_ms.unwrap_or(CONSISTENCY_WINDOW_MS),
        user_data_max: Bytes(16 << 10),
        public_ips: false,
        internet: InternetWays::among(Internet::Outbound, Internet::ALL),
        // The first four and the last:
        // <https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html>
        reserved_addresses: ReservedAddresses {
            fixed: 5,
            share: None,
        },
        limits: limits(),
    }
}
