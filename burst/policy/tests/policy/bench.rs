//! A small world in which a policy is run: machines boot, drain and go as they are told.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use strat_burst_policy::{
    Decision, Inputs, Machine, Offer, Op, Place, Policy, Reading, Sample, State, decide,
};
use strat_model::CapacityKind;
use strat_model::burst::{BurstPolicy, Signal, SignalKind};

/// Monday morning.
pub(crate) fn start() -> Timestamp {
    "2026-11-30T08:00:00Z".parse().expect("a time")
}

/// A burst that follows `rps`, of which a machine carries 10.
pub(crate) fn settings(min: u32, max: u32) -> BurstPolicy {
    let mut settings = BurstPolicy::new("web", min, max);
    settings.signals = vec![Signal::new("rps", "q", SignalKind::Demand { each: 10.0 })];
    settings
}

pub(crate) fn place(site: &str, kind: CapacityKind, usd: &str) -> Place {
    Place {
        site: site.to_owned(),
        zone: format!("{site}-a"),
        machine_type: "m".to_owned(),
        capacity: kind,
        usd_hour: usd.parse().expect("a price"),
        billed_s: 1,
    }
}

pub(crate) fn offer(place: &Place, room: Option<u32>, boot_p90_s: u64) -> Offer {
    Offer {
        place: place.clone(),
        room,
        boot_p90_s,
        ran_out: None,
    }
}

/// Owned hardware for `owned` machines, and a cloud without a bound.
pub(crate) fn offers(owned: u32) -> Vec<Offer> {
    vec![
        offer(&place("dc", CapacityKind::Owned, "0"), Some(owned), 120),
        offer(&place("aws", CapacityKind::OnDemand, "0.10"), None, 180),
    ]
}

pub(crate) struct Bench {
    pub(crate) policy: Policy,
    pub(crate) inputs: Inputs,
    made: u32,
}

impl Bench {
    pub(crate) fn new(settings: BurstPolicy, offers: Vec<Offer>) -> Self {
        let mut inputs = Inputs::new(start());
        inputs.offers = offers;
        Self {
            policy: Policy::new(settings).expect("possible settings"),
            inputs,
            made: 0,
        }
    }

    /// Machines that have been there since yesterday.
    pub(crate) fn with(mut self, place: &Place, count: u32) -> Self {
        let yesterday = self.inputs.at - SignedDuration::from_hours(24);
        for _ in 0..count {
            self.add(place, State::Ready { warm: true }, yesterday);
        }
        self
    }

    pub(crate) fn add(&mut self, place: &Place, state: State, made: Timestamp) {
        self.made += 1;
        self.inputs.machines.push(Machine {
            id: format!("i-{:05}", self.made),
            place: place.clone(),
            state,
            made,
            healthy: true,
            reclaimed: false,
        });
        let offers = self.inputs.offers.iter_mut();
        for offer in offers.filter(|offer| offer.place == *place) {
            offer.room = offer.room.map(|room| room.saturating_sub(1));
        }
    }

    pub(crate) fn signal(&mut self, name: &str, value: Reading) {
        let at = self.inputs.at;
        let sample = Sample { value, at };
        self.inputs.signals.insert(name.to_owned(), sample);
    }

    pub(crate) fn demand(&mut self, value: f64) {
        self.signal("rps", Reading::of(value));
    }

    pub(crate) fn decide(&self) -> Decision {
        decide(&self.policy, &self.inputs)
    }

    /// Decides, carries it out, and lets `seconds` pass.
    pub(crate) fn step(&mut self, seconds: i64) -> Decision {
        let decision = self.decide();
        self.carry_out(&decision);
        let mut history = std::mem::take(&mut self.inputs.history);
        history.note(&self.policy, &self.inputs, &decision);
        self.inputs.history = history;
        self.pass(seconds);
        decision
    }

    pub(crate) fn pass(&mut self, seconds: i64) {
        self.inputs.at += SignedDuration::from_secs(seconds);
        let now = self.inputs.at;
        let boots: BTreeMap<Place, u64> = self
            .inputs
            .offers
            .iter()
            .map(|offer| (offer.place.clone(), offer.boot_p90_s))
            .collect();
        for machine in &mut self.inputs.machines {
            let boot = boots.get(&machine.place).copied().unwrap_or(0);
            let boot = i64::try_from(boot).expect("a boot");
            match machine.state {
                State::Pending if now.duration_since(machine.made).as_secs() >= boot => {
                    machine.state = State::Ready { warm: true };
                }
                State::Draining { since, .. } if now.duration_since(since).as_secs() >= 60 => {
                    machine.state = State::Draining { since, done: true };
                }
                _ => {}
            }
        }
    }

    fn carry_out(&mut self, decision: &Decision) {
        let now = self.inputs.at;
        for step in &decision.steps {
            match step.op {
                Op::Create => {
                    let places = self.inputs.offers.iter().map(|offer| offer.place.clone());
                    let same = |place: &Place| {
                        (&place.site, &place.zone, &place.machine_type)
                            == (&step.site, &step.zone, &step.offer)
                            && (place.capacity == CapacityKind::Spot) == step.spot
                    };
                    let place = places.clone().find(same).expect("an offer");
                    for _ in 0..step.count {
                        self.add(&place, State::Pending, now);
                    }
                }
                Op::Preempt => {
                    for batch in &mut self.inputs.batch {
                        if step.ids.contains(&batch.id) {
                            batch.giving_way = Some(now);
                        }
                    }
                }
                Op::Resume | Op::Drain => {
                    for machine in &mut self.inputs.machines {
                        if step.ids.contains(&machine.id) {
                            machine.state = if step.op == Op::Resume {
                                State::Ready { warm: true }
                            } else {
                                State::Draining {
                                    since: now,
                                    done: false,
                                }
                            };
                        }
                    }
                }
                Op::Release => {
                    let gone = |machine: &Machine| step.ids.contains(&machine.id);
                    for machine in self.inputs.machines.extract_if(.., |m| gone(m)) {
                        let offers = self.inputs.offers.iter_mut();
                        for offer in offers.filter(|offer| offer.place == machine.place) {
                            offer.room = offer.room.map(|room| room + 1);
                        }
                    }
                }
            }
        }
    }

    /// Machines that count as there.
    pub(crate) fn have(&self) -> u32 {
        self.decide().inventory.have()
    }

    pub(crate) fn at_site(&self, site: &str) -> u32 {
        let counts = self.decide().inventory.by_site;
        counts.get(site).copied().unwrap_or(0)
    }

    /// Lets the same demand last, with a decision each minute.
    pub(crate) fn minutes(&mut self, minutes: u32, demand: f64) -> Vec<Decision> {
        let step = |_| {
            self.demand(demand);
            self.step(60)
        };
        (0..minutes).map(step).collect()
    }
}

/// The number that a decision's steps of an operation come to.
pub(crate) fn steps(decision: &Decision, op: Op) -> u32 {
    let steps = decision.steps.iter().filter(|step| step.op == op);
    steps.map(|step| step.count).sum()
}

/// Whether something held the decision back.
pub(crate) fn limited(decision: &Decision, by: &str) -> bool {
    decision.limits.iter().any(|limit| limit.by == by)
}
