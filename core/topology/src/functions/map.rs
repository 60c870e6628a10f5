//! Functions of maps.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Args, FnResult, Function, pure};
use crate::report::brief;
use crate::types::{Type, alike};
use crate::value::{Map, Sequence, Value, text_of};

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
        None if args.len() == 3 => as_in(args.map(0)?, args.value(2)),
        None => Args::error(
            1,
            format!("finds no `{}`, and there is no default", brief(&key)),
        ),
    }
}

/// A value as one of a map's: in a map, whose values are of one type, of that type.
fn as_in(map: &Map, value: &Value) -> FnResult {
    let Some(ty) = map.values().next().and_then(Type::of) else {
        return Ok(value.clone());
    };
    if !map.is_uniform() {
        return Ok(value.clone());
    }
    match ty.convert(value) {
        Ok(value) => Ok(value),
        Err(_) => Args::error(
            2,
            format!(
                "takes {} as the map's values are, not {}",
                ty.title(),
                value.describe()
            ),
        ),
    }
}

fn merge(args: &Args<'_>) -> FnResult {
    let mut all = BTreeMap::new();
    let mut uniform = true;
    for at in 0..args.len() {
        if !matches!(args.value(at), Value::Null) {
            let map = args.map(at)?;
            uniform = uniform && map.is_uniform();
            all.extend(map.iter().map(|(k, v)| (k.clone(), v.clone())));
        }
    }
    let all = Map::new(all);
    let alike = !uniform
        || alike(all.values().cloned().collect())
            .is_some_and(|values| values.iter().eq(all.values()));
    Ok(Value::Map(Arc::new(if uniform && alike {
        all.uniform()
    } else {
        all
    })))
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
    let all = all.into_iter();
    let all: Map = all
        .map(|(key, items)| (key, Value::list_of_one_type(items)))
        .collect();
    Ok(Value::Map(Arc::new(all.uniform())))
}

fn values(args: &Args<'_>) -> FnResult {
    let map = args.map(0)?;
    let values = map.values().cloned();
    Ok(if map.is_uniform() {
        Value::list_of_one_type(values.collect())
    } else {
        Value::list(values)
    })
}

fn zip_map(args: &Args<'_>) -> FnResult {
    let (keys, values) = (args.texts(0)?, args.sequence(1)?);
    if keys.len() != values.len() {
        return Args::error(1, format!("takes as many values as keys: {}", keys.len()));
    }
    let map: Map = keys.into_iter().zip(values.iter().cloned()).collect();
    Ok(Value::Map(Arc::new(match values.kind() {
        Sequence::List => map.uniform(),
        _ => map,
    })))
}
