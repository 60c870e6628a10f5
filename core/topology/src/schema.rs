//! What may stand in each block, as data.

use strat_model::Noun;

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
const DEPENDS_ON: AttributeSchema = optional("depends_on");
const COUNT: AttributeSchema = optional("count");
const FOR_EACH: AttributeSchema = optional("for_each");

static TOPOLOGY: BlockSchema = block(
    "topology",
    Some("the topology's name"),
    &[optional("realm"), LABELS],
    &[],
);
static VALIDATION: BlockSchema = block(
    "validation",
    None,
    &[required("condition"), required("message")],
    &[],
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
            optional("zones"),
            optional("capacity"),
        ],
        &[],
    )
};
static OUTPUT: BlockSchema = block(
    "output",
    Some("the output's name"),
    &[
        required("value"),
        optional("description"),
        optional("sensitive"),
    ],
    &[],
);
static NETWORK: BlockSchema = block(
    "network",
    Some("the network's name"),
    &[
        required("cidr"),
        optional("site_prefix"),
        required("sites"),
        LABELS,
        PROTECT,
        DEPENDS_ON,
        COUNT,
        FOR_EACH,
    ],
    &[],
);
static SUBNET: BlockSchema = block(
    "subnet",
    Some("the subnet's name"),
    &[
        required("network"),
        required("newbits"),
        LABELS,
        PROTECT,
        DEPENDS_ON,
        COUNT,
        FOR_EACH,
    ],
    &[],
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
        DEPENDS_ON,
        COUNT,
        FOR_EACH,
    ],
    &[&INGRESS, &EGRESS],
);
static ADDRESS: BlockSchema = block(
    "address",
    Some("the address's name"),
    &[
        optional("attach"),
        optional("site"),
        LABELS,
        PROTECT,
        DEPENDS_ON,
        COUNT,
        FOR_EACH,
    ],
    &[],
);
static KEYPAIR: BlockSchema = block(
    "keypair",
    Some("the key pair's name"),
    &[
        required("public_key"),
        LABELS,
        PROTECT,
        DEPENDS_ON,
        COUNT,
        FOR_EACH,
    ],
    &[],
);
static IMAGE: BlockSchema = block(
    "image",
    Some("the image's name"),
    &[
        required("source"),
        optional("sha256"),
        LABELS,
        PROTECT,
        DEPENDS_ON,
        COUNT,
        FOR_EACH,
    ],
    &[],
);
static DISK: BlockSchema = block("disk", None, &[required("size"), optional("class")], &[]);
static PLACEMENT: BlockSchema = BlockSchema {
    single: true,
    ..block(
        "placement",
        None,
        &[optional("sites"), optional("zone"), optional("spread")],
        &[],
    )
};
static MACHINE: BlockSchema = block(
    "machine",
    Some("the machine's name"),
    &[
        optional("cpu"),
        optional("memory"),
        optional("machine_type"),
        required("image"),
        required("subnet"),
        optional("firewalls"),
        optional("keypair"),
        optional("user_data"),
        LABELS,
        PROTECT,
        DEPENDS_ON,
        COUNT,
        FOR_EACH,
    ],
    &[&DISK, &PLACEMENT],
);
static MACHINES: BlockSchema = block(
    "machines",
    Some("the fleet's name"),
    &[
        required("count"),
        optional("cpu"),
        optional("memory"),
        optional("machine_type"),
        required("image"),
        required("subnet"),
        optional("firewalls"),
        optional("keypair"),
        optional("user_data"),
        LABELS,
        PROTECT,
        DEPENDS_ON,
        FOR_EACH,
    ],
    &[&DISK, &PLACEMENT],
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
        DEPENDS_ON,
        COUNT,
        FOR_EACH,
    ],
    &[],
);
static BUCKET: BlockSchema = block(
    "bucket",
    Some("the bucket's name"),
    &[
        required("site"),
        optional("versioning"),
        LABELS,
        PROTECT,
        DEPENDS_ON,
        COUNT,
        FOR_EACH,
    ],
    &[],
);

/// Every block that a file may have.
pub(crate) static FILE: [&BlockSchema; 15] = [
    &TOPOLOGY, &VARIABLE, &LOCALS, &SITE, &NETWORK, &SUBNET, &FIREWALL, &ADDRESS, &KEYPAIR, &IMAGE,
    &MACHINES, &MACHINE, &VOLUME, &BUCKET, &OUTPUT,
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
    /// The attribute of that name.
    pub(crate) fn attribute(&self, name: &str) -> Option<&'static AttributeSchema> {
        self.attributes.iter().find(|a| a.name == name)
    }
}

/// What a missing attribute might look like.
pub(crate) fn example(keyword: &str, attribute: &str) -> Option<&'static str> {
    Some(match (keyword, attribute) {
        ("site", "provider") => "provider = \"sim\"",
        ("network", "cidr") => "cidr = \"10.20.0.0/16\"",
        ("network", "sites") => "sites = [site.…]",
        ("subnet" | "firewall", "network") => "network = network.…",
        ("subnet", "newbits") => "newbits = 3",
        ("ingress", "from") => "from = [\"internet\"]",
        ("egress", "to") => "to = [\"internet\"]",
        ("keypair", "public_key") => "public_key = file(\"id_ed25519.pub\")",
        ("image", "source") => "source = \"disk.qcow2\"",
        ("machine" | "machines", "image") => "image = \"debian-12\"",
        ("machine" | "machines", "subnet") => "subnet = subnet.…",
        ("machines", "count") => "count = 3",
        ("disk" | "volume", "size") => "size = \"40GiB\"",
        ("bucket", "site") => "site = site.…",
        ("output", "value") => "value = …",
        ("validation", "condition") => "condition = …",
        ("validation", "message") => "message = \"…\"",
        _ => return None,
    })
}

/// What another tool's block is called here.
pub(crate) fn foreign(keyword: &str) -> Option<&'static str> {
    Some(match keyword {
        "resource" => {
            "blocks are named for what they are: `machine \"db\" { … }`, `network \"core\" { … }`"
        }
        "provider" => "a `site` block names a provider: `site \"east\" { provider = \"aws\" }`",
        "terraform" | "backend" => {
            "there is no state to configure; name the topology with `topology \"name\" {}`"
        }
        "data" => "what exists already is observed by itself; there are no `data` blocks",
        "module" => "there are no modules; the files of a folder are one topology",
        "instance" | "server" | "vm" | "node" => {
            "write `machine` for one with an identity, `machines` for a fleet"
        }
        "vpc" | "vnet" => "write `network`",
        "security_group" => "write `firewall`",
        "disk" => "a disk stands inside a machine; one that outlives it is a `volume`",
        "local" => "write `locals { name = value }`",
        _ => return None,
    })
}
