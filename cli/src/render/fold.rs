//! What is left out of a long list of changes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use stratiform::model::Noun;
use stratiform::planner::{Action, Change};

use super::change::{before, symbol};
use super::style::{DIM, paint};

/// How many changes are shown one by one before any are folded.
const FOLD_FROM: usize = 200;
/// How many of each group are shown all the same.
const SHOWN: usize = 5;

/// How much of a plan is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Every change.
    All,
    /// Of many changes, a few of each site, action and kind of block, and how many more there are.
    Folded,
}

impl Detail {
    /// What is to be shown of so many changes.
    pub(crate) const fn of(self, changes: usize) -> Self {
        match self {
            Self::Folded if changes > FOLD_FROM => Self::Folded,
            Self::Folded | Self::All => Self::All,
        }
    }
}

/// The changes of one site that are shown, and a line for each group of those that are not.
pub(crate) fn fold<'a>(changes: &[&'a Change], detail: Detail) -> (Vec<&'a Change>, String) {
    if detail == Detail::All {
        return (changes.to_vec(), String::new());
    }
    let mut groups: BTreeMap<(Noun, Action), Vec<&Change>> = BTreeMap::new();
    let mut shown = Vec::new();
    for change in changes {
        let key = (change.addr.local.noun, change.action);
        let group = groups.entry(key).or_default();
        group.push(change);
        if group.len() <= SHOWN {
            shown.push(*change);
        }
    }
    let mut text = String::new();
    for ((noun, action), group) in groups {
        let Some((first, rest)) = group.get(SHOWN..).and_then(<[_]>::split_first) else {
            continue;
        };
        let (sign, style) = symbol(action);
        let things: u64 = group[SHOWN..].iter().map(|c| u64::from(c.count)).sum();
        let mut line = format!(
            "{} more to {}: {}",
            things,
            action.as_str(),
            first.addr.local
        );
        if let Some(last) = rest.last() {
            let _ = write!(line, " … {}", last.addr.local);
        }
        let what = noun.as_str();
        let _ = writeln!(
            text,
            "{}{} {}",
            before(action),
            paint(style, sign),
            paint(DIM, format!("{what}: {line}"))
        );
    }
    (shown, text)
}
