//! A filter in front of moto that does what moto leaves out, by **our reading of the AWS
//! documentation**; it proves nothing about AWS itself.
//!
//! - `ClientToken`: the answer is remembered; another request with the token is an
//!   `IdempotentParameterMismatch`; a token whose instances were all ended is
//!   `IdempotentInstanceTerminated`.
//!   <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html>
//! - `MinCount` and `MaxCount`: as many as there are between the two; moto makes `MinCount`.
//! - Stock and quota: `InsufficientInstanceCapacity`, `VcpuLimitExceeded`.
//! - Dependencies: a subnet or group in use, a group that a rule names, a volume that is attached
//!   or in another zone.
//! - Small things: tags that a bucket is made with; an address that led to an ended instance; a
//!   running instance that is started; the filter `client-token`.
//! - Instances that die as they are launched, or that AWS takes back ([`deaths`]).
//! - A price list ([`prices`]).
//! - A limit of Service Quotas; sessions of roles that end soon.
//! - The simulation of an identity's policies ([`simulate`]).
//! - On demand: throttled calls and lost answers.
//!
//! It also counts calls, and answers itself what never changes (machine types and offerings), since
//! moto takes seconds for that.

mod deaths;
mod denials;
mod prices;
mod rules;
mod server;
mod simulate;
mod xml;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

pub(crate) use xml::between;

/// What is remembered, and what is arranged.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// How often each action was called.
    pub(crate) calls: BTreeMap<String, u32>,
    /// Answers by action and `ClientToken`.
    tokens: BTreeMap<(String, String), Remembered>,
    /// How many instances of a type there are left in a zone.
    stock: BTreeMap<(String, String), u64>,
    /// Whether the account may not have one virtual CPU more.
    full: bool,
    /// Actions whose next answer gets lost.
    lost: BTreeSet<String>,
    /// Actions whose next calls are refused as too many.
    throttled: BTreeMap<String, u32>,
    /// Actions whose next calls are refused with a code.
    refused: BTreeMap<String, (&'static str, u32)>,
    /// The actions that are refused with a message that only some may read, and that message.
    denied: Option<(&'static str, &'static str)>,
    /// Who may read it.
    reads_denials: bool,
    /// The actions that the simulation of policies allows.
    simulated: Option<BTreeSet<String>>,
    /// How long sessions of a role last, where it is not as moto has it.
    session: Option<Duration>,
    /// The ids of the keys that calls were signed with.
    keys: BTreeSet<String>,
    /// The price list.
    prices: Option<BTreeMap<String, String>>,
    /// The latest body of each action.
    bodies: BTreeMap<String, hyper::body::Bytes>,
    /// The limits on virtual CPUs, by their codes.
    quotas: BTreeMap<&'static str, u32>,
    /// Headers that are taken and ignored.
    ignored: BTreeSet<&'static str>,
    /// Whether the tagging index shows nothing yet.
    index_is_late: bool,
    /// How many of the instances of the next launch die as they start, with which code and words.
    dying: Option<(usize, Reason)>,
    /// Those that did, by id.
    dead: BTreeMap<String, Reason>,
    /// The latest form of each action.
    forms: BTreeMap<String, BTreeMap<String, String>>,
    /// When instances were launched, as moto says it, by id.
    launched: BTreeMap<String, Timestamp>,
    /// When moto had agreed to end instances, by id.
    ended: BTreeMap<String, Timestamp>,
}

/// Why an instance is over: a code, and EC2's words.
type Reason = (&'static str, &'static str);

#[derive(Debug, Clone)]
struct Remembered {
    request: BTreeMap<String, String>,
    answer: String,
    ids: Vec<String>,
}

/// A running filter.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    pub(crate) port: u16,
    moto: u16,
    state: Arc<Mutex<State>>,
}

impl Filter {
    /// Starts one on a free port, in front of the moto at a port. It ends with the runtime.
    pub(crate) async fn start(moto: u16) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.expect("a free port");
        let filter = Self {
            port: listener.local_addr().expect("an address").port(),
            moto,
            state: Arc::default(),
        };
        tokio::spawn(server::serve(filter.clone(), listener));
        filter
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the answer of the next call of an action get lost.
    pub(crate) fn lose(&self, action: &str) {
        self.state().lost.insert(action.to_owned());
    }

    /// Refuses the next calls of an action as too many.
    pub(crate) fn throttle(&self, action: &str, times: u32) {
        self.state().throttled.insert(action.to_owned(), times);
    }

    /// Refuses the next calls of an action in these words.
    pub(crate) fn refuse(&self, action: &str, code: &'static str, times: u32) {
        self.state()
            .refused
            .insert(action.to_owned(), (code, times));
    }

    /// Refuses an action from now on, with a message that is decoded for who `may_read`.
    pub(crate) fn deny(&self, action: &'static str, decoded: &'static str, may_read: bool) {
        let mut state = self.state();
        (state.denied, state.reads_denials) = (Some((action, decoded)), may_read);
    }

    /// Takes a header and ignores it, as some servers do that speak S3.
    pub(crate) fn ignore(&self, header: &'static str) {
        self.state().ignored.insert(header);
    }

    /// Leaves this many instances of a type in a zone.
    pub(crate) fn leave_stock(&self, machine_type: &str, zone: &str, left: u64) {
        let key = (machine_type.to_owned(), zone.to_owned());
        self.state().stock.insert(key, left);
    }

    /// Lets as many instances of the next launch die as they start.
    pub(crate) fn let_die(&self, count: usize, code: &'static str, message: &'static str) {
        self.state().dying = Some((count, (code, message)));
    }

    /// Allows no virtual CPU more.
    pub(crate) fn fill_quota(&self) {
        self.state().full = true;
    }

    /// Lets sessions of a role that are asked for from now on end so soon.
    pub(crate) fn end_sessions_in(&self, time: Duration) {
        self.state().session = Some(time);
    }

    /// How many sessions of roles were asked for.
    pub(crate) fn sessions_asked(&self) -> u32 {
        let state = self.state();
        state.calls.get("AssumeRole").copied().unwrap_or(0)
    }

    /// The ids of the keys that calls were signed with, of those that begin so.
    pub(crate) fn keys_used(&self, start: &str) -> BTreeSet<String> {
        let state = self.state();
        let keys = state.keys.iter().filter(|key| key.starts_with(start));
        keys.cloned().collect()
    }

    /// Lets Service Quotas say that this many virtual CPUs may run of what a code stands for; moto knows no
    /// quota of EC2's.
    pub(crate) fn set_quota(&self, code: &'static str, cpus: u32) {
        self.state().quotas.insert(code, cpus);
    }

    /// Lets the index of tags show nothing for now, as AWS's does for some time after a bucket was made.
    pub(crate) fn hold_index_back(&self, late: bool) {
        self.state().index_is_late = late;
    }

    /// Each instance that was ever launched: since when, and until when it was paid for, if it was ended.
    pub(crate) fn lives(&self) -> BTreeMap<String, (Timestamp, Option<Timestamp>)> {
        let state = self.state();
        let lives = state.launched.iter();
        let life = |(id, from): (&String, &Timestamp)| {
            let until = state.ended.get(id).copied();
            (id.clone(), (*from, until))
        };
        lives.map(life).collect()
    }

    /// The latest form of an action.
    pub(crate) fn last_form(&self, action: &str) -> Option<BTreeMap<String, String>> {
        self.state().forms.get(action).cloned()
    }

    /// What was called since the last time, by action.
    pub(crate) fn take_calls(&self) -> BTreeMap<String, u32> {
        std::mem::take(&mut self.state().calls)
    }
}
