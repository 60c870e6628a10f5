//! One change of a plan, for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anstyle::Style;
use stratiform::model::{Field, Loss, Means, Transition};
use stratiform::planner::{Action, Change, FieldChange, Plan, ReplaceOrder};

use super::style::{CREATE, DELETE, DIM, NOTE, REPLACE, UPDATE, paint};
use super::wrap::{columns, pad, words, wrap};
use super::{spec, values};

/// The widest address that the details still stand beside.
const LABEL_MAX: usize = 36;
/// How many columns the details need at least; with fewer they go below the address.
const DETAILS_MIN: usize = 44;
/// How far details below an address are indented.
const INDENT: usize = 6;

/// The reasons that were said already, by action.
pub(crate) type Said<'a> = BTreeMap<Action, &'a str>;

/// The changes of one site, aligned with each other. What was `said` is not repeated.
pub(crate) fn changes(changes: &[&Change], said: &Said<'_>, width: usize) -> String {
    let labels: Vec<String> = changes.iter().map(|change| label(change)).collect();
    let column = labels
        .iter()
        .map(|label| columns(label))
        .filter(|columns| *columns <= LABEL_MAX)
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for (change, label) in changes.iter().zip(&labels) {
        let place = Place::new(columns(label), column, width);
        one(&mut text, change, label, &place, said);
    }
    text
}

/// Where the details of a change go.
struct Place {
    /// The first column of the details.
    indent: usize,
    /// How many columns they have.
    room: usize,
    /// Whether they begin on the line of the address, which is then padded to this many columns.
    beside: Option<usize>,
}

impl Place {
    fn new(label: usize, column: usize, width: usize) -> Self {
        let indent = 4 + column + 2;
        let room = width.saturating_sub(indent);
        if label <= column && room >= DETAILS_MIN {
            return Self {
                indent,
                room,
                beside: Some(column + 2),
            };
        }
        Self {
            indent: INDENT,
            room: width.saturating_sub(INDENT).max(20),
            beside: None,
        }
    }
}

fn one(text: &mut String, change: &Change, label: &str, place: &Place, said: &Said<'_>) {
    let (symbol, style) = symbol(change.action);
    let symbol = paint(style, symbol);
    let mut lines: Vec<(bool, String)> = Vec::new();
    if change.action == Action::Create {
        let mut pieces = spec::pieces(&change.goals);
        if change.public_ips {
            pieces.push(match change.count {
                1 => "a public address".to_owned(),
                _ => "a public address each".to_owned(),
            });
        }
        let pieces = wrap(&pieces, place.room);
        lines.extend(pieces.into_iter().map(|line| (false, line)));
    }
    if said.get(&change.action) != Some(&change.reason.as_str()) {
        let reason = words(&reason(change), place.room);
        lines.extend(reason.into_iter().map(|line| (true, line)));
    }
    if change.protected {
        lines.push((false, paint(DELETE, "protected")));
    }
    if Plan::loses_data(change) {
        lines.push((false, paint(DELETE, "its data is lost")));
    }
    if let Some(takes) = &change.transition {
        let stop = words(&stop(takes), place.room).into_iter();
        lines.extend(stop.map(|line| (false, paint(REPLACE, line))));
        let notes = takes.notes.iter().flat_map(|note| words(note, place.room));
        lines.extend(notes.map(|line| (true, line)));
    }
    let mut lines = lines
        .into_iter()
        .map(|(dim, line)| if dim { paint(DIM, line) } else { line });
    match place.beside {
        Some(column) => {
            let first = lines.next().unwrap_or_default();
            let line = format!("{symbol} {}{first}", pad(label, column));
            let _ = writeln!(text, "{}{}", before(change.action), line.trim_end());
        }
        None => {
            let _ = writeln!(text, "{}{symbol} {label}", before(change.action));
        }
    }
    for line in lines {
        let _ = writeln!(text, "{:indent$}{line}", "", indent = place.indent);
    }
    fields(text, change);
}

/// The spaces before a symbol, so that all symbols end in one column.
pub(crate) const fn before(action: Action) -> &'static str {
    match action {
        Action::Replace => "",
        _ => "  ",
    }
}

/// The address without its site, which the heading names, and how many.
fn label(change: &Change) -> String {
    let zone = change
        .addr
        .zone
        .as_ref()
        .map_or_else(String::new, |zone| format!("/{zone}"));
    let count = if change.count > 1 {
        format!(" x{}", change.count)
    } else {
        String::new()
    };
    format!("{}{zone}{count}", change.addr.local)
}

/// The symbol of an action and its colour.
pub(crate) const fn symbol(action: Action) -> (&'static str, Style) {
    match action {
        Action::NoOp => (" ", DIM),
        Action::Create => ("+", CREATE),
        Action::Adopt => ("&", NOTE),
        Action::Update => ("~", UPDATE),
        Action::Replace => ("-/+", REPLACE),
        Action::Delete => ("-", DELETE),
        Action::Forget => (".", NOTE),
    }
}

/// What a change costs a machine that stays the same one; nothing where it goes on running and loses nothing.
fn stop(takes: &Transition) -> String {
    let how = match takes.means {
        Means::Restart => "with a stop: it is shut down, changed and started again",
        Means::Deallocate => {
            "with a stop: it is shut down, changed and started again, perhaps on another host"
        }
        Means::Live if !takes.loses.is_empty() => "while it runs",
        Means::Live | Means::Recreate | Means::Refused { .. } => return String::new(),
    };
    let losses = takes.loses.iter().map(|loss| match loss {
        Loss::LocalDisks => "what is on the disks of its host is lost",
        Loss::DynamicAddress => "its public address becomes another",
        Loss::PublicAddress => "its public address is given back",
        Loss::Placement => "its place in its group is lost",
    });
    let mut text = how.to_owned();
    for loss in losses {
        text.push_str("; ");
        text.push_str(loss);
    }
    text
}

fn reason(change: &Change) -> String {
    let order = match change.order {
        Some(ReplaceOrder::CreateFirst) => " (the new one first)",
        Some(ReplaceOrder::DestroyFirst) => " (the old one has to go first)",
        None => "",
    };
    format!("{}{order}", change.reason)
}

/// Each field that differs: before, and after. The arrows stand below each other.
fn fields(text: &mut String, change: &Change) {
    if matches!(change.action, Action::Create | Action::Delete) {
        return;
    }
    differences(text, &change.fields);
}

/// The fields that differ, one in a line.
pub(crate) fn differences(text: &mut String, fields: &[FieldChange]) {
    let rows: Vec<Row> = fields.iter().flat_map(rows).collect();
    let width = |of: fn(&Row) -> &str| rows.iter().map(|row| columns(of(row))).max().unwrap_or(0);
    let names = width(|row| &row.name);
    let befores = width(|row| &row.before).min(40);
    for row in &rows {
        let name = pad(&row.name, names);
        let line = match (row.before.is_empty(), row.after.is_empty()) {
            (true, _) => format!("{} {}", paint(CREATE, "+"), row.after),
            (_, true) => format!("{} {}", paint(DELETE, "-"), row.before),
            _ => format!("{} -> {}", pad(&row.before, befores), row.after),
        };
        let forces = match (row.forces, row.stops) {
            (true, _) => paint(REPLACE, "  (makes it anew)"),
            (false, true) => paint(REPLACE, "  (stops it)"),
            (false, false) => String::new(),
        };
        let _ = writeln!(text, "{:8}{}  {line}{forces}", "", paint(NOTE, name));
    }
}

/// Whether two lists are told apart more easily by what is not in both.
fn lists_are_long(change: &FieldChange) -> bool {
    let len = |value: &serde_json::Value| value.as_array().map_or(0, Vec::len);
    len(&change.before) + len(&change.after) > 2
}

struct Row {
    name: String,
    before: String,
    after: String,
    forces: bool,
    stops: bool,
}

fn rows(change: &FieldChange) -> Vec<Row> {
    let row = |name: String, before: String, after: String| Row {
        name,
        before,
        after,
        forces: change.forces_replacement,
        stops: change.stops,
    };
    let name = change.field.to_string();
    if let Some(changes) = values::object_changes(&change.before, &change.after)
        && change.field == Field::Labels
    {
        return changes
            .into_iter()
            .map(|[key, before, after]| row(format!("{name}.{key}"), before, after))
            .collect();
    }
    let lists = match change.field {
        Field::Rules => values::rule_changes(&change.before, &change.after),
        field if lists_are_long(change) => {
            values::list_changes(field, &change.before, &change.after)
        }
        _ => None,
    };
    if let Some((gone, new)) = lists {
        let gone = gone
            .into_iter()
            .map(|item| row(name.clone(), item, String::new()));
        let new = new
            .into_iter()
            .map(|item| row(name.clone(), String::new(), item));
        return gone.chain(new).collect();
    }
    vec![row(
        name,
        values::value(change.field, &change.before),
        values::value(change.field, &change.after),
    )]
}
