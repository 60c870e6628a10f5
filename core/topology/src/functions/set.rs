//! Functions of sets.

use super::{Args, FnResult, Function, pure};
use crate::types::as_set;
use crate::value::{Value, order};

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
        "setintersection([1, 2], [2, 3]) == [2]",
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
        "setsubtract([1, 2], [2]) == [1]",
    ),
    pure(
        "setunion",
        (1, ANY),
        union,
        "setunion(set...)",
        "What is in any set.",
        "setunion([1], [2, 1]) == [1, 2]",
    ),
];

fn intersection(args: &Args<'_>) -> FnResult {
    let mut all = as_set(args.list(0)?.to_vec());
    for at in 1..args.len() {
        let other = as_set(args.list(at)?.to_vec());
        all.retain(|item| other.binary_search_by(|o| order(o, item)).is_ok());
    }
    Ok(Value::list(all))
}

fn union(args: &Args<'_>) -> FnResult {
    let mut all = Vec::new();
    for at in 0..args.len() {
        all.extend_from_slice(args.list(at)?);
    }
    Ok(Value::list(as_set(all)))
}

fn subtract(args: &Args<'_>) -> FnResult {
    let other = as_set(args.list(1)?.to_vec());
    let mut all = as_set(args.list(0)?.to_vec());
    all.retain(|item| other.binary_search_by(|o| order(o, item)).is_err());
    Ok(Value::list(all))
}

fn product(args: &Args<'_>) -> FnResult {
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for at in 0..args.len() {
        let items = args.list(at)?;
        if rows.len().saturating_mul(items.len()) > MAX_ITEMS {
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
    Ok(Value::list(rows.into_iter().map(Value::list)))
}
