//! What somebody with Microsoft's own clients changes: one process of them for all of a test's changes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use strat_conformance::{OutsideRows, Partners};
use strat_model::{Bytes, Field, Kind, Resource, Spec};

use crate::harness::{Azure, GROUP, SIZE, SUBSCRIPTION, peers};

/// Microsoft's clients for Python, at the double. They end with their input.
#[derive(Debug)]
pub(crate) struct Hand {
    child: Child,
    input: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Hand {
    pub(crate) fn start(azure: &Azure) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/azure/outside.py");
        let mut child = Command::new(peers().join("bin/python"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .arg(script)
            .args([&azure.arm.endpoint(), SUBSCRIPTION, strat_arm::TOKEN])
            .arg(azure.folder.path().join("root.pem"))
            .arg(GROUP)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Microsoft's clients for Python are there: run scripts/peers/azure once");
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

/// A size of the same family as that of all tests, with more of everything.
const LARGER: &str = "Standard_B2s";

/// The last part of an id: the name.
fn name(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// Every row. What is fixed when it is made is another only in another thing.
pub(crate) const ROWS: OutsideRows = OutsideRows {
    promised: &[],
    immutable: &[
        (
            Kind::Subnet,
            "network",
            "a subnet's id begins with its network's: https://learn.microsoft.com/azure/virtual-network/virtual-network-manage-subnet",
        ),
        (
            Kind::Subnet,
            "zone",
            "a subnet spans its region's zones: https://learn.microsoft.com/azure/virtual-network/virtual-networks-overview",
        ),
        (
            Kind::Firewall,
            "network",
            "a group is of the network of the first interface in it: https://learn.microsoft.com/azure/virtual-network/application-security-groups",
        ),
        (
            Kind::Machine,
            "capacity",
            "a priority is said as the machine is made: https://learn.microsoft.com/azure/virtual-machines/error-codes-spot",
        ),
        (
            Kind::Machine,
            "zone",
            "a machine in another zone is another: https://learn.microsoft.com/azure/virtual-machines/move-virtual-machines-regional-zonal-portal",
        ),
        (
            Kind::Volume,
            "zone",
            "a disk in another zone is another, made of a snapshot: https://learn.microsoft.com/azure/virtual-machines/disks-redundancy",
        ),
    ],
    changed: 24,
};

/// What to do for a field of a thing to be another, where the resource manager has a call that does.
pub(crate) fn of(thing: &Resource, field: Field, partners: &Partners) -> Option<Value> {
    let own = name(thing.id.as_str());
    let parts: Vec<&str> = thing.id.as_str().split('/').collect();
    let tag = |kind: &str| json!(["tag", kind, own]);
    Some(match (&thing.spec, field) {
        (Spec::Network(_), Field::Labels) => tag("Microsoft.Network/virtualNetworks"),
        (Spec::Firewall(_), Field::Labels) => tag("Microsoft.Network/applicationSecurityGroups"),
        (Spec::Address(_), Field::Labels) => tag("Microsoft.Network/publicIPAddresses"),
        (Spec::Keypair(_), Field::Labels) => tag("Microsoft.Compute/sshPublicKeys"),
        (Spec::Machine(_), Field::Labels) => tag("Microsoft.Compute/virtualMachines"),
        (Spec::Volume(_), Field::Labels) => tag("Microsoft.Compute/disks"),
        (Spec::Bucket(_), Field::Labels) => tag("Microsoft.Storage/storageAccounts"),
        // A subnet has no tags: what is noted of it is in its network's.
        (Spec::Subnet(_), Field::Labels) => json!(["label_subnet", parts[1], own]),
        (Spec::Network(_), Field::Cidr) => json!(["move_network", own]),
        (Spec::Subnet(_), Field::Cidr) => json!(["move_subnet", parts[1], own]),
        (Spec::Firewall(firewall), Field::Rules) => {
            json!(["admit", name(firewall.network.as_str()), own])
        }
        (Spec::Address(_), Field::Attach) => {
            json!(["lead_to", name(partners.machine.as_str()), own])
        }
        (Spec::Keypair(_), Field::PublicKey) => json!(["rekey", own]),
        (Spec::Machine(machine), Field::MachineType | Field::Cpu | Field::Memory) => {
            // Back and forth, within one family.
            let is_larger = machine.machine_type == LARGER;
            let other = if is_larger { SIZE } else { LARGER };
            json!(["resize", own, other])
        }
        (Spec::Machine(_), Field::Firewalls) => {
            json!(["guard_by", own, name(partners.firewall.as_str())])
        }
        // What it boots with is noted beside it.
        (Spec::Machine(_), Field::Keypair) => {
            json!([
                "tag",
                "Microsoft.Compute/virtualMachines",
                own,
                "stratiform:keypair",
                "another"
            ])
        }
        (Spec::Machine(machine), Field::Subnet) => {
            let network = machine.subnet.as_str().split('/').nth(1);
            json!(["move_machine", own, network])
        }
        (Spec::Machine(_), Field::Disks) => json!(["grow_boot_disk", own, 64]),
        (Spec::Volume(volume), Field::Size) => {
            let larger = Bytes(volume.size.0 * 2).ceil_gib();
            json!(["grow", own, larger])
        }
        (Spec::Volume(_), Field::Class) => json!(["reclass", own]),
        (Spec::Volume(_), Field::Attach) => {
            json!(["attach", name(partners.machine.as_str()), own])
        }
        (Spec::Bucket(_), Field::Versioning) => json!(["keep_versions", own]),
        _ => return None,
    })
}
