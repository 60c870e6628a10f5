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
/// The longest key that any cloud takes (Azure), and the longest value.
const KEY_MAX: usize = 512;
const VALUE_MAX: usize = 256;

/// Labels that some cloud takes. Whether each cloud does where a thing may go is found out when it is
/// placed: their rules differ widely.
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
    let plain =
        |text: &str, most: usize| text.chars().count() <= most && !text.contains(char::is_control);
    if key.is_empty() || !plain(key, KEY_MAX) {
        return Err(fail(
            "bad_label",
            format!("the label key `{key}` is not one that any cloud takes"),
            Some("use 1 to 512 characters, none of them a line break or a tab"),
        ));
    }
    if key.starts_with("stratiform:") {
        return Err(fail(
            "bad_label",
            format!("the label key `{key}` is Stratiform's own"),
            Some("call it something else"),
        ));
    }
    let Some(text) = text_of(value) else {
        let found = value.describe();
        let message = format!("the label `{key}` is a string, not {found}");
        return Err(fail("wrong_type", message, None));
    };
    if !plain(&text, VALUE_MAX) {
        return Err(fail(
            "bad_label",
            format!("the value of the label `{key}` is not one that any cloud takes"),
            Some("use at most 256 characters, none of them a line break or a tab"),
        ));
    }
    Ok(text.as_ref().to_owned())
}
