//! Marks and labels of what has no labels on Google Cloud: networks, subnets, firewall rules and keys.
//!
//! They are a small JSON text in the description, which the creating call sets. Google lets nobody
//! change the description of a network or a subnet afterwards ("Provide this field when you create the
//! resource"), so what changes of their notes is kept in the project's metadata
//! ([`crate::metadata`]), under the number that Google gave the thing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strat_model::{ErrorKind, Labels, Mark, ResourceId, Result, Witness};

use crate::error::refuse;
use crate::names::google_name;

/// The longest description.
///
/// <https://cloud.google.com/compute/docs/reference/rest/v1/networks> names no bound; 2048 characters
/// is what the console takes.
const DESCRIPTION_MAX: usize = 2048;

/// What is noted of one thing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    /// The mark's tags, without the prefix of their keys. Empty for what was let go.
    #[serde(
        default,
        rename = "stratiform",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    tags: BTreeMap<String, String>,
    /// The topology's labels.
    #[serde(default, skip_serializing_if = "has_none")]
    pub(crate) labels: Labels,
    /// The token of the create and a digest of what was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) made: Option<String>,
    /// The name that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// The range of a network, which has none on Google Cloud; which way a firewall's rule writes
    /// everybody; and the like.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) more: BTreeMap<String, String>,
}

impl Note {
    /// The note of a new thing.
    pub(crate) fn of_new(name: &str, mark: &Mark, labels: &Labels, made: &str) -> Self {
        Self {
            tags: tags_of(mark),
            labels: labels.clone(),
            made: Some(made.to_owned()),
            name: Some(name.to_owned()),
            more: BTreeMap::new(),
        }
    }

    /// The same, with one thing more.
    pub(crate) fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.more.insert(key.to_owned(), value.into());
        self
    }

    /// Reads a description; nothing for what anybody else wrote.
    pub(crate) fn read(text: Option<&str>) -> Self {
        let text = text.filter(|text| text.trim_start().starts_with('{'));
        let read = text.and_then(|text| serde_json::from_str(text).ok());
        read.unwrap_or_default()
    }

    /// The text.
    ///
    /// # Errors
    /// `Invalid` for more than a description takes.
    pub(crate) fn write(&self) -> Result<String> {
        let text = serde_json::to_string(self).unwrap_or_default();
        if text.len() <= DESCRIPTION_MAX {
            return Ok(text);
        }
        let message = format!(
            "its mark and labels take {} characters, and a description on Google Cloud has {DESCRIPTION_MAX}",
            text.len()
        );
        Err(refuse(ErrorKind::Invalid, message).with_help("set fewer, shorter labels"))
    }

    /// The mark.
    pub(crate) fn mark(&self) -> Option<Mark> {
        let tags: Vec<(String, &str)> = self
            .tags
            .iter()
            .map(|(word, value)| (format!("{}:{word}", Mark::PREFIX), value.as_str()))
            .collect();
        Mark::from_tags(tags.iter().map(|(key, value)| (key.as_str(), *value)))
    }

    /// What an update makes of it. Of what is let go, the labels, the name and what is true of the
    /// thing itself are left.
    #[must_use]
    pub(crate) fn changed(&self, mark: Option<&Mark>, labels: Option<&Labels>) -> Self {
        Self {
            tags: mark.map(tags_of).unwrap_or_default(),
            labels: labels.unwrap_or(&self.labels).clone(),
            made: self.made.clone().filter(|_| mark.is_some()),
            name: self.name.clone(),
            more: self.more.clone(),
        }
    }

    /// Whether the thing of this name is the one that the note was written for: whoever copies a
    /// description gives the copy another name.
    pub(crate) fn witness(&self, mark: Option<&Mark>, id: &ResourceId, name: &str) -> Witness {
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

fn has_none(labels: &Labels) -> bool {
    labels.is_empty()
}

fn tags_of(mark: &Mark) -> BTreeMap<String, String> {
    let tags = mark.to_tags().into_iter();
    let tags = tags.filter_map(|(key, value)| {
        let word = key.strip_prefix(Mark::PREFIX)?.strip_prefix(':')?;
        Some((word.to_owned(), value))
    });
    tags.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_comes_back_and_foreign_descriptions_are_none() {
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
        let labels = Labels::from([("City".to_owned(), "東京".to_owned())]);
        let note = Note::of_new("n", &mark, &labels, "t").with("cidr", "10.0.0.0/16");
        let read = Note::read(Some(&note.write().expect("text")));
        assert_eq!((&read, read.mark()), (&note, Some(mark.clone())));
        let let_go = note.changed(None, None);
        assert_eq!(
            (let_go.mark(), &let_go.labels, &let_go.made),
            (None, &labels, &None)
        );
        for text in [None, Some("Default network"), Some("{"), Some("[]")] {
            assert_eq!(Note::read(text), Note::default());
        }
        let copied = ResourceId::from("copy");
        assert!(
            !read
                .witness(read.mark().as_ref(), &copied, "copy")
                .is_held()
        );
    }
}
