//! What is shown, kept up with the files.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::broadcast;

use super::points::{Limits, Point, Short};
use crate::log::{Line, Log, bursts};
use crate::status::Status;

/// How many points of a burst are kept: a week of minutes.
const POINTS_MAX: usize = 7 * 1440;
/// How many decisions of a burst are kept that say something.
const SHORT_MAX: usize = 500;
/// How many events may wait for a slow reader, who then begins anew.
const EVENTS_MAX: usize = 256;

/// What is shown.
#[derive(Debug)]
pub struct Board {
    state: PathBuf,
    seen: Mutex<Seen>,
    events: broadcast::Sender<String>,
}

#[derive(Debug, Default)]
struct Seen {
    status: Option<Status>,
    tracks: BTreeMap<String, Track>,
}

#[derive(Debug, Default)]
struct Track {
    read: u64,
    limits: Limits,
    points: VecDeque<Point>,
    decisions: VecDeque<Short>,
    last: Option<Short>,
    counts: BTreeMap<String, u64>,
}

impl Track {
    fn add(&mut self, line: Line) -> Option<Value> {
        match line {
            Line::Decided(decided) => {
                let record = &decided.record;
                self.limits = Limits::of(&record.settings);
                let point = Point::of(&record.decision);
                let short = Short::of(record);
                let action = crate::status::word(&record.decision);
                *self.counts.entry(action).or_default() += 1;
                let says = short.says_something(self.last.as_ref());
                push(&mut self.points, point.clone(), POINTS_MAX);
                if says {
                    push(&mut self.decisions, short.clone(), SHORT_MAX);
                }
                let burst = &record.decision.burst;
                let event = json!({ "burst": burst, "point": point, "decision": short });
                self.last = Some(short);
                Some(event)
            }
            Line::Done(done) => {
                let all = self.decisions.iter_mut().rev().chain(&mut self.last);
                for short in all.filter(|short| short.id == done.id) {
                    short.done = Some(done.clone());
                }
                None
            }
        }
    }
}

fn push<T>(list: &mut VecDeque<T>, one: T, most: usize) {
    if list.len() >= most {
        list.pop_front();
    }
    list.push_back(one);
}

impl Board {
    /// What a state folder has. Nothing is read yet.
    #[must_use]
    pub fn new(state: PathBuf) -> Self {
        Self {
            state,
            seen: Mutex::default(),
            events: broadcast::Sender::new(EVENTS_MAX),
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // What a panic left is still as it was read.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The folder.
    pub(super) fn state(&self) -> &Path {
        &self.state
    }

    /// Reads what is new, and tells whoever listens.
    pub fn look(&self) {
        let mut events = Vec::new();
        let mut seen = self.seen();
        if let Ok(status) = Status::read(&self.state)
            && status != seen.status
        {
            events.push(("status", json!(status)));
            seen.status = status;
        }
        for name in bursts(&self.state).unwrap_or_default() {
            let log = Log::of(&self.state, &name);
            let track = seen.tracks.entry(name).or_default();
            let is_first = track.read == 0;
            let mut lines = Vec::new();
            // What cannot be read now is read the next time.
            if let Ok(read) = log.follow(track.read, |line| lines.push(line)) {
                track.read = read;
            }
            for line in lines {
                let event = track.add(line);
                events.extend(event.filter(|_| !is_first).map(|event| ("decision", event)));
            }
        }
        drop(seen);
        for (name, data) in events {
            // Nobody may be listening.
            let _ = self.events.send(format!("event: {name}\ndata: {data}\n\n"));
        }
    }

    /// What comes from now on.
    pub(super) fn listen(&self) -> broadcast::Receiver<String> {
        self.events.subscribe()
    }

    /// What the controller says of itself.
    pub(super) fn status(&self) -> Option<Status> {
        self.seen().status.clone()
    }

    /// The decisions of a burst, or of all, that say something: newest first.
    pub(super) fn decisions(&self, burst: Option<&str>, most: usize) -> Vec<Short> {
        let seen = self.seen();
        let tracks = seen.tracks.iter();
        let tracks = tracks.filter(|(name, _)| burst.is_none_or(|burst| burst == *name));
        let mut all: Vec<Short> = tracks
            .flat_map(|(_, track)| track.decisions.iter().cloned())
            .collect();
        all.sort_by_key(|short| std::cmp::Reverse(short.at()));
        all.truncate(most);
        all
    }

    /// The points of every burst, and its limits.
    pub(super) fn points(&self) -> Value {
        let seen = self.seen();
        let one = |(name, track): (&String, &Track)| {
            let value = json!({ "limits": track.limits, "points": track.points });
            (name.clone(), value)
        };
        json!({ "bursts": seen.tracks.iter().map(one).collect::<BTreeMap<_, _>>() })
    }

    /// How often each burst came to what, as far as its files say.
    pub(super) fn counts(&self) -> BTreeMap<String, BTreeMap<String, u64>> {
        let seen = self.seen();
        let tracks = seen.tracks.iter();
        tracks
            .map(|(name, track)| (name.clone(), track.counts.clone()))
            .collect()
    }

    /// The last decision of each burst.
    pub(super) fn last(&self) -> Vec<Short> {
        let seen = self.seen();
        let tracks = seen.tracks.values();
        tracks.filter_map(|track| track.last.clone()).collect()
    }
}
