//! Functions that choose among values.

use super::args::NO_COMMON_TYPE;
use super::{Args, FnResult, Function, pure};
use crate::types::alike;
use crate::value::{Value, order, text_of};

const ANY: usize = usize::MAX;

pub(super) static TABLE: &[Function] = &[
    pure(
        "coalesce",
        (1, ANY),
        coalesce,
        "coalesce(value...)",
        "The first value that is neither null nor an empty text.",
        "coalesce(\"\", null, \"a\") == \"a\"",
    ),
    pure(
        "coalescelist",
        (1, ANY),
        coalesce_list,
        "coalescelist(list...)",
        "The first list that is not empty.",
        "coalescelist([], [1]) == [1]",
    ),
    pure(
        "compact",
        (1, 1),
        compact,
        "compact(list)",
        "The list without nulls and empty texts.",
        "compact([\"a\", \"\", null]) == [\"a\"]",
    ),
    pure(
        "matchkeys",
        (3, 3),
        match_keys,
        "matchkeys(values, keys, wanted)",
        "The values whose keys, at the same place in their list, are among those wanted.",
        "matchkeys([1, 2, 3], [\"a\", \"b\", \"a\"], [\"a\"]) == [1, 3]",
    ),
    pure(
        "one",
        (1, 1),
        one,
        "one(list)",
        "The only item, or null if there is none.",
        "one([7]) == 7",
    ),
];

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

fn coalesce(args: &Args<'_>) -> FnResult {
    let Some(values) = alike(args.all().to_vec()) else {
        return Args::error(0, NO_COMMON_TYPE);
    };
    match values.into_iter().find(|value| !is_blank(value)) {
        Some(value) => Ok(value),
        None => Args::error(0, "finds nothing but nulls and empty texts"),
    }
}

fn coalesce_list(args: &Args<'_>) -> FnResult {
    for at in 0..args.len() {
        if !args.sequence(at)?.is_empty() {
            return Ok(args.value(at).clone());
        }
    }
    Args::error(0, "finds nothing but empty lists")
}

fn compact(args: &Args<'_>) -> FnResult {
    let mut texts = Vec::new();
    for item in args.list(0)?.iter().filter(|item| !is_blank(item)) {
        if matches!(item, Value::Ref(_)) {
            texts.push(item.clone());
            continue;
        }
        let Some(text) = text_of(item) else {
            let found = item.describe();
            return Args::error(0, format!("takes a list of strings, and {found} is in it"));
        };
        texts.push(Value::String(text));
    }
    Ok(Value::list_of_one_type(texts))
}

fn match_keys(args: &Args<'_>) -> FnResult {
    let values = args.items_of_one_type(0)?;
    let (keys, wanted) = (args.list(1)?, args.list(2)?);
    if keys.len() != values.len() {
        return Args::error(1, format!("takes as many keys as values: {}", values.len()));
    }
    let count = keys.len();
    let Some(mut keys) = alike([keys, wanted].concat()) else {
        return Args::error(2, NO_COMMON_TYPE);
    };
    let mut wanted = keys.split_off(count);
    wanted.sort_by(order);
    let is_wanted = |key: &Value| wanted.binary_search_by(|other| order(other, key)).is_ok();
    let pairs = values.into_iter().zip(keys);
    let found = pairs.filter(|(_, key)| is_wanted(key));
    Ok(Value::list_of_one_type(
        found.map(|(value, _)| value).collect(),
    ))
}

fn one(args: &Args<'_>) -> FnResult {
    match args.value(0) {
        Value::List(items) => match items.as_slice() {
            [] => Ok(Value::Null),
            [item] => Ok(item.clone()),
            more => Args::error(
                0,
                format!(
                    "takes a list of at most one item, and there are {}",
                    more.len()
                ),
            ),
        },
        _ => {
            args.list(0)?;
            Ok(Value::Null)
        }
    }
}
