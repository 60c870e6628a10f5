//! What the value of a rule says.

use regorus::Value as Rego;
use stratiform::policy::{PolicyPlace, Ruling, Verdict};

/// The verdicts of a rule: each sentence or object of its set or list. Undefined, and `false`, is none.
///
/// # Errors
/// What is wrong with the value: a guard whose words are not understood is not passed over.
pub(crate) fn of(
    value: &Rego,
    ruling: Ruling,
    rule: &str,
    places: &[PolicyPlace],
) -> Result<Vec<Verdict>, String> {
    let one = |value: &Rego| {
        let (message, addr) = said(value, rule)?;
        Ok(Verdict {
            ruling,
            rule: rule.to_owned(),
            defined_at: places.to_vec(),
            message,
            addr,
        })
    };
    match value {
        Rego::Undefined | Rego::Bool(false) => Ok(Vec::new()),
        Rego::Set(set) => set.iter().map(one).collect(),
        Rego::Array(list) => list.iter().map(one).collect(),
        _ => Err(format!(
            "the rule `{rule}` is no set of sentences: write `contains msg if {{ … }}`"
        )),
    }
}

/// The sentence, and what it is about.
fn said(value: &Rego, rule: &str) -> Result<(String, Option<String>), String> {
    let text = |value: &Rego| match value {
        Rego::String(text) if !text.trim().is_empty() => Some(text.to_string()),
        _ => None,
    };
    if let Some(message) = text(value) {
        return Ok((message, None));
    }
    let message = match value {
        Rego::Object(_) => text(&value["msg"]),
        _ => None,
    };
    let message = message.ok_or_else(|| {
        format!(
            "the rule `{rule}` says {value}, which is neither a sentence nor an object with the sentence \
             as `msg`"
        )
    })?;
    Ok((message, text(&value["addr"])))
}
