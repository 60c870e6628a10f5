//! Labels.

use strat_model::{Labels, Texts};

use super::item::Arg;
use super::read;
use crate::eval::Evaluator;
use crate::report::{Failed, Outcome};
use crate::span::Span;
use crate::value::{Value, text_of};

/// The most labels of one thing: AWS and Azure take 50 tags, and some are Stratiform's own.
pub(super) const MAX_LABELS: usize = 40;

/// Labels within what every cloud takes: Google's keys are lower case and its keys and values
/// have at most 63 characters; Kubernetes and Azure rule out further signs.
pub(super) fn labels(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<Labels> {
    let Value::Map(map) = &arg.value else {
        return Err(read::wrong(
            ev,
            arg,
            "a map of strings",
            Some("write `{ role = \"web\" }`".to_owned()),
        ));
    };
    let mut labels = Texts::with_capacity(map.len());
    let mut result = Ok(());
    for (key, value) in map.iter() {
        let span = read::entry(arg, key).unwrap_or(arg.span);
        match label(ev, key, value, span) {
            Ok(text) => {
                labels.insert(key.as_ref().to_owned(), text);
            }
            Err(failed) => result = Err(failed),
        }
    }
    result.map(|()| labels.into())
}

fn label(ev: &mut Evaluator<'_>, key: &str, value: &Value, span: Span) -> Outcome<String> {
    let mut fail = |code: &str, message: String, help: Option<&str>| -> Failed {
        ev.fail(span, code, message, "this label", help.map(str::to_owned))
    };
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    let first = key.starts_with(|c: char| c.is_ascii_lowercase());
    if !first || key.len() > 63 || !key.chars().all(good) {
        return Err(fail(
            "bad_label",
            format!("the label key `{key}` is not one that every cloud takes"),
            Some("use 1 to 63 lower-case letters, digits, `_` and `-`, beginning with a letter"),
        ));
    }
    let Some(text) = text_of(value) else {
        let found = value.describe();
        let message = format!("the label `{key}` is a string, not {found}");
        return Err(fail("wrong_type", message, None));
    };
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if text.len() > 63 || !text.chars().all(good) {
        return Err(fail(
            "bad_label",
            format!("the value of the label `{key}` is not one that every cloud takes"),
            Some("use at most 63 letters, digits, `_`, `-` and `.`"),
        ));
    }
    Ok(text.as_ref().to_owned())
}
