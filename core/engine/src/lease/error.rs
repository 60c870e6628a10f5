//! Why there is no lease.

use std::sync::Arc;

use jiff::Timestamp;
use strat_model::{Error, ErrorKind, ErrorView};

use super::Holder;

/// Why there is no lease. [`LeaseError::help`] says what to do next.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LeaseError {
    /// Somebody else holds it.
    #[error(
        "{} holds the lease since {} (`{}`, process {}); unless it is renewed it ends at {expires}",
        holder.who(), holder.since, holder.command, holder.pid
    )]
    Held {
        /// Who.
        holder: Box<Holder>,
        /// When it ends by itself.
        expires: Timestamp,
    },
    /// We held it and do so no more.
    #[error("the lease was lost: {why}")]
    Lost {
        /// What happened to it.
        why: String,
    },
    /// A newer program wrote it.
    #[error("a newer program wrote the lease {place}")]
    Newer {
        /// The file.
        place: String,
    },
    /// It cannot be read or written.
    #[error("cannot use the lease {place}")]
    Io {
        /// The file.
        place: String,
        /// Why.
        source: Arc<std::io::Error>,
    },
}

impl LeaseError {
    /// What kind of failure it is, in one word.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Held { .. } => "lease_held",
            Self::Lost { .. } => "lease_lost",
            Self::Newer { .. } => "lease_newer",
            Self::Io { .. } => "lease_unusable",
        }
    }

    /// What to do next.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Held { .. } => {
                "wait for that run to end, or break the lease if it is surely dead"
            }
            Self::Lost { .. } => "begin again: another run finishes the work",
            Self::Newer { .. } => "use the newer program",
            Self::Io { .. } => "see that the folder is there and may be written",
        }
    }

    /// All that is told of it.
    #[must_use]
    pub fn view(&self) -> ErrorView {
        ErrorView::of_kind(self.kind(), self).with_help(self.help())
    }

    /// What a run fails with for it.
    pub(crate) fn within(self, message: &str) -> Error {
        let kind = match self {
            Self::Held { .. } | Self::Lost { .. } => ErrorKind::Precondition,
            Self::Newer { .. } | Self::Io { .. } => ErrorKind::Internal,
        };
        let help = self.help();
        Error::new(kind, message).with_help(help).with_source(self)
    }
}
