//! Why what ran out was placed nowhere else.

use std::fmt;
use std::sync::Arc;

use strat_model::ErrorView;

use crate::Error;

/// Why what ran out was placed nowhere else.
#[derive(Debug, Clone)]
pub enum Stuck {
    /// It was planned again so often, and something ran out each time.
    TooOften(usize),
    /// What is planned without it deletes what the plan that was agreed to did not.
    DeletesMore,
    /// There is no plan without it, or none that may be applied: no place, or over a budget.
    Refused(Arc<Error>),
}

impl Stuck {
    /// All that is told of it.
    #[must_use]
    pub fn view(&self) -> ErrorView {
        match self {
            Self::TooOften(_) => ErrorView::new("planned_too_often", self.to_string())
                .with_help("apply again: what ran out is remembered for a while"),
            Self::DeletesMore => ErrorView::new("deletes_more", self.to_string())
                .with_help("plan again, and look at what it deletes"),
            Self::Refused(error) => error.view(),
        }
    }
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooOften(times) => write!(f, "it was planned again {times} times"),
            Self::DeletesMore => {
                f.write_str("what is planned without it deletes what this apply's plan did not")
            }
            Self::Refused(error) => error.fmt(f),
        }
    }
}
