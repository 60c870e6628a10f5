//! Waiting for what an earlier run left half done.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use strat_engine::{Event, Observation};
use strat_model::{Addr, Kind, Name, Resource, ResourceId, ResourceState, Spec};
use strat_provider::ProviderExt as _;

use crate::{Mode, Planned, Run};

/// The first pause between two looks, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));
/// How often the wait is told.
const TELL: Duration = Duration::from_secs(30);
/// How long it is waited at most until things are made, and until volumes are let go.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(600), Duration::from_secs(60));

/// What is waited for, by site and kind.
type Pending = BTreeMap<(Name, Kind), BTreeMap<ResourceId, Awaited>>;

/// A thing that is waited for.
#[derive(Debug, Clone)]
struct Awaited {
    addr: Addr,
    /// The machine that it is still attached to, and which goes or is gone; `None`: until it is made.
    goes: Option<ResourceId>,
}

impl Awaited {
    /// Whether what was read is not what is waited for yet.
    fn is_awaited(&self, seen: &Resource) -> bool {
        match (&self.goes, &seen.spec) {
            (Some(machine), Spec::Volume(volume)) => volume.attach.as_ref() == Some(machine),
            _ => seen.state == ResourceState::Pending,
        }
    }
}

impl Run<'_> {
    /// Looks at everything once nothing of the topology's is half done: what an interrupted run began to
    /// make is waited for like what this one makes, and so is a volume whose machine goes, until it is
    /// let go.
    ///
    /// What is not so after ten minutes, or for volumes after one, is told, and the plan is made all the
    /// same. To destroy things nobody waits until they are made.
    pub(crate) async fn observe_ready(&self, mode: Mode) -> Observation {
        let mut observation = self.observe().await;
        let clock = self.session.clock();
        let (begun, mut told) = (clock.moment().elapsed, None::<Duration>);
        let mut pause = PAUSES.0;
        loop {
            let mut pending = match mode {
                Mode::Apply => self.pending(&observation),
                Mode::Destroy => Pending::new(),
            };
            self.left_attached(&observation, &mut pending).await;
            if pending.is_empty() {
                return observation;
            }
            while !pending.is_empty() {
                let waited = clock.moment().elapsed.saturating_sub(begun);
                let all = || pending.values().flat_map(BTreeMap::values);
                let patience = match all().any(|awaited| awaited.goes.is_none()) {
                    true => PATIENCE.0,
                    false => PATIENCE.1,
                };
                if waited >= patience {
                    let addrs = names(&pending);
                    let message = format!(
                        "still not ready after {} s: {}; it goes on all the same",
                        patience.as_secs(),
                        addrs.join(", ")
                    );
                    self.session.events().send(Event::Warning { message });
                    return observation;
                }
                if told.is_none_or(|at| waited.saturating_sub(at) >= TELL) {
                    told = Some(waited);
                    self.session.events().send(Event::HalfDone {
                        addrs: names(&pending),
                        waited_s: waited.as_secs(),
                    });
                }
                clock.sleep(pause).await;
                pause = (pause * 2).min(PAUSES.1);
                self.look_again(&mut pending).await;
            }
            observation = self.observe().await;
        }
    }

    /// What of the topology's is still being made, as it was seen.
    fn pending(&self, observation: &Observation) -> Pending {
        let mut pending = Pending::new();
        let owner = self.session.workspace().owner();
        for (site, thing) in observation.inventory.resources() {
            let ours = thing.mark.as_ref().filter(|mark| owner.owns(&mark.owner));
            if let (Some(mark), ResourceState::Pending) = (ours, thing.state) {
                let of_kind = pending.entry((site.clone(), thing.kind())).or_default();
                let (addr, goes) = (mark.addr.clone(), None);
                of_kind.insert(thing.id.clone(), Awaited { addr, goes });
            }
        }
        pending
    }

    /// What of the planned part was being made when its plan was made, and still is.
    ///
    /// What was not waited for to its end is in the plan's own observation. What this run made is not, so a
    /// list that lags behind makes nothing unfinished.
    pub(crate) fn unfinished(&self, planned: &Planned, now: &Observation) -> Vec<Addr> {
        let (before, targets) = (self.pending(&planned.observation), &planned.saved.targets);
        if before.is_empty() {
            return Vec::new();
        }
        let still = self.pending(now);
        let addrs = still.iter().flat_map(|(place, things)| {
            let known = before.get(place);
            let known = move |id: &ResourceId| known.is_some_and(|known| known.contains_key(id));
            let things = things.iter().filter(move |(id, _)| known(id));
            things.map(|(_, awaited)| &awaited.addr)
        });
        let planned = addrs
            .filter(|addr| targets.is_empty() || targets.iter().any(|target| target.covers(addr)));
        planned
            .cloned()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    }

    /// Adds the topology's volumes that are attached to a machine that goes, or is gone. Whether one
    /// that no list shows is gone, or is somebody else's, is asked by its id.
    async fn left_attached(&self, observation: &Observation, pending: &mut Pending) {
        let owner = self.session.workspace().owner();
        let there = |thing: &Resource| thing.state != ResourceState::Deleting;
        for (site, seen) in &observation.inventory.sites {
            let Some(provider) = self.session.sites().get(site) else {
                continue;
            };
            let machines = seen
                .resources
                .iter()
                .filter(|one| there(one) && one.kind() == Kind::Machine);
            let machines: BTreeSet<_> = machines.map(|one| &one.id).collect();
            let attached = seen.resources.iter().filter_map(|thing| {
                let mark = thing.mark.as_ref()?;
                let Spec::Volume(volume) = &thing.spec else {
                    return None;
                };
                let machine = volume.attach.as_ref().filter(|id| !machines.contains(id))?;
                (there(thing) && owner.owns(&mark.owner)).then_some((thing, mark, machine))
            });
            let attached: Vec<_> = attached.collect();
            let ids: BTreeSet<_> = attached.iter().map(|(.., id)| (*id).clone()).collect();
            let ids: Vec<ResourceId> = ids.into_iter().collect();
            if ids.is_empty() {
                continue;
            }
            let Ok(found) = provider.get_all(Kind::Machine, &ids).await else {
                continue;
            };
            let stays = |id: &ResourceId| found.iter().any(|one| one.id == *id && there(one));
            for (thing, mark, machine) in attached {
                if !stays(machine) {
                    let of_kind = pending.entry((site.clone(), Kind::Volume)).or_default();
                    let awaited = Awaited {
                        addr: mark.addr.clone(),
                        goes: Some(machine.clone()),
                    };
                    of_kind.insert(thing.id.clone(), awaited);
                }
            }
        }
    }

    /// Takes out what is not being made any more. What cannot be read is left to the next look at all.
    async fn look_again(&self, pending: &mut Pending) {
        let mut left = Pending::new();
        for ((site, kind), things) in std::mem::take(pending) {
            let Some(provider) = self.session.sites().get(&site) else {
                continue;
            };
            let ids: Vec<ResourceId> = things.keys().cloned().collect();
            let Ok(seen) = provider.get_all(kind, &ids).await else {
                continue;
            };
            let waits = seen.iter().filter_map(|one| {
                let awaited = things.get(&one.id)?;
                let entry = || (one.id.clone(), awaited.clone());
                awaited.is_awaited(one).then(entry)
            });
            let waits: BTreeMap<_, _> = waits.collect();
            if !waits.is_empty() {
                left.insert((site, kind), waits);
            }
        }
        *pending = left;
    }
}

fn names(pending: &Pending) -> Vec<String> {
    let all = pending.values().flat_map(BTreeMap::values);
    let mut names: Vec<_> = all.map(|awaited| awaited.addr.to_string()).collect();
    names.dedup();
    names
}
