//! Stopping a run: politely first, then at once.

use std::sync::Arc;

use tokio::sync::watch;

/// How urgently a run is to stop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopLevel {
    /// Not at all.
    #[default]
    Run,
    /// Calls in flight are finished and journalled; nothing new begins, nothing more is waited for.
    Finish,
    /// At once: calls in flight are dropped. The journal tells the next run which.
    Abandon,
}

/// A handle that stops a run. Clones are the same handle; give one to the signal handler.
#[derive(Debug, Clone)]
pub struct Stop(Arc<watch::Sender<StopLevel>>);

impl Stop {
    /// A handle that nobody has used yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(StopLevel::Run)))
    }

    /// Asks to stop: the first time after the calls in flight, from the second time on at once.
    pub fn request(&self) {
        self.0.send_modify(|level| {
            *level = match level {
                StopLevel::Run => StopLevel::Finish,
                StopLevel::Finish | StopLevel::Abandon => StopLevel::Abandon,
            };
        });
    }

    /// What was asked for so far.
    #[must_use]
    pub fn level(&self) -> StopLevel {
        *self.0.borrow()
    }

    /// Returns once at least `level` was asked for.
    pub async fn reached(&self, level: StopLevel) {
        // The sender lives in `self`, so the wait cannot fail.
        let _ = self.0.subscribe().wait_for(|now| *now >= level).await;
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_second_request_is_urgent() {
        let stop = Stop::new();
        assert_eq!(stop.level(), StopLevel::Run);
        let clone = stop.clone();
        clone.request();
        stop.reached(StopLevel::Finish).await;
        assert_eq!(stop.level(), StopLevel::Finish);
        clone.request();
        stop.reached(StopLevel::Abandon).await;
        clone.request();
        assert_eq!(stop.level(), StopLevel::Abandon);
    }
}
