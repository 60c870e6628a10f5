//! The question, and its answer for each pair of those who are at its ends.

use std::collections::{BTreeMap, BTreeSet};

use strat_model::{Asked, Direction, End, LocalAddr, Name, SiteFacts};

use super::gate::{Gate, Other};
use super::hop::{Hop, HopAt, Passes};
use super::party::{Party, Who, World};
use super::spans::Spans;
use super::traffic::Traffic;
use crate::Desired;

/// Whether something may pass from one end to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Who sends.
    pub from: End,
    /// Who receives.
    pub to: End,
    /// What.
    pub asked: Asked,
}

/// The answer for one pair of those who are at the ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crossing {
    /// Who sends: an address with its site, or what was asked about.
    pub from: String,
    /// Who receives.
    pub to: String,
    /// Whether it passes.
    pub passes: Passes,
    /// What of it passes, between some addresses.
    pub traffic: Traffic,
    /// What stands between, in the order in which packets meet it.
    pub hops: Vec<Hop>,
}

impl Crossing {
    /// The hop that decides: the first that lets the least pass. `None` where each lets something pass, and
    /// no two the same.
    #[must_use]
    pub fn decided_by(&self) -> Option<&Hop> {
        let least = self.hops.iter().min_by_key(|hop| hop.passes);
        least.filter(|hop| hop.passes <= self.passes)
    }

    /// Why it passes or not, in one sentence without a full stop: what the deciding hop says.
    #[must_use]
    pub fn why(&self) -> String {
        match (self.decided_by(), self.passes) {
            (None, _) => "what is let out at one end is not what is let in at the other".to_owned(),
            // The last is the one that admits.
            (Some(_), Passes::Yes) => self
                .hops
                .last()
                .map(|hop| hop.why.clone())
                .unwrap_or_default(),
            (Some(hop), _) => hop.why.clone(),
        }
    }

    /// Whether it rests on something that is not in the topology.
    #[must_use]
    pub fn is_assumed(&self) -> bool {
        self.hops.iter().any(|hop| hop.assumed)
    }
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreachable {
    /// There is nobody at an end.
    #[error("there are no machines `{end}` in the topology")]
    Nobody {
        /// The end.
        end: Box<End>,
        /// The machines that there are.
        known: BTreeSet<String>,
    },
    /// What is at an end is not known now, or a firewall that it carries is not.
    #[error("nothing is known of {addr} now: {why}")]
    Withheld {
        /// What it is called.
        addr: LocalAddr,
        /// Why.
        why: String,
    },
    /// Neither end is of the topology.
    #[error(
        "neither {from} nor {to} is a machine of the topology, so nothing of it stands between them"
    )]
    Strangers {
        /// Who sends.
        from: Box<End>,
        /// Who receives.
        to: Box<End>,
    },
}

/// Whether something may pass, for each pair of those who are at the ends: the answers, sorted as the
/// pairs are.
///
/// # Behavior
/// A fleet at several sites is one at each of them, and a range that is in several networks, or partly in
/// none, is one for each of these parts. What a plan would place is where it would be. What is not in the
/// topology, such as what joins two sites, is assumed where addresses suppose it, and the hop says so.
///
/// # Errors
/// [`Unreachable`] if there is nobody at an end.
pub fn reach(
    desired: &Desired,
    facts: &BTreeMap<Name, SiteFacts>,
    question: &Question,
) -> Result<Vec<Crossing>, Unreachable> {
    let is_machine = |end: &End| matches!(end, End::Machines { .. });
    if !is_machine(&question.from) && !is_machine(&question.to) {
        return Err(Unreachable::Strangers {
            from: Box::new(question.from.clone()),
            to: Box::new(question.to.clone()),
        });
    }
    let addressed = &desired.addressed();
    let world = World {
        desired,
        facts,
        addressed,
    };
    let from = world.parties(&question.from)?;
    let to = world.parties(&question.to)?;
    for firewall in from
        .iter()
        .chain(&to)
        .filter_map(Party::host)
        .flat_map(|host| &host.firewalls)
    {
        if let (None, Some(why)) = (world.spec(firewall), desired.withheld.get(&firewall.local)) {
            return Err(Unreachable::Withheld {
                addr: firewall.local.clone(),
                why: why.why.clone(),
            });
        }
    }
    let pairs = from.iter().flat_map(|a| to.iter().map(move |b| (a, b)));
    Ok(pairs.map(|(a, b)| world.crossing(a, b, question)).collect())
}

impl<'d> World<'d> {
    fn crossing(self, from: &Party<'d>, to: &Party<'d>, question: &Question) -> Crossing {
        let asked = &question.asked;
        let route = self.route(from, to);
        let wanted = Traffic::asked(asked);
        let mut hops = vec![route.hop];
        let mut gates = [Gate::open(), Gate::open()];
        if !is_itself(from, to) {
            let strangers = self.internet(&Spans::public());
            let seen = |party: &'_ Party<'d>| match route.is_public {
                true => strangers.clone(),
                false => party.clone(),
            };
            let (seen_from, seen_to) = (seen(from), seen(to));
            let is_private = !route.is_public;
            let gate = |direction, own: &Party<'d>, party| {
                let other = Other { party, is_private };
                own.host().map(|host| self.gate(direction, host, &other))
            };
            let out = gate(Direction::Egress, from, &seen_to);
            let inward = gate(Direction::Ingress, to, &seen_from);
            gates = [
                out.unwrap_or_else(Gate::open),
                inward.unwrap_or_else(Gate::open),
            ];
        }
        let [out, inward] = gates;
        let passing = out.some().and(&inward.some()).and(&wanted);
        let is_enough = |part: &Traffic| match asked.means_all() {
            true => part.has(&wanted),
            false => !part.and(&wanted).is_empty(),
        };
        let mut pairs = out
            .parts
            .iter()
            .flat_map(|a| inward.parts.iter().map(|b| a.and(b)));
        let gated = match (passing.is_empty(), pairs.all(|part| is_enough(&part))) {
            (true, _) => Passes::No,
            (false, false) => Passes::May,
            (false, true) => Passes::Yes,
        };
        let passes = gated.min(hops[0].passes);
        if !is_itself(from, to) {
            let both = [(HopAt::Egress, from, out), (HopAt::Ingress, to, inward)];
            for (at, party, gate) in both {
                if let Some(host) = party.host() {
                    hops.push(gate.hop(at, host, asked));
                }
            }
        }
        hops[0].traffic = hops[0].traffic.and(&wanted);
        Crossing {
            from: from.name(&question.from),
            to: to.name(&question.to),
            passes,
            traffic: match passes {
                Passes::No => Traffic::default(),
                Passes::May | Passes::Yes => passing,
            },
            hops,
        }
    }
}

/// Whether both ends are one machine.
pub(super) fn is_itself(from: &Party<'_>, to: &Party<'_>) -> bool {
    match (&from.who, &to.who) {
        (Who::Machines(a), Who::Machines(b)) => a.addr == b.addr && !a.is_many,
        _ => false,
    }
}
