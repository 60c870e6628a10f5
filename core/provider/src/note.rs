//! Marks and labels of what has no room for them, as one small text.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strat_model::{Error, ErrorKind, Labels, Mark, Result};

/// What is noted of one thing where a cloud has no labels for its kind: mark, labels and what is beside
/// them, as JSON in a description, an entry of metadata, or the tags of what it is a part of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The mark's tags, without the prefix of their keys. Empty for what was let go.
    #[serde(
        default,
        rename = "stratiform",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    tags: BTreeMap<String, String>,
    /// The topology's labels.
    #[serde(default, skip_serializing_if = "has_none")]
    pub labels: Labels,
    /// The token of the create and a digest of what was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<String>,
    /// The name that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What else is to be known of the thing that its cloud does not keep, by a word.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub more: BTreeMap<String, String>,
}

impl Note {
    /// The note of a new thing.
    #[must_use]
    pub fn of_new(name: &str, mark: &Mark, labels: &Labels, made: &str) -> Self {
        Self {
            tags: tags_of(mark),
            labels: labels.clone(),
            made: Some(made.to_owned()),
            name: Some(name.to_owned()),
            more: BTreeMap::new(),
        }
    }

    /// The same, with one thing more.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.more.insert(key.to_owned(), value.into());
        self
    }

    /// Reads a text; nothing for what anybody else wrote.
    #[must_use]
    pub fn read(text: Option<&str>) -> Self {
        let text = text.filter(|text| text.trim_start().starts_with('{'));
        let read = text.and_then(|text| serde_json::from_str(text).ok());
        read.unwrap_or_default()
    }

    /// The text, which may have at most so many bytes.
    ///
    /// # Errors
    /// `Invalid` for more.
    pub fn text(&self, most: usize) -> Result<String> {
        let text = serde_json::to_string(self).unwrap_or_default();
        if text.len() <= most {
            return Ok(text);
        }
        let message = format!(
            "its mark and labels take {} characters, and there is room for {most}",
            text.len()
        );
        Err(Error::new(ErrorKind::Invalid, message).with_help("set fewer, shorter labels"))
    }

    /// The mark.
    #[must_use]
    pub fn mark(&self) -> Option<Mark> {
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
    pub fn changed(&self, mark: Option<&Mark>, labels: Option<&Labels>) -> Self {
        Self {
            tags: mark.map(tags_of).unwrap_or_default(),
            labels: labels.unwrap_or(&self.labels).clone(),
            made: self.made.clone().filter(|_| mark.is_some()),
            name: self.name.clone(),
            more: self.more.clone(),
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
    fn a_note_comes_back_and_foreign_texts_are_none() {
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
        let read = Note::read(Some(&note.text(2048).expect("text")));
        assert_eq!((&read, read.mark()), (&note, Some(mark.clone())));
        assert!(note.text(100).is_err());
        let let_go = note.changed(None, None);
        assert_eq!(
            (let_go.mark(), &let_go.labels, &let_go.made),
            (None, &labels, &None)
        );
        for text in [None, Some("Default network"), Some("{"), Some("[]")] {
            assert_eq!(Note::read(text), Note::default());
        }
    }
}
