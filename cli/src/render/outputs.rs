//! Outputs, for people and as JSON.

use std::collections::BTreeMap;

use stratiform::OutputChange;
use stratiform::answer::OutputValue;
use stratiform::topology::Output;

use super::style::{BOLD, CREATE, DELETE, DIM, UPDATE, paint};
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

/// What a plan changes of them: what each says now, and what it will say. Nothing where it changes none.
pub(crate) fn planned(changes: &[OutputChange], width: usize) -> String {
    if changes.is_empty() {
        return String::new();
    }
    let names = changes.iter().map(|change| columns(&change.name)).max();
    let names = names.unwrap_or(0);
    let mut text = format!("\n{}\n", paint(BOLD, "Outputs:"));
    for change in changes {
        let room = width.saturating_sub(names + 7);
        let (symbol, said) = match (change.before.is_null(), change.after.is_null()) {
            _ if change.sensitive => (paint(UPDATE, "~"), paint(DIM, "(sensitive)")),
            (true, _) => (paint(CREATE, "+"), then(change)),
            (false, true) if !change.waits => (paint(DELETE, "-"), line(&change.before)),
            (false, _) => {
                let (before, after) = (line(&change.before), then(change));
                let arrow = format!("{before} -> {after}");
                let arrow = if columns(&arrow) > room {
                    format!("{before}\n      -> {after}")
                } else {
                    arrow
                };
                (paint(UPDATE, "~"), arrow)
            }
        };
        text.push_str(&format!(
            "  {symbol} {} = {said}\n",
            pad(&change.name, names)
        ));
    }
    text
}

fn then(change: &OutputChange) -> String {
    match change.waits {
        true => paint(DIM, "(known after apply)"),
        false => line(&change.after),
    }
}

fn line(value: &serde_json::Value) -> String {
    super::values::shorten(&value.to_string())
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

/// Value, sensitivity and description of each.
pub(crate) fn to_json(outputs: &BTreeMap<String, Output>) -> BTreeMap<&str, OutputValue<'_>> {
    let outputs = outputs.iter().map(|(name, output)| {
        let json = OutputValue {
            description: output.description.as_deref(),
            error: output.error.as_deref(),
            sensitive: output.sensitive,
            value: output.value.as_ref().filter(|_| !output.sensitive),
        };
        (name.as_str(), json)
    });
    outputs.collect()
}
