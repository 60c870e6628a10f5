//! The journal's lines, apart from the types of the program.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strat_model::{ErrorKind, Kind, Scope};

use crate::Operation;
use crate::execute::Counts;

/// The version of the journal's form that this program writes; it reads this and older ones.
pub(super) const VERSION: u32 = 2;

/// One line.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Line {
    /// The version of the line's form.
    #[cfg_attr(feature = "schema", schemars(extend("const" = VERSION)))]
    pub(super) v: u32,
    /// When it was written.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "String", extend("format" = "date-time"))
    )]
    pub(super) at: Timestamp,
    #[serde(flatten)]
    pub(super) record: Record,
}

/// What every line has in every version.
#[derive(Debug, Deserialize)]
struct Version {
    v: u32,
}

/// What every line has in this version.
#[derive(Debug, Deserialize)]
struct Head<'a> {
    v: u32,
    at: Timestamp,
    record: &'a str,
}

impl<'a> Head<'a> {
    /// The head of a line that is as this program writes it.
    fn as_written(line: &'a str) -> Option<Self> {
        let (v, rest) = line.strip_prefix(r#"{"v":"#)?.split_once(r#","at":""#)?;
        let (at, rest) = rest.split_once(r#"","record":""#)?;
        let (record, _) = rest.split_once('"')?;
        let is_word = record
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        is_word.then_some(Self {
            v: v.parse().ok()?,
            at: at.parse().ok()?,
            record,
        })
    }
}

/// Why a line cannot be read.
#[derive(Debug)]
pub(super) enum Unread {
    /// It is of this newer version.
    Newer(u32),
    /// It is damaged, in this way.
    Damaged(String),
}

/// What a line says.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "record", rename_all = "snake_case")]
pub(super) enum Record {
    /// A run began.
    RunStarted(RunStarted),
    /// A call is about to be made.
    Started(CallStarted),
    /// A call was carried out.
    Succeeded(Succeeded),
    /// A call failed.
    Failed(Failed),
    /// A run came to its end.
    RunFinished(RunFinished),
    /// Everything that a topology asks for is there: what "deleted behind our back" is told from.
    Applied(Applied),
    /// Things of a topology are there, by id: what is not seen any more is read by it.
    Known(Known),
    /// These are gone, or are the topology's no more.
    Forgotten(Forgotten),
    /// A site is in this account.
    Account(Account),
}

/// Things of a topology are there, by id: what is not seen any more is read by it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(inline))]
pub(super) struct Known {
    /// Whose they are: `topology`, with `realm/` before it and `:lineage` behind it.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = strat_model::schema::OWNER)))]
    pub(super) owner: String,
    /// Which thing of the topology they are.
    #[cfg_attr(feature = "schema", schemars(with = "strat_model::Addr"))]
    pub(super) addr: String,
    /// Their ids.
    pub(super) ids: Vec<String>,
}

/// These are gone, or are the topology's no more.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(inline))]
pub(super) struct Forgotten {
    /// Whose they were.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = strat_model::schema::OWNER)))]
    pub(super) owner: String,
    /// Which thing of the topology they were.
    #[cfg_attr(feature = "schema", schemars(with = "strat_model::Addr"))]
    pub(super) addr: String,
    /// Their ids.
    pub(super) ids: Vec<String>,
    /// Of what is there still, and was let go: the generation that its mark said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) released: Option<u64>,
}

/// A site is in this account.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(inline))]
pub(super) struct Account {
    /// Whose site it is.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = strat_model::schema::OWNER)))]
    pub(super) owner: String,
    /// The site.
    #[cfg_attr(feature = "schema", schemars(with = "strat_model::Name"))]
    pub(super) site: String,
    /// The account, project or subscription.
    pub(super) account: String,
}

/// A run began.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(inline))]
pub(super) struct RunStarted {
    /// The plan's id.
    pub(super) plan: String,
    /// Whose things it is about: `topology`, or `realm/topology`.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = strat_model::schema::OWNER)))]
    pub(super) owner: String,
    /// Who ran it.
    pub(super) holder: String,
    /// The command.
    pub(super) command: String,
    /// The generation of the lease.
    pub(super) generation: u64,
}

/// A call is about to be made.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(inline))]
pub(super) struct CallStarted {
    /// The call's number in the journal.
    pub(super) entry: u64,
    /// The plan's id.
    pub(super) plan: String,
    /// The step's number in the plan.
    pub(super) step: u32,
    /// Whose things it is about: `topology`, or `realm/topology`.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = strat_model::schema::OWNER)))]
    pub(super) owner: String,
    /// What it is about.
    #[cfg_attr(feature = "schema", schemars(with = "strat_model::Addr"))]
    pub(super) addr: String,
    /// The site.
    #[cfg_attr(feature = "schema", schemars(with = "strat_model::Name"))]
    pub(super) site: String,
    /// The kind of thing.
    pub(super) kind: Kind,
    /// What it does.
    pub(super) operation: Operation,
    /// The generation that the marks of what it makes say.
    pub(super) generation: u64,
    /// What makes a repeated create harmless.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "strat_model::Token"))]
    pub(super) token: Option<String>,
    /// The names of what it makes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) names: Vec<String>,
    /// The digest of the spec it makes or brings about.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = strat_model::schema::SHORT_DIGEST)))]
    pub(super) spec: String,
    /// The ids of what it changes or deletes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) ids: Vec<String>,
}

/// A call was carried out.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(inline))]
pub(super) struct Succeeded {
    /// The call's number in the journal.
    pub(super) entry: u64,
    /// The ids of what it made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) ids: Vec<String>,
}

/// A call failed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(inline))]
pub(super) struct Failed {
    /// The call's number in the journal.
    pub(super) entry: u64,
    /// What went wrong.
    pub(super) kind: ErrorKind,
    /// A note of our own, or, from older programs, kind, code and request id in one line. Never a
    /// cloud's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
    /// How far it reaches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) scope: Option<Scope>,
    /// The vendor's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
    /// The provider's operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) operation: Option<String>,
    /// The provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) provider: Option<String>,
    /// The vendor's id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) request_id: Option<String>,
    /// Whether it may have been carried out all the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) outcome_unknown: bool,
}

/// A run came to its end.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(inline))]
pub(super) struct RunFinished {
    /// The plan's id.
    pub(super) plan: String,
    /// How many steps ended how.
    pub(super) counts: Counts,
    /// Whether it was stopped.
    pub(super) interrupted: bool,
}

/// Everything that a topology asks for is there: what "deleted behind our back" is told from.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(inline))]
pub(super) struct Applied {
    /// Whose things it is about: `topology`, or `realm/topology`.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = strat_model::schema::OWNER)))]
    pub(super) owner: String,
    /// How many things there are at each address.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "BTreeMap<strat_model::Addr, u32>")
    )]
    pub(super) entries: BTreeMap<String, u32>,
}

impl Line {
    /// Reads a line, without its end: first what it is, then as that. An enum that serde tells apart
    /// by a tag would be made a tree of, which takes several times longer.
    pub(super) fn read(line: &[u8]) -> Result<Self, Unread> {
        let damaged = |why: serde_json::Error| Unread::Damaged(why.to_string());
        // Once for all of its texts: else each would be looked at by itself.
        let line = std::str::from_utf8(line).map_err(|why| Unread::Damaged(why.to_string()))?;
        let head = Head::as_written(line).map_or_else(|| serde_json::from_str(line), Ok);
        let head: Head<'_> = match head {
            Ok(head) if head.v <= VERSION => head,
            other => {
                let Version { v } = serde_json::from_str(line).map_err(damaged)?;
                return Err(match other {
                    Err(why) if v <= VERSION => damaged(why),
                    _ => Unread::Newer(v),
                });
            }
        };
        let record = Record::read(head.record, line)?;
        Ok(Self {
            v: head.v,
            at: head.at,
            record,
        })
    }

    pub(super) const fn new(at: Timestamp, record: Record) -> Self {
        Self {
            v: VERSION,
            at,
            record,
        }
    }

    /// Appends the line and its end to `bytes`.
    pub(super) fn write_to(&self, bytes: &mut Vec<u8>) {
        // Strings, numbers and maps with string keys always have a JSON form, and a vector takes
        // every write.
        if let Err(why) = serde_json::to_writer(&mut *bytes, self) {
            tracing::error!(%why, "a journal record has no JSON form");
        }
        bytes.push(b'\n');
    }
}

impl Record {
    /// Reads a line that says it is of a kind.
    fn read(kind: &str, line: &str) -> Result<Self, Unread> {
        let record = match kind {
            "run_started" => serde_json::from_str(line).map(Self::RunStarted),
            "started" => serde_json::from_str(line).map(Self::Started),
            "succeeded" => serde_json::from_str(line).map(Self::Succeeded),
            "failed" => serde_json::from_str(line).map(Self::Failed),
            "run_finished" => serde_json::from_str(line).map(Self::RunFinished),
            "applied" => serde_json::from_str(line).map(Self::Applied),
            "known" => serde_json::from_str(line).map(Self::Known),
            "forgotten" => serde_json::from_str(line).map(Self::Forgotten),
            "account" => serde_json::from_str(line).map(Self::Account),
            other => return Err(Unread::Damaged(format!("it is no record: `{other}`"))),
        };
        record.map_err(|why| Unread::Damaged(why.to_string()))
    }
}
