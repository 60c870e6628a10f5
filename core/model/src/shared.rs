//! Values that copies share.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A value that copies share until one of them is changed: what a thing is to be, what a plan shows
/// of it and what was observed say the same labels, and there may be a hundred thousand things.
///
/// It reads, and is written, as the value itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transparent, inline))]
#[serde(transparent)]
pub struct Shared<T>(Arc<T>);

impl<T: Default> Shared<T> {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl<T: Eq> Shared<T> {
    /// The one before, where it says the same: what follows each other is often alike.
    #[must_use]
    pub fn or_last(self, last: &mut Self) -> Self {
        if self != *last {
            last.0 = self.0;
        }
        Self(Arc::clone(&last.0))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

impl<T> From<T> for Shared<T> {
    fn from(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<K: Ord, V, const N: usize> From<[(K, V); N]> for Shared<BTreeMap<K, V>> {
    fn from(items: [(K, V); N]) -> Self {
        BTreeMap::from(items).into()
    }
}

impl<T: Ord, const N: usize> From<[T; N]> for Shared<BTreeSet<T>> {
    fn from(items: [T; N]) -> Self {
        BTreeSet::from(items).into()
    }
}

impl<T: FromIterator<A>, A> FromIterator<A> for Shared<T> {
    fn from_iter<I: IntoIterator<Item = A>>(items: I) -> Self {
        T::from_iter(items).into()
    }
}

impl<T: IntoIterator + Clone> IntoIterator for Shared<T> {
    type Item = T::Item;
    type IntoIter = T::IntoIter;

    fn into_iter(self) -> T::IntoIter {
        Arc::unwrap_or_clone(self.0).into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Shared<T>
where
    &'a T: IntoIterator,
{
    type Item = <&'a T as IntoIterator>::Item;
    type IntoIter = <&'a T as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        (&**self).into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_one_until_one_is_changed() {
        let one: Shared<BTreeSet<u8>> = Shared::from([1, 2]);
        let mut other = one.clone();
        assert!(Arc::ptr_eq(&one.0, &other.0));
        other.insert(3);
        assert_eq!((one.len(), other.len()), (2, 3));
        let text = serde_json::to_string(&other).expect("json");
        assert_eq!(text, "[1,2,3]");
        let read = serde_json::from_str::<Shared<_>>(&text).expect("set");
        assert_eq!(read, other);
        assert!(Arc::ptr_eq(&read.or_last(&mut other).0, &other.0));
        assert!(Arc::ptr_eq(&one.clone().or_last(&mut other).0, &one.0));
        assert!(Arc::ptr_eq(&other.0, &one.0));
    }
}
