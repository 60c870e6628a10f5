//! Where machines went that could not be had where they were to be.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use strat_engine::{OfferRef, Operation, Outcome, Report, StepReport};
use strat_model::{CapacityKind, Error, ErrorKind, LocalAddr, Name, Scope};

/// A place where machines are made: a site and what it sells.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MachinePlace {
    /// The site.
    pub site: Name,
    /// The machine type, the zone, and how it is bought.
    pub offer: OfferRef,
}

/// Machines that could not be had in one place, and where they were placed instead.
#[derive(Debug, Clone)]
pub struct Relocation {
    /// Whose machines.
    pub addr: LocalAddr,
    /// The round of the apply in which they could not be had, from 0.
    pub round: usize,
    /// How many were not made.
    pub count: u32,
    /// Where they were to be.
    pub from: MachinePlace,
    /// Why they could not be had: a lack of capacity, or a quota.
    pub why: Arc<Error>,
    /// Where the next round placed them. Empty if nothing else was permitted.
    pub to: Vec<Destination>,
}

/// Where some of them went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Where.
    pub place: MachinePlace,
    /// How many were placed there.
    pub placed: u32,
    /// How many of those were made. What is missing went on: the next round tells.
    pub made: u32,
}

impl fmt::Display for Relocation {
    /// `3 of web: east b had no m5.xlarge (InsufficientInstanceCapacity); made at west a as D4s_v5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            addr, count, from, ..
        } = self;
        let offer = &from.offer;
        write!(f, "{count} of {addr}: {} {} ", from.site, offer.zone)?;
        match self.why.kind() {
            ErrorKind::Quota => write!(f, "allows no more {}", offer.machine_type)?,
            _ if self.why.scope() == Scope::Subnet => {
                write!(
                    f,
                    "had no address left in its subnet for {}",
                    offer.machine_type
                )?;
            }
            _ => write!(f, "had no {}", offer.machine_type)?,
        }
        write!(f, "{}", how(offer.capacity))?;
        if let Some(code) = self.why.code() {
            write!(f, " ({code})")?;
        }
        if self.to.is_empty() {
            return write!(f, "; not made");
        }
        for (number, to) in self.to.iter().enumerate() {
            let Destination {
                place,
                placed,
                made,
            } = to;
            let verb = match made {
                0 => "tried",
                _ => "made",
            };
            write!(
                f,
                "{} {verb} at {} {} as {}",
                [";", ","][usize::from(number > 0)],
                place.site,
                place.offer.zone,
                place.offer.machine_type
            )?;
            write!(f, "{}", how(place.offer.capacity))?;
            match (made, placed) {
                (made, placed) if made > &0 && made < placed => {
                    write!(f, ": {made} of {placed}")?;
                }
                _ if self.to.len() > 1 => write!(f, ": {placed}")?,
                _ => {}
            }
        }
        Ok(())
    }
}

const fn how(capacity: CapacityKind) -> &'static str {
    match capacity {
        CapacityKind::OnDemand | CapacityKind::Owned => "",
        CapacityKind::Spot => " (spot)",
        CapacityKind::Reserved => " (reserved)",
    }
}

/// What one round asked for in one place, and got.
#[derive(Debug, Default, Clone)]
struct Asked {
    planned: u32,
    made: u32,
    /// Why some were refused for good.
    refused: Option<(u32, Arc<Error>)>,
}

type Places = BTreeMap<MachinePlace, Asked>;

/// What was refused in each round, and where the next one put it.
pub(crate) fn relocations(reports: &[Report]) -> Vec<Relocation> {
    let rounds: Vec<BTreeMap<LocalAddr, Places>> = reports.iter().map(round).collect();
    let mut all = Vec::new();
    for (number, now) in rounds.iter().enumerate() {
        for (addr, places) in now {
            let next = rounds.get(number + 1).and_then(|next| next.get(addr));
            let mut gains = gains(places, next);
            for (place, asked) in places {
                let Some((count, why)) = &asked.refused else {
                    continue;
                };
                all.push(Relocation {
                    addr: addr.clone(),
                    round: number,
                    count: *count,
                    from: place.clone(),
                    why: Arc::clone(why),
                    to: take(&mut gains, *count),
                });
            }
        }
    }
    all
}

/// What a round asked for, by block and place.
fn round(report: &Report) -> BTreeMap<LocalAddr, Places> {
    let mut all: BTreeMap<LocalAddr, Places> = BTreeMap::new();
    for step in &report.steps {
        let Some(offer) = &step.offer else { continue };
        let place = MachinePlace {
            site: step.site.clone(),
            offer: offer.clone(),
        };
        let places = all.entry(step.addr.local.clone()).or_default();
        let asked = places.entry(place).or_default();
        let made = made(step);
        asked.planned += step.count;
        asked.made += made;
        if let Outcome::Failed(error) = &step.outcome
            && matches!(error.kind(), ErrorKind::Capacity | ErrorKind::Quota)
        {
            let refused = asked.refused.get_or_insert_with(|| (0, Arc::clone(error)));
            refused.0 += step.count - made;
        }
    }
    all
}

/// How many machines a step made.
fn made(step: &StepReport) -> u32 {
    // What becomes another size is made by nobody, and is there.
    if step.operation == Operation::Restart && matches!(step.outcome, Outcome::Done) {
        return step.count;
    }
    let made = u32::try_from(step.made.len()).unwrap_or(u32::MAX);
    made.saturating_sub(step.lost).min(step.count)
}

/// Where the next round asks for more than this one left undone, and what it got of that.
fn gains(now: &Places, next: Option<&Places>) -> Vec<Destination> {
    let mut gains = Vec::new();
    for (place, asked) in next.into_iter().flatten() {
        let left = now.get(place).map_or(0, |now| now.planned - now.made);
        let placed = asked.planned.saturating_sub(left);
        if placed > 0 {
            let missing = asked.planned - asked.made;
            gains.push(Destination {
                place: place.clone(),
                placed,
                made: placed.saturating_sub(missing),
            });
        }
    }
    gains
}

/// Takes so many out of what was gained.
fn take(gains: &mut Vec<Destination>, mut count: u32) -> Vec<Destination> {
    let mut taken = Vec::new();
    for gain in gains.iter_mut() {
        let placed = gain.placed.min(count);
        if placed == 0 {
            continue;
        }
        let made = gain.made.min(placed);
        taken.push(Destination {
            place: gain.place.clone(),
            placed,
            made,
        });
        gain.placed -= placed;
        gain.made -= made;
        count -= placed;
    }
    gains.retain(|gain| gain.placed > 0);
    taken
}
