//! The forms in which programs are answered, apart from the types of the program: what is called what,
//! and what its schema says. Who answers fills them in.
//!
//! A form only grows: a field that is there keeps its name and its meaning for as long as its
//! `format_version` is the same. Readers pass over what they do not know.

mod applied;
mod failed;
mod offered;
mod reached;
#[cfg(feature = "schema")]
mod schema;
mod shown;
mod stream;

use serde::{Serialize, Serializer};

pub use applied::{
    Applied, OutputValue, Place, Relocated, StepOutcome, StepTold, Unseen as ProblemTold, Went,
};
pub use failed::{Failed, Finding, FindingLabel, Validated};
pub use offered::{OfferSource, OfferTold, Offered};
pub use reached::{AskedTold, CrossingTold, FilePlace, HopTold, Reached, RuleTold};
#[cfg(feature = "schema")]
pub use schema::{
    apply_events_schema, apply_schema, error_schema, offers_schema, reach_schema, show_schema,
};
pub use shown::{BareSpec, LookupState, Shown, ShownLookup, ShownThing, ThingOfOthers};
pub use stream::{Line, Own, Told};

/// The version of every form in this module.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Version;

impl Version {
    /// The number.
    pub const NUMBER: u32 = 1;
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::NUMBER.serialize(serializer)
    }
}

/// An answer with its version.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Versioned<T> {
    /// The version of this form.
    pub format_version: Version,
    /// The answer.
    #[serde(flatten)]
    pub answer: T,
}

impl<T> Versioned<T> {
    /// An answer with its version.
    pub const fn of(answer: T) -> Self {
        Self {
            format_version: Version,
            answer,
        }
    }
}
