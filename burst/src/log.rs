//! The decisions of a burst on disk: appended, bounded, for their owner alone.
//!
//! A decision is written with its inputs before anything is done for it, and what came of it after
//! that. So a controller that was killed in between, or a person who asks why, finds what it knew. What
//! is to be is in no file: the next decision is made of what there is.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use strat_burst_policy::{History, Policy, Record};
use stratiform::engine::files;

/// Where they are, in the state folder.
pub const FOLDER: &str = "burst";
/// How large a file grows until it becomes the older one of two.
const BYTES_MAX: u64 = 32 << 20;

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// What was decided.
    Decided(Box<Decided>),
    /// What came of it.
    Done(Done),
}

/// A decision, and what the controller has learnt until then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// The decision, with all that it was made of.
    pub record: Record,
    /// What was learnt.
    #[serde(default)]
    pub learnt: Learnt,
}

/// What a controller has learnt, which no site can tell it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Learnt {
    /// How long the last boots took, in seconds, by place.
    #[serde(default)]
    pub boots_s: BTreeMap<String, Vec<u64>>,
    /// Since when machines have been ready, by id.
    #[serde(default)]
    pub ready: BTreeMap<String, Timestamp>,
    /// Until when machines have been paid for, by id.
    #[serde(default)]
    pub paid: BTreeMap<String, Paid>,
}

/// Until when a machine has been paid for, so that no hour of it is paid for twice or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paid {
    /// Until when.
    pub until: Timestamp,
    /// What an hour of it costs, in US dollars.
    pub usd_hour: Decimal,
    /// Whether anybody has seen it, or only its cloud's answer that it was made.
    pub seen: bool,
    /// Since when it is not there any more, if it is not.
    #[serde(default)]
    pub gone: Option<Timestamp>,
}

/// What came of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The decision's id.
    pub id: String,
    /// When it was over.
    pub at: Timestamp,
    /// The plan that was applied for it.
    pub run: Option<String>,
    /// Whether anything may have been done.
    pub begun: bool,
    /// What kept it from being done as it was decided; nothing if nothing did.
    #[serde(default)]
    pub problems: Vec<String>,
    /// The machines that its run made.
    #[serde(default)]
    pub made: Vec<Made>,
    /// The machines that its run let go, and when their clouds had agreed to that.
    #[serde(default)]
    pub gone: BTreeMap<String, Timestamp>,
}

/// A machine that a run made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// Its id.
    pub id: String,
    /// When its cloud's answer was there.
    pub at: Timestamp,
    /// What an hour of it costs, in US dollars.
    pub usd_hour: Decimal,
}

/// The file of one burst.
#[derive(Debug, Clone)]
pub struct Log {
    path: PathBuf,
    bytes_max: u64,
}

impl Log {
    /// The file of a burst, in a topology's state folder.
    #[must_use]
    pub fn of(state: &Path, burst: &str) -> Self {
        Self {
            path: state.join(FOLDER).join(format!("{burst}.jsonl")),
            bytes_max: BYTES_MAX,
        }
    }

    /// The same, which becomes the older one of two at another size.
    #[must_use]
    pub fn bounded(self, bytes_max: u64) -> Self {
        Self { bytes_max, ..self }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn older(&self) -> PathBuf {
        self.path.with_extension("1.jsonl")
    }

    /// Adds a line, on disk before this returns.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn append(&self, line: &Line) -> std::io::Result<()> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        if let Some(file) = files::open(&self.path)?
            && file.metadata()?.len() + text.len() as u64 > self.bytes_max
        {
            std::fs::rename(&self.path, self.older())?;
        }
        if self.is_torn()? {
            text.insert(0, b'\n');
        }
        let mut file = files::append(&self.path)?;
        file.write_all(&text)?;
        file.sync_data()
    }

    /// Whether the last line was not written to its end.
    fn is_torn(&self) -> std::io::Result<bool> {
        let Some(mut file) = files::open(&self.path)? else {
            return Ok(false);
        };
        if file.metadata()?.len() == 0 {
            return Ok(false);
        }
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        Ok(last != *b"\n")
    }

    /// Reads all lines, oldest first. What is no line is passed over: the end of one that a kill has cut
    /// off.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn each(&self, mut f: impl FnMut(Line)) -> std::io::Result<()> {
        for path in [self.older(), self.path.clone()] {
            let Some(file) = files::open(&path)? else {
                continue;
            };
            for line in BufReader::new(file).split(b'\n') {
                if let Ok(line) = serde_json::from_slice(&line?) {
                    f(line);
                }
            }
        }
        Ok(())
    }

    /// Reads the lines that were added after the first `from` bytes; at first also those of the older
    /// file. What it gives is where to go on from.
    ///
    /// # Errors
    /// As [`Log::each`].
    pub fn follow(&self, from: u64, mut f: impl FnMut(Line)) -> std::io::Result<u64> {
        if from == 0
            && let Some(older) = files::open(&self.older())?
        {
            for line in BufReader::new(older).split(b'\n') {
                if let Ok(line) = serde_json::from_slice(&line?) {
                    f(line);
                }
            }
        }
        let Some(mut file) = files::open(&self.path)? else {
            return Ok(from);
        };
        // A shorter file is another one: the one before is the older one now.
        let mut at = match file.metadata()?.len() < from {
            true => 0,
            false => from,
        };
        file.seek(SeekFrom::Start(at))?;
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            if line.last() != Some(&b'\n') {
                // It is being written.
                break;
            }
            at += line.len() as u64;
            if let Ok(line) = serde_json::from_slice(&line) {
                f(line);
            }
            line.clear();
        }
        Ok(at)
    }

    /// The last decision and what came of it, if that is known.
    ///
    /// # Errors
    /// As [`Log::each`].
    pub fn last(&self) -> std::io::Result<Option<(Decided, Option<Done>)>> {
        let mut last = None;
        self.each(|line| match (line, &mut last) {
            (Line::Decided(decided), last) => *last = Some((*decided, None)),
            (Line::Done(came), Some((decided, done))) if came.id == decided.record.id => {
                *done = Some(came);
            }
            (Line::Done(_), _) => {}
        })?;
        Ok(last)
    }

    /// A decision by its id, or by the beginning of it where only one has that.
    ///
    /// # Errors
    /// As [`Log::each`].
    pub fn find(&self, id: &str) -> std::io::Result<Vec<(Decided, Option<Done>)>> {
        let mut found: Vec<(Decided, Option<Done>)> = Vec::new();
        self.each(|line| match line {
            Line::Decided(decided) if decided.record.id.starts_with(id) => {
                found.push((*decided, None));
            }
            Line::Done(done) => {
                let mut found = found.iter_mut();
                if let Some((_, came)) = found.find(|(one, _)| one.record.id == done.id) {
                    *came = Some(done);
                }
            }
            Line::Decided(_) => {}
        })?;
        Ok(found)
    }
}

/// The history that the next decision is made of, after one and what came of it. Of one whose end nobody
/// knows, all may have been done.
#[must_use]
pub fn history_after(policy: &Policy, record: &Record, begun: bool) -> History {
    let mut history = record.inputs.history.clone();
    let mut decision = record.decision.clone();
    if !begun {
        decision.steps.clear();
        decision.moving.left = history.moving;
    }
    history.note(policy, &record.inputs, &decision);
    history
}

/// The bursts that have decided anything in a state folder, by name.
///
/// # Errors
/// If the folder cannot be read.
pub fn bursts(state: &Path) -> std::io::Result<Vec<String>> {
    let folder = state.join(FOLDER);
    let mut names = Vec::new();
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(names),
        Err(why) => return Err(why),
    };
    for entry in entries {
        let name = entry?.file_name();
        let name = name.to_str().and_then(|name| name.strip_suffix(".jsonl"));
        if let Some(name) = name.filter(|name| !name.contains('.')) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use strat_burst_policy::Inputs;
    use strat_model::burst::BurstPolicy;

    use super::*;

    fn decided(second: i64) -> Line {
        let policy = Policy::new(BurstPolicy::new("web", 1, 5)).expect("possible");
        let at = Timestamp::from_second(second).expect("a time");
        let record = Record::of(&policy, &Inputs::new(at)).expect("JSON");
        let learnt = Learnt::default();
        Line::Decided(Box::new(Decided { record, learnt }))
    }

    #[test]
    fn what_is_cut_off_costs_nothing_but_itself_and_the_file_is_bounded() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = Log::of(folder.path(), "web").bounded(4000);
        assert_eq!(log.last().expect("read"), None);
        log.append(&decided(1)).expect("written");
        let mut text = std::fs::read(log.path()).expect("read");
        text.extend_from_slice(b"{\"decided\":{\"record\":{\"id\":\"ab");
        std::fs::write(log.path(), &text).expect("written");
        log.append(&decided(2)).expect("written");
        let mut seen = Vec::new();
        let at = |line: Line| match line {
            Line::Decided(decided) => seen.push(decided.record.decision.at.as_second()),
            Line::Done(_) => {}
        };
        log.each(at).expect("read");
        assert_eq!(seen, [1, 2]);
        for second in 3..40 {
            log.append(&decided(second)).expect("written");
        }
        let size = |path: &Path| std::fs::metadata(path).expect("there").len();
        assert!(size(log.path()) <= 4000 && size(&log.older()) <= 4000);
        let (last, done) = log.last().expect("read").expect("one");
        assert_eq!((last.record.decision.at.as_second(), done), (39, None));
        assert_eq!(bursts(folder.path()).expect("read"), ["web"]);
    }

    #[cfg(unix)]
    #[test]
    fn it_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let log = Log::of(folder.path(), "web");
        log.append(&decided(1)).expect("written");
        let mode = std::fs::metadata(log.path()).expect("there").permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
    }
}
