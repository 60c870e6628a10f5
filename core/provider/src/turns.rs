//! One change of a thing at a time, where a cloud refuses a second.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

/// Turns at changing things: some clouds refuse a change of one that they are still changing.
#[derive(Debug)]
pub struct Turns<K>(Mutex<BTreeMap<K, Arc<tokio::sync::Mutex<()>>>>);

impl<K> Default for Turns<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Ord + Clone> Turns<K> {
    /// Waits for one's turn at a thing, which lasts until what is given back is dropped.
    pub async fn at(&self, thing: &K) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Those that nobody waits for are kept by nobody else.
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            Arc::clone(turns.entry(thing.clone()).or_default())
        };
        turn.lock_owned().await
    }
}
