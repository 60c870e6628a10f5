//! Why the journal cannot be used.

use std::path::PathBuf;
use std::sync::Arc;

use strat_model::{Error, ErrorKind, ErrorView};

use super::wire;

/// Why the journal cannot be read or written. [`JournalError::help`] says what to do next.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// The disk refused.
    #[error("cannot use the journal {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Arc<std::io::Error>,
    },
    /// A line other than a torn last one cannot be understood.
    #[error("the journal is damaged at {}:{line}: {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// A newer program wrote it.
    #[error(
        "{}:{line} was written in version {version} of the journal's form, and this program knows \
         only {}",
        path.display(),
        wire::VERSION
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Its version.
        version: u32,
    },
    /// Somebody else wrote to it since it was opened.
    #[error("the journal {} was changed by another process since it was opened", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
}

impl JournalError {
    /// What kind of failure it is, in one word.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Io { .. } => "journal_unusable",
            Self::Damaged { .. } => "journal_damaged",
            Self::Newer { .. } => "journal_newer",
            Self::Changed { .. } => "journal_changed",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::InvalidData => {
                crate::files::WAY_OUT
            }
            Self::Io { .. } => "see that the disk has room and that the folder may be written",
            Self::Damaged { .. } => {
                "look whether a copy of the file exists. If not, move it away and plan again: what \
                 exists is found again by its marks, and only what was interrupted in the moment \
                 of the damage needs a look"
            }
            Self::Newer { .. } => "use the newer program that wrote it",
            Self::Changed { .. } => "another run wrote to it at the same time, so begin again",
        }
    }

    /// All that is told of it.
    #[must_use]
    pub fn view(&self) -> ErrorView {
        ErrorView::of_kind(self.kind(), self).with_help(self.help())
    }

    /// What a run fails with for it.
    pub(crate) fn within(self, message: &str) -> Error {
        let help = self.help();
        Error::new(ErrorKind::Internal, message)
            .with_help(help)
            .with_source(self)
    }
}
