//! Waiting for real things: one reader for all that wait at a site for things of a kind.
//!
//! Whoever waits puts their ids into a pool. One of those who wait reads for all of them, in
//! batches; when it has its own answer the next one takes over. So two hundred machines cost a few
//! calls, and a wait that is dropped leaves nothing behind.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Mutex;
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use jiff::Timestamp;
use strat_model::{
    Error, ErrorKind, Kind, Name, Resource, ResourceId, ResourceState, Result, Scope,
};
use strat_provider::{Clock, Provider, ProviderExt as _};
use tokio::sync::{Notify, oneshot};

use super::known::attached_to;
use crate::{ExecuteOptions, Sites, lock};

/// The first pause between two reads, and the longest.
const PAUSE_MIN: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Until {
    /// One fresh read.
    Read,
    /// Fit for use.
    Ready,
    /// Switched off, or not there any more.
    Stopped,
    /// Not being changed any more.
    Settled,
    /// Attached to this machine, or to none.
    Attached(Option<ResourceId>),
    /// Gone.
    Gone,
}

/// The pools of all sites and kinds.
#[derive(Debug)]
pub(super) struct Waits<'a> {
    pools: BTreeMap<(&'a Name, Kind), Pool<'a>>,
}

#[derive(Debug)]
struct Pool<'a> {
    provider: &'a dyn Provider,
    kind: Kind,
    clock: &'a dyn Clock,
    deadline: Duration,
    stop_deadline: Duration,
    waiting: Mutex<Vec<Waiting>>,
    /// Whose turn it is to read.
    turn: tokio::sync::Mutex<()>,
    /// Somebody joined.
    joined: Notify,
}

#[derive(Debug)]
struct Waiting {
    id: ResourceId,
    until: Until,
    /// Until when a thing that is not there may be one that is not there yet.
    grace: Timestamp,
    deadline: Timestamp,
    due: Timestamp,
    pause: Duration,
    answer: oneshot::Sender<Result<Option<Resource>>>,
}

impl<'a> Waits<'a> {
    pub(super) fn new(sites: &'a Sites, clock: &'a dyn Clock, options: &ExecuteOptions) -> Self {
        let pools = sites.iter().flat_map(|(site, provider)| {
            let provider = &**provider;
            Kind::ALL.map(|kind| ((site, kind), Pool::new(provider, kind, clock, options)))
        });
        Self {
            pools: pools.collect(),
        }
    }

    /// Waits for all of `ids`. What comes back is in their order; `None` is what is not there.
    ///
    /// # Errors
    /// `Timeout` after the deadline, `NotFound` for what vanished, `Internal` for what failed for
    /// good, or the error of a read that cannot pass.
    pub(super) async fn wait(
        &self,
        site: &Name,
        kind: Kind,
        ids: &[ResourceId],
        until: &Until,
    ) -> Result<Vec<Option<Resource>>> {
        let Some(pool) = self.pools.get(&(site, kind)) else {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!("the site `{site}` is not connected"),
            ));
        };
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let answers = try_join_all(pool.join_all(ids, until));
        tokio::select! {
            biased;
            answers = answers => answers,
            never = pool.lead() => match never {},
        }
    }

    /// The same, and what became of each, however it goes with the others.
    pub(super) async fn wait_each(
        &self,
        site: &Name,
        kind: Kind,
        ids: &[ResourceId],
        until: &Until,
    ) -> Vec<Result<Option<Resource>>> {
        let Some(pool) = self.pools.get(&(site, kind)).filter(|_| !ids.is_empty()) else {
            return Vec::new();
        };
        let answers = join_all(pool.join_all(ids, until));
        tokio::select! {
            biased;
            answers = answers => answers,
            never = pool.lead() => match never {},
        }
    }
}

impl<'a> Pool<'a> {
    fn new(
        provider: &'a dyn Provider,
        kind: Kind,
        clock: &'a dyn Clock,
        options: &ExecuteOptions,
    ) -> Self {
        Self {
            provider,
            kind,
            clock,
            deadline: options.wait_deadline,
            stop_deadline: options.stop_deadline,
            waiting: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            joined: Notify::new(),
        }
    }

    /// How long something may take.
    fn deadline_of(&self, until: &Until) -> Duration {
        match until {
            Until::Stopped => self.stop_deadline,
            _ => self.deadline,
        }
    }

    fn join(&self, id: &ResourceId, until: &Until) -> oneshot::Receiver<Result<Option<Resource>>> {
        let (answer, receiver) = oneshot::channel();
        let now = self.clock.now();
        let after = |wait| now.checked_add(wait).unwrap_or(Timestamp::MAX);
        let window = self.provider.capabilities().consistency_window_ms;
        lock(&self.waiting).push(Waiting {
            id: id.clone(),
            until: until.clone(),
            grace: after(Duration::from_millis(window)),
            deadline: after(self.deadline_of(until)),
            due: now,
            pause: PAUSE_MIN,
            answer,
        });
        self.joined.notify_one();
        receiver
    }

    fn join_all(
        &self,
        ids: &[ResourceId],
        until: &Until,
    ) -> Vec<impl Future<Output = Result<Option<Resource>>> + use<>> {
        let answers = ids.iter().map(|id| self.join(id, until));
        let answers = answers.map(|answer| async {
            // A pool drops nobody who listens.
            let gone = || Error::new(ErrorKind::Internal, "a wait was dropped");
            answer.await.unwrap_or_else(|_| Err(gone()))
        });
        answers.collect()
    }

    /// Reads for everybody, when it is this one's turn, for as long as it is polled.
    async fn lead(&self) -> Infallible {
        let _turn = self.turn.lock().await;
        loop {
            self.round().await;
            // Whoever got an answer leaves now, before another read begins.
            tokio::task::yield_now().await;
        }
    }

    async fn round(&self) {
        let now = self.clock.now();
        let next = {
            let mut waiting = lock(&self.waiting);
            waiting.retain(|one| !one.answer.is_closed());
            waiting.iter().map(|one| one.due).min()
        };
        let Some(next) = next else {
            return self.joined.notified().await;
        };
        if let Ok(pause) = Duration::try_from(next.duration_since(now))
            && !pause.is_zero()
        {
            tokio::select! {
                () = self.clock.sleep(pause) => {}
                () = self.joined.notified() => {}
            }
            return;
        }
        // Those who ask at the same moment share the read.
        tokio::task::yield_now().await;
        let asked = self.take_due();
        let mut ids: Vec<ResourceId> = asked.iter().map(|one| one.id.clone()).collect();
        ids.sort_unstable();
        ids.dedup();
        let read = Reading::new(asked, self);
        let fresh = self.provider.get_all(self.kind, &ids).await;
        read.answer(fresh);
    }

    /// Takes out those whose time to read has come, or is so near that they may as well join.
    fn take_due(&self) -> Vec<Waiting> {
        let now = self.clock.now();
        let mut waiting = lock(&self.waiting);
        let (asked, later) = std::mem::take(&mut *waiting).into_iter().partition(|one| {
            let soon = now.checked_add(one.pause / 2).unwrap_or(Timestamp::MAX);
            one.due <= soon
        });
        *waiting = later;
        asked
    }
}

/// Those who are read for. Put back into the pool if the read is dropped.
struct Reading<'a> {
    asked: Vec<Waiting>,
    pool: &'a Pool<'a>,
}

impl<'a> Reading<'a> {
    const fn new(asked: Vec<Waiting>, pool: &'a Pool<'a>) -> Self {
        Self { asked, pool }
    }

    fn answer(mut self, fresh: Result<Vec<Resource>>) {
        let now = self.pool.clock.now();
        let fresh: Result<BTreeMap<ResourceId, Resource>> = fresh.map(|items| {
            items
                .into_iter()
                .map(|item| (item.id.clone(), item))
                .collect()
        });
        for mut one in std::mem::take(&mut self.asked) {
            let answer = match &fresh {
                Ok(fresh) => judge(self.pool.kind, &one, fresh.get(&one.id), now),
                Err(error) if one.until == Until::Read || is_final(error) => {
                    Some(Err(error.clone()))
                }
                Err(_) => None,
            };
            let answer = answer.or_else(|| self.overdue(&one, now, fresh.as_ref().err()));
            match answer {
                // Who went away in the meantime wants no answer.
                Some(answer) => drop(one.answer.send(answer)),
                None => {
                    one.due = now.checked_add(one.pause).unwrap_or(Timestamp::MAX);
                    one.pause = (one.pause * 8 / 5).min(PAUSE_MAX);
                    lock(&self.pool.waiting).push(one);
                }
            }
        }
    }

    fn overdue(
        &self,
        one: &Waiting,
        now: Timestamp,
        failure: Option<&Error>,
    ) -> Option<Result<Option<Resource>>> {
        if now < one.deadline {
            return None;
        }
        let what = match one.until {
            Until::Read | Until::Ready | Until::Settled => "ready",
            Until::Attached(Some(_)) => "attached",
            Until::Attached(None) => "detached",
            Until::Stopped => "shut down",
            Until::Gone => "gone",
        };
        let (kind, id) = (self.pool.kind, &one.id);
        let seconds = self.pool.deadline_of(&one.until).as_secs();
        let message = format!("{kind} {id} is not {what} after {seconds} s");
        let overdue = Error::new(ErrorKind::Timeout, message);
        Some(Err(match failure {
            Some(failure) => overdue.with_source(failure.clone().wrapped("the last look failed")),
            None => overdue,
        }))
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        lock(&self.pool.waiting).append(&mut self.asked);
    }
}

/// Whether the wait is over, and how.
fn judge(
    kind: Kind,
    one: &Waiting,
    seen: Option<&Resource>,
    now: Timestamp,
) -> Option<Result<Option<Resource>>> {
    let id = &one.id;
    let error = |error, what: &str| Error::new(error, format!("{kind} {id} {what}"));
    let fail = |kind, what: &str| Some(Err(error(kind, what)));
    // What is over is as good as gone to who does not wait for it to run.
    let seen = seen.filter(|seen| {
        let goes = matches!(one.until, Until::Read | Until::Stopped | Until::Gone);
        !(goes && seen.is_over())
    });
    let Some(seen) = seen else {
        return match one.until {
            Until::Read | Until::Stopped | Until::Gone => Some(Ok(None)),
            Until::Ready | Until::Settled | Until::Attached(_) if now < one.grace => None,
            Until::Ready | Until::Settled | Until::Attached(_) => fail(
                ErrorKind::NotFound,
                "was there and is gone: somebody or the cloud took it away",
            ),
        };
    };
    let done = match (&one.until, seen.state) {
        (Until::Read, _) => true,
        (Until::Gone, _) => false,
        (Until::Stopped, state) => !matches!(
            state,
            ResourceState::Ready | ResourceState::Pending | ResourceState::Unseen
        ),
        (_, ResourceState::Failed) => {
            let help = "look at it in the cloud's console, then apply again to make it anew";
            let failed = error(ErrorKind::Internal, "failed for good");
            return Some(Err(failed.with_help(help)));
        }
        (_, ResourceState::Deleting) => {
            let Some(why) = seen.attributes.get(Resource::STATE_REASON) else {
                return fail(ErrorKind::NotFound, "is being deleted by somebody else");
            };
            let ended = error(shortage(seen), &format!("did not stay: {why}"));
            let code = why.split_once(": ").map(|(code, _)| code);
            let code = code.filter(|code| !code.contains(' '));
            return Some(Err(match code {
                Some(code) => ended.with_scope(Scope::Offer).with_code(code),
                None => ended.with_scope(Scope::Offer),
            }));
        }
        (_, ResourceState::Pending) => false,
        (Until::Ready, state) => state == ResourceState::Ready,
        (Until::Settled, _) => true,
        (Until::Attached(machine), _) => attached_to(&seen.spec) == machine.as_ref(),
    };
    done.then(|| Ok(Some(seen.clone())))
}

/// What it is a matter of that a machine did not stay.
fn shortage(seen: &Resource) -> ErrorKind {
    match seen.attributes.get(Resource::SHORTAGE).map(String::as_str) {
        Some("capacity") => ErrorKind::Capacity,
        Some("quota") => ErrorKind::Quota,
        _ => ErrorKind::NotFound,
    }
}

/// Whether a failed read will fail again however long one waits.
fn is_final(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Unauthenticated
        | ErrorKind::Forbidden
        | ErrorKind::Invalid
        | ErrorKind::Unsupported => true,
        ErrorKind::NotFound
        | ErrorKind::AlreadyExists
        | ErrorKind::Conflict
        | ErrorKind::Precondition
        | ErrorKind::Throttled
        | ErrorKind::Capacity
        | ErrorKind::Quota
        | ErrorKind::Timeout
        | ErrorKind::Transient
        | ErrorKind::Internal => false,
    }
}
