//! Functions of maps.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Args, FnResult, Function, pure};
use crate::value::{Map, Value, text_of};

const ANY: usize = usize::MAX;

pub(super) static TABLE: &[Function] = &[
    pure(
        "keys",
        (1, 1),
        keys,
        "keys(map)",
        "The keys, sorted.",
        "keys({ b = 1, a = 2 }) == [\"a\", \"b\"]",
    ),
    pure(
        "lookup",
        (2, 3),
        lookup,
        "lookup(map, key, default)",
        "The value of a key, or the default.",
        "lookup({ a = 1 }, \"b\", 0) == 0",
    ),
    pure(
        "merge",
        (0, ANY),
        merge,
        "merge(map...)",
        "The maps in one; later ones win.",
        "merge({ a = 1 }, { a = 2 }) == { a = 2 }",
    ),
    pure(
        "transpose",
        (1, 1),
        transpose,
        "transpose(map)",
        "A map of lists of texts with keys and items changed about.",
        "transpose({ a = [\"x\"] }) == { x = [\"a\"] }",
    ),
    pure(
        "values",
        (1, 1),
        values,
        "values(map)",
        "The values, in the order of their keys.",
        "values({ b = 1, a = 2 }) == [2, 1]",
    ),
    pure(
        "zipmap",
        (2, 2),
        zip_map,
        "zipmap(keys, values)",
        "A map of keys and values.",
        "zipmap([\"a\"], [1]) == { a = 1 }",
    ),
];

fn keys(args: &Args<'_>) -> FnResult {
    let keys = args.map(0)?.keys();
    Ok(Value::list(keys.map(|key| Value::String(key.clone()))))
}

fn lookup(args: &Args<'_>) -> FnResult {
    let key = args.text(1)?;
    match args.map(0)?.get(&key) {
        Some(value) => Ok(value.clone()),
        None if args.len() == 3 => Ok(args.value(2).clone()),
        None => Args::error(1, format!("finds no `{key}`, and there is no default")),
    }
}

fn merge(args: &Args<'_>) -> FnResult {
    let mut all = Map::new();
    for at in 0..args.len() {
        if !matches!(args.value(at), Value::Null) {
            all.extend(args.map(at)?.iter().map(|(k, v)| (k.clone(), v.clone())));
        }
    }
    Ok(Value::Map(Arc::new(all)))
}

fn transpose(args: &Args<'_>) -> FnResult {
    let mut all: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
    for (key, items) in args.map(0)? {
        let Value::List(items) = items else {
            return Args::error(0, "takes a map of lists of texts");
        };
        for item in items.iter() {
            let Some(text) = text_of(item) else {
                return Args::error(0, "takes a map of lists of texts");
            };
            all.entry(text)
                .or_default()
                .push(Value::String(key.clone()));
        }
    }
    Ok(Value::map(
        all.into_iter()
            .map(|(key, items)| (key, Value::list(items))),
    ))
}

fn values(args: &Args<'_>) -> FnResult {
    Ok(Value::list(args.map(0)?.values().cloned()))
}

fn zip_map(args: &Args<'_>) -> FnResult {
    let (keys, values) = (args.texts(0)?, args.list(1)?);
    if keys.len() != values.len() {
        return Args::error(1, format!("takes as many values as keys: {}", keys.len()));
    }
    Ok(Value::map(keys.into_iter().zip(values.iter().cloned())))
}
