//! What somebody with Google's own client changes: one process of it for all of a test's changes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use strat_conformance::{OutsideRows, Partners};
use strat_model::{Bytes, CapacityKind, Field, Kind, Resource, Spec};

use crate::harness::{Google, PROJECT, REGION, peers};

/// Google's client for Python, at the double. It ends with its input.
#[derive(Debug)]
pub(crate) struct Hand {
    child: Child,
    input: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Hand {
    pub(crate) fn start(google: &Google) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gcp/outside.py");
        let mut child = Command::new(peers().join("bin/python"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .arg(script)
            .args([&google.gce.endpoint(), PROJECT, REGION])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Google's client for Python is there: run scripts/peers/gcp once");
        Self {
            input: child.stdin.take(),
            answers: BufReader::new(child.stdout.take().expect("a pipe")),
            child,
        }
    }

    /// Makes one change, and comes back once it is made.
    pub(crate) fn change(&mut self, what: &Value) {
        let input = self.input.as_mut().expect("a pipe");
        writeln!(input, "{what}").expect("it is sent");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("an answer");
        assert_eq!(answer.trim(), "done", "{what}: the trace is above");
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// Two types of the same family, one with more of everything.
const SMALL: &str = "e2-small";
const LARGE: &str = "e2-standard-4";

/// Every row. What is fixed when it is made is another only in another thing.
pub(crate) const ROWS: OutsideRows = OutsideRows {
    promised: &[],
    immutable: &[
        (
            Kind::Subnet,
            "network",
            "it is said as the subnet is made: https://cloud.google.com/compute/docs/reference/rest/v1/subnetworks",
        ),
        (
            Kind::Subnet,
            "zone",
            "a subnet spans its region: https://cloud.google.com/vpc/docs/subnets",
        ),
        (
            Kind::Firewall,
            "network",
            "it is said as the rule is made: https://cloud.google.com/compute/docs/reference/rest/v1/firewalls/patch",
        ),
        (
            Kind::Machine,
            "zone",
            "a machine in another zone is another, made of snapshots: https://cloud.google.com/compute/docs/instances/moving-instance-across-zones",
        ),
        (
            Kind::Volume,
            "class",
            "a disk's type stays: https://cloud.google.com/compute/docs/disks/modify-persistent-disk",
        ),
        (
            Kind::Volume,
            "zone",
            "a disk in another zone is another, made of a snapshot: https://cloud.google.com/sdk/gcloud/reference/compute/disks/move",
        ),
    ],
    changed: 24,
};

/// What to do for a field of a thing to be another, where Google has a call that does.
pub(crate) fn of(thing: &Resource, field: Field, partners: &Partners) -> Option<Value> {
    let own = thing.id.as_str();
    Some(match (&thing.spec, field) {
        (Spec::Network(_), Field::Labels) => json!(["label_network", own]),
        (Spec::Subnet(_), Field::Labels) => json!(["label_subnet", own]),
        (Spec::Firewall(_), Field::Labels) => json!(["label_firewall", own]),
        (Spec::Address(_), Field::Labels) => json!(["label_address", own]),
        (Spec::Keypair(_), Field::Labels) => json!(["label_key", own]),
        (Spec::Machine(_), Field::Labels) => json!(["label_machine", own]),
        (Spec::Volume(_), Field::Labels) => json!(["label_disk", own]),
        (Spec::Bucket(_), Field::Labels) => json!(["label_bucket", own]),
        // Google's networks have no range: it is noted.
        (Spec::Network(_), Field::Cidr) => json!(["note_range", own, "10.99.0.0/16"]),
        (Spec::Subnet(_), Field::Cidr) => json!(["expand_subnet", own]),
        (Spec::Firewall(_), Field::Rules) => json!(["admit", own]),
        (Spec::Address(_), Field::Attach) => json!(["lead_to", partners.machine, own]),
        (Spec::Keypair(_), Field::PublicKey) => json!(["rekey", own]),
        (Spec::Machine(machine), Field::MachineType | Field::Cpu | Field::Memory) => {
            // Back and forth.
            let is_large = machine.machine_type == LARGE;
            json!(["resize", own, if is_large { SMALL } else { LARGE }])
        }
        (Spec::Machine(machine), Field::Capacity) => {
            let is_spot = machine.capacity == CapacityKind::Spot;
            json!(["sell_as", own, if is_spot { "STANDARD" } else { "SPOT" }])
        }
        // What it boots with is noted beside it.
        (Spec::Machine(_), Field::Keypair) => json!(["note_key", own, "another"]),
        (Spec::Machine(_), Field::Subnet) => json!(["move_machine", own]),
        (Spec::Machine(_), Field::Firewalls) => json!(["guard_by", own, partners.firewall]),
        (Spec::Machine(_), Field::Disks) => json!(["grow_boot_disk", own, 7]),
        (Spec::Volume(volume), Field::Size) => {
            json!(["grow", own, Bytes(volume.size.0 * 2).ceil_gib()])
        }
        (Spec::Volume(volume), Field::Attach) => match volume.attach {
            None => json!(["attach", partners.machine, own]),
            Some(_) => json!(["detach", own]),
        },
        (Spec::Bucket(bucket), Field::Versioning) => {
            json!(["keep_versions", own, !bucket.versioning])
        }
        _ => return None,
    })
}
