//! The filters of lists: the part of the language that callers need. The rest is refused.
//!
//! <https://cloud.google.com/compute/docs/reference/rest/v1/instances/list> (`filter`): comparisons
//! by `=`, `!=`, `:` or, never mixed with these, by the regular expressions of `eq` and `ne`; each
//! in parentheses where there are several; `AND` is meant where nothing stands between, and `OR`
//! binds more tightly (<https://google.aip.dev/160>).

use regex::Regex;
use serde_json::Value;

use crate::refusal::Refusal;

/// A filter: all of its groups must hold, and one comparison of each.
#[derive(Debug)]
pub(crate) struct Filter(Vec<Vec<Comparison>>);

#[derive(Debug)]
struct Comparison {
    field: String,
    test: Test,
}

#[derive(Debug)]
enum Test {
    Is(String),
    IsNot(String),
    Has(String),
    IsThere,
    Matches(Regex),
    MatchesNot(Regex),
}

impl Filter {
    /// # Errors
    /// 400 for what is no filter, or one that the double does not know.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let bad = || Refusal::invalid("filter", text, "Invalid list filter expression.");
        let mut groups: Vec<Vec<Comparison>> = Vec::new();
        let mut rest = text.trim();
        let mut or = false;
        let mut seen = [false; 2];
        while !rest.is_empty() {
            let (one, after) = term(rest).ok_or_else(bad)?;
            let (comparison, is_regex) = Comparison::parse(one).ok_or_else(bad)?;
            seen[usize::from(is_regex)] = true;
            match groups.last_mut().filter(|_| or) {
                Some(group) => group.push(comparison),
                None => groups.push(vec![comparison]),
            }
            rest = after.trim_start();
            or = false;
            for (word, is_or) in [("AND ", false), ("OR ", true)] {
                if let Some(after) = rest.strip_prefix(word) {
                    (rest, or) = (after.trim_start(), is_or);
                    if rest.is_empty() {
                        return Err(bad());
                    }
                    break;
                }
            }
        }
        match seen {
            [true, true] => Err(bad()),
            _ => Ok(Self(groups)),
        }
    }

    pub(crate) fn matches(&self, item: &Value) -> bool {
        let mut groups = self.0.iter();
        groups.all(|group| group.iter().any(|one| one.matches(item)))
    }
}

/// The first comparison of a text, without its parentheses, and what comes after it.
fn term(text: &str) -> Option<(&str, &str)> {
    let Some(inner) = text.strip_prefix('(') else {
        // Without parentheses a regular expression is the whole filter.
        let end = [" AND ", " OR "]
            .iter()
            .filter_map(|word| text.find(word))
            .min();
        let (one, rest) = text.split_at(end.unwrap_or(text.len()));
        return Some((one, rest));
    };
    let mut is_quoted = false;
    let mut depth = 1_u32;
    for (at, c) in inner.char_indices() {
        match c {
            '"' => is_quoted = !is_quoted,
            '(' if !is_quoted => depth += 1,
            ')' if !is_quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((&inner[..at], &inner[at + 1..]));
        }
    }
    None
}

impl Comparison {
    /// A comparison, and whether it is by regular expression.
    fn parse(text: &str) -> Option<(Self, bool)> {
        let text = text.trim();
        let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c)))?;
        let (field, rest) = text.split_at(end);
        if field.is_empty() {
            return None;
        }
        let rest = rest.trim_start();
        let signs = ["!=", "=", ":", "eq ", "ne "];
        let sign = signs.into_iter().find(|sign| rest.starts_with(sign))?;
        let value = plain(rest[sign.len()..].trim())?;
        let regex = || Regex::new(&format!("^(?:{value})$")).ok();
        let test = match sign {
            "!=" => Test::IsNot(value),
            "=" => Test::Is(value),
            ":" if value == "*" => Test::IsThere,
            ":" => Test::Has(value),
            "eq " => Test::Matches(regex()?),
            _ => Test::MatchesNot(regex()?),
        };
        let is_regex = matches!(test, Test::Matches(_) | Test::MatchesNot(_));
        let field = field.to_owned();
        Some((Self { field, test }, is_regex))
    }

    fn matches(&self, item: &Value) -> bool {
        let found = look_up(item, &self.field);
        let text = found.map(|value| match value {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        });
        match &self.test {
            Test::Is(wanted) => text.as_ref() == Some(wanted),
            Test::IsNot(wanted) => text.as_ref() != Some(wanted),
            Test::Has(part) => text.is_some_and(|text| text.contains(part)),
            Test::IsThere => found.is_some(),
            Test::Matches(regex) => text.is_some_and(|text| regex.is_match(&text)),
            Test::MatchesNot(regex) => text.is_none_or(|text| !regex.is_match(&text)),
        }
    }
}

/// A value without its quotes; none where there is something after it.
fn plain(text: &str) -> Option<String> {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            let inner = inner.strip_suffix(quote)?;
            return (!inner.contains(quote)).then(|| inner.to_owned());
        }
    }
    let is_one = !text.is_empty() && !text.contains(char::is_whitespace);
    is_one.then(|| text.to_owned())
}

/// A field, by its path of names.
fn look_up<'a>(item: &'a Value, path: &str) -> Option<&'a Value> {
    let mut names = path.split('.');
    let found = names.try_fold(item, |value, name| value.get(name));
    found.filter(|value| !value.is_null())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Filter;

    #[test]
    fn comparisons_hold_together_and_or_binds_more_tightly() {
        let item = json!({ "name": "web-1", "labels": { "a": "x", "b-c": "y" }, "n": 3 });
        let cases = [
            ("", true),
            ("labels.a=x", true),
            ("labels.a = \"x\"", true),
            ("labels.a=y", false),
            ("labels.a!=y", true),
            ("(labels.a=x)(labels.b-c=y)", true),
            ("(labels.a=x) AND (labels.b-c=z)", false),
            ("(labels.a=z) OR (labels.b-c=y) AND (name=web-1)", true),
            ("(name=other) AND (labels.a=x) OR (labels.b-c=y)", false),
            ("labels.a:*", true),
            ("labels.none:*", false),
            ("name eq web-[0-9]+", true),
            ("name eq web", false),
            ("name ne 'web'", true),
            ("n=3", true),
        ];
        for (text, wanted) in cases {
            let filter = Filter::parse(text).expect(text);
            assert_eq!(filter.matches(&item), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        let cases = [
            "name",
            "=x",
            "name=",
            "name>3",
            "(name=x",
            "name=a b",
            "(name eq a)(name=b)",
            "name eq [",
            "name=x AND ",
            "NOT name=x",
        ];
        for text in cases {
            let refusal = Filter::parse(text).expect_err(text);
            assert_eq!((refusal.code, refusal.reason.as_str()), (400, "invalid"));
        }
    }
}
