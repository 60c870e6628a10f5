//! Why there is no lease.

use std::sync::Arc;

use jiff::Timestamp;
use strat_model::{Error, ErrorKind, ErrorView, Scope};
use strat_provider::layers::LeaseLost;

use super::Holder;

/// Why there is no lease. [`LeaseError::help`] says what to do next.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LeaseError {
    /// Somebody else holds it.
    #[error(
        "{} holds the lease of {place} since {:.0} (`{}`, process {}); unless it is renewed it ends \
         at {expires:.0}",
        holder.who(), holder.since, holder.command, holder.pid
    )]
    Held {
        /// Where it is kept.
        place: String,
        /// Who.
        holder: Box<Holder>,
        /// When it ends by itself, by our clock.
        expires: Timestamp,
    },
    /// Somebody holds it, and who is not said.
    #[error(
        "somebody holds the lease of {place}, and its record does not say who; unless it changes it \
         ends at {expires:.0}"
    )]
    HeldBySomebody {
        /// Where it is kept.
        place: String,
        /// When it ends by itself, by our clock.
        expires: Timestamp,
    },
    /// We held it and do so no more.
    #[error("the lease of {place} was lost: {why}")]
    Lost {
        /// Where it was kept.
        place: String,
        /// What happened to it.
        why: String,
    },
    /// It is to be kept in something that is not there yet.
    #[error("the lease of {place} needs {what}, which is not there yet")]
    NoStore {
        /// Where it is to be kept.
        place: String,
        /// What is to be made.
        what: String,
    },
    /// The store does not do what leases need.
    #[error("leases cannot be kept at {place}: {why}")]
    Unfit {
        /// Where it is to be kept.
        place: String,
        /// What is wrong with it.
        why: String,
    },
    /// A newer program wrote it.
    #[error("a newer program wrote the lease of {place}, in the form {version}")]
    Newer {
        /// Where it is kept.
        place: String,
        /// The form.
        version: u32,
    },
    /// It cannot be read or written.
    #[error("cannot use the lease of {place}")]
    Store {
        /// Where it is kept.
        place: String,
        /// Why.
        source: Arc<Error>,
    },
}

impl LeaseError {
    /// What kind of failure it is, in one word.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Held { .. } | Self::HeldBySomebody { .. } => "lease_held",
            Self::Lost { .. } => "lease_lost",
            Self::NoStore { .. } => "lease_store_missing",
            Self::Unfit { .. } => "lease_store_unfit",
            Self::Newer { .. } => "lease_newer",
            Self::Store { .. } => "lease_unusable",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn help(&self) -> &str {
        match self {
            Self::Held { .. } | Self::HeldBySomebody { .. } => {
                "wait for that run to end, or break the lease if it is surely dead"
            }
            Self::Lost { .. } => "begin again: another run finishes the work",
            Self::NoStore { .. } => "make it, or permit that it is made",
            Self::Unfit { .. } => "name another store for the leases of the topology",
            Self::Newer { .. } => "use the newer program",
            Self::Store { source, .. } => source
                .help()
                .unwrap_or("see that it is there and may be written"),
        }
    }

    /// All that is told of it.
    #[must_use]
    pub fn view(&self) -> ErrorView {
        ErrorView::of_kind(self.kind(), self).with_help(self.help())
    }

    /// What a run fails with for it.
    pub(crate) fn within(self, message: &str) -> Error {
        let help = self.help().to_owned();
        match self {
            Self::Store { .. } | Self::Newer { .. } => {
                Error::new(ErrorKind::Internal, message).with_source(self)
            }
            _ => Error::new(ErrorKind::Precondition, message)
                .with_scope(Scope::Account)
                .with_source(LeaseLost::because(self)),
        }
        .with_help(help)
    }
}
