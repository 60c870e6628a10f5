//! Leases that a site keeps.

use std::sync::Arc;

use super::{bench, passed_over};
use crate::leases::{self, LeaseBench};
use crate::{Harness, Outcome};

/// One behaviour: the suite's, on the store of a site.
macro_rules! behaviour {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub async fn $name(harness: &dyn Harness) -> Outcome {
            let bench = bench!(harness);
            let Some(store) = bench.provider.leases() else {
                return passed_over("the site keeps no leases");
            };
            let clock = Arc::clone(&bench.clock);
            let run = format!("{}-{}", bench.run, stringify!($name));
            leases::$name(&LeaseBench { store, clock, run }).await;
            Outcome::Held
        }
    };
}

behaviour! {
    /// A place is said, and it is the same each time.
    a_place_is_said
}
behaviour! {
    /// Of many that take a lease at once, one has it.
    of_many_at_once_one_takes_it
}
behaviour! {
    /// Only who saw the newest version writes the next.
    only_the_newest_version_is_followed
}
behaviour! {
    /// Keys are apart, and texts come back whole.
    keys_are_apart
}
behaviour! {
    /// A store that holds its conditions is found to do so.
    conditions_are_proved
}
