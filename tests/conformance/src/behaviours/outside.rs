//! What somebody changes with the cloud's own tools, and whether it is seen.

use std::collections::BTreeMap;

use serde_json::Value;
use strat_model::{Bytes, DiskClass, DiskSpec, Field, Kind, MachineSpec, Resource, Spec};

use super::{bench, passed_over};
use crate::harness::{Outside, Partners};
use crate::{Bench, Harness, Outcome};

/// Each field of each kind that can be read back is seen as it is, whoever changed it: one row for each,
/// of those that a spec of the kind has. So a comparison with reality is one.
pub async fn what_is_changed_outside_is_seen(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Machine, Firewall);
    let partners = Partners {
        machine: bench.running("partner").await.id,
        firewall: bench
            .create(&bench.spec(Kind::Firewall).await, "partner")
            .await
            .id,
    };
    let mut rows: BTreeMap<(Kind, Field), Option<Outside>> = BTreeMap::new();
    for kind in bench.kinds() {
        let spec = spec(&bench, kind).await;
        let made = bench.create(&spec, &format!("changed-{kind}")).await;
        let thing = bench.ready(kind, &made.id).await;
        for field in fields(&thing) {
            if !bench.provider.capabilities().can_read(kind, field) {
                continue;
            }
            let before = bench.ready(kind, &thing.id).await;
            let outcome = harness.change_outside(&before, field, &partners).await;
            rows.insert((kind, field), outcome);
            if outcome == Some(Outside::Changed) {
                seen(&bench, &before, field).await;
            }
        }
    }
    if rows.values().all(Option::is_none) {
        return passed_over("the harness changes nothing from outside");
    }
    let skipped: Vec<_> = rows.iter().filter(|(_, row)| row.is_none()).collect();
    assert!(
        skipped.is_empty(),
        "nobody says what becomes of {skipped:?}"
    );
    let changed = rows
        .values()
        .flatten()
        .filter(|row| **row == Outside::Changed);
    let changed = changed.count();
    assert!(changed >= bench.kinds().len(), "{rows:?}");
    if let Some((least, all)) = harness.rows_outside() {
        assert_eq!(
            rows.len(),
            all,
            "a field more or less is a row more or less: {rows:?}"
        );
        assert!(changed >= least, "{changed} of {least} rows: {rows:?}");
    }
    Outcome::Held
}

/// A spec with something in every field that can be filled, and room to become another.
async fn spec(bench: &Bench<'_>, kind: Kind) -> Spec<strat_model::ResourceId> {
    let disk = DiskSpec {
        size: Bytes::gib(10),
        class: DiskClass::Ssd,
    };
    match bench.spec(kind).await {
        Spec::Machine(machine) => Spec::Machine(MachineSpec {
            disks: vec![disk],
            ..machine
        }),
        // The next range is free: some clouds change a subnet's by making it larger, and no otherwise.
        Spec::Subnet(mut subnet) => {
            subnet.cidr = crate::specs::range(2);
            Spec::Subnet(subnet)
        }
        spec => spec,
    }
}

/// The fields that the spec of a thing has.
fn fields(thing: &Resource) -> Vec<Field> {
    let Value::Object(spec) = json(thing) else {
        panic!("the spec of {} is no object", thing.name);
    };
    spec.keys().filter_map(|key| Field::parse(key)).collect()
}

/// A thing's spec, by the words of its fields.
fn json(thing: &Resource) -> Value {
    let mut spec = serde_json::to_value(&thing.spec).expect("a spec is JSON");
    spec[thing.kind().as_str()].take()
}

/// Waits until a field is seen as another than before.
async fn seen(bench: &Bench<'_>, before: &Resource, field: Field) {
    let kind = before.kind();
    let word = field.as_str();
    bench
        .until(
            &format!("another {word} of {kind} {} is seen", before.id),
            async || {
                let now = bench.look(kind, &before.id).await.expect("it is there");
                let (now, before) = (json(&now), json(before));
                // Plans compare machine types: a machine of another size is of another type.
                let is_size = matches!(field, Field::Cpu | Field::Memory);
                let is_typed = !is_size || now["machine_type"] != before["machine_type"];
                (is_typed && now[word] != before[word]).then_some(())
            },
        )
        .await;
}
