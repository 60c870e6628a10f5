//! The behaviours, each an async function that returns when the promise is seen kept, and panics
//! when it is broken.

pub mod changing;
pub mod facets;
pub mod finding;
pub mod internet;
pub mod leases;
pub mod machines;
pub mod marks;
pub mod network;
pub mod outside;
pub mod reading;
pub mod repeating;
pub mod site;
pub mod storage;
pub mod updating;

use crate::Outcome;

/// The behaviour is not about this provider, or cannot be put to the test.
fn passed_over(why: impl Into<String>) -> Outcome {
    Outcome::NotApplicable(why.into())
}

/// Connects a bench; where the site lacks the kind, the behaviour is passed over.
macro_rules! bench {
    ($harness:expr) => {
        $crate::Bench::new($harness).await
    };
    ($harness:expr, $($kind:ident),+) => {{
        let bench = $crate::Bench::new($harness).await;
        $(
            if !bench.has(strat_model::Kind::$kind) {
                let why = concat!("the site has nothing of the kind ", stringify!($kind));
                return $crate::behaviours::passed_over(why);
            }
        )+
        bench
    }};
}
use bench;
