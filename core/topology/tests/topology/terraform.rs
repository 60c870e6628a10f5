//! Every expression of `terraform/expressions.json` has the value that Terraform gives, but for
//! those of the table in docs/language.md.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use strat_model::Inventory;
use strat_topology::Inputs;

use super::support::evaluate_with;

const CASES: &str = include_str!("terraform/expressions.json");
const PREAMBLE: &str = include_str!("terraform/preamble.hcl");
const GUIDE: &str = include_str!("../../../../docs/language.md");
/// How a refusal is written.
const REFUSED: &str = "refused";

/// The value that an expression has here, as JSON text; `None` if it is refused.
fn ours(expression: &str) -> Option<String> {
    let text = format!(
        "topology \"t\" {{}}\n{PREAMBLE}\noutput \"r\" {{\n  sensitive = true\n  value = {expression}\n}}\n"
    );
    let evaluated = evaluate_with(&[("t.hcl", &text)], &Inputs::default()).ok()?;
    let outputs = evaluated.outputs(&Inventory::default());
    outputs["r"].value.as_ref().map(ToString::to_string)
}

/// The numbers of JSON text, and the text without them.
fn numbers(json: &str) -> (Vec<&str>, String) {
    let (mut numbers, mut rest) = (Vec::new(), String::new());
    let (mut in_string, mut escaped) = (false, false);
    let mut start = None;
    for (at, c) in json.char_indices().chain([(json.len(), ' ')]) {
        let digit = !in_string && (c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E'));
        // The `e` of `true` and `false` begins no number.
        let begins = digit && (c.is_ascii_digit() || c == '-');
        match start {
            None if begins => start = Some(at),
            Some(first) if !digit => {
                numbers.push(&json[first..at]);
                start = None;
                rest.push('0');
            }
            _ => {}
        }
        if start.is_none() && at < json.len() {
            rest.push(c);
        }
        if c == '"' && !escaped {
            in_string = !in_string;
        }
        escaped = c == '\\' && !escaped;
    }
    (numbers, rest)
}

/// Whether two numbers are the same: whole ones to the last digit, others as Terraform rounds them
/// to a double when it prints them.
fn same_number(ours: &str, theirs: &str) -> bool {
    ours == theirs
        || (theirs.contains(['.', 'e']) && ours.parse::<f64>().ok() == theirs.parse::<f64>().ok())
}

fn same(ours: Option<&str>, theirs: Option<&str>) -> bool {
    let (Some(ours), Some(theirs)) = (ours, theirs) else {
        return ours == theirs;
    };
    let ((ours, our_rest), (theirs, their_rest)) = (numbers(ours), numbers(theirs));
    our_rest == their_rest
        && ours.len() == theirs.len()
        && ours.iter().zip(theirs).all(|(a, b)| same_number(a, b))
}

/// The rows of the guide's table: expression, Terraform's value, ours.
fn differences() -> BTreeMap<String, (String, String)> {
    let table = GUIDE.split("<!-- differences -->").nth(1);
    let table = table.and_then(|rest| rest.split("<!-- end of differences -->").next());
    let lines = table.expect("the guide has the table").lines();
    let rows = lines.filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells = row.trim_matches('|').replace("\\|", "\u{0}");
        let cells: Vec<String> = cells
            .split('|')
            .map(|cell| cell.trim().replace('\u{0}', "|").replace('↵', "\n"))
            .map(|cell| cell.trim_matches('`').to_owned())
            .collect();
        let [expression, theirs, ours, reason] = cells.as_slice() else {
            panic!("four cells: {row}");
        };
        assert!(!reason.is_empty(), "{row}");
        (expression.clone(), (theirs.clone(), ours.clone()))
    })
    .collect()
}

/// Whether a row says so; a long value may end in `…`.
fn is_told(row: &(String, String), found: &(String, String)) -> bool {
    let cell = |row: &str, found: &str| match row.strip_suffix('…') {
        Some(start) => found.starts_with(start),
        None => row == found,
    };
    cell(&row.0, &found.0) && cell(&row.1, &found.1)
}

#[test]
fn every_expression_has_terraforms_value() {
    let cases: Vec<Json> = serde_json::from_str(CASES).expect("the cases are JSON");
    assert_eq!(cases.len(), 1229);
    let differences = differences();
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for case in &cases {
        let expression = case["expr"].as_str().expect("an expression");
        let theirs = case["value"].as_str();
        let ours = ours(expression);
        let shown = |value: Option<&str>| value.unwrap_or(REFUSED).to_owned();
        let told = (shown(theirs), shown(ours.as_deref()));
        match differences.get(expression) {
            Some(wanted) if !is_told(wanted, &told) => {
                wrong.push(format!("{expression}: {told:?}, not as the guide says"));
            }
            Some(_) => {
                seen.insert(expression);
            }
            None if same(ours.as_deref(), theirs) => {}
            None => wrong.push(format!("{expression:?}: {told:?}")),
        }
    }
    let missing: Vec<&String> = differences
        .keys()
        .filter(|expression| !seen.contains(expression.as_str()))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(
        missing.is_empty(),
        "the guide tells of no case: {missing:?}"
    );
}
