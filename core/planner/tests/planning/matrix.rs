//! Every field of every kind, changed behind Stratiform's back: one row each, none skipped in silence.

use std::collections::BTreeSet;

use serde_json::Value;
use strat_model::*;
use strat_planner::*;

use crate::common::*;
use crate::plan_of;

/// The shop with something of each kind, and with something in each field.
pub(crate) fn everything() -> Intent {
    let mut intent = shop();
    intent.machines[0].placement.sites = vec![name("east")];
    intent.addresses = vec![AddressIntent {
        common: common("address.db"),
        target: AttachIntent::Machine(local("machine.db")),
    }];
    intent.images = vec![ImageIntent {
        common: common("image.base"),
        source: "base.qcow2".to_owned(),
        sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
    }];
    for machine in &mut intent.machines {
        machine.disks = vec![DiskSpec {
            size: Bytes::gib(20),
            class: DiskClass::Ssd,
        }];
    }
    intent
}

/// Where the thing of a kind is that the rows are about.
const PLACES: [(Kind, &str); 9] = [
    (Kind::Network, "network.core@dc1"),
    (Kind::Subnet, "subnet.app@dc1"),
    (Kind::Firewall, "firewall.web@dc1"),
    (Kind::Address, "address.db@east"),
    (Kind::Keypair, "keypair.ops@dc1"),
    (Kind::Image, "image.base@dc1"),
    (Kind::Machine, "machine.db@east"),
    (Kind::Volume, "volume.db@east"),
    (Kind::Bucket, "bucket.assets@east"),
];

/// What somebody makes of a field. `None` where no spec has it, or nothing can be another.
fn changed(spec: &Spec<ResourceId>, field: Field) -> Option<Spec<ResourceId>> {
    let mut spec = spec.clone();
    let elsewhere = || ResourceId::from("elsewhere");
    let range = || "10.99.0.0/24".parse().expect("a range");
    match (&mut spec, field) {
        (Spec::Network(network), Field::Cidr) => network.cidr = range(),
        (Spec::Subnet(subnet), Field::Cidr) => subnet.cidr = range(),
        (Spec::Subnet(subnet), Field::Network) => subnet.network = elsewhere(),
        (Spec::Subnet(subnet), Field::Zone) => subnet.zone = Some(name("rack2")),
        (Spec::Subnet(subnet), Field::Internet) => {
            subnet.internet = Some(match subnet.internet? {
                Internet::None => Internet::Outbound,
                Internet::Public | Internet::Outbound => Internet::None,
            });
        }
        (Spec::Firewall(firewall), Field::Network) => firewall.network = elsewhere(),
        (Spec::Firewall(firewall), Field::Rules) => {
            let mut open = firewall.rules.first()?.clone();
            open.name = name("backdoor");
            firewall.rules.insert(open);
        }
        (Spec::Address(address), Field::Attach) => address.attach = Some(elsewhere()),
        (Spec::Keypair(keypair), Field::PublicKey) => {
            keypair.public_key = "ssh-ed25519 OTHER".to_owned();
        }
        (Spec::Image(image), Field::Source) => image.source = "other.qcow2".to_owned(),
        (Spec::Image(image), Field::Sha256) => image.sha256 = "0".repeat(64),
        (Spec::Machine(machine), Field::MachineType) => machine.machine_type = "large".to_owned(),
        (Spec::Machine(machine), Field::Cpu) => machine.cpu = 1,
        (Spec::Machine(machine), Field::Memory) => machine.memory = Bytes::gib(1),
        (Spec::Machine(machine), Field::Capacity) => machine.capacity = CapacityKind::Spot,
        (Spec::Machine(machine), Field::Zone) => machine.zone = other_zone(&machine.zone),
        (Spec::Machine(machine), Field::Image) => machine.image = ImageRef::Managed(elsewhere()),
        (Spec::Machine(machine), Field::Subnet) => machine.subnet = elsewhere(),
        (Spec::Machine(machine), Field::PublicIp) => machine.public_ip = Some(!machine.public_ip?),
        (Spec::Machine(machine), Field::Firewalls) => {
            machine.firewalls = Shared::from([elsewhere()]);
        }
        (Spec::Machine(machine), Field::Keypair) => machine.keypair = Some(elsewhere()),
        (Spec::Machine(machine), Field::Disks) => machine.disks[0].size = Bytes::gib(10),
        (Spec::Volume(volume), Field::Size) => volume.size = Bytes(volume.size.0 * 2),
        (Spec::Volume(volume), Field::Class) => volume.class = DiskClass::Hdd,
        (Spec::Volume(volume), Field::Zone) => volume.zone = other_zone(&volume.zone),
        (Spec::Volume(volume), Field::Attach) => volume.attach = Some(elsewhere()),
        (Spec::Bucket(bucket), Field::Versioning) => bucket.versioning = !bucket.versioning,
        (spec, Field::Labels) => {
            spec.labels_mut()
                .insert("team".to_owned(), "other".to_owned());
        }
        _ => return None,
    }
    Some(spec)
}

fn other_zone(zone: &Name) -> Name {
    match *zone == name("a") {
        true => name("b"),
        false => name("a"),
    }
}

/// What is not told as a difference of the field, and why not.
const UNTOLD: [(Kind, Field, &str); 7] = [
    (Kind::Machine, Field::UserData, "no cloud gives it back"),
    (
        Kind::Machine,
        Field::Image,
        "a newer build of an image is no change",
    ),
    (
        Kind::Machine,
        Field::Keypair,
        "a key counts at the first boot alone",
    ),
    (
        Kind::Machine,
        Field::Cpu,
        "the machine type is what runs, and tells it",
    ),
    (
        Kind::Machine,
        Field::Memory,
        "the machine type is what runs, and tells it",
    ),
    (
        Kind::Image,
        Field::Source,
        "the same content from another place is the same image",
    ),
    (
        Kind::Volume,
        Field::Zone,
        "no cloud moves a volume; its machine comes to it",
    ),
];

/// The words of the fields that a spec has.
fn words(spec: &Spec<ResourceId>) -> BTreeSet<Field> {
    let Value::Object(kinds) = serde_json::to_value(spec).expect("a spec is JSON") else {
        panic!("no object");
    };
    let fields = kinds
        .values()
        .next()
        .and_then(Value::as_object)
        .expect("fields");
    fields
        .keys()
        .map(|key| Field::parse(key).expect("a field"))
        .collect()
}

#[test]
fn what_is_changed_behind_our_back_is_told_field_by_field() {
    let mut intent = everything();
    for common in commons(&mut intent) {
        common.labels.insert("team".to_owned(), "shop".to_owned());
    }
    let mut world = realise(&placed(&intent, &empty()));
    // As the engine does when it makes a machine.
    let machine = at(&mut world, "machine.db@east");
    let Spec::Machine(spec) = &machine.spec else {
        panic!("a machine");
    };
    let given = spec.machine_type.clone();
    let mark = machine.mark.as_mut().expect("a mark");
    mark.notes.insert(Field::MachineType, given);
    assert!(
        plan_of(&intent, &world).is_empty(),
        "nothing was changed yet"
    );
    let (mut rows, mut untold, mut wrong) = (0, 0, Vec::new());
    for (kind, place) in PLACES {
        let spec = at(&mut world.clone(), place).spec.clone();
        assert_eq!(spec.kind(), kind);
        for field in words(&spec) {
            rows += 1;
            if UNTOLD.iter().any(|(k, f, _)| (*k, *f) == (kind, field)) {
                untold += 1;
                continue;
            }
            let Some(other) = changed(&spec, field) else {
                wrong.push(format!("{kind} {field}: no row says what it is changed to"));
                continue;
            };
            let mut world = world.clone();
            at(&mut world, place).spec = other;
            let plan = plan_of(&intent, &world);
            if let Err(why) = told(&plan, &addr(place), field) {
                wrong.push(format!("{kind} {field}: {why}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(untold, UNTOLD.len(), "each stands for a row");
    assert_eq!(rows, 35, "a field more or less is a row more or less");
}

/// Whether a plan tells a field of a thing as drift, with what it is and what it is to be.
fn told(plan: &Plan, addr: &Addr, field: Field) -> Result<(), String> {
    let changes = plan.changes.iter().filter(|change| change.addr == *addr);
    let changes = changes.map(|change| (change.cause, &change.fields));
    let refused = plan.refused.iter().filter(|refused| refused.addr == *addr);
    let refused = refused.map(|refused| (refused.cause, &refused.fields));
    let mut all = changes.chain(refused).peekable();
    if all.peek().is_none() {
        return Err(format!("nothing is told: {:?}", crate::lines(plan)));
    }
    let all: Vec<_> = all.collect();
    let found = all
        .iter()
        .flat_map(|(cause, fields)| fields.iter().map(move |f| (*cause, f)));
    match found.clone().find(|(_, found)| found.field == field) {
        Some((Cause::Drift, found)) if found.before != found.after => Ok(()),
        Some(other) => Err(format!("told as {other:?}")),
        None => {
            let fields: Vec<_> = found.map(|(_, found)| found.field).collect();
            Err(format!("told of {fields:?}"))
        }
    }
}

fn commons(intent: &mut Intent) -> Vec<&mut Common> {
    let mut all: Vec<&mut Common> = Vec::new();
    all.extend(intent.networks.iter_mut().map(|one| &mut one.common));
    all.extend(intent.subnets.iter_mut().map(|one| &mut one.common));
    all.extend(intent.firewalls.iter_mut().map(|one| &mut one.common));
    all.extend(intent.addresses.iter_mut().map(|one| &mut one.common));
    all.extend(intent.keypairs.iter_mut().map(|one| &mut one.common));
    all.extend(intent.images.iter_mut().map(|one| &mut one.common));
    all.extend(intent.machines.iter_mut().map(|one| &mut one.common));
    all.extend(intent.volumes.iter_mut().map(|one| &mut one.common));
    all.extend(intent.buckets.iter_mut().map(|one| &mut one.common));
    all
}
