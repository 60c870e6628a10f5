//! From a decision to what its run does.

use std::collections::BTreeMap;

use strat_burst_policy::{Decision, Op, State, Step};
use strat_model::burst::BurstIntent;
use strat_model::{CapacityKind, LocalAddr, Name, ResourceId};
use stratiform::planner::{Scale, ScalePlace};

use super::inputs::Built;
use super::machines::{NOT_DRAINING, Seen, note};

/// What a decision makes of its fleet, and of those that give way to it.
pub(super) fn scales(
    burst: &BurstIntent,
    decision: &Decision,
    built: &Built,
) -> BTreeMap<LocalAddr, Scale> {
    let mut scales = BTreeMap::new();
    let name = &burst.policy.name;
    let mut scale = Scale {
        by: format!("burst.{name}"),
        ..Scale::default()
    };
    let of = |step: &Step| -> Vec<(Name, ResourceId)> {
        let seen = built.seen.iter();
        let these = seen.filter(|one| step.ids.contains(&one.machine.id));
        these
            .map(|one| (one.site.clone(), one.id.clone()))
            .collect()
    };
    for step in &decision.steps {
        match step.op {
            Op::Release => scale.leaving.extend(of(step)),
            Op::Drain => {
                let note = note(decision.at, name);
                let these = of(step).into_iter();
                scale.drains.extend(these.map(|one| (one, note.clone())));
            }
            Op::Resume => {
                let these = of(step).into_iter();
                let with = these.map(|one| (one, NOT_DRAINING.to_owned()));
                scale.drains.extend(with);
            }
            Op::Create | Op::Preempt => {}
        }
    }
    scale.places = places(decision, built, &scale);
    let does = !scale.places.is_empty() || !scale.leaving.is_empty() || !scale.drains.is_empty();
    if does {
        scales.insert(burst.fleet.clone(), scale);
    }
    preempt(name, decision, built, &mut scales);
    scales
}

/// How many machines there are to be where any are made.
fn places(decision: &Decision, built: &Built, scale: &Scale) -> Vec<ScalePlace> {
    let mut places: Vec<ScalePlace> = Vec::new();
    for step in decision.steps.iter().filter(|step| step.op == Op::Create) {
        let Some((site, zone)) = Name::new(&step.site).ok().zip(Name::new(&step.zone).ok()) else {
            continue;
        };
        let capacity = capacity(step, built);
        let same = |place: &&mut ScalePlace| {
            (
                &place.site,
                &place.zone,
                &place.machine_type,
                place.capacity,
            ) == (&site, &zone, &step.offer, capacity)
        };
        if let Some(place) = places.iter_mut().find(same) {
            place.count += step.count;
            continue;
        }
        let there = |one: &&Seen| {
            let place = &one.machine.place;
            let stays = !scale.leaving.contains(&(one.site.clone(), one.id.clone()));
            stays
                && (
                    &place.site,
                    &place.zone,
                    &place.machine_type,
                    place.capacity,
                ) == (&step.site, &step.zone, &step.offer, capacity)
        };
        let there = built.seen.iter().filter(there).count();
        places.push(ScalePlace {
            site,
            zone,
            machine_type: step.offer.clone(),
            capacity,
            count: step.count + u32::try_from(there).unwrap_or(0),
        });
    }
    places
}

/// How what a step makes is bought.
fn capacity(step: &Step, built: &Built) -> CapacityKind {
    let mut offers = built.inputs.offers.iter().map(|offer| &offer.place);
    let place = offers.find(|place| {
        let spot = place.capacity == CapacityKind::Spot;
        (&place.site, &place.zone, &place.machine_type, spot)
            == (&step.site, &step.zone, &step.offer, step.spot)
    });
    place.map_or(CapacityKind::OnDemand, |place| place.capacity)
}

/// Tells batch machines that they give way.
fn preempt(
    name: &str,
    decision: &Decision,
    built: &Built,
    scales: &mut BTreeMap<LocalAddr, Scale>,
) {
    let steps = decision.steps.iter().filter(|step| step.op == Op::Preempt);
    for id in steps.flat_map(|step| &step.ids) {
        let mut batch = built.batch.iter();
        let Some((_, one, of)) = batch.find(|(batch, ..)| batch.id == *id) else {
            continue;
        };
        let scale = scales.entry(of.fleet.clone()).or_default();
        scale.by = format!("burst.{name}");
        let key = (one.site.clone(), one.id.clone());
        scale.drains.insert(key, note(decision.at, name));
    }
}

/// The machines that a decision tells to go, and that have just been told so.
pub(super) fn told_to_go<'a>(decision: &'a Decision, built: &'a Built) -> Vec<&'a Seen> {
    let ids: Vec<&String> = decision
        .steps
        .iter()
        .filter(|step| step.op == Op::Drain)
        .flat_map(|step| &step.ids)
        .collect();
    let draining = |one: &&Seen| !matches!(one.machine.state, State::Draining { .. });
    let seen = built.seen.iter().filter(draining);
    seen.filter(|one| ids.contains(&&one.machine.id)).collect()
}
