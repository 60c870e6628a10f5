//! What may stand in each block, as data.

mod block;
mod burst;
mod whole;

use strat_model::Noun;

pub(crate) use block::{AttributeSchema, BlockSchema};
use block::{block, optional, required};
use whole::{
    ASSERT_REACH, BUDGET, CHECK, DYNAMIC, GUARDS, LOOKUP, MODULE, MOVED, OUTPUT, POSTCONDITION,
    PRECONDITION, REFUSE_REACH, REMOVED, VALIDATION,
};

const LABELS: AttributeSchema = optional("labels");
const PROTECT: AttributeSchema = optional("protect");
const DISPOSABLE: AttributeSchema = optional("disposable");
const IGNORE_CHANGES: AttributeSchema = optional("ignore_changes");
const DEPENDS_ON: AttributeSchema = optional("depends_on");
const COUNT: AttributeSchema = optional("count");
const FOR_EACH: AttributeSchema = optional("for_each");

static LEASE: BlockSchema = BlockSchema {
    open: true,
    single: true,
    ..block("lease", None, &[required("store")], &[])
};
static TOPOLOGY: BlockSchema = block(
    "topology",
    Some("the topology's name"),
    &[optional("realm"), optional("lineage"), LABELS],
    &[&LEASE],
);
static VARIABLE: BlockSchema = block(
    "variable",
    Some("the variable's name"),
    &[
        optional("type"),
        optional("default"),
        optional("description"),
        optional("sensitive"),
    ],
    &[&VALIDATION],
);
static LOCALS: BlockSchema = BlockSchema {
    open: true,
    ..block("locals", None, &[], &[])
};
static SITE: BlockSchema = BlockSchema {
    open: true,
    ..block(
        "site",
        Some("the site's name"),
        &[
            required("provider"),
            optional("region"),
            optional("account"),
            optional("zones"),
            optional("capacity"),
            LABELS,
            FOR_EACH,
        ],
        &[],
    )
};
static NETWORK: BlockSchema = BlockSchema {
    later_lists: &["ids"],
    ..block(
        "network",
        Some("the network's name"),
        &[
            required("cidr"),
            optional("site_prefix"),
            required("sites"),
            LABELS,
            PROTECT,
            IGNORE_CHANGES,
            DEPENDS_ON,
            COUNT,
            FOR_EACH,
        ],
        &GUARDS,
    )
};
static SUBNET: BlockSchema = BlockSchema {
    later_lists: &["ids"],
    ..block(
        "subnet",
        Some("the subnet's name"),
        &[
            required("network"),
            required("newbits"),
            optional("internet"),
            LABELS,
            PROTECT,
            IGNORE_CHANGES,
            DEPENDS_ON,
            COUNT,
            FOR_EACH,
        ],
        &GUARDS,
    )
};
static INGRESS: BlockSchema = block(
    "ingress",
    Some("the rule's name"),
    &[required("from"), optional("protocol"), optional("ports")],
    &[],
);
static EGRESS: BlockSchema = block(
    "egress",
    Some("the rule's name"),
    &[required("to"), optional("protocol"), optional("ports")],
    &[],
);
static FIREWALL: BlockSchema = BlockSchema {
    later_lists: &["ids"],
    ..block(
        "firewall",
        Some("the firewall's name"),
        &[
            required("network"),
            LABELS,
            PROTECT,
            IGNORE_CHANGES,
            DEPENDS_ON,
            COUNT,
            FOR_EACH,
        ],
        &[
            &LOOKUP,
            &INGRESS,
            &EGRESS,
            &DYNAMIC,
            &PRECONDITION,
            &POSTCONDITION,
        ],
    )
};
static ADDRESS: BlockSchema = BlockSchema {
    later: &["id", "name", "ip"],
    ..block(
        "address",
        Some("the address's name"),
        &[
            optional("attach"),
            optional("site"),
            LABELS,
            PROTECT,
            IGNORE_CHANGES,
            DEPENDS_ON,
            COUNT,
            FOR_EACH,
        ],
        &GUARDS,
    )
};
static KEYPAIR: BlockSchema = BlockSchema {
    later_lists: &["ids"],
    ..block(
        "keypair",
        Some("the key pair's name"),
        &[
            required("public_key"),
            LABELS,
            PROTECT,
            IGNORE_CHANGES,
            DEPENDS_ON,
            COUNT,
            FOR_EACH,
        ],
        &GUARDS,
    )
};
static IMAGE: BlockSchema = BlockSchema {
    later_lists: &["ids"],
    ..block(
        "image",
        Some("the image's name"),
        &[
            required("source"),
            optional("sha256"),
            LABELS,
            PROTECT,
            IGNORE_CHANGES,
            DEPENDS_ON,
            COUNT,
            FOR_EACH,
        ],
        &GUARDS,
    )
};
static DISK: BlockSchema = block("disk", None, &[required("size"), optional("class")], &[]);
static PLACEMENT: BlockSchema = BlockSchema {
    single: true,
    ..block(
        "placement",
        None,
        &[
            optional("sites"),
            optional("require"),
            optional("zone"),
            optional("spread"),
            optional("prefer"),
            optional("weights"),
            optional("max_price"),
            optional("spot_percent"),
            optional("on_demand_base"),
            optional("survive"),
            optional("unit"),
            optional("move_threshold"),
            optional("anti_affinity"),
        ],
        &[],
    )
};
static HEALTH: BlockSchema = BlockSchema {
    single: true,
    ..block(
        "health",
        None,
        &[
            required("port"),
            optional("path"),
            optional("address"),
            optional("timeout"),
            optional("interval"),
        ],
        &[],
    )
};
static ROLLOUT: BlockSchema = BlockSchema {
    single: true,
    ..block("rollout", None, &[optional("wave")], &[&HEALTH])
};
static MACHINE: BlockSchema = BlockSchema {
    later: &["id", "name", "site", "zone", "private_ip", "public_ip"],
    ..block(
        "machine",
        Some("the machine's name"),
        &[
            optional("cpu"),
            optional("memory"),
            optional("machine_type"),
            optional("arch"),
            optional("cpu_max"),
            optional("memory_max"),
            optional("gpus"),
            optional("gpu"),
            optional("burstable"),
            required("image"),
            required("subnet"),
            optional("public_ip"),
            optional("firewalls"),
            optional("keypair"),
            optional("user_data"),
            optional("user_data_change"),
            LABELS,
            PROTECT,
            DISPOSABLE,
            IGNORE_CHANGES,
            DEPENDS_ON,
            COUNT,
            FOR_EACH,
        ],
        &[
            &LOOKUP,
            &DISK,
            &PLACEMENT,
            &ROLLOUT,
            &DYNAMIC,
            &PRECONDITION,
            &POSTCONDITION,
        ],
    )
};
static MACHINES: BlockSchema = BlockSchema {
    later_lists: &["ids", "names", "private_ips", "public_ips"],
    ..block(
        "machines",
        Some("the fleet's name"),
        &[
            required("count"),
            optional("cpu"),
            optional("memory"),
            optional("machine_type"),
            optional("arch"),
            optional("cpu_max"),
            optional("memory_max"),
            optional("gpus"),
            optional("gpu"),
            optional("burstable"),
            required("image"),
            required("subnet"),
            optional("public_ip"),
            optional("firewalls"),
            optional("keypair"),
            optional("user_data"),
            optional("user_data_change"),
            LABELS,
            PROTECT,
            IGNORE_CHANGES,
            DEPENDS_ON,
            FOR_EACH,
        ],
        &[
            &DISK,
            &PLACEMENT,
            &ROLLOUT,
            &DYNAMIC,
            &PRECONDITION,
            &POSTCONDITION,
        ],
    )
};
static VOLUME: BlockSchema = BlockSchema {
    later: &["id", "name"],
    ..block(
        "volume",
        Some("the volume's name"),
        &[
            required("size"),
            optional("class"),
            optional("attach"),
            optional("site"),
            optional("zone"),
            LABELS,
            PROTECT,
            DISPOSABLE,
            IGNORE_CHANGES,
            DEPENDS_ON,
            COUNT,
            FOR_EACH,
        ],
        &GUARDS,
    )
};
static BUCKET: BlockSchema = BlockSchema {
    later: &["id", "name", "url"],
    ..block(
        "bucket",
        Some("the bucket's name"),
        &[
            required("site"),
            optional("versioning"),
            LABELS,
            PROTECT,
            DISPOSABLE,
            IGNORE_CHANGES,
            DEPENDS_ON,
            COUNT,
            FOR_EACH,
        ],
        &GUARDS,
    )
};

/// Every block that a file may have.
pub(crate) static FILE: [&BlockSchema; 23] = [
    &TOPOLOGY,
    &VARIABLE,
    &LOCALS,
    &MODULE,
    &SITE,
    &NETWORK,
    &SUBNET,
    &FIREWALL,
    &ADDRESS,
    &KEYPAIR,
    &IMAGE,
    &MACHINES,
    &MACHINE,
    &VOLUME,
    &BUCKET,
    &BUDGET,
    &burst::BURST,
    &OUTPUT,
    &CHECK,
    &ASSERT_REACH,
    &REFUSE_REACH,
    &MOVED,
    &REMOVED,
];

/// The schema of the blocks of a noun.
pub(crate) const fn of_noun(noun: Noun) -> &'static BlockSchema {
    match noun {
        Noun::Network => &NETWORK,
        Noun::Subnet => &SUBNET,
        Noun::Firewall => &FIREWALL,
        Noun::Address => &ADDRESS,
        Noun::Keypair => &KEYPAIR,
        Noun::Image => &IMAGE,
        Noun::Machine => &MACHINE,
        Noun::Machines => &MACHINES,
        Noun::Volume => &VOLUME,
        Noun::Bucket => &BUCKET,
    }
}

#[cfg(test)]
mod tests;
