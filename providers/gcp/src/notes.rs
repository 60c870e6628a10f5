//! Marks and labels of what has no labels on Google Cloud: networks, subnets, firewall rules and keys.
//!
//! They are a small JSON text in the description, which the creating call sets. Google lets nobody
//! change the description of a network or a subnet afterwards ("Provide this field when you create the
//! resource"), so what changes of their notes is kept in the project's metadata
//! ([`crate::metadata`]), under the number that Google gave the thing.

use strat_model::{Mark, ResourceId, Result, Witness};
pub(crate) use strat_provider::Note;

use crate::error::PROVIDER;
use crate::names::google_name;

/// The longest description.
///
/// <https://cloud.google.com/compute/docs/reference/rest/v1/networks> names no bound; 2048 characters
/// is what the console takes.
const DESCRIPTION_MAX: usize = 2048;

/// A note as Google's descriptions have it.
pub(crate) trait Described {
    /// The text.
    ///
    /// # Errors
    /// `Invalid` for more than a description takes.
    fn write(&self) -> Result<String>;

    /// Whether the thing of this name is the one that the note was written for: whoever copies a
    /// description gives the copy another name.
    fn witness(&self, mark: Option<&Mark>, id: &ResourceId, name: &str) -> Witness;
}

impl Described for Note {
    fn write(&self) -> Result<String> {
        let text = self.text(DESCRIPTION_MAX);
        text.map_err(|error| error.with_provider(PROVIDER))
    }

    fn witness(&self, mark: Option<&Mark>, id: &ResourceId, name: &str) -> Witness {
        match Witness::by_mark(mark, id) {
            Witness::Held
                if self
                    .name
                    .as_deref()
                    .is_some_and(|asked| google_name(asked) != name) =>
            {
                let why = format!(
                    "its mark was written for `{}`",
                    self.name.as_deref().unwrap_or("")
                );
                Witness::Refuted { why }
            }
            witness => witness,
        }
    }
}

#[cfg(test)]
mod tests {
    use strat_model::Labels;

    use super::*;

    #[test]
    fn a_copied_description_is_of_another_name() {
        let mark = Mark {
            owner: "bank/shop".parse().expect("owner"),
            addr: "network.core@east".parse().expect("addr"),
            spec: "abc".to_owned(),
            generation: 1,
            origin: None,
            protect: false,
            disposable: false,
            notes: strat_model::Shared::new(),
        };
        let note = Note::of_new("n", &mark, &Labels::new(), "t");
        let held = |name: &str| {
            let id = ResourceId::from(name);
            note.witness(note.mark().as_ref(), &id, name).is_held()
        };
        assert!(held("n") && !held("copy"));
    }
}
