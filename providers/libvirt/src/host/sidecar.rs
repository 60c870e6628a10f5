//! Documents beside what has no metadata in libvirt: volumes, images, key pairs, firewalls.
//!
//! A document is a small volume of the site's pool, called
//! `<name>.<kind>.<revision>.<digest>.json`. The digest is of its content, so that one that was
//! cut short is known; a change writes the next revision and then deletes the last, so that at
//! every moment one of them is whole.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use strat_model::{Digest, ErrorKind, Kind, Result};

use super::{Host, Pool};
use crate::error::Explain as _;
use crate::thing::Thing;

/// How often a document is tried that somebody is making, and how long is waited between.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);

/// The documents of one kind on one host.
#[derive(Debug)]
pub(crate) struct Shelf<'a> {
    host: &'a Host,
    pool: &'a Pool,
    label: &'static str,
}

/// The parts of a document's file name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct FileName {
    name: String,
    revision: u64,
    digest: String,
    file: String,
}

impl FileName {
    fn parse(file: &str, label: &str) -> Option<Self> {
        let rest = file.strip_suffix(".json")?;
        let (rest, digest) = rest.rsplit_once('.')?;
        let (rest, revision) = rest.rsplit_once('.')?;
        let (name, of) = rest.rsplit_once('.')?;
        (of == label).then_some(())?;
        Some(Self {
            name: name.to_owned(),
            revision: revision.parse().ok()?,
            digest: digest.to_owned(),
            file: file.to_owned(),
        })
    }
}

/// What notes of machines and volumes are called, which every host keeps of all hosts.
const NOTES: [&str; 2] = ["machine-note", "volume-note"];

/// Whether a volume of a pool is a document.
pub(crate) fn is_document(file: &str) -> bool {
    let labels = Kind::ALL.into_iter().map(Kind::as_str).chain(NOTES);
    labels
        .into_iter()
        .any(|label| FileName::parse(file, label).is_some())
}

fn is_whole(text: &str, digest: &str) -> bool {
    Digest::of(text.as_bytes()).as_str().starts_with(digest)
}

impl<'a> Shelf<'a> {
    pub(crate) const fn new(host: &'a Host, pool: &'a Pool, kind: Kind) -> Self {
        let label = kind.as_str();
        Self { host, pool, label }
    }

    /// The notes of machines, or of volumes.
    pub(crate) fn of_notes(host: &'a Host, pool: &'a Pool, kind: Kind) -> Self {
        let label = NOTES[usize::from(kind != Kind::Machine)];
        Self { host, pool, label }
    }

    /// The file names of this kind's documents, by thing, the oldest revision first.
    fn files(&self) -> Result<BTreeMap<String, Vec<FileName>>> {
        let mut files: BTreeMap<String, Vec<FileName>> = BTreeMap::new();
        for file in self.pool.names(self.host)? {
            if let Some(file) = FileName::parse(&file, self.label) {
                files.entry(file.name.clone()).or_default().push(file);
            }
        }
        files
            .values_mut()
            .for_each(|files| files.sort_by_key(|file| file.revision));
        Ok(files)
    }

    /// All of them, by the name of the thing.
    pub(crate) fn all<B: Serialize + DeserializeOwned>(
        &self,
    ) -> Result<BTreeMap<String, Thing<B>>> {
        let mut things = BTreeMap::new();
        for (name, files) in self.files()? {
            let whole = self.whole(&name, &files)?;
            things.extend(whole.map(|thing| (name, thing)));
        }
        Ok(things)
    }

    /// That of one thing, without a look into the others.
    pub(crate) fn one<B: Serialize + DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<Option<Thing<B>>> {
        match self.files()?.remove(name) {
            Some(files) => self.whole(name, &files),
            None => Ok(None),
        }
    }

    /// The newest whole one, of a thing whose files were these a moment ago.
    fn whole<B: Serialize + DeserializeOwned>(
        &self,
        name: &str,
        files: &[FileName],
    ) -> Result<Option<Thing<B>>> {
        let newest = self.newest(files)?;
        if newest.is_some() {
            return Ok(newest);
        }
        // The next revision may have become whole, and this one have gone, in between.
        match self.files()?.remove(name) {
            Some(again) if again != files => self.newest(&again),
            _ => Ok(None),
        }
    }

    /// The newest whole one. One that was copied under another name is no document: it says the name of
    /// what it was written for.
    fn newest<B: Serialize + DeserializeOwned>(
        &self,
        files: &[FileName],
    ) -> Result<Option<Thing<B>>> {
        for file in files.iter().rev() {
            if let Some(text) = self.read(file)?
                && let Some(thing) = Thing::from_json(&text)
                && thing.name == file.name
            {
                return Ok(Some(thing));
            }
        }
        Ok(None)
    }

    /// A document's text; `None` if it is gone or was cut short.
    fn read(&self, file: &FileName) -> Result<Option<Arc<str>>> {
        let known = self
            .host
            .sidecars
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&file.file)
            .cloned();
        if known.is_some() {
            return Ok(known);
        }
        let Some(bytes) = self.bytes(file)? else {
            return Ok(None);
        };
        // A pool of block devices pads with zeros; JSON has none.
        let end = bytes
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(bytes.len());
        let text = String::from_utf8_lossy(&bytes[..end]).into_owned();
        if !is_whole(&text, &file.digest) {
            return Ok(None);
        }
        let text: Arc<str> = text.into();
        let mut known = self
            .host
            .sidecars
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.insert(file.file.clone(), Arc::clone(&text));
        Ok(Some(text))
    }

    /// What is in a document's volume; `None` if it is gone.
    fn bytes(&self, file: &FileName) -> Result<Option<Vec<u8>>> {
        let mut tries = 0;
        loop {
            let Some(volume) = self.pool.volume(self.host, &file.file)? else {
                return Ok(None);
            };
            let mut bytes = Vec::new();
            let read = self.host.download(&volume, &mut |part| {
                bytes.extend_from_slice(part);
                Ok(())
            });
            match read {
                // Somebody is making it at this moment.
                Err(error) if error.kind() == ErrorKind::Conflict && tries < TRIES => {
                    tries += 1;
                    std::thread::sleep(PAUSE);
                }
                // Somebody deletes it at this moment.
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                outcome => return outcome.map(|()| Some(bytes)),
            }
        }
    }

    /// Writes a thing's document.
    pub(crate) fn put<B: Serialize + DeserializeOwned>(&self, thing: &Thing<B>) -> Result<()> {
        let text = thing.to_json()?;
        let digest = Digest::of(text.as_bytes());
        let digest = digest.short();
        let old = self.files()?.remove(&thing.name).unwrap_or_default();
        if let Some(newest) = old.last()
            && newest.digest == digest
            && self.read(newest)?.is_some()
        {
            return Ok(());
        }
        let revision = old.last().map_or(1, |newest| newest.revision + 1);
        let file = format!("{}.{}.{revision:06}.{digest}.json", thing.name, self.label);
        self.pool.put_bytes(self.host, &file, text.as_bytes())?;
        for file in &old {
            self.drop_file(file)?;
        }
        Ok(())
    }

    /// Deletes a thing's document.
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        // The newest goes last: until then it counts.
        for file in self.files()?.remove(name).unwrap_or_default() {
            self.drop_file(&file)?;
        }
        Ok(())
    }

    fn drop_file(&self, file: &FileName) -> Result<()> {
        if let Some(volume) = self.pool.volume(self.host, &file.file)? {
            volume
                .delete(0)
                .found(self.host, || format!("deleting {}", file.file))?;
        }
        let mut known = self
            .host
            .sidecars
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.remove(&file.file);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_read() {
        let file = FileName::parse("shop-a.b.volume.000002.00ff.json", "volume").expect("a name");
        assert_eq!(
            (file.name.as_str(), file.revision, file.digest.as_str()),
            ("shop-a.b", 2, "00ff")
        );
        assert!(FileName::parse("shop.image.000002.00ff.json", "volume").is_none());
        assert!(FileName::parse("shop.volume.qcow2", "volume").is_none());
        assert!(is_document("x.keypair.000001.ab.json") && !is_document("x.json"));
        assert!(is_document("x.volume-note.000001.ab.json"));
    }

    #[test]
    fn a_document_that_was_cut_short_is_known() {
        let digest = Digest::of(b"{\"a\":1}");
        let digest = digest.short();
        assert!(is_whole("{\"a\":1}", digest));
        assert!(!is_whole("{\"a\"", digest));
    }
}
