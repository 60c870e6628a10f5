//! Functions of texts.

use unicode_segmentation::UnicodeSegmentation as _;

use super::format::{format, format_list};
use super::{Args, FnResult, Function, case, pure};
use crate::value::{ITEM_BYTES, Value};

const ANY: usize = usize::MAX;

pub(super) static TABLE: &[Function] = &[
    pure(
        "chomp",
        (1, 1),
        chomp,
        "chomp(text)",
        "The text without line breaks at its end.",
        "chomp(\"a\\n\") == \"a\"",
    ),
    pure(
        "endswith",
        (2, 2),
        ends_with,
        "endswith(text, end)",
        "Whether the text ends so.",
        "endswith(\"web-1\", \"-1\")",
    ),
    pure(
        "format",
        (1, ANY),
        format,
        "format(spec, value...)",
        "The spec with values in the places of its verbs, which are those of Go: %s, %d, %v, %q, %x, %f, %e, %g, %t and so on.",
        "format(\"web-%02d\", 3) == \"web-03\"",
    ),
    pure(
        "formatlist",
        (1, ANY),
        format_list,
        "formatlist(spec, list...)",
        "The spec formatted for each item of lists.",
        "formatlist(\"%s!\", [\"a\", \"b\"]) == [\"a!\", \"b!\"]",
    ),
    pure(
        "indent",
        (2, 2),
        indent,
        "indent(spaces, text)",
        "The text with every line but the first indented.",
        "indent(2, \"a\\nb\") == \"a\\n  b\"",
    ),
    pure(
        "join",
        (2, ANY),
        join,
        "join(separator, texts...)",
        "The texts of lists in one.",
        "join(\", \", [\"a\", \"b\"]) == \"a, b\"",
    ),
    pure(
        "lower",
        (1, 1),
        lower,
        "lower(text)",
        "The text in lower case.",
        "lower(\"AbC\") == \"abc\"",
    ),
    pure(
        "split",
        (2, 2),
        split,
        "split(separator, text)",
        "The pieces of a text.",
        "split(\",\", \"a,b\") == [\"a\", \"b\"]",
    ),
    pure(
        "startswith",
        (2, 2),
        starts_with,
        "startswith(text, start)",
        "Whether the text begins so.",
        "startswith(\"web-1\", \"web\")",
    ),
    pure(
        "strcontains",
        (2, 2),
        contains,
        "strcontains(text, part)",
        "Whether the part is in the text.",
        "strcontains(\"web-1\", \"-\")",
    ),
    pure(
        "strrev",
        (1, 1),
        reverse,
        "strrev(text)",
        "The text backwards.",
        "strrev(\"abc\") == \"cba\"",
    ),
    pure(
        "substr",
        (3, 3),
        substr,
        "substr(text, offset, length)",
        "A part of the text, in characters; a length below 0 is to the end.",
        "substr(\"hello\", 1, 3) == \"ell\"",
    ),
    pure(
        "title",
        (1, 1),
        title,
        "title(text)",
        "The text with every word's first letter in upper case.",
        "title(\"two words\") == \"Two Words\"",
    ),
    pure(
        "trim",
        (2, 2),
        trim,
        "trim(text, characters)",
        "The text without those characters at its ends.",
        "trim(\"--a-\", \"-\") == \"a\"",
    ),
    pure(
        "trimprefix",
        (2, 2),
        trim_prefix,
        "trimprefix(text, start)",
        "The text without that start.",
        "trimprefix(\"web-1\", \"web-\") == \"1\"",
    ),
    pure(
        "trimspace",
        (1, 1),
        trim_space,
        "trimspace(text)",
        "The text without white space at its ends.",
        "trimspace(\" a \") == \"a\"",
    ),
    pure(
        "trimsuffix",
        (2, 2),
        trim_suffix,
        "trimsuffix(text, end)",
        "The text without that end.",
        "trimsuffix(\"a.io\", \".io\") == \"a\"",
    ),
    pure(
        "upper",
        (1, 1),
        upper,
        "upper(text)",
        "The text in upper case.",
        "upper(\"AbC\") == \"ABC\"",
    ),
];

fn text(text: impl AsRef<str>) -> FnResult {
    Ok(Value::string(text))
}

fn texts<'a>(items: impl IntoIterator<Item = &'a str>) -> Value {
    Value::list_of_one_type(items.into_iter().map(Value::string).collect())
}

fn chomp(args: &Args<'_>) -> FnResult {
    text(args.text(0)?.trim_end_matches(['\n', '\r']))
}

fn ends_with(args: &Args<'_>) -> FnResult {
    Ok(Value::Bool(args.text(0)?.ends_with(&*args.text(1)?)))
}

fn starts_with(args: &Args<'_>) -> FnResult {
    Ok(Value::Bool(args.text(0)?.starts_with(&*args.text(1)?)))
}

fn contains(args: &Args<'_>) -> FnResult {
    Ok(Value::Bool(args.text(0)?.contains(&*args.text(1)?)))
}

fn indent(args: &Args<'_>) -> FnResult {
    let spaces = args.size(0)?;
    if spaces > 1024 {
        return Args::error(0, "takes at most 1024 spaces");
    }
    let whole = args.text(1)?;
    let breaks = whole.matches('\n').count();
    Args::room(1, whole.len().saturating_add(breaks.saturating_mul(spaces)))?;
    text(whole.replace('\n', &format!("\n{}", " ".repeat(spaces))))
}

fn join(args: &Args<'_>) -> FnResult {
    let separator = args.text(0)?;
    let mut all = Vec::new();
    for at in 1..args.len() {
        all.extend(args.texts(at)?);
    }
    let texts: usize = all.iter().map(|text| text.len()).sum();
    let between = all.len().saturating_mul(separator.len());
    Args::room(0, texts.saturating_add(between))?;
    text(all.join(&*separator))
}

fn lower(args: &Args<'_>) -> FnResult {
    text(args.text(0)?.chars().map(case::lower).collect::<String>())
}

fn upper(args: &Args<'_>) -> FnResult {
    text(args.text(0)?.chars().map(case::upper).collect::<String>())
}

fn reverse(args: &Args<'_>) -> FnResult {
    text(args.text(0)?.graphemes(true).rev().collect::<String>())
}

fn split(args: &Args<'_>) -> FnResult {
    let (separator, whole) = (args.text(0)?, args.text(1)?);
    if separator.is_empty() {
        Args::room(1, whole.len().saturating_mul(ITEM_BYTES))?;
        let signs = whole.chars().map(|c| Value::string(c.to_string()));
        return Ok(Value::list_of_one_type(signs.collect()));
    }
    let pieces = whole.matches(&*separator).count();
    Args::room(1, pieces.saturating_mul(ITEM_BYTES))?;
    Ok(texts(whole.split(&*separator)))
}

fn substr(args: &Args<'_>) -> FnResult {
    let whole = args.text(0)?;
    let whole: Vec<&str> = whole.graphemes(true).collect();
    let (offset, length) = (args.int(1)?, args.int(2)?);
    let offset = match usize::try_from(offset) {
        Ok(offset) => offset.min(whole.len()),
        Err(_) => whole
            .len()
            .saturating_sub(usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let end = match usize::try_from(length) {
        Ok(length) => offset.saturating_add(length).min(whole.len()),
        Err(_) => whole.len(),
    };
    text(whole[offset..end].concat())
}

fn title(args: &Args<'_>) -> FnResult {
    let mut out = String::new();
    let mut first = true;
    for c in args.text(0)?.chars() {
        out.push(if first { case::title(c) } else { c });
        first = between_words(c);
    }
    text(out)
}

/// Whether a word begins after a sign, by the rules of Go's `strings.Title`.
fn between_words(c: char) -> bool {
    if c.is_ascii() {
        !c.is_ascii_alphanumeric() && c != '_'
    } else {
        !c.is_alphanumeric() && c.is_whitespace()
    }
}

fn trim(args: &Args<'_>) -> FnResult {
    let characters: Vec<char> = args.text(1)?.chars().collect();
    text(args.text(0)?.trim_matches(characters.as_slice()))
}

fn trim_prefix(args: &Args<'_>) -> FnResult {
    let (whole, start) = (args.text(0)?, args.text(1)?);
    text(whole.strip_prefix(&*start).unwrap_or(&whole))
}

fn trim_suffix(args: &Args<'_>) -> FnResult {
    let (whole, end) = (args.text(0)?, args.text(1)?);
    text(whole.strip_suffix(&*end).unwrap_or(&whole))
}

fn trim_space(args: &Args<'_>) -> FnResult {
    text(args.text(0)?.trim())
}
