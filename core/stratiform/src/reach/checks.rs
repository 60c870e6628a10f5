//! The checks of a topology: what traffic has to pass, and what must not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strat_model::{
    Diagnostic, Direction, End, Intent, Name, Origin, ReachIntent, ReachWants, SiteFacts,
};
use strat_planner::{Crossing, Desired, Hop, HopAt, Passes, Question, RuleRef, Unreachable, reach};

/// Whether a check holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// It does.
    Yes,
    /// It does not: there is no plan then.
    No,
    /// Something that it is about is not known now.
    Unknown,
}

/// What came of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReachCheck {
    /// What it wants.
    pub wants: ReachWants,
    /// Its name.
    pub name: Name,
    /// Whether it holds.
    pub holds: Holds,
    /// Why that is not known; `None` where it is.
    pub why: Option<String>,
}

/// What came of all of them.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// What came of each.
    pub(crate) checks: Vec<ReachCheck>,
    /// Those that do not hold.
    pub(crate) broken: Vec<Diagnostic>,
    /// Those of which nobody can say.
    pub(crate) undecided: Vec<Diagnostic>,
}

/// Looks at every check of a topology, as things are placed.
pub(crate) fn check(
    intent: &Intent,
    desired: &Desired,
    facts: &BTreeMap<Name, SiteFacts>,
) -> Checked {
    let mut checked = Checked::default();
    for one in &intent.reaches {
        let mut broken = Vec::new();
        let mut unknown = None;
        for (from, to) in one
            .from
            .iter()
            .flat_map(|from| one.to.iter().map(move |to| (from, to)))
        {
            let question = Question {
                from: from.clone(),
                to: to.clone(),
                asked: one.asked.clone(),
            };
            match reach(desired, facts, &question) {
                Ok(crossings) => {
                    broken.extend(crossings.into_iter().filter(|one_way| breaks(one, one_way)));
                }
                // Of a fleet of none nothing is to be said.
                Err(Unreachable::Nobody { end, .. }) if is_of(intent, &end) => {}
                Err(error) => unknown = Some(error.to_string()),
            }
        }
        let holds = match (broken.first(), &unknown) {
            (Some(first), _) => {
                checked
                    .broken
                    .push(finding(intent, one, first, broken.len() - 1));
                Holds::No
            }
            (None, Some(why)) => {
                checked.undecided.push(undecided(one, why));
                Holds::Unknown
            }
            (None, None) => Holds::Yes,
        };
        checked.checks.push(ReachCheck {
            wants: one.wants,
            name: one.name.clone(),
            holds,
            why: unknown.filter(|_| holds == Holds::Unknown),
        });
    }
    checked
}

fn is_of(intent: &Intent, end: &End) -> bool {
    let End::Machines { local, .. } = end else {
        return false;
    };
    let mut machines = intent.machines.iter().map(|machine| &machine.common.addr);
    machines.any(|addr| (addr.noun, &addr.name) == (local.noun, &local.name))
}

fn breaks(check: &ReachIntent, crossing: &Crossing) -> bool {
    match check.wants {
        ReachWants::Assert => crossing.passes != Passes::Yes,
        ReachWants::Refuse => crossing.passes != Passes::No,
    }
}

fn undecided(check: &ReachIntent, why: &str) -> Diagnostic {
    let keyword = check.wants.keyword();
    let message = format!("{keyword} `{}` cannot be decided now: {why}", check.name);
    Diagnostic::warning("reach_undecided", message).at(check.origin.as_ref(), "not decided")
}

/// What a broken check says: which traffic, what decides it, and where that stands.
fn finding(intent: &Intent, check: &ReachIntent, crossing: &Crossing, others: usize) -> Diagnostic {
    let keyword = check.wants.keyword();
    let (from, to) = (&crossing.from, &crossing.to);
    let what = match (check.wants, crossing.passes) {
        (ReachWants::Refuse, _) => &crossing.traffic.to_string(),
        (ReachWants::Assert, _) => &check.asked.to_string(),
    };
    let passes = match (check.wants, crossing.passes) {
        (ReachWants::Refuse, Passes::Yes) => "passes",
        (ReachWants::Refuse, _) => "may pass",
        (ReachWants::Assert, Passes::No) => "does not pass",
        (ReachWants::Assert, _) => "does not surely pass in full",
    };
    let mut message = format!(
        "{keyword} `{}`: {what} {passes} from {from} to {to}: {}",
        check.name,
        crossing.why()
    );
    if others > 0 {
        message.push_str(&format!(" (and {others} more)"));
    }
    if let Some(own) = &check.message {
        message.push_str(&format!(": {own}"));
    }
    let mut finding =
        Diagnostic::error(keyword, message).at(check.origin.as_ref(), "this does not hold");
    for (place, text) in places(intent, check, crossing) {
        finding = finding.at(&place, text);
    }
    finding.help(match check.wants {
        ReachWants::Refuse => "narrow the rules that admit it, or take the check away",
        ReachWants::Assert => {
            "admit it with a rule of a firewall that the machines carry, or take the check away"
        }
    })
}

/// The places of what decides: the rules that admit what must not pass, or the firewalls and the route that
/// stand in the way.
fn places(intent: &Intent, check: &ReachIntent, crossing: &Crossing) -> Vec<(Origin, String)> {
    let mut places = Vec::new();
    let gates = crossing.hops.iter().filter(|hop| hop.at != HopAt::Route);
    match check.wants {
        ReachWants::Refuse => {
            for rule in gates.flat_map(|hop| &hop.rules).take(3) {
                let verb = match rule.direction {
                    Direction::Ingress => "lets it in",
                    Direction::Egress => "lets it out",
                };
                places.extend(rule_origin(intent, rule).map(|at| (at, verb.to_owned())));
            }
        }
        ReachWants::Assert => {
            if let Some(hop) = crossing.decided_by() {
                let origins = firewall_origins(intent, hop);
                let text = match hop.passes {
                    Passes::No => "does not admit it",
                    Passes::May | Passes::Yes => "does not admit all of it",
                };
                places.extend(origins.map(|at| (at, text.to_owned())).take(3));
            }
        }
    }
    places
}

/// Where a rule stands; its firewall, where it is one of many that a `dynamic` block makes.
pub(super) fn rule_origin(intent: &Intent, rule: &RuleRef) -> Option<Origin> {
    let mut firewalls = intent.firewalls.iter();
    let firewall = firewalls.find(|one| one.common.addr == rule.firewall.local)?;
    let path = format!("{}.{}", rule.direction.as_str(), rule.rule);
    firewall.common.origin(&path).cloned()
}

/// Where the firewalls stand that a hop looked at.
pub(super) fn firewall_origins<'a>(
    intent: &'a Intent,
    hop: &'a Hop,
) -> impl Iterator<Item = Origin> + 'a {
    let firewalls = intent.firewalls.iter();
    let named = firewalls.filter(|one| {
        hop.firewalls
            .iter()
            .any(|addr| addr.local == one.common.addr)
    });
    named.filter_map(|one| one.common.origins.block.clone())
}
