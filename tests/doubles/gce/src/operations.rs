//! The operations model: each change answers with an operation, which ends later.
//!
//! Our reading of <https://cloud.google.com/compute/docs/api/how-tos/api-requests-responses>. An
//! operation goes on when it is asked for, when its target is read, and when it is waited for.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::call::Call;
use crate::kinds::{Key, LINK, Scope};
use crate::refusal::{Failure, Refusal};
use crate::text::time;
use crate::world::World;

/// What an operation does at its end.
pub(crate) type Effect = Box<dyn FnOnce(&mut World) -> Result<(), Failure> + Send>;

/// A change that was begun.
pub(crate) struct Operation {
    pub(crate) project: String,
    pub(crate) scope: Scope,
    pub(crate) name: String,
    id: String,
    verb: String,
    pub(crate) target: Key,
    target_id: Option<String>,
    client_id: Option<String>,
    /// How often it is looked at until it is done.
    left: u32,
    is_running: bool,
    pub(crate) effect: Option<Effect>,
    failure: Option<Failure>,
    pub(crate) group: Option<String>,
    /// The machines of a bulk insert.
    pub(crate) members: BTreeSet<Key>,
    /// More fields of a special kind of operation.
    pub(crate) more: Value,
    begun: Timestamp,
    ended: Option<Timestamp>,
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.verb, self.target.path())
    }
}

impl Operation {
    pub(crate) fn is_done(&self) -> bool {
        self.ended.is_some()
    }

    /// Whether it changes a thing.
    pub(crate) fn concerns(&self, key: &Key) -> bool {
        self.target == *key || self.members.contains(key)
    }

    fn path(&self) -> String {
        let (project, scope) = (&self.project, self.scope.prefix());
        format!("projects/{project}/{scope}operations/{}", self.name)
    }

    /// As it is answered.
    pub(crate) fn show(&self) -> Value {
        let status = match (self.is_done(), self.is_running) {
            (true, _) => "DONE",
            (false, true) => "RUNNING",
            (false, false) => "PENDING",
        };
        let mut shown = json!({
            "kind": "compute#operation",
            "id": self.id,
            "name": self.name,
            "operationType": self.verb,
            "status": status,
            "progress": if self.is_done() { 100 } else { 0 },
            "user": "tests@double.iam.gserviceaccount.com",
            "insertTime": time(self.begun),
            "selfLink": format!("{LINK}{}", self.path()),
            "targetLink": self.target.link(),
        });
        let mut set = |name: &str, value: Value| shown[name] = value;
        let place = |rest: String| json!(format!("{LINK}projects/{}/{rest}", self.project));
        match &self.scope {
            Scope::Zone(zone) => set("zone", place(format!("zones/{zone}"))),
            Scope::Region(region) => set("region", place(format!("regions/{region}"))),
            Scope::Global | Scope::Project => {}
        }
        if let Some(id) = &self.target_id {
            set("targetId", json!(id));
        }
        if let Some(id) = &self.client_id {
            set("clientOperationId", json!(id));
        }
        if let Some(id) = &self.group {
            set("operationGroupId", json!(id));
        }
        if self.is_running || self.is_done() {
            set("startTime", json!(time(self.begun)));
        }
        if let Some(ended) = self.ended {
            set("endTime", json!(time(ended)));
        }
        if let Some(failure) = &self.failure {
            let (code, message) = failure.http;
            let mut error = json!({ "code": failure.code, "message": failure.message });
            if !failure.details.is_empty() {
                error["errorDetails"] = json!(failure.details);
            }
            set("error", json!({ "errors": [error] }));
            set("httpErrorStatusCode", json!(code));
            set("httpErrorMessage", json!(message));
        }
        for (name, value) in self.more.as_object().into_iter().flatten() {
            set(name, value.clone());
        }
        shown
    }
}

impl World {
    /// Begins a change. It is answered as an operation that is not done yet, unless operations take
    /// no time.
    pub(crate) fn begin(
        &mut self,
        call: &Call<'_>,
        verb: &str,
        target: &Key,
        effect: Effect,
    ) -> String {
        let effect = match self.arranged.failure(&call.method) {
            None => effect,
            Some(refusal) => {
                let (key, is_new) = (target.clone(), verb == "insert");
                Box::new(move |world: &mut World| {
                    if is_new {
                        crate::rules::unmake(world, &key);
                    }
                    Err(Failure::of(&refusal))
                })
            }
        };
        let name = self.open(call, verb, target, effect);
        self.remember(call, &name);
        self.settle(&name);
        name
    }

    /// Notes that a call's `requestId` led to an operation.
    pub(crate) fn remember(&mut self, call: &Call<'_>, name: &str) {
        if let Some(id) = call.request_id() {
            let key = (call.project.clone(), id.to_owned());
            let request = (call.what(), name.to_owned());
            self.requests.insert(key, request);
            if let Some(operation) = self.operations.get_mut(name) {
                operation.client_id = Some(id.to_owned());
            }
        }
    }

    /// The operation that a call's `requestId` led to before, whatever came of it. An id that was
    /// used for another method or thing is a fault of the caller's, and noted.
    pub(crate) fn known(&mut self, call: &Call<'_>) -> Result<Option<Value>, Refusal> {
        let Some(id) = call.request_id() else {
            return Ok(None);
        };
        let key = (call.project.clone(), id.to_owned());
        let Some((what, name)) = self.requests.get(&key) else {
            return Ok(None);
        };
        if *what != call.what() {
            let why = format!("It was used for {what}, and now for {}.", call.what());
            self.arranged
                .violations
                .push(format!("query.requestId: {id}: {why}"));
            return Err(Refusal::invalid("requestId", id, &why));
        }
        Ok(Some(self.operations[name].show()))
    }

    /// Makes an operation that has not begun to run.
    pub(crate) fn open(
        &mut self,
        call: &Call<'_>,
        verb: &str,
        target: &Key,
        effect: Effect,
    ) -> String {
        let id = self.id();
        let name = format!("operation-{}-{id}", self.now.as_millisecond());
        let target_id = self
            .things
            .get(target)
            .and_then(|thing| thing["id"].as_str());
        let operation = Operation {
            project: call.project.clone(),
            scope: Scope::of(&call.path),
            name: name.clone(),
            id,
            verb: verb.to_owned(),
            target: target.clone(),
            target_id: target_id.map(str::to_owned),
            client_id: None,
            left: self.arranged.polls(&call.method),
            is_running: false,
            effect: Some(effect),
            failure: None,
            group: None,
            members: BTreeSet::new(),
            more: Value::Null,
            begun: self.now,
            ended: None,
        };
        self.operations.insert(name.clone(), operation);
        name
    }

    /// Ends an operation that takes no time.
    pub(crate) fn settle(&mut self, name: &str) {
        if self
            .operations
            .get(name)
            .is_some_and(|operation| operation.left == 0)
        {
            self.finish(name);
        }
    }

    /// Ends an operation: what it is for happens, or does not.
    pub(crate) fn finish(&mut self, name: &str) {
        let Some(operation) = self.operations.get_mut(name) else {
            return;
        };
        if let Some(effect) = operation.effect.take() {
            let failure = effect(self).err();
            let now = self.now;
            let operation = self.operations.get_mut(name).expect("it was there");
            operation.failure = failure;
            operation.ended = Some(now);
        }
    }

    /// Lets the operations go on that are meant. `at_once` ends them, where nothing holds them.
    pub(crate) fn tick(&mut self, at_once: bool, is_meant: impl Fn(&Operation) -> bool) {
        if self.arranged.is_held {
            return;
        }
        let mut done = Vec::new();
        for operation in self.operations.values_mut() {
            if operation.is_done() || !is_meant(operation) {
                continue;
            }
            operation.is_running = true;
            operation.left = match at_once {
                true => 0,
                false => operation.left.saturating_sub(1),
            };
            if operation.left == 0 {
                done.push(operation.name.clone());
            }
        }
        for name in done {
            self.finish(&name);
        }
    }

    /// Refuses what is in the middle of a change.
    pub(crate) fn ready(&self, key: &Key) -> Result<(), Refusal> {
        let mut open = self.operations.values();
        match open.any(|operation| !operation.is_done() && operation.concerns(key)) {
            true => Err(Refusal::not_ready(&key.path())),
            false => Ok(()),
        }
    }
}

/// The methods of operations themselves.
pub(crate) fn answer(world: &mut World, call: &Call<'_>, verb: &str) -> Result<Value, Refusal> {
    let scope = Scope::of(&call.path);
    let here = move |operation: &Operation, project: &str| {
        operation.project == project && operation.scope == scope
    };
    if verb == "list" {
        world.tick(false, |operation| here(operation, &call.project));
        let found = world.operations.values();
        let found = found.filter(|operation| here(operation, &call.project));
        let items = found.map(Operation::show).collect();
        return crate::list::page(call, "operation", items);
    }
    let wanted = &call.path["operation"];
    let is_it = |operation: &Operation| {
        here(operation, &call.project) && (operation.name == *wanted || operation.id == *wanted)
    };
    world.tick(verb == "wait", is_it);
    let found = world.operations.values().find(|operation| is_it(operation));
    let path = format!(
        "projects/{}/{}operations/{wanted}",
        call.project,
        Scope::of(&call.path).prefix()
    );
    let Some(found) = found else {
        return Err(Refusal::not_found(&path));
    };
    let shown = found.show();
    match verb {
        "get" | "wait" => Ok(shown),
        "delete" => {
            let name = found.name.clone();
            world.operations.remove(&name);
            Ok(Value::Null)
        }
        _ => Err(call.unknown()),
    }
}
