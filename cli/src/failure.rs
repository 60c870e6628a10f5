//! Why a command did not do what it was asked to.

use std::error::Error;

use stratiform::model::ErrorKind;

/// A failed command, as it is told to a person: what, why, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// One sentence, without a full stop.
    pub(crate) message: String,
    /// What lies underneath, outermost first.
    pub(crate) causes: Vec<String>,
    /// What to do next.
    pub(crate) help: Option<String>,
    /// Whether all that is worth saying has been said already.
    pub(crate) told: bool,
}

impl Failure {
    /// A failure of one sentence.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            causes: Vec::new(),
            help: None,
            told: false,
        }
    }

    /// A failure that was told in full already.
    pub(crate) fn told() -> Self {
        Self {
            told: true,
            ..Self::new(String::new())
        }
    }

    /// An error, with its chain of causes taken apart and the help that fits it.
    pub(crate) fn of(error: &(dyn Error + 'static)) -> Self {
        let (message, help) = split(&error.to_string());
        let mut failure = Self::new(message);
        failure.help = help;
        if let Some(source) = error.source() {
            failure = failure.caused_by(source);
        }
        if failure.help.is_none() {
            failure.help = provider_help(error);
        }
        failure
    }

    /// An error of the library.
    pub(crate) fn of_library(error: &stratiform::Error) -> Self {
        let help = error.help();
        let failure = Self::of(error);
        Self {
            help: help.or(failure.help),
            ..failure
        }
    }

    /// Adds an error and its whole chain as causes. A cause that only repeats what was said above
    /// it is left out.
    pub(crate) fn caused_by(mut self, error: &(dyn Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            let (text, help) = split(&error.to_string());
            if self.help.is_none() {
                self.help = help;
            }
            let above = self.causes.last().unwrap_or(&self.message);
            if !above.contains(&text) {
                self.causes.push(text);
            }
            next = error.source();
        }
        self
    }

    /// Says what to do next.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Takes the help out of a message that carries one.
fn split(text: &str) -> (String, Option<String>) {
    match text.split_once("; help: ") {
        Some((message, help)) => (message.to_owned(), Some(help.to_owned())),
        None => (text.to_owned(), None),
    }
}

/// The help for the first provider error of a chain.
fn provider_help(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<stratiform::model::Error>() {
            return Some(kind_help(error.kind()).to_owned());
        }
        next = error.source();
    }
    None
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_told_once() {
        let inner = std::io::Error::other("the disk is full");
        let failure =
            Failure::new("the journal cannot be written: the disk is full").caused_by(&inner);
        assert!(failure.causes.is_empty(), "{failure:?}");
        let failure = Failure::new("the journal cannot be written").caused_by(&inner);
        assert_eq!(failure.causes, ["the disk is full"]);
    }
}
