//! Where more machines come from if the loss of a site, or of a zone, is to be survived.

use crate::budget::Budget;
use crate::decision::{Limit, Op};
use crate::inputs::{BatchMachine, Inputs, Machine};
use crate::place::{
    Found, Lane, created, draining, lanes, may_give_way, push, push_preempt, quickest_boot_s,
};
use crate::policy::Policy;
use crate::spread::Spread;

/// What is to be reached.
#[derive(Clone, Copy)]
pub(crate) struct Goal {
    /// How many machines are to be left after the worst loss.
    pub(crate) want: u32,
    /// How many more there may be.
    pub(crate) space: u32,
}

/// Where the next machine may come from.
#[derive(Clone, Copy)]
enum Source {
    Resume(usize),
    Lane(usize),
    Batch(usize),
}

/// All that there is, in the order in which it is taken.
struct Sources<'a> {
    draining: Vec<&'a Machine>,
    batch: Vec<&'a BatchMachine>,
    lanes: Vec<Lane<'a>>,
}

/// Finds machines, one after the other, each where it is one more after the worst loss; of those places the
/// first in the usual order: machines that drain, owned hardware, batch machines, clouds by price. Where no
/// such place is left, there are at least as many as are needed, wherever that is.
pub(crate) fn grow_apart(
    policy: &Policy,
    inputs: &Inputs,
    goal: Goal,
    late: &[&Machine],
    budget: &mut Budget,
    spread: &mut Spread,
) -> Found {
    let mut sources = Sources {
        draining: draining(inputs),
        batch: may_give_way(policy, inputs),
        lanes: lanes(inputs, late),
    };
    let boot_s = quickest_boot_s(&sources.lanes);
    let in_time = |batch: &BatchMachine| boot_s.is_none_or(|boot_s| batch.grace_s <= boot_s);
    let leaving = inputs.batch.iter();
    let leaving = leaving.filter(|batch| batch.giving_way.is_some());
    for batch in leaving.filter(|batch| in_time(batch)) {
        spread.add(&batch.site, &batch.zone);
    }
    let mut found = Found::default();
    let mut space = goal.space;
    while space > 0 && (spread.left() < goal.want || spread.all() < goal.want) {
        let gains = |site: &str, zone: &str| spread.gains(site, zone);
        let any = |_: &str, _: &str| true;
        let next = sources.first(budget, gains).or_else(|| {
            // One more where most are gains nothing, unless another place can follow.
            let first = sources.first(budget, any)?;
            let (site, zone) = sources.place(first);
            let together = spread.beside(site, zone);
            let other = |at: &str, of: &str| {
                spread.beside(at, of) <= together && !spread.same((site, zone), (at, of))
            };
            let follows = sources.first(budget, other).is_some();
            (follows || spread.all() < goal.want).then_some(first)
        });
        let Some(next) = next else {
            break;
        };
        let (site, zone) = sources.place(next);
        let (site, zone) = (site.to_owned(), zone.to_owned());
        if sources.take(next, budget, &mut found, in_time) {
            spread.add(&site, &zone);
            space -= 1;
        }
    }
    found.steps.sort_by_key(|step| step.op);
    if spread.left() < goal.want && space > 0 {
        // There would be more, at two places at least, for whoever could pay for it.
        let open = sources.lanes.iter().filter(|lane| lane.room > 0);
        let mut open = open.map(|lane| (&*lane.offer.place.site, &*lane.offer.place.zone));
        let first = open.next();
        let unpaid = first.is_some_and(|first| {
            spread.gains(first.0, first.1)
                || open.any(|at| spread.gains(at.0, at.1) || !spread.same(first, at))
        });
        let by = if unpaid { "budget" } else { "survive" };
        found.limits.push(Limit {
            by: by.to_owned(),
            from: goal.want,
            to: spread.left(),
        });
    }
    found
}

impl Sources<'_> {
    /// The first that is to be had at a place that fits.
    fn first(&self, budget: &Budget, fits: impl Fn(&str, &str) -> bool) -> Option<Source> {
        let had = |lane: &Lane<'_>| {
            let place = &lane.offer.place;
            lane.room > 0 && budget.affords(place.usd_hour, 1) > 0 && fits(&place.site, &place.zone)
        };
        let lane = |owned: bool| {
            let mut lanes = self.lanes.iter();
            let at = lanes.position(|lane| lane.owned() == owned && had(lane));
            at.map(Source::Lane)
        };
        let draining = || {
            let mut draining = self.draining.iter();
            let at = draining.position(|one| fits(&one.place.site, &one.place.zone));
            at.map(Source::Resume)
        };
        let batch = || {
            let mut batch = self.batch.iter();
            let at = batch.position(|one| fits(&one.site, &one.zone));
            at.map(Source::Batch)
        };
        draining()
            .or_else(|| lane(true))
            .or_else(batch)
            .or_else(|| lane(false))
    }

    fn place(&self, source: Source) -> (&str, &str) {
        match source {
            Source::Resume(at) => {
                let place = &self.draining[at].place;
                (&place.site, &place.zone)
            }
            Source::Lane(at) => {
                let place = &self.lanes[at].offer.place;
                (&place.site, &place.zone)
            }
            Source::Batch(at) => (&self.batch[at].site, &self.batch[at].zone),
        }
    }

    /// Takes it. Whether it is a machine in time: where a batch machine takes longer to give way than a
    /// boot, another is made beside it.
    fn take(
        &mut self,
        source: Source,
        budget: &mut Budget,
        found: &mut Found,
        in_time: impl Fn(&BatchMachine) -> bool,
    ) -> bool {
        match source {
            Source::Resume(at) => {
                let machine = self.draining.remove(at);
                push(&mut found.steps, Op::Resume, machine);
                true
            }
            Source::Batch(at) => {
                let batch = self.batch.remove(at);
                push_preempt(&mut found.steps, batch);
                in_time(batch)
            }
            Source::Lane(at) => {
                let lane = &mut self.lanes[at];
                lane.room -= 1;
                let one = created(&lane.offer.place, 1);
                budget.spend(lane.offer.place.usd_hour, 1);
                let same = found.steps.iter_mut().find(|step| {
                    step.op == Op::Create
                        && (&step.site, &step.zone, &step.offer, step.spot)
                            == (&one.site, &one.zone, &one.offer, one.spot)
                });
                match same {
                    Some(step) => {
                        step.count += 1;
                        step.usd_hour += one.usd_hour;
                    }
                    None => found.steps.push(one),
                }
                true
            }
        }
    }
}
