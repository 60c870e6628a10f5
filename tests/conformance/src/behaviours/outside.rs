//! What somebody changes with the cloud's own tools, and whether it is seen: a row for each field of each kind
//! that can be read back, and one for each thing that the provider sees to beyond fields. No row is skipped.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use strat_model::{
    Bytes, Departure, DiskClass, DiskSpec, Field, Kind, MachineSpec, Means, Resource, Spec,
};
use strat_provider::ProviderExt as _;

use super::{bench, passed_over};
use crate::harness::{OutsideRows, Partners, is_about};
use crate::{Bench, Harness, Outcome};

/// Each field of each kind that can be read back is seen as it is, whoever changed it: so a comparison with
/// reality is one. A row that nobody changes, and of which no vendor's page says why, fails by its name.
pub async fn what_is_changed_outside_is_seen(harness: &dyn Harness) -> Outcome {
    let Some(rows) = harness.outside_rows() else {
        return passed_over("the harness changes nothing from outside");
    };
    let bench = bench!(harness, Machine, Firewall);
    let partners = partners(&bench).await;
    let mut count = Count::default();
    for kind in bench.kinds() {
        let spec = spec(&bench, kind).await;
        let made = bench.create(&spec, &format!("changed-{kind}")).await;
        let thing = bench.ready(kind, &made.id).await;
        for field in fields(&thing) {
            if !bench.provider.capabilities().can_read(kind, field) {
                continue;
            }
            if count.is_immutable(&rows, kind, field.as_str()) {
                continue;
            }
            let before = bench.ready(kind, &thing.id).await;
            let is_changed = harness.change_outside(&before, field, &partners).await;
            count.changed(kind, field.as_str(), is_changed);
            if is_changed {
                seen(&bench, &before, field).await;
                mended(&bench, &before, field).await;
            }
        }
    }
    for (kind, word) in rows.promised {
        let is_immutable = count.is_immutable(&rows, *kind, word);
        if !is_immutable {
            // The next behaviour changes them.
            count.changed(*kind, word, true);
        }
    }
    count.check(&rows);
    Outcome::Held
}

/// An update makes good what is changed while a thing is in use. Of all else it is said that it takes more, or
/// why it stays. A disk's class is left: clouds change it a few times a day.
async fn mended(bench: &Bench<'_>, before: &Resource, field: Field) {
    let (kind, word) = (before.kind(), field.as_str());
    let now = bench.ready(kind, &before.id).await;
    let (to, fields) = (before.spec.without_refs(), BTreeSet::from([field]));
    let takes = bench.provider.changes().change(&now, &to, &fields);
    match takes.means {
        Means::Refused { why } => return assert!(!why.is_empty(), "{kind}: {word} stays"),
        Means::Restart | Means::Deallocate | Means::Recreate => return,
        Means::Live if field == Field::Class => return,
        Means::Live if kind == Kind::Volume && field == Field::Attach => {
            let detached = bench.provider.detach_volume(&before.id).await;
            detached.unwrap_or_else(|error| panic!("{kind}: {word}: {error}"));
        }
        Means::Live => {
            bench.update(&now, &before.spec, &[field]).await;
        }
    }
    let waited = format!("the {word} of {kind} {} is as before", before.id);
    bench
        .until(&waited, async || {
            let now = bench.look(kind, &before.id).await.expect("it is there");
            (json(&now)[word] == json(before)[word]).then_some(())
        })
        .await;
}

/// Each thing that the provider sees to beyond fields is told once somebody changed it, with what is and what
/// ought to be. An update makes it good, or it is said why it is left as it is.
pub async fn what_is_upset_outside_is_told_and_made_good(harness: &dyn Harness) -> Outcome {
    let rows = harness.outside_rows();
    let Some(rows) = rows.filter(|rows| !rows.promised.is_empty()) else {
        return passed_over("nothing beyond the fields is promised");
    };
    let bench = bench!(harness, Machine, Firewall);
    let partners = partners(&bench).await;
    let (mut missing, mut things) = (Vec::new(), BTreeMap::new());
    for (kind, what) in rows.promised {
        if rows.why_immutable(*kind, what).is_some() {
            continue;
        }
        // One of each kind is enough: what is left as it is stands beside what is told next.
        let thing = match things.entry(*kind) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let spec = upset_spec(&bench, *kind, &partners).await;
                let made = bench.create(&spec, &format!("upset-{kind}")).await;
                let departures = made.departures();
                assert!(departures.is_empty(), "{kind}, as made: {departures:?}");
                if *kind == Kind::Network {
                    // Some hosts have a network only where a subnet of it is.
                    let part = bench.subnet(&made.id, 4).await;
                    bench.create(&part, "upset-part").await;
                }
                place.insert(made)
            }
        };
        if harness.upset_outside(thing, what, &partners).await {
            told(&bench, &rows, thing, what).await;
        } else {
            missing.push((kind, what));
        }
    }
    harness.clear_outside().await;
    assert!(missing.is_empty(), "nobody changes {missing:?}");
    Outcome::Held
}

/// What is told of a thing about what a word says.
fn about(thing: &Resource, what: &str) -> Vec<Departure> {
    let all = thing.departures().into_iter();
    let own = all.filter(|(word, _)| is_about(word, what));
    own.map(|(_, one)| one).collect()
}

/// Waits until what was changed is told, and looks at what an update makes of it.
async fn told(bench: &Bench<'_>, rows: &OutsideRows, thing: &Resource, what: &str) {
    let kind = thing.kind();
    let waited = format!("the {what} of {kind} {} is told", thing.id);
    let (seen, told) = bench
        .until(&waited, async || {
            let now = bench.look(kind, &thing.id).await.expect("it is there");
            let departures = now.departures();
            let mut words = departures.keys();
            let strange = words.find(|word| !rows.is_promised(kind, word));
            assert_eq!(strange, None, "{kind}: told, and not promised");
            let told = about(&now, what);
            (!told.is_empty()).then_some((now, told))
        })
        .await;
    for one in &told {
        assert_ne!(one.is, one.ought, "{kind}: {what}");
    }
    if told.iter().any(|one| one.stays.is_some()) {
        let why = told.iter().filter_map(|one| one.stays.as_ref());
        assert!(why.clone().all(|why| !why.is_empty()), "{kind}: {what}");
        return;
    }
    bench.update(&seen, &thing.spec, &[Field::Setup]).await;
    let waited = format!("the {what} of {kind} {} is good again", thing.id);
    bench
        .until(&waited, async || {
            let now = bench.look(kind, &thing.id).await.expect("it is there");
            about(&now, what).is_empty().then_some(())
        })
        .await;
}

/// What was said of the rows so far.
#[derive(Default)]
struct Count {
    changed: BTreeSet<(Kind, String)>,
    immutable: BTreeSet<(Kind, String)>,
    missing: BTreeSet<(Kind, String)>,
}

impl Count {
    /// Whether a row is one that nothing changes; it is counted then.
    fn is_immutable(&mut self, rows: &OutsideRows, kind: Kind, word: &str) -> bool {
        let Some(why) = rows.why_immutable(kind, word) else {
            return false;
        };
        assert!(
            why.contains("https://") || why.contains("docs/"),
            "{kind} {word}: which page of the vendor says `{why}`?"
        );
        self.immutable.insert((kind, word.to_owned()))
    }

    fn changed(&mut self, kind: Kind, word: &str, is_changed: bool) {
        let rows = match is_changed {
            true => &mut self.changed,
            false => &mut self.missing,
        };
        rows.insert((kind, word.to_owned()));
    }

    /// Nothing is missing, nothing is said of a row that there is not, and as many as ever are changed.
    fn check(&self, rows: &OutsideRows) {
        let missing = &self.missing;
        assert!(
            missing.is_empty(),
            "nobody changes these, or says why nothing does: {missing:?}"
        );
        let said = rows.immutable.iter();
        let said: BTreeSet<_> = said
            .map(|(kind, word, _)| (*kind, (*word).to_owned()))
            .collect();
        assert_eq!(
            said, self.immutable,
            "these are no rows, or stand there twice"
        );
        assert_eq!(
            self.changed.len(),
            rows.changed,
            "a row more or less: {:?}",
            self.changed
        );
    }
}

async fn partners(bench: &Bench<'_>) -> Partners {
    let firewall = bench.spec(Kind::Firewall).await;
    Partners {
        machine: bench.running("partner").await.id,
        firewall: bench.create(&firewall, "partner").await.id,
    }
}

/// A spec of a kind that nothing else of the run stands in the way of.
async fn upset_spec(
    bench: &Bench<'_>,
    kind: Kind,
    partners: &Partners,
) -> Spec<strat_model::ResourceId> {
    match spec(bench, kind).await {
        Spec::Subnet(mut subnet) => {
            subnet.cidr = crate::specs::range(3);
            Spec::Subnet(subnet)
        }
        Spec::Machine(mut machine) => {
            machine.firewalls.insert(partners.firewall.clone());
            machine.disks.clear();
            Spec::Machine(machine)
        }
        // Of a size at which each kind of disk is paid by what it does.
        Spec::Volume(mut volume) => {
            volume.size = Bytes::gib(100);
            Spec::Volume(volume)
        }
        spec => spec,
    }
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
