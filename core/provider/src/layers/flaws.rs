//! The errors inside an answer.

use strat_model::{Error, ErrorKind, Result};

use crate::{MachineBatch, Outcome};

/// The errors inside an answer: of a call about several things, those of the things that failed.
/// Layers look at them as they look at the error of a whole call.
#[derive(Debug, Clone, Default)]
pub struct Flaws(Vec<Error>);

impl Flaws {
    /// Of an answer without any.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the answer is whole.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first.
    #[must_use]
    pub fn first(&self) -> Option<&Error> {
        self.0.first()
    }

    /// The first of a kind that `wanted` takes.
    #[must_use]
    pub fn find(&self, wanted: impl Fn(ErrorKind) -> bool) -> Option<&Error> {
        self.0.iter().find(|error| wanted(error.kind()))
    }
}

/// An answer that may have errors inside.
pub(super) trait Partial: Sized {
    /// Copies of the errors.
    fn flaws(&self) -> Flaws;
    /// The same answer with every error put through `f`.
    fn map_errors(self, f: impl Fn(Error) -> Error) -> Self;
}

impl Partial for Vec<Outcome> {
    fn flaws(&self) -> Flaws {
        let errors = self.iter().filter_map(|one| one.result.as_ref().err());
        Flaws(errors.cloned().collect())
    }

    fn map_errors(self, f: impl Fn(Error) -> Error) -> Self {
        let one = |outcome: Outcome| Outcome {
            result: outcome.result.map_err(&f),
            ..outcome
        };
        self.into_iter().map(one).collect()
    }
}

impl Partial for MachineBatch {
    fn flaws(&self) -> Flaws {
        Flaws(self.shortfall.iter().cloned().collect())
    }

    fn map_errors(self, f: impl Fn(Error) -> Error) -> Self {
        Self {
            shortfall: self.shortfall.map(f),
            ..self
        }
    }
}

/// An answer that is whole or an error.
pub(super) struct Whole<T>(pub(super) T);

impl<T> Partial for Whole<T> {
    fn flaws(&self) -> Flaws {
        Flaws::none()
    }

    fn map_errors(self, _: impl Fn(Error) -> Error) -> Self {
        self
    }
}

/// The error that an answer counts as, where it counts as one: the call's own, or the first inside.
pub(super) fn error_in(answer: &Result<Flaws>) -> Option<&Error> {
    match answer {
        Ok(flaws) => flaws.first(),
        Err(error) => Some(error),
    }
}
