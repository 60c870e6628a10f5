//! Functions of sets.

use super::args::NO_COMMON_TYPE;
use super::{Args, FnResult, Function, pure};
use crate::types::alike;
use crate::value::{ITEM_BYTES, Items, Value, order};

const ANY: usize = usize::MAX;
/// The most combinations that are made.
const MAX_ITEMS: usize = 1_000_000;

pub(super) static TABLE: &[Function] = &[
    pure(
        "setintersection",
        (1, ANY),
        intersection,
        "setintersection(set...)",
        "What is in all sets.",
        "setintersection([1, 2], [2, 3]) == toset([2])",
    ),
    pure(
        "setproduct",
        (1, ANY),
        product,
        "setproduct(list...)",
        "Every combination of one item of each list.",
        "setproduct([1, 2], [\"a\"]) == [[1, \"a\"], [2, \"a\"]]",
    ),
    pure(
        "setsubtract",
        (2, 2),
        subtract,
        "setsubtract(set, set)",
        "What is in the first set alone.",
        "setsubtract([1, 2], [2]) == toset([1])",
    ),
    pure(
        "setunion",
        (1, ANY),
        union,
        "setunion(set...)",
        "What is in any set.",
        "setunion([1], [2, 1]) == toset([1, 2])",
    ),
];

/// The arguments as sets of one type.
fn sets(args: &Args<'_>) -> FnResult<Vec<Items>> {
    let mut all = Vec::new();
    let mut lengths = Vec::new();
    for at in 0..args.len() {
        let items = args.list(at)?;
        all.extend_from_slice(items);
        lengths.push(items.len());
    }
    let Some(mut all) = alike(all) else {
        return Args::error(0, NO_COMMON_TYPE);
    };
    let mut sets: Vec<Items> = Vec::new();
    for length in lengths.into_iter().rev() {
        let items = all.split_off(all.len() - length);
        sets.push(Items::set(items));
    }
    sets.reverse();
    Ok(sets)
}

fn has(set: &Items, item: &Value) -> bool {
    set.binary_search_by(|other| order(other, item)).is_ok()
}

fn intersection(args: &Args<'_>) -> FnResult {
    let sets = sets(args)?;
    let in_all = |item: &&Value| sets.iter().all(|set| has(set, item));
    let first = sets.first().into_iter().flat_map(|set| set.iter());
    Ok(Value::set(first.filter(in_all).cloned().collect()))
}

fn union(args: &Args<'_>) -> FnResult {
    let sets = sets(args)?;
    Ok(Value::set(
        sets.iter().flat_map(|set| set.iter().cloned()).collect(),
    ))
}

fn subtract(args: &Args<'_>) -> FnResult {
    let sets = sets(args)?;
    let [first, other] = sets.as_slice() else {
        return Args::error(0, "takes two sets");
    };
    let left = first.iter().filter(|item| !has(other, item));
    Ok(Value::set(left.cloned().collect()))
}

fn product(args: &Args<'_>) -> FnResult {
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for at in 0..args.len() {
        let items = &args.items_of_one_type(at)?;
        // A row has as many items as there are lists.
        let rows_made = rows.len().saturating_mul(items.len());
        Args::room(at, rows_made.saturating_mul((at + 1) * ITEM_BYTES))?;
        if rows_made > MAX_ITEMS {
            return Args::error(at, format!("makes at most {MAX_ITEMS} combinations"));
        }
        let longer = rows.iter().flat_map(|row| {
            items.iter().map(|item| {
                let mut row = row.clone();
                row.push(item.clone());
                row
            })
        });
        rows = longer.collect();
    }
    let rows: Vec<Value> = rows.into_iter().map(Value::list).collect();
    let all_sets = (0..args.len()).all(|at| match args.value(at) {
        Value::List(items) => items.is_set(),
        _ => false,
    });
    Ok(if all_sets {
        Value::set(rows)
    } else {
        Value::list_of_one_type(rows)
    })
}
