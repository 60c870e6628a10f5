//! Findings about a topology, tied to the text that caused them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A place in a source file: a range of bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// The file, as it was named to the loader.
    pub file: Arc<str>,
    /// The first byte, from 0.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing can be done until it is mended.
    Error,
    /// Worth a look; nothing stops.
    Warning,
}

/// A range of the source with a few words about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Where.
    pub origin: Origin,
    /// What is the matter there.
    pub text: String,
}

/// One finding: what is wrong, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A stable, searchable word such as `unknown_attribute`.
    pub code: String,
    /// One sentence, without a full stop.
    pub message: String,
    /// Where; the first label is the main one. Empty when no text is to blame.
    pub labels: Vec<Label>,
    /// What to do next.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error with a stable `code` and one sentence.
    pub fn error(code: &str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code: code.to_owned(),
            message: message.into(),
            labels: Vec::new(),
            help: None,
        }
    }

    /// A warning with a stable `code` and one sentence.
    pub fn warning(code: &str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, message)
        }
    }

    /// Adds a place, if one is known.
    #[must_use]
    pub fn at<'a>(
        mut self,
        origin: impl Into<Option<&'a Origin>>,
        text: impl Into<String>,
    ) -> Self {
        if let Some(origin) = origin.into() {
            self.labels.push(Label {
                origin: origin.clone(),
                text: text.into(),
            });
        }
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
