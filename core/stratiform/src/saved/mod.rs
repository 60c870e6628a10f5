//! A plan on disk.

mod digest;
mod wire;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

use serde::ser::{Error as _, SerializeMap as _, SerializeSeq as _};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use strat_engine::files::{self, Rights};
use strat_model::Name;
use strat_planner::{Change, Plan, Target};

use crate::Error;
use crate::saved::digest::{PlanDigest, check_digest};
use crate::saved::wire::Rest;
pub(crate) use crate::saved::wire::{Amount, Offline, OfflineSite};
#[cfg(feature = "schema")]
pub(crate) use crate::saved::wire::{Whole, amount};
use crate::{OutputChange, ReachCheck, Verdict};

/// A plan with what it was limited to: what is written to disk, and what is applied.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedPlan {
    /// The plan.
    pub plan: Plan,
    /// What it was limited to; empty is everything.
    pub targets: Vec<Target>,
    /// The sites that it was made without.
    pub without: BTreeSet<Name>,
    /// What applying it makes besides, once, to keep leases in.
    pub lease_stores: Vec<MissingLeaseStore>,
    /// The outputs that applying it changes, by name.
    pub outputs: Vec<OutputChange>,
    /// What came of the topology's checks of what traffic passes.
    pub reaches: Vec<ReachCheck>,
    /// What policies said of it, where they were asked. One that they deny is not applied.
    pub policy: Vec<Verdict>,
}

/// What leases are to be kept in, and is not there yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MissingLeaseStore {
    /// Whose leases: `site.aws`, or `all sites` where the topology names one store.
    pub place: String,
    /// What is made, in words, such as ``the S3 bucket `shop-leases` ``.
    pub what: String,
}

impl SavedPlan {
    /// The plan's JSON form, as it is serialised.
    ///
    /// # Panics
    /// Never: every plan has a JSON form.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let Ok(json) = serde_json::to_value(self) else {
            unreachable!("a plan has a JSON form")
        };
        json
    }

    /// Reads a plan back.
    ///
    /// # Errors
    /// Why it is none, or none of this version.
    pub fn from_json(value: Value) -> Result<Self, String> {
        let Value::Object(mut plan) = value else {
            return Err("it is no plan".to_owned());
        };
        if plan.contains_key("offline") {
            return Err("it was made without asking the sites what is there".to_owned());
        }
        match plan.get("format_version").map(Value::as_u64) {
            Some(Some(version)) if version == u64::from(Plan::FORMAT_VERSION) => {}
            Some(Some(version)) => {
                return Err(format!(
                    "it has the plan format {version}, and this program knows only {}",
                    Plan::FORMAT_VERSION
                ));
            }
            _ => return Err("it is no plan: it has no `format_version`".to_owned()),
        }
        check_digest(&mut plan)?;
        for key in ["owner", "changes"] {
            if !plan.contains_key(key) {
                return Err(format!("it is no plan: it has no `{key}`"));
            }
        }
        let damaged = |error| format!("it is damaged: {error}");
        let changes = plan.remove("changes").unwrap_or_default();
        let changes = serde_json::from_value(changes).map_err(damaged)?;
        let rest: Rest = serde_json::from_value(Value::Object(plan)).map_err(damaged)?;
        rest.with(changes)
    }

    /// Writes it to a file, whole or not at all; once this returns, it is on disk.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        // A plan holds no secret, and others may be the ones to apply it.
        let written = files::write_whole(path, Rights::Shared, |file| {
            serde_json::to_writer_pretty(&mut *file, self)?;
            file.write_all(b"\n")
        });
        written.map_err(Error::file(path, "written"))
    }

    /// Reads it from a file.
    ///
    /// # Errors
    /// If the file cannot be read, or is no plan of this version.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read(path).map_err(Error::file(path, "read"))?;
        let not_a_plan = |why| Error::NotAPlan {
            path: path.to_owned(),
            why,
        };
        let value = serde_json::from_slice(&text)
            .map_err(|error| not_a_plan(format!("it is not JSON: {error}")))?;
        Self::from_json(value).map_err(not_a_plan)
    }
}

/// The form on disk, which is the answer of the command line, too.
///
/// The keys are sorted, as in a [`Value`], but no more than one change at a time is made into one.
impl Serialize for SavedPlan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let document = Document {
            plan: &self.plan,
            targets: &self.targets,
            without: &self.without,
            lease_stores: &self.lease_stores,
            outputs: &self.outputs,
            reaches: &self.reaches,
            policy: &self.policy,
            offline: None,
        };
        document.serialize(serializer)
    }
}

/// What a plan's JSON form is made of.
pub(crate) struct Document<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) targets: &'a [Target],
    pub(crate) without: &'a BTreeSet<Name>,
    pub(crate) lease_stores: &'a [MissingLeaseStore],
    pub(crate) outputs: &'a [OutputChange],
    pub(crate) reaches: &'a [ReachCheck],
    pub(crate) policy: &'a [Verdict],
    /// What a plan was made from that nobody was asked for.
    pub(crate) offline: Option<Offline>,
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rest = serde_json::to_value(Rest::of(self)).map_err(S::Error::custom)?;
        let Value::Object(mut plan) = rest else {
            return Err(S::Error::custom("a plan is a JSON object"));
        };
        let digest = RefCell::new(PlanDigest::of_rest(&plan));
        // In its place, after the changes that it is of.
        plan.insert("changes".to_owned(), Value::Null);
        plan.insert("digest".to_owned(), Value::Null);
        let mut map = serializer.serialize_map(Some(plan.len()))?;
        for (key, value) in &plan {
            match key.as_str() {
                "changes" => {
                    let (changes, digest) = (&self.plan.changes, &digest);
                    map.serialize_entry(key, &Changes { changes, digest })?;
                }
                "digest" => map.serialize_entry(key, &digest.borrow().finish())?,
                _ => map.serialize_entry(key, value)?,
            }
        }
        map.end()
    }
}

/// Changes, one after the other.
struct Changes<'a> {
    changes: &'a [Change],
    digest: &'a RefCell<PlanDigest>,
}

impl Serialize for Changes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.changes.len()))?;
        for change in self.changes {
            let change = serde_json::to_value(change).map_err(S::Error::custom)?;
            self.digest.borrow_mut().take(&change);
            list.serialize_element(&change)?;
        }
        list.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plan() -> SavedPlan {
        let mut plan = json!({
            "format_version": 1, "id": "x", "mode": "apply", "changes": [],
            "owner": {"realm": "bank", "topology": "shop"}, "topology": "shop",
            "targets": ["machines.web"], "without": ["dc2"],
            "lease_stores": [{"place": "site.aws", "what": "the S3 bucket `x`"}],
            "summary": {"create": 0, "update": 0, "replace": 0, "delete": 0, "adopt": 0, "no_op": 3},
            "cost": {"currency": "USD", "monthly_before": null, "monthly_after": 140.16,
                     "unpriced": 0, "sites": {"dc1": {"monthly_before": 0.1, "monthly_after": 2}}},
        });
        digest::seal(&mut plan);
        SavedPlan::from_json(plan).expect("a plan")
    }

    #[test]
    fn it_survives_the_disk() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("plan.json");
        let saved = plan();
        saved.write(&path).expect("written");
        assert_eq!(SavedPlan::read(&path).expect("read"), saved);
        let json = saved.to_json();
        assert_eq!(json["topology"], json!("shop"));
        assert_eq!(json["cost"]["monthly_after"], json!(140.16));
        assert_eq!(json["cost"]["monthly_before"], Value::Null);
    }

    #[test]
    fn nothing_in_it_can_be_changed_unseen() {
        let json = plan().to_json();
        assert!(SavedPlan::from_json(json.clone()).is_ok());
        for pointer in [
            "/summary/no_op",
            "/cost/unpriced",
            "/id",
            "/targets/0",
            "/without/0",
            "/lease_stores/0/what",
        ] {
            let mut other = json.clone();
            let value = other.pointer_mut(pointer).expect(pointer);
            *value = if value.is_number() {
                json!(7)
            } else {
                json!("dc9")
            };
            let why = SavedPlan::from_json(other).expect_err(pointer);
            assert!(
                why.contains("changed since it was written"),
                "{pointer}: {why}"
            );
        }
        let mut none = json;
        none.as_object_mut().expect("an object").remove("digest");
        let why = SavedPlan::from_json(none).expect_err("no digest");
        assert!(why.contains("no `digest`"), "{why}");
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("plan.json");
        std::fs::create_dir(&path).expect("in the way");
        plan().write(&path).expect_err("a folder is there");
        let left = std::fs::read_dir(dir.path()).expect("a folder");
        assert_eq!(left.count(), 1, "the folder alone");
    }

    #[test]
    fn another_format_is_refused() {
        let mut json = plan().to_json();
        json["format_version"] = json!(2);
        let why = SavedPlan::from_json(json).expect_err("refused");
        assert!(why.contains("plan format 2"), "{why}");
        let mut json = plan().to_json();
        json["offline"] = json!({ "sites": {} });
        let why = SavedPlan::from_json(json).expect_err("refused");
        assert!(why.contains("without asking"), "{why}");
        assert!(SavedPlan::from_json(json!([])).is_err());
        assert!(SavedPlan::from_json(json!({"changes": []})).is_err());
    }
}
