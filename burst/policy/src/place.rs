//! Where more machines come from: those that drain, owned hardware, batch machines, clouds.

use rust_decimal::Decimal;
use strat_model::CapacityKind;
use strat_model::burst::BurstClass;

use crate::budget::Budget;
use crate::decision::{Limit, Moving, Op, Step};
use crate::inputs::{BatchMachine, Inputs, Machine, Offer, Place, State, gives_way};
use crate::policy::Policy;

/// How long an offer that ran out is left alone the first time, in seconds; twice as long each time
/// after that.
const REST_S: u64 = 300;
/// The longest that it is left alone, in seconds.
const REST_MAX_S: u64 = 3600;

/// What a search for more machines came to.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) steps: Vec<Step>,
    pub(crate) limits: Vec<Limit>,
}

/// Finds `missing` machines. `late` are machines that never became ready: no more of the kind of
/// theirs are asked for.
pub(crate) fn grow(
    policy: &Policy,
    inputs: &Inputs,
    missing: u32,
    late: &[&Machine],
    budget: &mut Budget,
) -> Found {
    let mut found = Found::default();
    let mut missing = resume(inputs, missing, &mut found);
    let mut offers: Vec<Lane<'_>> = lanes(inputs, late);
    let boot_s = quickest_boot_s(&offers);
    // Batch machines on their way out leave their place in time, unless a cloud is quicker.
    let in_time = |batch: &&BatchMachine| boot_s.is_none_or(|boot_s| batch.grace_s <= boot_s);
    let leaving = inputs
        .batch
        .iter()
        .filter(|batch| batch.giving_way.is_some());
    missing = missing.saturating_sub(count(leaving.filter(in_time)));
    let (owned, bought) =
        offers.split_at_mut(inputs.offers.iter().filter(|offer| owned(offer)).count());
    missing = create(owned, missing, budget, &mut found);
    let preempted = preempt(policy, inputs, missing, &mut found);
    missing -= count(preempted.iter().copied().filter(in_time));
    missing = create(bought, missing, budget, &mut found);
    if missing > 0 {
        let unpaid = bought.iter().chain(owned.iter()).any(|lane| lane.room > 0);
        let by = if unpaid { "budget" } else { "stock" };
        found.limits.push(Limit {
            by: by.to_owned(),
            from: missing,
            to: 0,
        });
    }
    found
}

/// How long the quickest of what can be bought takes to boot.
pub(crate) fn quickest_boot_s(lanes: &[Lane<'_>]) -> Option<u64> {
    let bought = lanes.iter().filter(|lane| !lane.owned() && lane.room > 0);
    bought.map(|lane| lane.offer.boot_p90_s).min()
}

fn count<'a>(batch: impl Iterator<Item = &'a BatchMachine>) -> u32 {
    u32::try_from(batch.count()).unwrap_or(u32::MAX)
}

fn owned(offer: &Offer) -> bool {
    offer.place.capacity == CapacityKind::Owned
}

/// An offer, and how many of it may be asked for now.
pub(crate) struct Lane<'a> {
    pub(crate) offer: &'a Offer,
    pub(crate) room: u32,
}

impl Lane<'_> {
    pub(crate) fn owned(&self) -> bool {
        owned(self.offer)
    }
}

/// What can be had: owned hardware first, then by price.
pub(crate) fn lanes<'a>(inputs: &'a Inputs, late: &[&Machine]) -> Vec<Lane<'a>> {
    let lane = |offer| Lane {
        room: room(inputs, offer, late),
        offer,
    };
    let mut lanes: Vec<Lane<'_>> = inputs.offers.iter().map(lane).collect();
    lanes.sort_by(|a, b| {
        let key = |lane: &Lane<'_>| (!lane.owned(), lane.offer.place.usd_hour);
        key(a)
            .cmp(&key(b))
            .then_with(|| a.offer.place.cmp(&b.offer.place))
    });
    lanes
}

/// How many of an offer may be asked for now. One that ran out is left alone for a time, which
/// doubles; then one machine is tried, and nothing else until that is there.
fn room(inputs: &Inputs, offer: &Offer, late: &[&Machine]) -> u32 {
    let place = &offer.place;
    if inputs.unseen.contains_key(&place.site) || late.iter().any(|late| late.place == *place) {
        return 0;
    }
    let room = offer.room.unwrap_or(u32::MAX);
    let Some(ran_out) = offer.ran_out else {
        return room;
    };
    let doubled = REST_S.checked_shl(ran_out.times.saturating_sub(1).min(32));
    let rest_s = doubled.unwrap_or(REST_MAX_S).min(REST_MAX_S);
    let ago = inputs.at.duration_since(ran_out.at).as_secs();
    let tried = inputs
        .machines
        .iter()
        .any(|machine| machine.state == State::Pending && machine.place == *place);
    if tried || ago < i64::try_from(rest_s).unwrap_or(i64::MAX) {
        0
    } else {
        room.min(1)
    }
}

/// The machines that drain and can be put back to work, the last that was told to go first.
pub(crate) fn draining(inputs: &Inputs) -> Vec<&Machine> {
    let seen = |machine: &&Machine| !inputs.unseen.contains_key(&machine.place.site);
    let mut draining: Vec<(&Machine, jiff::Timestamp)> = inputs
        .machines
        .iter()
        .filter(seen)
        .filter(|machine| machine.healthy && !machine.reclaimed)
        .filter_map(|machine| match machine.state {
            State::Draining { since, done: false } => Some((machine, since)),
            _ => None,
        })
        .collect();
    draining.sort_by(|(a, since), (b, other)| other.cmp(since).then_with(|| a.id.cmp(&b.id)));
    draining.into_iter().map(|(machine, _)| machine).collect()
}

/// Puts machines that drain back to work.
fn resume(inputs: &Inputs, missing: u32, found: &mut Found) -> u32 {
    let mut left = missing;
    for machine in draining(inputs) {
        if left == 0 {
            break;
        }
        left -= 1;
        push(&mut found.steps, Op::Resume, machine);
    }
    left
}

/// Adds a machine to the step of its operation and place.
pub(crate) fn push(steps: &mut Vec<Step>, op: Op, machine: &Machine) {
    let place = &machine.place;
    let spot = place.capacity == CapacityKind::Spot;
    let same = steps.iter_mut().find(|step| {
        step.op == op
            && step.site == place.site
            && step.zone == place.zone
            && step.offer == place.machine_type
            && step.spot == spot
    });
    match same {
        Some(step) => {
            step.count += 1;
            step.usd_hour += place.usd_hour;
            step.ids.push(machine.id.clone());
        }
        None => steps.push(Step {
            op,
            site: place.site.clone(),
            zone: place.zone.clone(),
            offer: place.machine_type.clone(),
            spot,
            count: 1,
            usd_hour: place.usd_hour,
            ids: vec![machine.id.clone()],
        }),
    }
}

/// Asks for machines of some offers, as far as there is room and money. What is left is missing.
fn create(lanes: &mut [Lane<'_>], missing: u32, budget: &mut Budget, found: &mut Found) -> u32 {
    let mut left = missing;
    for lane in lanes {
        let place = &lane.offer.place;
        let take = budget.affords(place.usd_hour, left.min(lane.room));
        if take == 0 {
            continue;
        }
        lane.room -= take;
        left -= take;
        budget.spend(place.usd_hour, take);
        found.steps.push(created(place, take));
    }
    left
}

/// A step that makes machines at a place.
pub(crate) fn created(place: &Place, count: u32) -> Step {
    Step {
        op: Op::Create,
        site: place.site.clone(),
        zone: place.zone.clone(),
        offer: place.machine_type.clone(),
        spot: place.capacity == CapacityKind::Spot,
        count,
        usd_hour: place.usd_hour * Decimal::from(count),
        ids: Vec::new(),
    }
}

/// The batch machines that may be told to give way: the least important first, and of those the youngest,
/// which has the least to lose.
pub(crate) fn may_give_way<'a>(policy: &Policy, inputs: &'a Inputs) -> Vec<&'a BatchMachine> {
    let settings = policy.settings();
    let may = |batch: &&BatchMachine| {
        gives_way(batch, settings.class, settings.priority)
            && !inputs.unseen.contains_key(&batch.site)
    };
    let mut batch: Vec<&BatchMachine> = inputs.batch.iter().filter(may).collect();
    batch.sort_by(|a, b| {
        let key = |batch: &BatchMachine| (batch.priority, std::cmp::Reverse(batch.made));
        key(a).cmp(&key(b)).then_with(|| a.id.cmp(&b.id))
    });
    batch
}

/// Tells batch machines to give way.
fn preempt<'a>(
    policy: &Policy,
    inputs: &'a Inputs,
    missing: u32,
    found: &mut Found,
) -> Vec<&'a BatchMachine> {
    let mut batch = may_give_way(policy, inputs);
    batch.truncate(usize::try_from(missing).unwrap_or(usize::MAX));
    for batch in &batch {
        push_preempt(&mut found.steps, batch);
    }
    batch
}

/// Adds a batch machine to the step that preempts at its place.
pub(crate) fn push_preempt(steps: &mut Vec<Step>, batch: &BatchMachine) {
    let same = steps
        .iter_mut()
        .find(|step| step.op == Op::Preempt && step.site == batch.site && step.zone == batch.zone);
    match same {
        Some(step) => {
            step.count += 1;
            step.ids.push(batch.id.clone());
        }
        None => steps.push(Step {
            op: Op::Preempt,
            site: batch.site.clone(),
            zone: batch.zone.clone(),
            offer: String::new(),
            spot: false,
            count: 1,
            usd_hour: Decimal::ZERO,
            ids: vec![batch.id.clone()],
        }),
    }
}

/// Makes machines on owned hardware that has room, for bought ones to come home: where what is
/// saved within the payback is more than what the bought ones cost while their successors boot and
/// they drain.
pub(crate) fn come_home(
    policy: &Policy,
    inputs: &Inputs,
    spare: u32,
    budget: &mut Budget,
    moving: &mut Moving,
) -> Vec<Step> {
    let settings = policy.settings();
    if moving.left > 0 || settings.class == BurstClass::Batch || !inputs.unseen.is_empty() {
        return Vec::new();
    }
    let mut bought: Vec<Decimal> = inputs
        .machines
        .iter()
        .filter(|machine| is_bought(machine))
        .map(|machine| machine.place.usd_hour)
        .collect();
    bought.sort_by(|a, b| b.cmp(a));
    let mut lanes = lanes(inputs, &[]);
    lanes.retain(Lane::owned);
    let mut found = Found::default();
    let mut moves = spare.min(settings.down.at_once);
    for lane in &mut lanes {
        let (own, boot_s) = (lane.offer.place.usd_hour, lane.offer.boot_p90_s);
        let beside_s = Decimal::from(boot_s + settings.drain.deadline_s);
        let pays = |price: &&Decimal| {
            (**price - own) * Decimal::from(settings.cost.payback_s) > **price * beside_s
        };
        let worth = bought
            .iter()
            .filter(pays)
            .count()
            .saturating_sub(moving.made as usize);
        let wanted = moves
            .min(lane.room)
            .min(u32::try_from(worth).unwrap_or(u32::MAX));
        let left = create(std::slice::from_mut(lane), wanted, budget, &mut found);
        moving.made += wanted - left;
        moves -= wanted - left;
    }
    moving.left += moving.made;
    found.steps
}

/// Whether a machine works, and on hardware that is not our own.
pub(crate) fn is_bought(machine: &Machine) -> bool {
    machine.place.capacity != CapacityKind::Owned
        && matches!(machine.state, State::Ready { .. })
        && !machine.reclaimed
}
