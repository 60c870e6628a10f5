//! What was written a moment ago, for reads that do not see it yet.
//!
//! EC2 is eventually consistent: an instance may be "not found" just after it was made, and
//! "running" just after it was ended.
//! <https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use strat_model::{Bytes, Kind, Resource, ResourceId, ResourceState, Spec};
use strat_provider::Clock;

/// What is known of a thing beyond what a read says.
#[derive(Debug, Clone)]
enum News {
    Made(Box<Resource>),
    Ended,
    Grown(Bytes),
}

/// The latest writes.
#[derive(Debug)]
pub(crate) struct Recent {
    clock: Arc<dyn Clock>,
    window: Duration,
    news: Mutex<BTreeMap<(Kind, ResourceId), (Timestamp, News)>>,
}

impl Recent {
    /// Remembers each write for `window`.
    pub(crate) fn new(clock: Arc<dyn Clock>, window: Duration) -> Self {
        Self {
            clock,
            window,
            news: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(Kind, ResourceId), (Timestamp, News)>> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, kind: Kind, id: &ResourceId, what: News) {
        let now = self.clock.now();
        let until = now.checked_add(self.window).unwrap_or(Timestamp::MAX);
        let mut news = self.lock();
        news.retain(|_, (until, _)| *until > now);
        news.insert((kind, id.clone()), (until, what));
    }

    /// A thing was made.
    pub(crate) fn made(&self, resource: &Resource) {
        let made = News::Made(Box::new(resource.clone()));
        self.note(resource.kind(), &resource.id, made);
    }

    /// Things were ended.
    pub(crate) fn ended(&self, kind: Kind, ids: &[ResourceId]) {
        ids.iter().for_each(|id| self.note(kind, id, News::Ended));
    }

    /// A volume was told to grow.
    pub(crate) fn grown(&self, id: &ResourceId, size: Bytes) {
        self.note(Kind::Volume, id, News::Grown(size));
    }

    /// Completes what was read of `ids`.
    pub(crate) fn complete(&self, kind: Kind, ids: &[ResourceId], seen: &mut Vec<Resource>) {
        let now = self.clock.now();
        let news = self.lock();
        for id in ids {
            let Some((until, news)) = news.get(&(kind, id.clone())) else {
                continue;
            };
            if *until <= now {
                continue;
            }
            let found = seen.iter_mut().find(|resource| resource.id == *id);
            match (news, found) {
                (News::Made(made), None) => seen.push((**made).clone()),
                (News::Ended, Some(found)) => found.state = ResourceState::Deleting,
                (News::Grown(size), Some(found)) => {
                    if let Spec::Volume(spec) = &mut found.spec {
                        spec.size = spec.size.max(*size);
                    }
                }
                (News::Made(_), Some(_)) | (News::Ended | News::Grown(_), None) => {}
            }
        }
    }

    /// Whether a text speaks of a thing that was made a moment ago.
    pub(crate) fn is_about_new(&self, text: &str) -> bool {
        let now = self.clock.now();
        let news = self.lock();
        news.iter().any(|((_, id), (until, news))| {
            *until > now && matches!(news, News::Made(_)) && text.contains(id.as_str())
        })
    }
}
