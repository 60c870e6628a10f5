//! The one type that several values are converted to: those of a conditional's branches, and the
//! items of a list, set or map. The rules are those of HCL's `cty/convert`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Field, Type};
use crate::value::{Sequence, Value};

impl Type {
    /// The type of a value; of a null, any. `None` where something in it has a type that is not
    /// known, or none of the language's, as the things of a topology.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Null => Self::Any,
            Value::Bool(_) => Self::Bool,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::List(items) => match items.kind() {
                Sequence::Tuple => Self::Tuple(items.iter().map(Self::of).collect::<Option<_>>()?),
                Sequence::List => Self::List(Box::new(Self::of_all(items.iter())?)),
                Sequence::Set => Self::Set(Box::new(Self::of_all(items.iter())?)),
            },
            Value::Map(map) if map.is_uniform() => Self::Map(Box::new(Self::of_all(map.values())?)),
            Value::Map(map) => {
                let field = |(name, value)| Some((Arc::clone(name), Field::of(Self::of(value)?)));
                Self::Object(map.iter().map(field).collect::<Option<_>>()?)
            }
            Value::Sensitive(inner) => Self::of(inner)?,
            Value::Ref(_) | Value::Unknown(_) => return None,
        })
    }

    /// The type of items that are known to be of one.
    fn of_all<'v>(values: impl Iterator<Item = &'v Value>) -> Option<Self> {
        let mut found = Self::Any;
        for value in values {
            let ty = Self::of(value)?;
            if ty.is_complete() {
                return Some(ty);
            }
            found = unify(&[found, ty]).unwrap_or(Self::Any);
        }
        Some(found)
    }

    /// Whether no item's type is open in it.
    fn is_complete(&self) -> bool {
        matches!(self, Self::Bool | Self::Number | Self::String)
    }

    const fn is_primitive(&self) -> bool {
        matches!(self, Self::Bool | Self::Number | Self::String)
    }
}

/// The type that values of all these types are converted to; `None` if there is none.
pub(crate) fn unify(types: &[Type]) -> Option<Type> {
    let known: Vec<&Type> = types.iter().filter(|ty| **ty != Type::Any).collect();
    let Some(first) = known.first() else {
        return Some(Type::Any);
    };
    if known.iter().all(|ty| ty == first) {
        return Some((*first).clone());
    }
    let all = |is: fn(&Type) -> bool| known.iter().all(|ty| is(ty));
    let any = |is: fn(&Type) -> bool| known.iter().any(|ty| is(ty));
    if all(Type::is_primitive) {
        // Numbers and bools become texts where there is one, and never each other.
        return any(|ty| *ty == Type::String).then_some(Type::String);
    }
    if all(|ty| matches!(ty, Type::Map(_) | Type::Object(_))) {
        return maps(&known, any(|ty| matches!(ty, Type::Map(_))));
    }
    if !all(|ty| matches!(ty, Type::List(_) | Type::Set(_) | Type::Tuple(_))) {
        return None;
    }
    let (lists, sets) = (
        any(|ty| matches!(ty, Type::List(_))),
        any(|ty| matches!(ty, Type::Set(_))),
    );
    if !lists
        && !sets
        && let Some(tuple) = tuples(&known)
    {
        return tuple.map(Type::Tuple);
    }
    let items: Vec<Type> = known.iter().flat_map(|ty| ty.items()).collect();
    let item = Box::new(unify(&items)?);
    Some(if sets && !lists {
        Type::Set(item)
    } else {
        Type::List(item)
    })
}

impl Type {
    /// The types of a collection's items.
    fn items(&self) -> Vec<Self> {
        match self {
            Self::List(item) | Self::Set(item) | Self::Map(item) => vec![(**item).clone()],
            Self::Tuple(items) => items.clone(),
            Self::Object(fields) => fields.values().map(|field| field.ty.clone()).collect(),
            _ => Vec::new(),
        }
    }
}

/// Tuples of one length unify item by item; `None` where the lengths differ.
fn tuples(types: &[&Type]) -> Option<Option<Vec<Type>>> {
    let items: Vec<Vec<Type>> = types.iter().map(|ty| ty.items()).collect();
    let length = items.first()?.len();
    if items.iter().any(|items| items.len() != length) {
        return None;
    }
    let column = |at: usize| -> Vec<Type> { items.iter().map(|row| row[at].clone()).collect() };
    Some((0..length).map(|at| unify(&column(at))).collect())
}

/// Objects with the same attributes unify one by one; others, and maps, to a map.
fn maps(types: &[&Type], some_map: bool) -> Option<Type> {
    let objects: Vec<&BTreeMap<Arc<str>, Field>> = types
        .iter()
        .filter_map(|ty| match ty {
            Type::Object(fields) => Some(fields),
            _ => None,
        })
        .collect();
    if !some_map
        && objects
            .windows(2)
            .all(|two| two[0].keys().eq(two[1].keys()))
    {
        let field = |name: &Arc<str>| {
            let types: Vec<Type> = objects.iter().map(|o| o[name].ty.clone()).collect();
            Some((name.clone(), Field::of(unify(&types)?)))
        };
        return objects[0]
            .keys()
            .map(field)
            .collect::<Option<_>>()
            .map(Type::Object);
    }
    let items: Vec<Type> = types.iter().flat_map(|ty| ty.items()).collect();
    Some(Type::Map(Box::new(unify(&items)?)))
}

/// The values, all of one type. They stay as they are where a type is not known; `None` if there
/// is no such type.
pub(crate) fn alike(values: Vec<Value>) -> Option<Vec<Value>> {
    // Most are alike already.
    let simple = |value: &Value| match value {
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        _ => 0,
    };
    let first = values.first().map_or(0, simple);
    if values.is_empty() || (first > 0 && values.iter().all(|value| simple(value) == first)) {
        return Some(values);
    }
    let Some(types) = values.iter().map(Type::of).collect::<Option<Vec<_>>>() else {
        return Some(values);
    };
    let ty = unify(&types)?;
    values.iter().map(|value| ty.convert(value).ok()).collect()
}
