//! Why a command did not do what it was asked to.

use std::error::Error;

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

    /// An error, with its chain of causes taken apart.
    pub(crate) fn of(error: &(dyn Error + 'static)) -> Self {
        let mut failure = Self::new(error.to_string());
        if let Some(source) = error.source() {
            failure = failure.caused_by(source);
        }
        failure
    }

    /// Adds an error and its whole chain as causes. A cause that only repeats what was said above
    /// it is left out.
    pub(crate) fn caused_by(mut self, error: &(dyn Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            let text = error.to_string();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_told_once() {
        let inner = std::io::Error::other("the disk is full");
        let failure = Failure::new("the journal cannot be written: the disk is full")
            .caused_by(&inner);
        assert!(failure.causes.is_empty(), "{failure:?}");
        let failure = Failure::new("the journal cannot be written").caused_by(&inner);
        assert_eq!(failure.causes, ["the disk is full"]);
    }
}
