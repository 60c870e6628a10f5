//! The project's metadata: where keys are kept, and what changes of notes that nobody can write.
//!
//! Google has no thing that is a key pair: SSH keys are entries of metadata. Ours are entries of the
//! project's, `stratiform-key-NAME`, each with its note; a machine gets the key itself in its own
//! metadata. `stratiform-note-KIND-NUMBER` is what a network's or subnet's description says no more.
//!
//! The metadata is written whole, on condition that nobody wrote in between (its fingerprint). The
//! fingerprint is a digest of the contents, so it repeats; that is no matter here, where the new
//! contents are made of those that the fingerprint stands for.

use std::collections::BTreeMap;

use google_cloud_compute_v1::model::Metadata;
use google_cloud_compute_v1::model::metadata::Items;
use strat_model::{ErrorKind, Kind, Result};

use crate::error::{failed, lacking, refuse};
use crate::notes::{Described as _, Note};
use crate::operations::{RequestId as _, Stamp};
use crate::provider::GcpProvider;

/// What begins the entry of a key pair.
pub(crate) const KEY: &str = "stratiform-key-";
/// What begins the entry of a note.
const NOTE: &str = "stratiform-note-";
/// How often a write is begun anew because somebody else wrote in between.
const TURNS_MAX: u32 = 10;

/// The entries of metadata, by key.
pub(crate) type Entries = BTreeMap<String, String>;

/// The entries as the SDK has them.
pub(crate) fn read(metadata: Option<&Metadata>) -> Entries {
    let items = metadata
        .map(|metadata| metadata.items.as_slice())
        .unwrap_or_default();
    let entries = items.iter();
    let entries = entries.filter_map(|item| Some((item.key.clone()?, item.value.clone()?)));
    entries.collect()
}

/// The entries as the SDK takes them.
pub(crate) fn write(entries: &Entries) -> Vec<Items> {
    let item = |(key, value): (&String, &String)| Items::new().set_key(key).set_value(value);
    entries.iter().map(item).collect()
}

/// The key of a note on the thing of this number.
fn note_key(kind: Kind, number: u64) -> String {
    format!("{NOTE}{kind}-{number}")
}

/// The notes of one kind that stand in place of descriptions.
#[derive(Debug, Default)]
pub(crate) struct Notes(Entries);

impl Notes {
    /// The note of a thing: what is written here, else what its description says.
    pub(crate) fn of(&self, kind: Kind, number: Option<u64>, description: Option<&str>) -> Note {
        let own = number.and_then(|number| self.0.get(&note_key(kind, number)));
        Note::read(own.map(String::as_str).or(description))
    }
}

impl GcpProvider {
    /// The project's metadata, as it is now.
    async fn common(&self) -> Result<Metadata> {
        const ACTION: &str = "compute.projects.get";
        let call = self
            .access
            .projects
            .get()
            .set_project(&self.settings.project);
        let project = call.send().await.map_err(failed(ACTION))?;
        Ok(project.common_instance_metadata.unwrap_or_default())
    }

    /// The entries of the project's metadata.
    pub(crate) async fn entries(&self) -> Result<Entries> {
        Ok(read(Some(&self.common().await?)))
    }

    /// The notes that stand in place of descriptions.
    pub(crate) async fn notes(&self) -> Result<Notes> {
        Ok(Notes(self.entries().await?))
    }

    /// Changes the entries: `change` says what they are to be, or that there is nothing to do.
    ///
    /// A write that somebody else was faster than did nothing, and is begun anew with what is there
    /// then.
    pub(crate) async fn change_entries(
        &self,
        stamp: Option<&Stamp>,
        change: impl Fn(&Entries) -> Result<Option<Entries>> + Send + Sync,
    ) -> Result<()> {
        const ACTION: &str = "compute.projects.setCommonInstanceMetadata";
        // One at a time from here: those that run at once would only send each other back.
        let _turn = self.metadata_turn.lock().await;
        for turn in 0..TURNS_MAX {
            let before = self.common().await?;
            let Some(after) = change(&read(Some(&before)))? else {
                return Ok(());
            };
            let fingerprint = before.fingerprint.clone();
            let fingerprint = fingerprint.ok_or_else(|| lacking(ACTION, "fingerprint"))?;
            let body = Metadata::new()
                .set_fingerprint(fingerprint)
                .set_items(write(&after));
            let mut call = self
                .access
                .projects
                .set_common_instance_metadata()
                .set_project(&self.settings.project)
                .set_body(body);
            if let Some(stamp) = stamp {
                call = call.set_request_id(stamp.request_id("metadata", turn));
            }
            let done = match call.send().await.map_err(failed(ACTION)) {
                Ok(operation) => self.settle(ACTION, operation).await.map(|_| ()),
                Err(error) => Err(error),
            };
            match done {
                Err(error) if error.kind() == ErrorKind::Precondition => {}
                // What Google remembers of this request may be of a write that was undone since.
                Ok(()) if stamp.is_some() && change(&self.entries().await?)?.is_some() => {}
                done => return done,
            }
        }
        let message = "others write the project's metadata all the time";
        Err(refuse(ErrorKind::Conflict, message))
    }

    /// Writes the note of a thing whose description cannot be changed.
    pub(crate) async fn write_note(&self, kind: Kind, number: u64, note: &Note) -> Result<()> {
        let (key, text) = (note_key(kind, number), note.write()?);
        self.change_entries(None, |before| {
            if before.get(&key) == Some(&text) {
                return Ok(None);
            }
            let mut after = before.clone();
            after.insert(key.clone(), text.clone());
            Ok(Some(after))
        })
        .await
    }

    /// Takes off the note of a thing that is gone, where there is one. No other thing will ever have
    /// its number, so one that is left behind does no harm.
    pub(crate) async fn drop_note(&self, kind: Kind, number: u64) -> Result<()> {
        let key = note_key(kind, number);
        self.change_entries(None, |before| {
            let mut after = before.clone();
            Ok(after.remove(&key).map(|_| after))
        })
        .await
    }
}
