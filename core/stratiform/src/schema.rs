//! The JSON Schema of a plan on disk.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};
use strat_model::schema::{DECIMAL, describe};
use strat_planner::Plan;

use crate::saved::AMOUNTS;

/// The JSON Schema of what [`SavedPlan::to_json`](crate::SavedPlan::to_json) gives: the plan's
/// own, with what that changes.
#[must_use]
pub fn plan_schema() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<Plan>();
    let mut schema = schema.to_value();
    schema["title"] = "A Stratiform plan".into();
    schema["description"] =
        "What `strat plan --json` answers, and `strat plan --out` writes to a file.".into();
    describe(&mut schema);
    let properties = &mut schema["properties"];
    properties["format_version"]["description"] = "The version of this form.".into();
    properties["format_version"]["const"] = Plan::FORMAT_VERSION.into();
    properties["owner"] = properties["topology"].take();
    properties["topology"] = json!({
        "description": "The topology's name.",
        "$ref": "#/$defs/Name",
    });
    properties["digest"] = json!({
        "description": "A digest of all else that is in the plan, `summary`, `cost` and each \
                        `reason` too: SHA-256 of the compact JSON with sorted keys of the plan \
                        without `changes` and `digest`, a zero byte, and each change followed by one.",
        "type": "string",
        "pattern": strat_model::schema::SHA256,
    });
    properties["targets"] = json!({
        "description": "What the plan is limited to, such as `machines.web` or `site.dc1`; \
                        left out where it is everything.",
        "type": "array",
        "items": { "type": "string" },
        "minItems": 1,
    });
    properties["offline"] = json!({
        "description": "Only in what `strat plan --offline --json` answers, which cannot be applied: \
                        of each site where its facts are from, and when they were true.",
        "type": "object",
        "properties": { "sites": { "type": "object", "additionalProperties": {
            "type": "object",
            "properties": {
                "source": { "enum": ["cache", "snapshot", "provider"] },
                "as_of": { "type": ["string", "null"], "format": "date-time" },
            },
            "required": ["source", "as_of"],
        } } },
        "required": ["sites"],
    });
    properties["lease_stores"] = json!({
        "description": "What applying it makes besides, once, to keep leases in; left out where \
                        nothing is missing.",
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "place": {
                    "description": "Whose leases: `site.aws`, or `all sites`.",
                    "type": "string",
                },
                "what": { "description": "What is made, in words.", "type": "string" },
            },
            "required": ["place", "what"],
        },
        "minItems": 1,
    });
    properties["without"] = json!({
        "description": "The sites that the plan was made without; left out where there is none.",
        "type": "array",
        "items": { "$ref": "#/$defs/Name" },
        "minItems": 1,
        "uniqueItems": true,
    });
    if let Some(required) = schema["required"].as_array_mut() {
        required.extend(["owner".into(), "digest".into()]);
    }
    for fields in ["before", "after"] {
        schema["$defs"]["Change"]["properties"][fields]["type"] = json!(["object", "null"]);
    }
    for cost in ["Cost", "SiteCost"] {
        for amount in AMOUNTS {
            let amount = &mut schema["$defs"][cost]["properties"][amount];
            amount["type"] = json!(["number", "string", "null"]);
            amount["pattern"] = DECIMAL.into();
            amount["$comment"] =
                "An exact decimal as text where a number would lose digits of it.".into();
        }
    }
    schema
}
