//! Outputs, for people and as JSON.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stratiform::topology::Output;

use super::style::{BOLD, DIM, paint};
use super::wrap::{columns, pad};

/// `name = value` for each.
pub(crate) fn outputs(outputs: &BTreeMap<String, Output>, width: usize) -> String {
    if outputs.is_empty() {
        return "The topology has no outputs.\n".to_owned();
    }
    let names = outputs.keys().map(|name| columns(name)).max().unwrap_or(0);
    let mut text = format!("{}\n", paint(BOLD, "Outputs:"));
    for (name, output) in outputs {
        let value = value(output, width.saturating_sub(names + 5));
        text.push_str(&format!("  {} = {value}\n", pad(name, names)));
    }
    text
}

fn value(output: &Output, room: usize) -> String {
    if output.sensitive {
        return paint(DIM, "(sensitive)");
    }
    match (&output.value, &output.error) {
        (_, Some(error)) => paint(DIM, format!("({error})")),
        (None, None) => paint(DIM, "(known after apply)"),
        (Some(value), None) => {
            let line = value.to_string();
            if columns(&line) <= room {
                return line;
            }
            format!("{value:#}").replace('\n', "\n  ")
        }
    }
}

/// Value, sensitivity and description of each. A sensitive value is null.
pub(crate) fn to_json(outputs: &BTreeMap<String, Output>) -> Value {
    let outputs: serde_json::Map<String, Value> = outputs
        .iter()
        .map(|(name, output)| {
            let value = output.value.as_ref().filter(|_| !output.sensitive);
            let json = json!({
                "value": value,
                "sensitive": output.sensitive,
                "description": output.description,
                "error": output.error,
            });
            (name.clone(), json)
        })
        .collect();
    Value::Object(outputs)
}
