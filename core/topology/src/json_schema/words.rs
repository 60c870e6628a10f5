//! What each block and attribute is, in words and in shape.

use super::burst_words::BURSTS;
use super::machine_words::MACHINES;
use super::reach_words::REACHES;
use super::shape::Shape::{self, *};

pub(super) type Row = (&'static str, &'static str, Shape, &'static str);

const WAYS: &[&str] = &["public", "outbound", "none"];
const WAYS_DOC: &str = "Its way to the internet: `public` is reached from there, `outbound` goes out alone, `none` neither; `outbound`, if left out.";
/// By block and attribute, but for machines; without a block, what it is wherever a block says
/// nothing of its own.
const REST: &[Row] = &[
    (
        "",
        "labels",
        Labels,
        "Labels on the thing; they win over the topology's.",
    ),
    (
        "",
        "protect",
        Bool,
        "Refuse to delete it or to make it anew, whatever is planned.",
    ),
    (
        "",
        "disposable",
        Bool,
        "Let its data go without being agreed to by name, once an apply has written this on it.",
    ),
    (
        "",
        "ignore_changes",
        Texts,
        "Attributes whose differences, from the topology or by hand, are left as they are.",
    ),
    (
        "",
        "depends_on",
        Blocks,
        "What must be done before it, besides what it refers to.",
    ),
    (
        "",
        "count",
        Whole(0, 100_000),
        "How many instances of the block there are; `${count.index}` tells them apart.",
    ),
    (
        "",
        "for_each",
        ForEach,
        "An instance of the block for each item; `${each.key}` and `${each.value}` tell them apart.",
    ),
    (
        "topology",
        "realm",
        Text,
        "Keeps two teams' topologies of one name apart in one account.",
    ),
    (
        "topology",
        "lineage",
        Text,
        "Sets it apart from every other topology of its name: 8 to 32 random lower-case letters and digits, written once and never changed.",
    ),
    ("topology", "labels", Labels, "Put on everything."),
    ("", "condition", Bool, "What must hold."),
    ("", "message", Text, "What is said if it does not hold."),
    (
        "dynamic",
        "for_each",
        ForEach,
        "A nested block for each item; `${disk.value}` and `${disk.key}` are the item's in `dynamic` `disk`.",
    ),
    (
        "dynamic",
        "iterator",
        Text,
        "What an item is called in `content`; the kind of the nested block, if left out.",
    ),
    (
        "dynamic",
        "labels",
        Texts,
        "The name of each nested block, where it has one.",
    ),
    ("lookup", "site", Site, "Where it is."),
    (
        "lookup",
        "id",
        Text,
        "Its cloud's id; nothing else is needed.",
    ),
    ("lookup", "name", Text, "The name that its cloud shows."),
    (
        "lookup",
        "labels",
        Labels,
        "Labels that it has, besides others it may have.",
    ),
    (
        "module",
        "source",
        Text,
        "The module's folder, from the file that uses it: `./modules/shop`.",
    ),
    (
        "removed",
        "from",
        Renamed,
        "What is let go: it stays as it is, and is the topology's no more.",
    ),
    (
        "lease",
        "store",
        Text,
        "What the store is: `postgres` or `s3`.",
    ),
    (
        "variable",
        "type",
        Type,
        "Its type, without `${}`; values are converted to it.",
    ),
    ("variable", "default", Any, "The value if none is given."),
    ("variable", "description", Text, "What it is for."),
    (
        "variable",
        "sensitive",
        Bool,
        "Whether its value is never shown.",
    ),
    (
        "site",
        "provider",
        Text,
        "One of those that `strat providers` lists.",
    ),
    (
        "site",
        "region",
        Text,
        "The region, in the provider's words.",
    ),
    (
        "site",
        "account",
        Text,
        "The account, project or subscription: other credentials are refused.",
    ),
    (
        "site",
        "zones",
        Texts,
        "The zones to use; all that the region has, if left out.",
    ),
    (
        "site",
        "capacity",
        Capacity,
        "How much owned hardware there is.",
    ),
    (
        "site",
        "labels",
        Labels,
        "What `require` of a placement asks for; put on nothing.",
    ),
    (
        "output",
        "value",
        Any,
        "Its value, which may be known only after an apply.",
    ),
    ("output", "description", Text, "What it is for."),
    (
        "output",
        "sensitive",
        Bool,
        "Whether its value is shown only on demand.",
    ),
    ("network", "cidr", Ipv4Range, "The whole address space."),
    (
        "network",
        "site_prefix",
        Whole(0, 28),
        "The prefix length of each site's slice; needed with several sites.",
    ),
    ("network", "sites", Sites, "Where it is."),
    (
        "subnet",
        "network",
        Reference("network"),
        "The network it is part of.",
    ),
    (
        "subnet",
        "newbits",
        Whole(0, 28),
        "How many bits longer than the site's slice its prefix is.",
    ),
    ("subnet", "internet", OneOf(WAYS), WAYS_DOC),
    (
        "firewall",
        "network",
        Reference("network"),
        "The network it belongs to.",
    ),
    ("ingress", "from", Peers, "Who may speak."),
    ("egress", "to", Peers, "Who may be spoken to."),
    (
        "ingress",
        "protocol",
        OneOf(PROTOCOLS),
        "Which protocol; `tcp` if left out.",
    ),
    (
        "egress",
        "protocol",
        OneOf(PROTOCOLS),
        "Which protocol; `tcp` if left out.",
    ),
    ("ingress", "ports", Ports, "Which ports; all if left out."),
    ("egress", "ports", Ports, "Which ports; all if left out."),
    (
        "address",
        "attach",
        Reference("machine"),
        "The machine it leads to.",
    ),
    (
        "address",
        "site",
        Site,
        "Where it waits for a machine, instead of `attach`.",
    ),
    (
        "keypair",
        "public_key",
        Text,
        "The public key, as in a `.pub` file.",
    ),
    (
        "image",
        "source",
        Text,
        "A file, from the topology's folder, or a URL.",
    ),
    (
        "image",
        "sha256",
        Sha256,
        "The SHA-256 of its content; needed with a URL.",
    ),
    (
        "moved",
        "from",
        Renamed,
        "What it was called: a thing, a site or the topology, without `${}`.",
    ),
    ("moved", "to", Renamed, "What it is called now."),
    (
        "budget",
        "monthly",
        Money,
        "The most that a month may cost.",
    ),
    (
        "budget",
        "sites",
        Sites,
        "The sites that it counts; all, if left out.",
    ),
    (
        "budget",
        "allow_unpriced",
        Bool,
        "Leave machines of unknown price out of the count, instead of refusing them.",
    ),
    (
        "rollout",
        "wave",
        Wave,
        "How many machines give way to others at once: a number or a share; `25%` if left out.",
    ),
    (
        "health",
        "port",
        Whole(1, 65_535),
        "The TCP port that a new machine must answer on.",
    ),
    (
        "health",
        "path",
        Text,
        "What an HTTP GET asks for; without it, the port has to take a connection.",
    ),
    (
        "health",
        "address",
        OneOf(&["private", "public"]),
        "Which of its addresses is asked; `private` if left out.",
    ),
    (
        "health",
        "timeout",
        Duration,
        "How long it may take until it is healthy; `5m` if left out.",
    ),
    (
        "health",
        "interval",
        Duration,
        "The pause between two questions; `5s` if left out.",
    ),
    (
        "volume",
        "size",
        Size,
        "Its size; it can grow, and never shrinks.",
    ),
    (
        "volume",
        "class",
        OneOf(CLASSES),
        "What it is made of; `ssd` if left out.",
    ),
    (
        "volume",
        "attach",
        Reference("machine"),
        "The machine it is attached to.",
    ),
    (
        "volume",
        "site",
        Site,
        "Where it waits for a machine, instead of `attach`.",
    ),
    (
        "volume",
        "zone",
        Text,
        "The zone at that site; the first, if left out.",
    ),
    ("bucket", "site", Site, "Where it is."),
    (
        "bucket",
        "versioning",
        Bool,
        "Whether older versions of an object are kept.",
    ),
];

const PROTOCOLS: &[&str] = &["tcp", "udp", "icmp", "any"];
pub(super) const CLASSES: &[&str] = &["hdd", "ssd", "nvme"];

fn rows() -> impl Iterator<Item = &'static Row> {
    REST.iter().chain(MACHINES).chain(BURSTS).chain(REACHES)
}

/// What an attribute takes and is.
pub(crate) fn attribute(keyword: &str, name: &str) -> Option<(Shape, &'static str)> {
    let row = |keyword: &str| {
        let row = rows().find(|row| (row.0, row.1) == (keyword, name));
        row.map(|row| (row.2, row.3))
    };
    let same = if keyword == "machines" {
        "machine"
    } else {
        keyword
    };
    row(keyword).or_else(|| row(same)).or_else(|| row(""))
}

/// Every block and attribute that has words.
#[cfg(test)]
pub(super) fn attributes() -> impl Iterator<Item = (&'static str, &'static str)> {
    rows().map(|row| (row.0, row.1))
}

/// What a block is; empty for one that is not known.
pub(crate) fn block(keyword: &str) -> &'static str {
    match keyword {
        "topology" => "Whose everything is: there is exactly one, by the topology's name.",
        "lease" => {
            "Where leases are kept, if not at the sites themselves. Further attributes are the \
             store's own settings."
        }
        "variable" => "A value that is given from outside.",
        "validation" => "What must hold of a variable's value.",
        "module" => {
            "The files of a folder, as often as they are used. Further attributes are the values of \
             the module's variables."
        }
        "locals" => "Names for expressions: `${local.name}`.",
        "site" => {
            "Where things can run: a provider, a region, and whose account. Further attributes \
             are the provider's own settings."
        }
        "budget" => "A ceiling for the monthly cost.",
        "burst" => "How the count of a fleet follows its load.",
        "demand" => "Work per time, of which a machine carries a known amount.",
        "utilisation" => "How busy the machines are.",
        "wait" => "Arrivals that have to be served in time.",
        "backlog" => "Work that lies there, to be done in a time.",
        "window" => "A time in which at least so many machines run.",
        "forecast" => "What is expected from weeks before.",
        "up" => "How the fleet grows.",
        "down" => "How the fleet shrinks.",
        "drain" => "How a machine is emptied before it goes.",
        "cost" => "What the burst may cost.",
        "lost" => "What a silent site means.",
        "output" => "What `strat output` tells.",
        "check" => "What is told as a warning if it does not hold; nothing stops.",
        "assert_reach" => {
            "Traffic that has to pass: an error, and nothing is done, if it does not."
        }
        "refuse_reach" => "Traffic that must not pass: an error, and nothing is done, if it may.",
        "assert" => "What a check holds of the whole.",
        "precondition" => "What must hold before: an error, and nothing is done, if it does not.",
        "postcondition" => "What must hold after: an error as soon as it is known not to.",
        "lookup" => "What others own: found at a site, referred to, and never written to.",
        "dynamic" => "Nested blocks of one kind, one for each item.",
        "content" => "What each of the nested blocks says.",
        "removed" => "What is let go: the real thing stays, and its mark is taken off.",
        "moved" => "What was renamed: the real thing stays, and its mark is rewritten.",
        "network" => "One address space over some sites.",
        "subnet" => "A range of a network, at each of its sites or in each of their zones.",
        "firewall" => "Who may reach the machines that name it; without a rule, nobody may.",
        "ingress" => "Who may reach the machines.",
        "egress" => "Whom the machines may reach; everybody, if there is no such rule.",
        "address" => "A public address that outlives the machine behind it.",
        "keypair" => "A public key for logging in.",
        "image" => "An image of the topology's own.",
        "machine" => "A machine with an identity of its own.",
        "machines" => "A fleet of interchangeable machines.",
        "disk" => "A disk that lives and dies with its machine; the boot disk first.",
        "placement" => "Where it may run.",
        "rollout" => "How its machines give way to others.",
        "health" => "What a new machine must answer before an old one goes.",
        "volume" => "A disk that outlives machines.",
        "bucket" => "A store of objects.",
        _ => "",
    }
}
