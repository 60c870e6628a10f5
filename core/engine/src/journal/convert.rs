//! Calls and runs, from and to the journal's lines.

use jiff::Timestamp;
use strat_model::{ResourceId, Token};

use super::state::{EntryId, RunRecord, Started};
use super::wire::{self, Record};

impl Started {
    pub(super) fn into_record(self, entry: EntryId) -> Record {
        Record::Started(wire::CallStarted {
            entry: entry.0,
            plan: self.plan,
            step: self.step,
            owner: self.owner.to_string(),
            addr: self.addr.to_string(),
            site: self.site.to_string(),
            kind: self.kind,
            operation: self.operation,
            generation: self.generation,
            token: self.token.as_ref().map(ToString::to_string),
            names: self.names,
            spec: self.spec,
            ids: self.ids.iter().map(ToString::to_string).collect(),
        })
    }

    pub(super) fn from_wire(at: Timestamp, call: wire::CallStarted) -> Result<Self, String> {
        Ok(Self {
            at,
            plan: call.plan,
            step: call.step,
            owner: call.owner.parse().map_err(text)?,
            addr: call.addr.parse().map_err(text)?,
            site: call.site.parse().map_err(text)?,
            kind: call.kind,
            operation: call.operation,
            generation: call.generation,
            token: call.token.map(parse_token).transpose()?,
            names: call.names,
            spec: call.spec,
            ids: call.ids.iter().map(ResourceId::from).collect(),
        })
    }
}

impl RunRecord {
    pub(super) fn into_record(self) -> Record {
        Record::RunStarted(wire::RunStarted {
            plan: self.plan,
            owner: self.owner.to_string(),
            holder: self.holder,
            command: self.command,
            generation: self.generation,
        })
    }

    pub(super) fn from_wire(at: Timestamp, run: wire::RunStarted) -> Result<Self, String> {
        Ok(Self {
            plan: run.plan,
            owner: run.owner.parse().map_err(text)?,
            holder: run.holder,
            command: run.command,
            generation: run.generation,
            started: at,
            finished: None,
            interrupted: false,
        })
    }
}

pub(super) fn text(why: impl std::fmt::Display) -> String {
    why.to_string()
}

fn parse_token(token: String) -> Result<Token, String> {
    serde_json::from_value(serde_json::Value::String(token)).map_err(text)
}
