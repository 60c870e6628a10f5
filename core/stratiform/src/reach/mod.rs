//! Whether traffic may pass: questions, and the checks of a topology.

mod anywhere;
mod checks;
mod told;

use std::collections::BTreeMap;

use strat_engine::Event;
use strat_model::{Name, SiteFacts};
use strat_planner::{Desired, Question, Unreachable, reach};

pub(crate) use checks::{Checked, check};
pub use checks::{Holds, ReachCheck};

use crate::answer::Reached;
use crate::targets::nearest;
use crate::{Error, Session, Workspace};

/// Why it cannot be said whether traffic passes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct NoReach {
    /// Why.
    pub why: Unreachable,
    /// What was meant, most likely.
    pub nearest: Option<String>,
}

impl NoReach {
    /// What to do next.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match (&self.nearest, &self.why) {
            (Some(nearest), _) => Some(format!("did you mean `{nearest}`?")),
            (None, Unreachable::Nobody { known, .. }) if !known.is_empty() => {
                let known: Vec<String> =
                    known.iter().take(8).map(|one| format!("`{one}`")).collect();
                Some(format!("there are {}", known.join(", ")))
            }
            (None, Unreachable::Strangers { .. }) => {
                Some("name a machine of the topology at one end".to_owned())
            }
            _ => None,
        }
    }
}

/// Every place where something of a topology may be.
#[derive(Debug, Clone)]
pub struct Anywhere {
    pub(crate) desired: Desired,
    pub(crate) facts: BTreeMap<Name, SiteFacts>,
}

impl Workspace {
    /// Every place where something of the topology may be, by what it says alone: no site is asked. A
    /// fleet is at each site of its placement.
    ///
    /// # Errors
    /// [`Error::NoPlace`] if something finds no place whatever its sites have, such as a subnet for which
    /// its network has no range left.
    pub async fn anywhere(&self) -> Result<Anywhere, Error> {
        let known = self.facts_without_network().await?;
        anywhere::of(self, known)
    }

    /// What comes of the checks wherever things may be.
    pub(crate) async fn check_reach(&self) -> Result<Checked, Error> {
        let anywhere = self.anywhere().await?;
        Ok(check(self.intent(), &anywhere.desired, &anywhere.facts))
    }

    /// Whether traffic may pass, and what decides it.
    ///
    /// # Errors
    /// [`Error::Reach`] if there is nobody at an end.
    pub fn reach(&self, anywhere: &Anywhere, question: &Question) -> Result<Reached, Error> {
        let crossings = reach(&anywhere.desired, &anywhere.facts, question);
        let crossings = crossings.map_err(|error| {
            let nearest = match &error {
                Unreachable::Nobody { end, known } => {
                    nearest(&end.to_string(), known.iter().cloned())
                }
                _ => None,
            };
            NoReach {
                why: error,
                nearest,
            }
        })?;
        Ok(told::reached(self, question, &crossings))
    }
}

impl Session {
    /// What came of the topology's checks of what traffic passes. One that cannot be decided is told.
    pub(crate) fn check_reach(
        &self,
        desired: &Desired,
        facts: &BTreeMap<Name, SiteFacts>,
    ) -> Result<Vec<ReachCheck>, Error> {
        let checked = check(self.workspace().intent(), desired, facts);
        if !checked.broken.is_empty() {
            return Err(self.workspace().broken(checked.broken));
        }
        for undecided in checked.undecided {
            let message = undecided.message;
            self.events().send(Event::Warning { message });
        }
        Ok(checked.checks)
    }
}
