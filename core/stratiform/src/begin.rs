//! How a run begins: its leases, its journal, and what an interrupted run left open.

use std::collections::BTreeSet;
use std::time::Duration;

use strat_engine::{Holder, Journal, SettleReport};
use strat_model::Name;
use tracing::Instrument as _;

use crate::gone::wait_out_others;
use crate::identity::Accounts;
use crate::leases::{Leased, Taking};
use crate::phase::phase;
use crate::{Error, Run, Session};

/// How a run begins.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// What is done, for whoever finds the lease held: `apply`.
    pub command: String,
    /// Who runs, for whoever finds the lease held; `None` is this process. No two runs have the same.
    pub holder: Option<Holder>,
    /// How long to wait for another run to end.
    pub lock_timeout: Duration,
    /// The sites that may be written to; `None` is all of them.
    pub sites: Option<BTreeSet<Name>>,
    /// Whether what leases are kept in may be made where it is not there yet, such as a bucket.
    pub may_make_lease_store: bool,
}

impl RunOptions {
    /// A run of `command` that does not wait.
    pub fn new(command: impl Into<String>) -> Self {
        Self {
            command: command.into(),
            holder: None,
            lock_timeout: Duration::ZERO,
            sites: None,
            may_make_lease_store: true,
        }
    }
}

impl<'a> Run<'a> {
    pub(crate) async fn begin(session: &'a Session, options: &RunOptions) -> Result<Self, Error> {
        let state = session.workspace().state();
        state.create()?;
        let taking = Taking::begin(session, options)
            .instrument(phase!("lease"))
            .await?;
        let (journal, accounts) = match Self::whose(session, &state).await {
            Ok(known) => known,
            Err(error) => {
                taking.give_up().await?;
                return Err(error);
            }
        };
        let leased = taking.places(&accounts).instrument(phase!("lease")).await?;
        let settled = Self::settle(session, &journal, &leased);
        match settled.instrument(phase!("settle")).await {
            Ok(settled) => Ok(Self {
                session,
                journal,
                leased,
                settled,
                accounts,
            }),
            Err(error) => {
                leased.release().await?;
                Err(error)
            }
        }
    }

    /// The folder's journal, and whose the accounts are: before a lease is written to one of them,
    /// and before anything is closed, since another account shows nothing of what was made.
    async fn whose(
        session: &Session,
        state: &crate::StateDir,
    ) -> Result<(Journal, Accounts), Error> {
        let journal = Journal::open(state.path())?;
        let accounts = session.accounts(&journal).await?;
        Ok((journal, accounts))
    }

    async fn settle(
        session: &Session,
        journal: &Journal,
        leased: &Leased,
    ) -> Result<SettleReport, Error> {
        let settled = session.settle(journal).await?;
        wait_out_others(session, journal, leased).await;
        Ok(settled)
    }
}
