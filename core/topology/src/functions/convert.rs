//! Functions between types.

use super::args::NO_COMMON_TYPE;
use super::{Args, FnResult, Function, pure};
use crate::types::Type;
use crate::value::{Value, text_of};

pub(super) static TABLE: &[Function] = &[
    pure(
        "ephemeralasnull",
        (1, 1),
        |args| Ok(args.value(0).clone()),
        "ephemeralasnull(value)",
        "The value: none of the language's is ephemeral.",
        "ephemeralasnull(1) == 1",
    ),
    pure(
        "tobool",
        (1, 1),
        to_bool,
        "tobool(value)",
        "The value as true or false.",
        "tobool(\"true\") == true",
    ),
    pure(
        "tolist",
        (1, 1),
        to_list,
        "tolist(value)",
        "A set or list as a list.",
        "tolist([\"a\"]) == [\"a\"]",
    ),
    pure(
        "tomap",
        (1, 1),
        to_map,
        "tomap(value)",
        "An object as a map.",
        "tomap({ a = 1 }) == { a = 1 }",
    ),
    pure(
        "tonumber",
        (1, 1),
        to_number,
        "tonumber(value)",
        "The value as a number.",
        "tonumber(\"4.5\") == 4.5",
    ),
    pure(
        "toset",
        (1, 1),
        to_set,
        "toset(list)",
        "The items of a list, sorted and each once.",
        "tolist(toset([\"b\", \"a\", \"b\"])) == [\"a\", \"b\"]",
    ),
    pure(
        "tostring",
        (1, 1),
        to_string,
        "tostring(value)",
        "The value as a string.",
        "tostring(4.50) == \"4.5\"",
    ),
    pure(
        "type",
        (1, 1),
        type_of,
        "type(value)",
        "The name of the value's type.",
        "type([1]) == \"list\"",
    ),
];

fn to_bool(args: &Args<'_>) -> FnResult {
    match args.value(0) {
        Value::Null => Ok(Value::Null),
        _ => args.bool(0).map(Value::Bool),
    }
}

fn to_list(args: &Args<'_>) -> FnResult {
    match args.value(0) {
        Value::Null => Ok(Value::Null),
        _ => args.items_of_one_type(0).map(Value::list_of_one_type),
    }
}

fn to_map(args: &Args<'_>) -> FnResult {
    match args.value(0) {
        Value::Null => Ok(Value::Null),
        value => {
            args.map(0)?;
            match Type::Map(Box::new(Type::Any)).convert(value) {
                Ok(map) => Ok(map),
                Err(_) => Args::error(0, NO_COMMON_TYPE),
            }
        }
    }
}

fn to_number(args: &Args<'_>) -> FnResult {
    match args.value(0) {
        Value::Null => Ok(Value::Null),
        _ => args.number(0).map(Value::Number),
    }
}

fn to_set(args: &Args<'_>) -> FnResult {
    match args.value(0) {
        Value::Null => Ok(Value::Null),
        _ => args.items_of_one_type(0).map(Value::set),
    }
}

fn to_string(args: &Args<'_>) -> FnResult {
    match (args.value(0), text_of(args.value(0))) {
        (Value::Null, _) => Ok(Value::Null),
        (_, Some(text)) => Ok(Value::String(text)),
        (other, None) => Args::error(
            0,
            format!("takes a string, number or bool, not {}", other.describe()),
        ),
    }
}

fn type_of(args: &Args<'_>) -> FnResult {
    Ok(Value::string(match args.value(0) {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::List(items) if items.is_set() => "set",
        Value::List(_) => "list",
        Value::Map(_) => "map",
        Value::Ref(crate::value::Ref::Site(_)) => "site",
        Value::Ref(crate::value::Ref::Thing { addr, .. }) => addr.noun.as_str(),
        Value::Unknown(_) | Value::Sensitive(_) => "unknown",
    }))
}
