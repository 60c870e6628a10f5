//! What may stand in each block, as data.

mod burst;
mod whole;

use strat_model::Noun;

use crate::ast::Block;
use crate::hints;
use crate::report::nearest;

use whole::{
    BUDGET, CHECK, DYNAMIC, GUARDS, LOOKUP, MODULE, MOVED, OUTPUT, POSTCONDITION, PRECONDITION,
    REMOVED, VALIDATION,
};

/// An attribute that a block may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AttributeSchema {
    pub(crate) name: &'static str,
    pub(crate) required: bool,
}

/// A block that a file or another block may have.
#[derive(Debug)]
pub(crate) struct BlockSchema {
    pub(crate) keyword: &'static str,
    /// What the label names; `None` for a block without one.
    pub(crate) label: Option<&'static str>,
    /// Whether the block may stand only once in its parent.
    pub(crate) single: bool,
    pub(crate) attributes: &'static [AttributeSchema],
    pub(crate) blocks: &'static [&'static BlockSchema],
    /// Whether attributes not listed are taken as they are.
    pub(crate) open: bool,
}

const fn required(name: &'static str) -> AttributeSchema {
    AttributeSchema {
        name,
        required: true,
    }
}

const fn optional(name: &'static str) -> AttributeSchema {
    AttributeSchema {
        name,
        required: false,
    }
}

const fn block(
    keyword: &'static str,
    label: Option<&'static str>,
    attributes: &'static [AttributeSchema],
    blocks: &'static [&'static BlockSchema],
) -> BlockSchema {
    BlockSchema {
        keyword,
        label,
        single: false,
        attributes,
        blocks,
        open: false,
    }
}

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
static NETWORK: BlockSchema = block(
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
);
static SUBNET: BlockSchema = block(
    "subnet",
    Some("the subnet's name"),
    &[
        required("network"),
        required("newbits"),
        LABELS,
        PROTECT,
        IGNORE_CHANGES,
        DEPENDS_ON,
        COUNT,
        FOR_EACH,
    ],
    &GUARDS,
);
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
static FIREWALL: BlockSchema = block(
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
);
static ADDRESS: BlockSchema = block(
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
);
static KEYPAIR: BlockSchema = block(
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
);
static IMAGE: BlockSchema = block(
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
);
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
static MACHINE: BlockSchema = block(
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
);
static MACHINES: BlockSchema = block(
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
);
static VOLUME: BlockSchema = block(
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
);
static BUCKET: BlockSchema = block(
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
);

/// Every block that a file may have.
pub(crate) static FILE: [&BlockSchema; 21] = [
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

impl BlockSchema {
    /// Whether such a block may stand for a thing that others own.
    pub(crate) fn may_look_up(&self) -> bool {
        self.blocks
            .iter()
            .any(|nested| nested.keyword == LOOKUP.keyword)
    }

    /// The attribute of that name.
    pub(crate) fn attribute(&self, name: &str) -> Option<&'static AttributeSchema> {
        self.attributes.iter().find(|a| a.name == name)
    }

    /// Whether an unknown attribute of `block` is probably meant to be `name`: then that is what
    /// is told, and not that `name` is missing.
    pub(crate) fn misspelt(&self, block: &Block, name: &str) -> bool {
        let known = || self.attributes.iter().map(|a| a.name);
        !self.open
            && block.body.attributes.iter().any(|a| {
                self.attribute(&a.name.text).is_none()
                    && (nearest(&a.name.text, known()) == Some(name)
                        || hints::foreign_attribute(self.keyword, &a.name.text)
                            .is_some_and(|help| help.contains(&format!("`{name}"))))
            })
    }
}

#[cfg(test)]
mod tests;
