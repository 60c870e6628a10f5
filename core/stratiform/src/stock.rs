//! The book of what ran out, on disk.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use strat_engine::files;
use strat_model::{Name, SiteFacts, Spec};
use strat_planner::{Desired, MachineOffer, Mode, StockBook, StockEntry};

use crate::{Error, PlanOptions, Session, StateDir};

const FILE_NAME: &str = "stock.json";
/// The version of the file's form.
const VERSION: u32 = 1;
/// No book is as large as this.
const BYTES_MAX: u64 = 4 << 20;

/// The file in the state folder. It may be deleted at any time: then what ran out is asked for
/// again.
#[derive(Debug, Clone)]
pub(crate) struct StockFile {
    state: StateDir,
}

#[derive(Debug, Serialize, Deserialize)]
struct Wire {
    v: u32,
    entries: Vec<StockEntry>,
}

impl StockFile {
    pub(crate) fn new(state: StateDir) -> Self {
        Self { state }
    }

    fn path(&self) -> PathBuf {
        self.state.path().join(FILE_NAME)
    }

    /// What is in the book; where it cannot be read, nothing, and why.
    pub(crate) fn read(&self) -> (StockBook, Option<String>) {
        match self.try_read() {
            Ok(entries) => (StockBook::of(entries), None),
            Err(why) => {
                let path = self.path();
                let path = path.display();
                let what = format!(
                    "what ran out lately is forgotten: `{path}` {why}; it is written anew when \
                     something runs out"
                );
                (StockBook::default(), Some(what))
            }
        }
    }

    fn try_read(&self) -> Result<Vec<StockEntry>, String> {
        let path = self.path();
        let read = files::read(&path, BYTES_MAX);
        let bytes = read.map_err(|why| format!("cannot be read: {why}"))?;
        let Some(bytes) = bytes else {
            return Ok(Vec::new());
        };
        let wire: Wire =
            serde_json::from_slice(&bytes).map_err(|why| format!("is damaged: {why}"))?;
        if wire.v != VERSION {
            let v = wire.v;
            return Err(format!(
                "has the form {v}, and this program knows {VERSION}"
            ));
        }
        Ok(wire.entries)
    }

    /// Writes the book, whole or not at all.
    pub(crate) fn write(&self, book: &StockBook) -> Result<(), Error> {
        let path = self.path();
        self.state.create()?;
        let wire = Wire {
            v: VERSION,
            entries: book.entries().cloned().collect(),
        };
        let write = || -> std::io::Result<()> {
            let mut text = serde_json::to_vec_pretty(&wire)?;
            text.push(b'\n');
            files::replace(&path, &text)
        };
        write().map_err(Error::file(&path, "written"))
    }
}

impl Session {
    pub(crate) fn stock_file(&self) -> StockFile {
        StockFile::new(self.workspace().state())
    }

    /// What a plan with these options does not ask for.
    pub(crate) fn stock(&self, options: &PlanOptions) -> StockBook {
        if options.ignore_stock_outs || options.mode == Mode::Destroy {
            StockBook::default()
        } else {
            self.stock_book()
        }
    }

    /// The entries of a book that keep something that is on sale from being tried now.
    pub(crate) fn avoided(
        &self,
        book: &StockBook,
        facts: &BTreeMap<Name, SiteFacts>,
    ) -> Vec<StockEntry> {
        let machines = &self.workspace().intent().machines;
        let concerns = |entry: &&StockEntry| {
            if let Some(subnet) = entry.subnet() {
                return machines.iter().any(|one| one.subnet == subnet.local);
            }
            let offers = facts.get(&entry.site).map(|facts| &facts.offers);
            let mut offers = offers.into_iter().flatten();
            offers.any(|offer| entry.covers(&entry.site, offer))
        };
        let live = book.live(self.clock().now());
        live.filter(concerns).cloned().collect()
    }
}

/// Fills in the prices of what runs and is not sold at the moment.
pub(crate) fn price(desired: &mut Desired, facts: &BTreeMap<Name, SiteFacts>) {
    for (addr, entry) in &mut desired.entries {
        let Some(facts) = facts.get(&addr.site) else {
            continue;
        };
        for goal in &mut entry.goals {
            if let (Spec::Machine(spec), None) = (&goal.spec, &goal.price_hour)
                && let Some(offer) = MachineOffer::of(spec).find(facts)
                && offer.price_hour.is_some()
            {
                let price_hour = offer.price_hour;
                Arc::make_mut(goal).price_hour = price_hour;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = r#"{ "site": "east", "scope": "offer", "zone": "b",
        "machine_type": "m5.large", "capacity": "on_demand", "code": "InsufficientInstanceCapacity",
        "seen": "2026-01-02T03:04:05Z", "until": "2026-01-02T03:14:05Z", "times": 1 }"#;

    #[test]
    fn what_cannot_be_read_is_an_empty_book_and_a_warning() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = StockFile::new(StateDir::beside(dir.path()));
        let (book, warning) = file.read();
        assert_eq!((book.entries().count(), warning), (0, None), "no file yet");
        let whole = format!(r#"{{ "v": 1, "entries": [{ENTRY}] }}"#);
        file.write(&StockBook::default()).expect("written");
        for (text, warns) in [
            (whole.as_str(), false),
            (&whole[..whole.len() / 2], true),
            ("", true),
            ("[]", true),
            (r#"{ "v": 2, "entries": [] }"#, true),
            (r#"{ "v": 1, "entries": [{ "site": "../x" }] }"#, true),
        ] {
            std::fs::write(file.path(), text).expect("written");
            let (book, warning) = file.read();
            assert_eq!(warning.is_some(), warns, "{text}: {warning:?}");
            assert_eq!(book.entries().count(), usize::from(!warns));
        }
        std::fs::write(file.path(), &whole).expect("written");
        let (book, _) = file.read();
        file.write(&book).expect("written");
        assert_eq!(file.read().0, book);
        let said = book.entries().next().expect("one").to_string();
        assert_eq!(
            said,
            "east b: m5.large was out of stock (InsufficientInstanceCapacity)"
        );
    }
}
