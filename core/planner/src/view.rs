//! A thing as a plan shows it, made of what it is only when somebody looks.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::Goal;
use crate::diff::spec_value;

/// A thing field by field, as flat JSON; `null` where there is nothing.
///
/// What a plan makes is shown as its goal says. A plan of many things would hold everything twice
/// if it kept that form, so it is made anew each time; what is compared and written is the JSON.
#[derive(Clone)]
pub struct View(Shown);

#[derive(Clone)]
enum Shown {
    Value(Value),
    Goal(Arc<Goal>),
}

impl View {
    /// Nothing is there.
    pub const NOTHING: Self = Self(Shown::Value(Value::Null));

    /// What a goal comes to, field by field.
    #[must_use]
    pub const fn of_goal(goal: Arc<Goal>) -> Self {
        Self(Shown::Goal(goal))
    }

    /// The JSON form.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match &self.0 {
            Shown::Value(value) => value.clone(),
            Shown::Goal(goal) => spec_value(&goal.spec).into(),
        }
    }
}

impl<T: Into<Value>> From<T> for View {
    fn from(value: T) -> Self {
        Self(Shown::Value(value.into()))
    }
}

impl PartialEq for View {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Shown::Value(a), Shown::Value(b)) => a == b,
            (Shown::Goal(a), Shown::Goal(b)) if Arc::ptr_eq(a, b) => true,
            _ => self.to_value() == other.to_value(),
        }
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_value().fmt(f)
    }
}

impl Serialize for View {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Shown::Value(value) => value.serialize(serializer),
            Shown::Goal(goal) => spec_value(&goal.spec).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for View {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::from)
    }
}
