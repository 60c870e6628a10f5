//! Functions of lists.

use unicode_segmentation::UnicodeSegmentation as _;

use super::{Args, FnResult, Function, pure};
use crate::types::alike;
use crate::value::{Items, Number, Sequence, Value, order};

const ANY: usize = usize::MAX;
/// The most items that a function makes.
const MAX_ITEMS: usize = 1_000_000;

pub(super) static TABLE: &[Function] = &[
    pure(
        "alltrue",
        (1, 1),
        all_true,
        "alltrue(list)",
        "Whether every item is true.",
        "alltrue([true, true])",
    ),
    pure(
        "anytrue",
        (1, 1),
        any_true,
        "anytrue(list)",
        "Whether some item is true.",
        "anytrue([false, true])",
    ),
    pure(
        "chunklist",
        (2, 2),
        chunk_list,
        "chunklist(list, size)",
        "The list in pieces of a size.",
        "chunklist([1, 2, 3], 2) == [[1, 2], [3]]",
    ),
    pure(
        "concat",
        (1, ANY),
        concat,
        "concat(list...)",
        "The lists in one.",
        "concat([1], [2, 3]) == [1, 2, 3]",
    ),
    pure(
        "contains",
        (2, 2),
        contains,
        "contains(list, value)",
        "Whether the value is in the list.",
        "contains([\"a\", \"b\"], \"b\")",
    ),
    pure(
        "distinct",
        (1, 1),
        distinct,
        "distinct(list)",
        "The list with each item once, at its first place.",
        "distinct([2, 1, 2]) == [2, 1]",
    ),
    pure(
        "element",
        (2, 2),
        element,
        "element(list, index)",
        "The item at an index, going round the list.",
        "element([\"a\", \"b\"], 3) == \"b\"",
    ),
    pure(
        "flatten",
        (1, 1),
        flatten,
        "flatten(list)",
        "The list with the items of lists within it.",
        "flatten([1, [2, [3]]]) == [1, 2, 3]",
    ),
    pure(
        "index",
        (2, 2),
        index,
        "index(list, value)",
        "The index of a value.",
        "index([\"a\", \"b\"], \"b\") == 1",
    ),
    pure(
        "length",
        (1, 1),
        length,
        "length(value)",
        "How many items, or characters.",
        "length([1, 2]) == 2",
    ),
    pure(
        "range",
        (1, 3),
        range,
        "range(start, limit, step)",
        "The numbers from a start, up to a limit.",
        "range(3) == [0, 1, 2]",
    ),
    pure(
        "reverse",
        (1, 1),
        reverse,
        "reverse(list)",
        "The list backwards.",
        "reverse([1, 2]) == [2, 1]",
    ),
    pure(
        "slice",
        (3, 3),
        slice,
        "slice(list, start, end)",
        "The items from a start up to before an end.",
        "slice([1, 2, 3], 1, 3) == [2, 3]",
    ),
    pure(
        "sort",
        (1, 1),
        sort,
        "sort(texts)",
        "The texts, sorted.",
        "sort([\"b\", \"a\"]) == [\"a\", \"b\"]",
    ),
];

/// The bools of a list; of a null, none.
fn bools(args: &Args<'_>) -> FnResult<Vec<Option<bool>>> {
    let bool = |item: &Value| match item.to_bool() {
        Some(bool) => Ok(Some(bool)),
        None if *item == Value::Null => Ok(None),
        None => Args::error(
            0,
            format!("takes a list of bools, and {} is in it", item.describe()),
        ),
    };
    args.list(0)?.iter().map(bool).collect()
}

fn all_true(args: &Args<'_>) -> FnResult {
    Ok(Value::Bool(
        bools(args)?.into_iter().all(|bool| bool == Some(true)),
    ))
}

fn any_true(args: &Args<'_>) -> FnResult {
    Ok(Value::Bool(
        bools(args)?.into_iter().any(|bool| bool == Some(true)),
    ))
}

fn chunk_list(args: &Args<'_>) -> FnResult {
    let size = args.size(1)?;
    if size == 0 {
        return Args::error(1, "takes a size above 0");
    }
    let items = args.items_of_one_type(0)?;
    let chunks = items.chunks(size);
    let chunks = chunks.map(|chunk| Value::list_of_one_type(chunk.to_vec()));
    Ok(Value::list_of_one_type(chunks.collect()))
}

fn concat(args: &Args<'_>) -> FnResult {
    let mut all = Vec::new();
    let mut lists = true;
    for at in 0..args.len() {
        let items = args.sequence(at)?;
        lists = lists && items.kind() == Sequence::List;
        all.extend_from_slice(items);
    }
    // Lists make a list, and their items are of one type then.
    Ok(match lists {
        true => alike(all.clone()).map_or_else(|| Value::list(all), Value::list_of_one_type),
        false => Value::list(all),
    })
}

fn contains(args: &Args<'_>) -> FnResult {
    Ok(Value::Bool(args.list(0)?.contains(args.value(1))))
}

fn distinct(args: &Args<'_>) -> FnResult {
    let items = args.items_of_one_type(0)?;
    let mut by_value: Vec<usize> = (0..items.len()).collect();
    by_value.sort_by(|a, b| order(&items[*a], &items[*b]).then(a.cmp(b)));
    by_value.dedup_by(|later, first| items[*later] == items[*first]);
    by_value.sort_unstable();
    let distinct = by_value.into_iter().map(|at| items[at].clone());
    Ok(Value::list_of_one_type(distinct.collect()))
}

fn element(args: &Args<'_>) -> FnResult {
    let items = args.sequence(0)?;
    let at = args.size(1)?;
    match items.is_empty() {
        true => Args::error(0, "takes a list that is not empty"),
        false => Ok(items[at % items.len()].clone()),
    }
}

fn flatten(args: &Args<'_>) -> FnResult {
    fn into(items: &[Value], all: &mut Vec<Value>) {
        for item in items {
            match item {
                Value::List(inner) => into(inner, all),
                other => all.push(other.clone()),
            }
        }
    }
    let mut all = Vec::new();
    into(args.list(0)?, &mut all);
    Ok(Value::list(all))
}

fn index(args: &Args<'_>) -> FnResult {
    match args
        .sequence(0)?
        .iter()
        .position(|item| item == args.value(1))
    {
        Some(at) => Ok(Value::int(at as u64)),
        None => Args::error(1, "does not find this value in the list"),
    }
}

fn length(args: &Args<'_>) -> FnResult {
    Ok(Value::int(match args.value(0) {
        Value::List(items) => items.len() as u64,
        Value::Map(items) => items.len() as u64,
        Value::String(text) => text.graphemes(true).count() as u64,
        other => {
            return Args::error(
                0,
                format!("takes a list, a map or a text, not {}", other.describe()),
            );
        }
    }))
}

fn range(args: &Args<'_>) -> FnResult {
    let (start, limit) = match args.len() {
        1 => (Number::ZERO, args.number(0)?),
        _ => (args.number(0)?, args.number(1)?),
    };
    let step = match args.len() {
        3 => args.number(2)?,
        _ if limit < start => -&Number::ONE,
        _ => Number::ONE,
    };
    if step.is_zero()
        || (limit > start && step.is_negative())
        || (limit < start && !step.is_negative())
    {
        return Args::error(args.len() - 1, "takes a step that leads to the limit");
    }
    let mut items = Vec::new();
    let mut next = Some(start);
    while let Some(item) = next.filter(|n| {
        if step.is_negative() {
            *n > limit
        } else {
            *n < limit
        }
    }) {
        if items.len() >= MAX_ITEMS {
            return Args::error(0, format!("makes at most {MAX_ITEMS} numbers"));
        }
        next = item.plus(&step);
        items.push(Value::Number(item));
    }
    Ok(Value::list_of_one_type(items))
}

/// Items of the kind that `like` has, but that a set becomes a list.
fn as_kind(like: &Items, items: Vec<Value>) -> Value {
    match like.kind() {
        Sequence::Tuple => Value::list(items),
        Sequence::List | Sequence::Set => Value::list_of_one_type(items),
    }
}

fn reverse(args: &Args<'_>) -> FnResult {
    let items = args.items(0)?;
    Ok(as_kind(items, items.iter().rev().cloned().collect()))
}

fn slice(args: &Args<'_>) -> FnResult {
    let items = args.sequence(0)?;
    let (start, end) = (args.size(1)?, args.size(2)?);
    match items.get(start..end) {
        Some(part) => Ok(as_kind(items, part.to_vec())),
        None => Args::error(
            2,
            format!(
                "takes a start and an end within the list's {} items",
                items.len()
            ),
        ),
    }
}

fn sort(args: &Args<'_>) -> FnResult {
    let mut texts = args.texts(0)?;
    texts.sort();
    Ok(Value::list_of_one_type(
        texts.into_iter().map(Value::String).collect(),
    ))
}
