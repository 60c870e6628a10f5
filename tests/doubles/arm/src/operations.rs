//! Operations that take a while: what their start is answered with, and how they are asked for.
//!
//! Our reading of
//! <https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations>. An
//! operation goes on when it is asked for and when its target is read.

use std::fmt;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::id::Id;
use crate::refusal::Refusal;
use crate::text::{guid, time};
use crate::world::World;

/// What an operation does at its end.
pub(crate) type Effect = Box<dyn FnOnce(&mut World) -> Result<(), Refusal> + Send>;

/// A change that was begun.
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) subscription: String,
    pub(crate) location: String,
    pub(crate) namespace: &'static str,
    pub(crate) target: Id,
    /// Whether the target is what the last answer at `Location` shows.
    shows_target: bool,
    /// How often it is looked at until it is done.
    left: u32,
    effect: Option<Effect>,
    failure: Option<Refusal>,
    begun: Timestamp,
    ended: Option<Timestamp>,
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "operation {} on {}", self.id, self.target)
    }
}

/// The headers that an answer leads on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lead {
    /// `Azure-AsyncOperation` alone.
    Status,
    /// `Location` alone.
    Location,
    /// Both.
    Both,
}

impl Operation {
    pub(crate) fn is_done(&self) -> bool {
        self.ended.is_some()
    }

    /// The address of its status, or of its result.
    pub(crate) fn url(&self, endpoint: &str, is_result: bool) -> String {
        let (subscription, location) = (&self.subscription, &self.location);
        let (word, version, monitor) = match (self.namespace, is_result) {
            ("Microsoft.Resources", _) => {
                let id = &self.id;
                return format!(
                    "{endpoint}/subscriptions/{subscription}/operationresults/{id}\
                     ?api-version=2025-04-01"
                );
            }
            ("Microsoft.Compute", false) => ("operations", "2026-04-01", ""),
            ("Microsoft.Compute", true) => ("operations", "2026-04-01", "&monitor=true"),
            ("Microsoft.Storage", _) => ("asyncoperations", "2026-09-01", "&monitor=true"),
            (_, false) => ("operations", "2026-03-01", ""),
            (_, true) => ("operationResults", "2026-03-01", ""),
        };
        format!(
            "{endpoint}/subscriptions/{subscription}/providers/{}/locations/{location}/{word}/{}\
             ?api-version={version}{monitor}",
            self.namespace, self.id
        )
    }

    /// Its status.
    fn show(&self) -> Value {
        let mut shown = json!({
            "name": self.id,
            "startTime": time(self.begun),
            "status": match (&self.failure, self.is_done()) {
                (Some(_), _) => "Failed",
                (None, true) => "Succeeded",
                (None, false) => "InProgress",
            },
        });
        if let Some(ended) = self.ended {
            shown["endTime"] = json!(time(ended));
        }
        if let Some(failure) = &self.failure {
            shown["error"] = failure.error();
        }
        shown
    }
}

/// What an operation is asked about, and what comes of it.
#[derive(Debug)]
pub(crate) enum Asked {
    /// The status of an operation.
    Status(Value),
    /// It goes on.
    Going,
    /// It is done; the thing, where one is left.
    Done(Option<Id>),
}

impl World {
    /// Begins a change. What is arranged for its end is decided now.
    pub(crate) fn begin(
        &mut self,
        action: &str,
        target: &Id,
        location: &str,
        shows_target: bool,
        effect: Effect,
    ) -> String {
        let id = guid(&format!("operation {}", self.count()));
        let operation = Operation {
            id: id.clone(),
            subscription: target.subscription().to_owned(),
            location: location.to_owned(),
            namespace: target
                .kind()
                .map_or("Microsoft.Resources", |kind| kind.namespace),
            target: target.clone(),
            shows_target,
            left: self.arranged.polls(action),
            effect: Some(self.arranged.spoil(action, target, effect)),
            failure: None,
            begun: self.now,
            ended: None,
        };
        let is_done = operation.left == 0;
        self.operations.insert(id.clone(), operation);
        if is_done {
            self.finish(&id);
        }
        id
    }

    /// Ends an operation: what it is for happens, or does not.
    fn finish(&mut self, id: &str) {
        let Some(operation) = self.operations.get_mut(id) else {
            return;
        };
        if let Some(effect) = operation.effect.take() {
            let failure = effect(self).err();
            let now = self.now;
            if let Some(operation) = self.operations.get_mut(id) {
                operation.failure = failure;
                operation.ended = Some(now);
            }
        }
    }

    /// Lets the operations go on that are meant.
    pub(crate) fn tick(&mut self, is_meant: impl Fn(&Operation) -> bool) {
        if self.arranged.is_held {
            return;
        }
        let mut done = Vec::new();
        for operation in self.operations.values_mut() {
            if operation.is_done() || !is_meant(operation) {
                continue;
            }
            operation.left = operation.left.saturating_sub(1);
            if operation.left == 0 {
                done.push(operation.id.clone());
            }
        }
        for id in done {
            self.finish(&id);
        }
    }

    /// The operation that is going on with a thing or, for what belongs to a network or a security
    /// group, with any part of that.
    pub(crate) fn going(&self, id: &Id) -> Option<&Operation> {
        let whole = |id: &Id| match id.kind() {
            Some(kind) if kind.is_network() && !kind.is_tracked => id.parent(),
            _ => id.clone(),
        };
        let mut open = self
            .operations
            .values()
            .filter(|operation| !operation.is_done());
        open.find(|operation| whole(&operation.target) == whole(id))
    }

    /// The headers that lead from the answer to an operation that goes on.
    pub(crate) fn lead(&self, operation: &str, lead: Lead) -> Vec<(&'static str, String)> {
        let Some(operation) = self.operations.get(operation) else {
            return Vec::new();
        };
        if operation.is_done() {
            return Vec::new();
        }
        let mut headers = vec![("retry-after", self.arranged.retry_after.to_string())];
        if lead != Lead::Location {
            headers.push(("azure-asyncoperation", operation.url(&self.endpoint, false)));
        }
        if lead != Lead::Status {
            headers.push(("location", operation.url(&self.endpoint, true)));
        }
        headers
    }

    /// Asks for an operation, at its status or at its result.
    pub(crate) fn ask(&mut self, id: &str, is_result: bool) -> Result<Asked, Refusal> {
        self.tick(|operation| operation.id == id);
        let Some(operation) = self.operations.get(id) else {
            let message = format!("The entity was not found: operation '{id}'.");
            return Err(Refusal::new(404, "NotFound", message));
        };
        if !is_result {
            return Ok(Asked::Status(operation.show()));
        }
        match (&operation.failure, operation.is_done()) {
            (Some(failure), _) => Err(failure.clone()),
            (None, false) => Ok(Asked::Going),
            (None, true) => Ok(Asked::Done(
                operation.shows_target.then(|| operation.target.clone()),
            )),
        }
    }
}
