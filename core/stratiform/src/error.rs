//! Why something could not be done.

mod words;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use strat_engine::{JournalError, LeaseError};
use strat_model::{Addr, Diagnostic, ErrorView, LocalAddr, Name, Owner};
use strat_planner::{CannotAdopt, DataLoss, Mode, Unplaced};
use strat_topology::{LoadError, Sources};

use self::words::{blocks, first, list, lost, no_place, refusals, some, unlisted};
use crate::policy::PolicyError;
use crate::reach::NoReach;

/// Why something could not be done. `Display` leaves the source out; [`Error::help`] says what to
/// do next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The topology's files cannot be had.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The topology is wrong.
    #[error("the topology has errors: {}", first(diagnostics))]
    Topology {
        /// All that is wrong, and warnings.
        diagnostics: Vec<Diagnostic>,
        /// What the findings point into.
        sources: Sources,
    },
    /// Something of the topology finds no place.
    #[error("{}", no_place(unplaced))]
    NoPlace {
        /// What, and why.
        unplaced: Vec<Unplaced>,
        /// What the findings point into.
        sources: Sources,
    },
    /// What the topology refers to, and others own, is not there, or is several things.
    #[error("{}", first(diagnostics))]
    Lookup {
        /// What, and why.
        diagnostics: Vec<Diagnostic>,
        /// What the findings point into.
        sources: Sources,
    },
    /// A site cannot be reached or used.
    #[error("the site `{site}` cannot be used")]
    Site {
        /// Which.
        site: Name,
        /// Why.
        source: Arc<strat_model::Error>,
    },
    /// Nothing is known of a site without asking it.
    #[error("nothing is known of the site `{site}` without asking it")]
    NothingKnown {
        /// Which.
        site: Name,
        /// Its provider.
        provider: String,
    },
    /// Whether traffic may pass cannot be said.
    #[error(transparent)]
    Reach(#[from] NoReach),
    /// Another run holds the lease, or ours was lost.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A file of the state folder, or a plan, cannot be used.
    #[error("`{}` cannot be {verb}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// `read` or `written`.
        verb: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// A file is no plan, or not one that this program can apply.
    #[error("`{}` cannot be applied: {why}", path.display())]
    NotAPlan {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Nothing of the topology, and nothing that there is, is what a target names.
    #[error("the target `{target}` is nothing of this topology")]
    NoSuchTarget {
        /// The target.
        target: String,
        /// What may have been meant.
        nearest: Option<String>,
    },
    /// The topology has no site of a name.
    #[error("the topology has no site `{site}`")]
    NoSuchSite {
        /// The name.
        site: Name,
        /// What may have been meant.
        nearest: Option<String>,
    },
    /// Every site of the topology is left out.
    #[error("every site of the topology is left out")]
    NothingLeft,
    /// Too little was seen to say anything of a machine.
    #[error("nothing can be said of `{addr}`: a site where it may run gave no answer")]
    Unseen {
        /// The machine or fleet.
        addr: LocalAddr,
    },
    /// The credentials of a site lead to another account than the one in which its things are.
    #[error(
        "the site `{site}` is in the account {wanted}, and the credentials in use are for {account}"
    )]
    Account {
        /// The site.
        site: Name,
        /// The account that the credentials lead to.
        account: String,
        /// Whose credentials they are.
        principal: String,
        /// The account that it should be.
        wanted: String,
        /// Whether the topology says so, or else the journal.
        is_pinned: bool,
    },
    /// Something is not adopted.
    #[error(transparent)]
    CannotAdopt(#[from] CannotAdopt),
    /// Things are known to be at sites that the topology does not have.
    #[error("there are things of this topology at {}", unlisted(sites))]
    Unlisted {
        /// How many at each.
        sites: BTreeMap<Name, usize>,
    },
    /// The folder's journal knows things of another topology, and none of this one.
    #[error(
        "this folder's journal knows {count} things of the topology `{other}`, and none of `{owner}`"
    )]
    Renamed {
        /// Whose the things are.
        other: Owner,
        /// How many.
        count: usize,
        /// This topology.
        owner: Owner,
    },
    /// What the plan would delete or replace is protected.
    #[error("{} protected: {}", if addrs.len() == 1 { "this is" } else { "these are" }, list(addrs))]
    Protected {
        /// What.
        addrs: Vec<Addr>,
        /// What the plan was for.
        mode: Mode,
    },
    /// The plan deletes a large part of the topology, and nobody consented.
    #[error("the plan deletes {deletes} of the {existing} things that the topology has")]
    Guarded {
        /// How many it deletes.
        deletes: u32,
        /// How many there are.
        existing: u32,
    },
    /// Data would be lost, and nobody agreed to that by name.
    #[error("data would be lost for good: {}", lost(losses))]
    DataLoss {
        /// Whose.
        losses: Vec<DataLoss>,
        /// The topology's name, where that is consent enough: for a whole `destroy`.
        topology: Option<Name>,
    },
    /// The plan would cost more than a budget permits, or what nobody knows.
    #[error("the plan is over budget: {}", budgets.join("; "))]
    OverBudget {
        /// Each budget that it is over, in a sentence.
        budgets: Vec<String>,
    },
    /// Policies deny the plan.
    #[error("policies deny the plan: {}", first(diagnostics))]
    Denied {
        /// What they say, each with its place in the topology.
        diagnostics: Vec<Diagnostic>,
        /// What the findings point into.
        sources: Sources,
    },
    /// Policies cannot be read or evaluated, so nothing is applied.
    #[error("the policies cannot be used: {0}")]
    Policy(PolicyError),
    /// The world or the topology is not what it was when the plan was made.
    #[error("the plan is out of date: {}", some(moved))]
    Moved {
        /// What moved, one sentence each.
        moved: Vec<String>,
    },
}

impl Error {
    /// What kind of failure it is, in one word. Where a provider's call lies underneath, its
    /// [view](Error::view) has the call's own kind instead.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Load(_) => "unreadable_topology",
            Self::Topology { .. } => "invalid_topology",
            Self::NoPlace { .. } => "no_place",
            Self::Lookup { .. } => "not_found",
            Self::Site { .. } => "unusable_site",
            Self::NothingKnown { .. } => "nothing_known",
            Self::Reach(_) => "no_such_end",
            Self::Lease(error) => error.kind(),
            Self::Journal(error) => error.kind(),
            Self::File { .. } => "unusable_file",
            Self::NotAPlan { .. } => "not_a_plan",
            Self::NoSuchTarget { .. } => "unknown_target",
            Self::NoSuchSite { .. } => "unknown_site",
            Self::NothingLeft => "nothing_left",
            Self::Unseen { .. } => "unseen",
            Self::Account { .. } => "other_account",
            Self::CannotAdopt(_) => "cannot_adopt",
            Self::Unlisted { .. } => "unlisted_site",
            Self::Renamed { .. } => "renamed_topology",
            Self::Protected { .. } => "protected",
            Self::Guarded { .. } => "consent_needed",
            Self::DataLoss { .. } => "data_loss",
            Self::OverBudget { .. } => "over_budget",
            Self::Denied { .. } => "denied_by_policy",
            Self::Policy(_) => "wrong_policy",
            Self::Moved { .. } => "plan_out_of_date",
        }
    }

    /// All that is told of it.
    #[must_use]
    pub fn view(&self) -> ErrorView {
        let mut view = ErrorView::of_kind(self.kind(), self);
        if let Self::NoPlace { unplaced, .. } = self {
            view.causes = refusals(unplaced);
        }
        match self.help() {
            Some(help) => ErrorView {
                help: Some(help),
                ..view
            },
            None => view,
        }
    }

    /// What is wrong with the topology, and the text that it points into, if that is the matter.
    #[must_use]
    pub fn findings(&self) -> Option<(Vec<Diagnostic>, &Sources)> {
        match self {
            Self::Topology {
                diagnostics,
                sources,
            }
            | Self::Lookup {
                diagnostics,
                sources,
            }
            | Self::Denied {
                diagnostics,
                sources,
            } => Some((diagnostics.clone(), sources)),
            Self::NoPlace { unplaced, sources } => {
                let findings = unplaced.iter().map(|one| one.finding.clone());
                Some((findings.collect(), sources))
            }
            Self::Policy(error) => Some((vec![(*error.finding).clone()], &error.sources)),
            _ => None,
        }
    }

    /// What to do next, in the words of the library.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::Load(LoadError::Missing { .. }) => {
                "name a topology file, or a folder that holds one".to_owned()
            }
            Self::Load(LoadError::NoFiles { .. }) => {
                "write a topology: a file whose name ends in `.hcl`".to_owned()
            }
            Self::NoPlace { unplaced, .. } => return unplaced.first()?.finding.help.clone(),
            Self::Lease(error) => error.help().to_owned(),
            Self::Journal(error) => error.help().to_owned(),
            Self::NothingKnown { .. } => {
                "refresh its offers while it can be reached: the answer is remembered".to_owned()
            }
            Self::Reach(error) => return error.help(),
            Self::NoSuchTarget { nearest, .. } => match nearest {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => "name a block of the topology, a thing that there is, or a site".to_owned(),
            },
            Self::NoSuchSite { nearest, .. } => match nearest {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => "`site` blocks say what sites there are".to_owned(),
            },
            Self::NothingLeft => "keep at least one, or add another site".to_owned(),
            Self::Account {
                site,
                principal,
                is_pinned,
                ..
            } => {
                let wrong = if *is_pinned {
                    format!("if the credentials are right, correct `account` of `site \"{site}\"`")
                } else {
                    "if the topology really moved there, it needs a folder of its own, or the \
                     journal in `.stratiform` moved away"
                        .to_owned()
                };
                format!("they are {principal}'s: use those of the other account; {wrong}")
            }
            Self::CannotAdopt(_) => "a plan tells what is withheld, and why".to_owned(),
            Self::Unlisted { .. } => {
                "was it renamed? A `moved` block from the old name to the new one keeps them: apply \
                 that first. Or put the `site` block back under that name; or say that what is there \
                 is left where it is, for good"
                    .to_owned()
            }
            Self::Renamed { other, .. } => format!(
                "was it renamed? A `moved` block from `topology.{}` to the new name keeps them: apply \
                 that first. Or put the old name back, or use a folder of its own",
                other.topology
            ),
            Self::Protected { addrs, mode } => {
                let subject = blocks(addrs);
                let then = match mode {
                    Mode::Destroy => "destroy",
                    Mode::Apply => "apply again",
                };
                format!("set `protect = false` on {subject}, apply that, then {then}")
            }
            Self::Guarded { .. } => {
                "look at the plan; if that is what you want, allow deletes".to_owned()
            }
            Self::DataLoss {
                topology: Some(name),
                ..
            } => format!("look at the plan; if all of it may go, agree to that by `{name}`"),
            Self::DataLoss { .. } => {
                "look at the plan; if that is what you want, agree to each loss by its name"
                    .to_owned()
            }
            Self::OverBudget { .. } => {
                "raise `monthly` of the budget, or ask for fewer, smaller or cheaper machines"
                    .to_owned()
            }
            Self::Denied { .. } => {
                "change the topology, or have the policy changed by who keeps it".to_owned()
            }
            Self::Policy(error) => return error.finding.help.clone(),
            Self::Moved { .. } => "make the plan again, and look at what is different".to_owned(),
            Self::NotAPlan { .. } => "make the plan again".to_owned(),
            _ => return None,
        })
    }

    pub(crate) fn file(
        path: impl Into<PathBuf>,
        verb: &'static str,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, verb, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_much_that_moved_a_few_are_named() {
        let moved = (1..=33).map(|n| format!("{n} is gone")).collect();
        let told = Error::Moved { moved }.to_string();
        assert!(told.ends_with("5 is gone; and 28 more"), "{told}");
        let moved = vec!["one is gone".to_owned()];
        let told = Error::Moved { moved }.to_string();
        assert_eq!(told, "the plan is out of date: one is gone");
    }
}
