//! The arguments of a call, as their function wants them.

use std::cell::Cell;
use std::sync::Arc;

use crate::types::alike;
use crate::value::{Items, MAX_VALUE_BYTES, Map, Number, Value, text_of};

/// What items that do not unify are told to be.
pub(crate) const NO_COMMON_TYPE: &str = "takes items of one type, and these have none in common";

/// Why a function gave no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FnError {
    /// Which argument is to blame, from 0.
    pub(crate) argument: Option<usize>,
    pub(crate) message: String,
}

/// What a function gives.
pub(crate) type FnResult<T = Value> = Result<T, FnError>;

/// The arguments of a call. They are known and carry no mark of sensitivity.
pub(crate) struct Args<'a> {
    values: &'a [Value],
    /// The steps that evaluation has left.
    left: u64,
    /// Those that the call took, beside what every call takes.
    spent: Cell<u64>,
}

impl<'a> Args<'a> {
    pub(crate) const fn new(values: &'a [Value], left: u64) -> Self {
        Self {
            values,
            left,
            spent: Cell::new(0),
        }
    }

    /// Counts steps of a function whose work its arguments' sizes do not tell. Beyond the last one
    /// it fails.
    pub(crate) fn spend(&self, steps: usize) -> FnResult<()> {
        self.spent
            .set(self.spent.get().saturating_add(steps as u64));
        if self.spent.get() <= self.left {
            return Ok(());
        }
        Err(FnError {
            argument: None,
            message: "takes too long".to_owned(),
        })
    }

    /// The steps that were counted.
    pub(crate) const fn spent(&self) -> u64 {
        self.spent.get()
    }

    pub(crate) const fn len(&self) -> usize {
        self.values.len()
    }

    pub(crate) const fn all(&self) -> &'a [Value] {
        self.values
    }

    /// The argument of that number; null where it was left out.
    pub(crate) fn value(&self, at: usize) -> &'a Value {
        self.values.get(at).unwrap_or(&Value::Null)
    }

    /// The error that argument `at` is to blame for.
    pub(crate) fn error<T>(at: usize, message: impl Into<String>) -> FnResult<T> {
        Err(FnError {
            argument: Some(at),
            message: message.into(),
        })
    }

    /// That what is made of argument `at` is no larger than a value may be; for functions that make
    /// more than they are given.
    pub(crate) fn room(at: usize, bytes: usize) -> FnResult<()> {
        if bytes <= MAX_VALUE_BYTES {
            return Ok(());
        }
        Self::error(at, format!("makes at most {} MiB", MAX_VALUE_BYTES >> 20))
    }

    fn wrong<T>(&self, at: usize, wants: &str) -> FnResult<T> {
        Self::error(
            at,
            format!("takes {wants}, not {}", self.value(at).describe()),
        )
    }

    pub(crate) fn text(&self, at: usize) -> FnResult<Arc<str>> {
        text_of(self.value(at)).map_or_else(|| self.wrong(at, "a string"), Ok)
    }

    pub(crate) fn number(&self, at: usize) -> FnResult<Number> {
        let number = self.value(at).to_number();
        number.map_or_else(|| self.wrong(at, "a number"), Ok)
    }

    pub(crate) fn int(&self, at: usize) -> FnResult<i64> {
        let number = self.value(at).to_int();
        number.map_or_else(|| self.wrong(at, "a whole number"), Ok)
    }

    /// A whole number of up to 128 bits.
    pub(crate) fn long(&self, at: usize) -> FnResult<i128> {
        let int = self.number(at)?.to_int();
        match int.and_then(|int| i128::try_from(int).ok()) {
            Some(long) => Ok(long),
            None => self.wrong(at, "a whole number"),
        }
    }

    /// A whole number that is not negative.
    pub(crate) fn size(&self, at: usize) -> FnResult<usize> {
        match usize::try_from(self.int(at)?) {
            Ok(size) => Ok(size),
            Err(_) => Self::error(at, "must not be negative"),
        }
    }

    pub(crate) fn bool(&self, at: usize) -> FnResult<bool> {
        let bool = self.value(at).to_bool();
        bool.map_or_else(|| self.wrong(at, "true or false"), Ok)
    }

    /// The items of a list, tuple or set.
    pub(crate) fn list(&self, at: usize) -> FnResult<&'a [Value]> {
        self.items(at).map(|items| items.as_slice())
    }

    /// A list, tuple or set.
    pub(crate) fn items(&self, at: usize) -> FnResult<&'a Items> {
        match self.value(at) {
            Value::List(items) => Ok(items),
            _ => self.wrong(at, "a list"),
        }
    }

    /// A list or tuple, whose items have an order, and no set.
    pub(crate) fn sequence(&self, at: usize) -> FnResult<&'a Items> {
        match self.value(at) {
            Value::List(items) if items.is_set() => Self::error(
                at,
                "takes a list, and the items of a set have no order: write `tolist(…)`",
            ),
            Value::List(items) => Ok(items),
            _ => self.wrong(at, "a list"),
        }
    }

    /// The items of a list or set as values of one type.
    pub(crate) fn items_of_one_type(&self, at: usize) -> FnResult<Vec<Value>> {
        match alike(self.list(at)?.to_vec()) {
            Some(items) => Ok(items),
            None => Self::error(at, NO_COMMON_TYPE),
        }
    }

    pub(crate) fn map(&self, at: usize) -> FnResult<&'a Map> {
        match self.value(at) {
            Value::Map(map) => Ok(map),
            _ => self.wrong(at, "a map"),
        }
    }

    pub(crate) fn texts(&self, at: usize) -> FnResult<Vec<Arc<str>>> {
        let items = self.list(at)?.iter();
        items
            .map(|item| {
                text_of(item).map_or_else(
                    || {
                        Self::error(
                            at,
                            format!("takes a list of strings, and {} is in it", item.describe()),
                        )
                    },
                    Ok,
                )
            })
            .collect()
    }

    /// The numbers of all arguments.
    pub(crate) fn numbers(&self) -> FnResult<Vec<Number>> {
        (0..self.len()).map(|at| self.number(at)).collect()
    }
}
