//! The JSON Schemas of the answers.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;
use strat_model::schema::of_titled;

use super::{Applied, Failed, Line, Offered, Reached, Shown, Version, Versioned};

impl JsonSchema for Version {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Version".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "const": Self::NUMBER })
    }
}

/// The JSON Schema of what there is: [`Shown`].
#[must_use]
pub fn show_schema() -> Value {
    let what = "What `strat show --json` answers: one entry for each real thing.";
    of_titled::<Versioned<Shown<'_>>>("What there is of a Stratiform topology", what)
}

/// The JSON Schema of what is on sale: [`Offered`].
#[must_use]
pub fn offers_schema() -> Value {
    let what = "What `strat offers --json` answers.";
    of_titled::<Versioned<Offered<'_>>>("What Stratiform's sites sell", what)
}

/// The JSON Schema of whether traffic may pass: [`Reached`].
#[must_use]
pub fn reach_schema() -> Value {
    let what = "What `strat reach --json` answers.";
    of_titled::<Versioned<Reached>>("Whether traffic may pass in a Stratiform topology", what)
}

/// The JSON Schema of what became of an apply: [`Applied`].
#[must_use]
pub fn apply_schema() -> Value {
    let what = "What `strat apply --json` answers, and with it `destroy`, `adopt` and `release`.";
    of_titled::<Versioned<Applied<'_>>>("What became of a Stratiform apply", what)
}

/// The JSON Schema of what is told while an apply goes on: [`Line`].
#[must_use]
pub fn apply_events_schema() -> Value {
    let what = "A line of what `strat apply --json --stream` writes, and with it `destroy`, `adopt` and `release`. The last line is `applied` or `failed`.";
    of_titled::<Line<'_>>("What happens in a Stratiform apply", what)
}

/// The JSON Schema of a failure: [`Failed`].
#[must_use]
pub fn error_schema() -> Value {
    let what = "What every command answers that was asked for JSON and did not do its work.";
    of_titled::<Versioned<Failed<'_>>>("A failure of a Stratiform command", what)
}
