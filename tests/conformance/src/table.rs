//! `docs/changes.md`: what a change takes, for each attribute and provider, as the providers say it.
//!
//! Each provider's own tests hold its columns to what its rules say: see [`check`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use strat_model::{
    Attributes, Changes, Field, Kind, Loss, Means, Resource, ResourceId, ResourceState, Spec,
    Transition, Witness,
};

/// The columns, in their order.
const COLUMNS: [&str; 8] = [
    "AWS",
    "Azure",
    "Google Cloud",
    "libvirt",
    "sim, `aws`",
    "sim, `azure`",
    "sim, `gcp`",
    "sim, `onprem`",
];

/// A column: a provider, the kinds that it has, and its rules.
#[derive(Debug)]
pub struct Column {
    /// What it is called on the page.
    pub name: String,
    /// The kinds that it has.
    pub kinds: BTreeSet<Kind>,
    /// What it takes to change things.
    pub changes: Changes,
}

/// A change that may be asked for.
#[derive(Debug)]
struct Case {
    /// The kind of thing.
    kind: Kind,
    /// What people call it.
    what: &'static str,
    /// The field that differs.
    field: Field,
    /// What is there.
    is: Spec<ResourceId>,
    /// What it is to be.
    to: Spec<ResourceId>,
}

/// A spec of each kind, as JSON.
fn spec(kind: Kind) -> Value {
    let gib = |n: u64| n << 30;
    let own = match kind {
        Kind::Network => json!({ "cidr": "10.0.0.0/16" }),
        Kind::Subnet => {
            json!({ "network": "n", "cidr": "10.0.0.0/24", "zone": "a", "internet": "outbound" })
        }
        Kind::Firewall => json!({ "network": "n", "rules": [{
            "name": "web", "direction": "ingress", "peers": ["internet"], "protocol": "tcp",
            "ports": ["80"],
        }] }),
        Kind::Address => json!({ "attach": "m" }),
        Kind::Keypair => json!({ "public_key": "ssh-ed25519 AAAA" }),
        Kind::Image => json!({ "source": "a.qcow2", "sha256": "00" }),
        Kind::Machine => json!({
            "machine_type": "small", "cpu": 2, "memory": gib(4), "capacity": "on_demand",
            "zone": "a", "image": { "named": { "name": "debian-12", "id": "i" } }, "subnet": "s",
            "public_ip": true,
            "firewalls": ["f"], "keypair": null, "user_data": null,
            "disks": [{ "size": gib(20), "class": "ssd" }],
        }),
        Kind::Volume => json!({ "size": gib(200), "class": "ssd", "zone": "a", "attach": "m" }),
        Kind::Bucket => json!({ "versioning": false }),
    };
    let mut own = own;
    own["labels"] = json!({ "env": "test" });
    json!({ kind.as_str(): own })
}

/// What may be asked for, in the order of the table.
fn cases() -> Vec<Case> {
    let gib = |n: u64| json!(n << 30);
    let mut cases = Vec::new();
    let mut add = |kind: Kind, what, field, first: &[(&str, Value)], then: &[(&str, Value)]| {
        let mut is = spec(kind);
        let put = |spec: &mut Value, changes: &[(&str, Value)]| {
            for (pointer, value) in changes {
                let pointer = format!("/{kind}/{pointer}");
                let place = spec.pointer_mut(&pointer).expect("the spec has it");
                *place = value.clone();
            }
        };
        put(&mut is, first);
        let mut to = is.clone();
        put(&mut to, then);
        let read = |spec| serde_json::from_value(spec).expect("a spec");
        cases.push(Case {
            kind,
            what,
            field,
            is: read(is),
            to: read(to),
        });
    };
    use Field as F;
    use Kind as K;
    for kind in K::ALL {
        let labels = [("labels", json!({ "env": "prod" }))];
        add(kind, "`labels`", F::Labels, &[], &labels);
    }
    add(
        K::Network,
        "`cidr`",
        F::Cidr,
        &[],
        &[("cidr", json!("10.1.0.0/16"))],
    );
    add(
        K::Subnet,
        "its range",
        F::Cidr,
        &[],
        &[("cidr", json!("10.0.1.0/24"))],
    );
    let way = [("internet", json!("none"))];
    add(K::Subnet, "`internet`", F::Internet, &[], &way);
    add(
        K::Firewall,
        "`ingress`, `egress`",
        F::Rules,
        &[],
        &[("rules", json!([]))],
    );
    add(
        K::Firewall,
        "`network`",
        F::Network,
        &[],
        &[("network", json!("o"))],
    );
    add(
        K::Address,
        "`machine`",
        F::Attach,
        &[],
        &[("attach", json!("o"))],
    );
    add(
        K::Keypair,
        "`public_key`",
        F::PublicKey,
        &[],
        &[("public_key", json!("ssh-ed25519 B"))],
    );
    add(
        K::Image,
        "its content",
        F::Sha256,
        &[],
        &[("sha256", json!("01"))],
    );
    let larger = [
        ("machine_type", json!("large")),
        ("cpu", json!(4)),
        ("memory", gib(8)),
    ];
    add(
        K::Machine,
        "`cpu`, `memory`, `machine_type`",
        F::MachineType,
        &[],
        &larger,
    );
    let spot = [("capacity", json!("spot"))];
    add(
        K::Machine,
        "the same of a spot machine",
        F::MachineType,
        &spot,
        &larger,
    );
    add(K::Machine, "bought as spot or not", F::Capacity, &[], &spot);
    let disks = |size: u64, class: &str| json!([{ "size": size << 30, "class": class }]);
    add(
        K::Machine,
        "`disk`: larger",
        F::Disks,
        &[],
        &[("disks", disks(40, "ssd"))],
    );
    add(
        K::Machine,
        "`disk`: smaller",
        F::Disks,
        &[],
        &[("disks", disks(10, "ssd"))],
    );
    add(
        K::Machine,
        "`disk`: another class",
        F::Disks,
        &[],
        &[("disks", disks(20, "nvme"))],
    );
    add(
        K::Machine,
        "`disk`: one more, or fewer",
        F::Disks,
        &[],
        &[("disks", json!([]))],
    );
    add(
        K::Machine,
        "`firewalls`",
        F::Firewalls,
        &[],
        &[("firewalls", json!([]))],
    );
    let no_ip = [("public_ip", json!(false))];
    add(K::Machine, "`public_ip`", F::PublicIp, &[], &no_ip);
    let image = json!({ "named": { "name": "debian-13", "id": "j" } });
    add(K::Machine, "`image`", F::Image, &[], &[("image", image)]);
    add(
        K::Machine,
        "`subnet`",
        F::Subnet,
        &[],
        &[("subnet", json!("t"))],
    );
    add(
        K::Machine,
        "its zone",
        F::Zone,
        &[],
        &[("zone", json!("b"))],
    );
    add(K::Machine, "`user_data`", F::UserData, &[], &[]);
    add(
        K::Volume,
        "`size`: larger",
        F::Size,
        &[],
        &[("size", gib(400))],
    );
    add(
        K::Volume,
        "`size`: smaller",
        F::Size,
        &[],
        &[("size", gib(100))],
    );
    add(
        K::Volume,
        "`class`",
        F::Class,
        &[],
        &[("class", json!("nvme"))],
    );
    add(
        K::Volume,
        "`machine`",
        F::Attach,
        &[],
        &[("attach", json!("o"))],
    );
    add(
        K::Bucket,
        "`versioning`",
        F::Versioning,
        &[],
        &[("versioning", json!(true))],
    );
    cases
}

/// A thing that is as a case says, with an address that was not set aside for it.
fn resource(case: &Case) -> Resource {
    let ip = ("public_ip".to_owned(), "192.0.2.1".to_owned());
    Resource {
        id: ResourceId::from("x"),
        name: "x".to_owned(),
        mark: None,
        witness: Witness::Held,
        state: ResourceState::Ready,
        spec: case.is.clone(),
        attributes: Attributes::from([ip]),
        created: None,
    }
}

/// What a change takes, in a cell.
fn cell(takes: &Transition) -> String {
    let mut text = match &takes.means {
        Means::Live => "live",
        Means::Restart => "stop",
        Means::Deallocate => "stop, other host",
        Means::Recreate => "anew",
        Means::Refused { .. } => "refused",
    }
    .to_owned();
    if takes.loses.contains(&Loss::DynamicAddress) {
        text.push_str(" \u{b9}");
    }
    text
}

const HEAD: &str = "# What a change costs

What happens to a thing that is there when its block asks for something else. The plan says the same
of each change, from what is to what is wanted, and `plan --json` has it as `transition`.

| word | what happens |
|---|---|
| live | it is changed while it is in use |
| stop | a `machine` is shut down, changed and started again, with its id, disks and private address; then it is asked whether it is healthy, if its `rollout` says how |
| stop, other host | the same; it may be started on another host of the cloud |
| anew | a new one is made, what refers to it is led over, and the old one is deleted: see [data goes only by name](operations.md#data-goes-only-by-name) |
| refused | it is left as it is, and the plan says why |

Members of a fleet (`machines`) are made anew [in waves](operations.md#moving-and-making-anew-by-waves)
where a `machine` would be stopped. A key pair counts at the first boot: another one changes no machine
that is there. `user_data_change` and `ignore_changes` leave machines as they are. A volume never moves
to another zone or site.

";

const TAIL: &str = "
\u{b9} A public address that was not set aside with an `address` block becomes another.

Each provider's tests hold this page to what the provider says, and the provider to what it then does.
";

/// The cells of a page, by the column's name and what the row is about.
type Cells = BTreeMap<(String, String), String>;

/// Holds the columns of a provider to what it says. Where the page says something else, it is written
/// anew and the test fails, so that the difference is looked at before it is committed.
///
/// # Panics
/// If the page was not what the provider says, or cannot be written.
pub fn check(columns: &[Column]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/changes.md");
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let mut cells = read(&committed);
    for column in columns {
        for case in cases() {
            let row = format!("{} | {}", case.kind, case.what);
            cells.insert((column.name.clone(), row), said(column, &case));
        }
    }
    let page = write(&cells);
    if page != committed {
        std::fs::write(&path, &page).expect("the page is written");
        panic!("docs/changes.md was not what the provider says; it is now: look at the difference");
    }
}

/// What a provider says of a case.
fn said(column: &Column, case: &Case) -> String {
    if !column.kinds.contains(&case.kind) {
        return "\u{2013}".to_owned();
    }
    let fields = BTreeSet::from([case.field]);
    let to = case.to.without_refs();
    cell(&column.changes.change(&resource(case), &to, &fields))
}

/// The cells of a page that was written.
fn read(page: &str) -> Cells {
    let mut cells = Cells::new();
    let rows = page.lines().filter(|line| line.starts_with("| "));
    for row in rows {
        let parts: Vec<&str> = row.trim_matches(['|', ' ']).split(" | ").collect();
        if let [kind, what, said @ ..] = parts.as_slice()
            && said.len() == COLUMNS.len()
        {
            for (column, cell) in COLUMNS.iter().zip(said) {
                let key = ((*column).to_owned(), format!("{kind} | {what}"));
                cells.insert(key, (*cell).to_owned());
            }
        }
    }
    cells
}

/// The page.
fn write(cells: &Cells) -> String {
    let mut text = HEAD.to_owned();
    let _ = writeln!(text, "| thing | attribute | {} |", COLUMNS.join(" | "));
    let _ = writeln!(text, "|---|---|{}", "---|".repeat(COLUMNS.len()));
    let mut cases = cases();
    cases.sort_by_key(|case| case.kind);
    for case in cases {
        let row = format!("{} | {}", case.kind, case.what);
        let said = COLUMNS.map(|column| {
            let key = (column.to_owned(), row.clone());
            cells.get(&key).map_or("?", String::as_str)
        });
        let _ = writeln!(text, "| {row} | {} |", said.join(" | "));
    }
    text + TAIL
}
