//! Why a command did not do what it was asked to.

use std::error::Error;

use serde_json::Value;
use stratiform::answer::{Failed, Finding};
use stratiform::engine::LeaseError;
use stratiform::model::{ErrorKind, ErrorView};
use stratiform::topology::LoadError;

/// A failed command: what is told of it, as data.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    /// All that is told of it.
    pub(crate) view: Box<ErrorView>,
    /// What is wrong with the topology, if that is the matter: told to people already, with the
    /// text that it is about.
    pub(crate) findings: Option<Vec<Finding>>,
    /// What finds no place, and why.
    pub(crate) unplaced: Option<Value>,
}

impl Failure {
    /// A failure of one sentence.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self::told(ErrorView::new("command", message))
    }

    /// A failure as data. One of a provider's calls has the help that fits its kind, unless it
    /// brings a better one.
    pub(crate) fn told(view: ErrorView) -> Self {
        let view = match view.call_kind() {
            Some(kind) => view.with_help(kind_help(kind)),
            None => view,
        };
        Self {
            view: Box::new(view),
            findings: None,
            unplaced: None,
        }
    }

    /// An error, with its chain of causes.
    pub(crate) fn of(error: &(dyn Error + 'static)) -> Self {
        Self::told(ErrorView::of(error))
    }

    /// An error of the library, with the help that names the commands and options for it.
    pub(crate) fn of_library(error: &stratiform::Error) -> Self {
        let mut view = error.view();
        let help = command_help(error).map(str::to_owned);
        let help = terraform_help(error).or(help);
        if let Some(help) = help.or_else(|| consent_help(error)) {
            view.help = Some(help);
        } else if let (stratiform::Error::Unlisted { .. }, Some(help)) = (error, &mut view.help) {
            help.push_str(": `--forget-site site.NAME`");
        }
        Self::told(view)
    }

    /// Adds an error and its whole chain as causes.
    pub(crate) fn caused_by(mut self, error: &(dyn Error + 'static)) -> Self {
        self.view.add_cause(error);
        self
    }

    /// Says what to do next.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.view.help = Some(help.into());
        self
    }

    /// The answer of a command that was asked for JSON.
    pub(crate) fn answer(&self) -> Failed<'_> {
        Failed {
            success: false,
            error: &self.view,
            findings: self.findings.as_deref(),
            unplaced: self.unplaced.as_ref(),
        }
    }
}

/// What to do about an error of the library on the command line, where that is more than the library
/// itself can say.
const fn command_help(error: &stratiform::Error) -> Option<&'static str> {
    use stratiform::Error as E;
    Some(match error {
        E::Load(LoadError::NoFiles { .. }) => "`strat init` writes a first topology",
        E::NothingKnown { .. } => {
            "while it can be reached, `strat offers refresh` asks it and remembers the answer"
        }
        E::NoSuchTarget { nearest: None, .. } => {
            "`strat graph` and `strat show` tell what there is"
        }
        E::Guarded { .. } => "look at the plan; if that is what you want, add `--allow-deletes`",
        E::OverBudget { .. } => {
            "raise `monthly` of the budget, or ask for fewer, smaller or cheaper machines; \
             `strat plan --explain ADDR` tells why they go where they go"
        }
        E::NotAPlan { .. } => "make the plan again: `strat plan --out plan.json`",
        E::Lease(LeaseError::Held { .. } | LeaseError::HeldBySomebody { .. }) => {
            "wait for it with `--lock-timeout 10m`, or, if that run is surely dead, `strat unlock`"
        }
        E::Lease(LeaseError::NoStore { .. }) => {
            "look at `strat plan`, then apply with `--yes`; or make it yourself and name it"
        }
        E::Lease(LeaseError::Lost { .. }) => "run the command again, it finishes the work",
        _ => return None,
    })
}

/// What to do in a folder that has Terraform's files and no topology's.
fn terraform_help(error: &stratiform::Error) -> Option<String> {
    let stratiform::Error::Load(LoadError::NoFiles { path }) = error else {
        return None;
    };
    let names = std::fs::read_dir(path).ok()?.flatten();
    let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let first = names
        .filter(|name| name.ends_with(".tf") || name.ends_with(".tofu"))
        .min()?;
    Some(format!(
        "`{first}` is Terraform's, whose blocks are not those of a topology: `strat init` writes a \
         first one, and docs/language.md#coming-from-terraform has each block's name here"
    ))
}

/// How many arguments an error spells out.
const ARGUMENTS_MAX: usize = 5;

/// The arguments that agree to a loss of data.
fn consent_help(error: &stratiform::Error) -> Option<String> {
    let stratiform::Error::DataLoss { losses, topology } = error else {
        return None;
    };
    if let Some(name) = topology {
        return Some(format!(
            "look at the plan; if all of it may go, add --allow-data-loss {name}"
        ));
    }
    let told = losses.iter().take(ARGUMENTS_MAX);
    let told: Vec<String> = told.map(stratiform::argument).collect();
    let help = format!(
        "look at the plan; if that is what you want, add {}",
        told.join(" ")
    );
    Some(match losses.len().saturating_sub(ARGUMENTS_MAX) {
        0 => help,
        more => format!("{help}, and the same for the {more} others that the plan lists"),
    })
}

/// What to do about a provider's error, by its kind.
pub(crate) const fn kind_help(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "something else deleted it meanwhile; plan again",
        ErrorKind::AlreadyExists => {
            "a thing of that name is there and is not this topology's; rename or remove one of them"
        }
        ErrorKind::Conflict => {
            "something else uses or changes it now; apply again when that is done"
        }
        ErrorKind::Precondition => "it is not what it was when the plan was made; plan again",
        ErrorKind::Throttled => {
            "the cloud asks for fewer calls; apply again later, or with a lower --parallelism"
        }
        ErrorKind::Capacity => {
            "the cloud has none left of it; allow other sites in `placement`, another size, or try later"
        }
        ErrorKind::Quota => {
            "the account may not have more; ask the cloud for a higher quota, or use less"
        }
        ErrorKind::Unauthenticated => {
            "log in again, and look at the credentials that the site names"
        }
        ErrorKind::Forbidden => {
            "the identity in use lacks a permission; `strat doctor` shows who it is and what it lacks"
        }
        ErrorKind::Invalid => "the cloud will never accept this; change the topology",
        ErrorKind::Unsupported => {
            "this provider cannot do that; `strat providers` shows what it can"
        }
        ErrorKind::Timeout => {
            "nobody knows whether the call had an effect; apply again finds out and goes on"
        }
        ErrorKind::Transient => "a passing fault; apply again goes on where this ended",
        ErrorKind::Internal => "this is a bug; please report it with the message above",
    }
}
