//! What tests arrange, and what they can ask afterwards.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::Gce;
use crate::kinds::Key;
use crate::refusal::Refusal;
use crate::rules;
use crate::world::{Fields, stamp_labels};

/// A request as it came in.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The method of the API, such as `compute.instances.insert`; empty where there is none.
    pub id: String,
    /// The HTTP method.
    pub http: String,
    /// The path, without its query.
    pub path: String,
    /// The query's pairs.
    pub query: Vec<(String, String)>,
    /// The body, where it is JSON or a form.
    pub body: Option<Value>,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The status of the answer.
    pub status: u16,
}

/// Everything that is arranged, and all that was noted.
#[derive(Debug, Default)]
pub(crate) struct Arranged {
    /// How often operations are looked at until they are done, by the end of the method's id.
    polls: Vec<(String, u32)>,
    /// Whether no operation goes on.
    pub(crate) is_held: bool,
    /// How many machines of a type there are left in a zone. `*` stands for any of both.
    stock: BTreeMap<(String, String), u64>,
    /// Whether stock-outs come with details.
    pub(crate) with_details: bool,
    /// Limits by region (empty for the project) and metric.
    quotas: BTreeMap<(String, String), f64>,
    /// Refusals of the next calls of a method.
    refusals: Vec<(String, u32, Refusal)>,
    /// The same of operations: the calls are taken, and nothing comes of them.
    failures: Vec<(String, u32, Refusal)>,
    /// Methods whose next answers get lost.
    lost: BTreeMap<String, u32>,
    denied: BTreeSet<String>,
    granted: Option<BTreeSet<String>>,
    /// The permissions that calls have needed.
    needed: RefCell<BTreeSet<String>>,
    disabled: BTreeSet<String>,
    pub(crate) calls: Vec<Recorded>,
    pub(crate) violations: Vec<String>,
    pub(crate) flaws: Vec<String>,
}

/// Whether a method's id is the one meant: `instances.insert` means `compute.instances.insert`, and
/// `*` all.
fn is_meant(pattern: &str, id: &str) -> bool {
    pattern == "*" || id == pattern || id.ends_with(&format!(".{pattern}"))
}

/// The next of what was arranged for a method, which is used up by that.
fn next(arranged: &mut [(String, u32, Refusal)], id: &str) -> Option<Refusal> {
    let mut all = arranged.iter_mut();
    let found = all.find(|(pattern, times, _)| *times > 0 && is_meant(pattern, id))?;
    found.1 -= 1;
    Some(found.2.clone())
}

impl Arranged {
    pub(crate) fn polls(&self, id: &str) -> u32 {
        let found = self
            .polls
            .iter()
            .rev()
            .find(|(pattern, _)| is_meant(pattern, id));
        found.map_or(1, |(_, polls)| *polls)
    }

    pub(crate) fn quotas(&self, region: &str) -> impl Iterator<Item = (String, f64)> {
        let all = self
            .quotas
            .iter()
            .filter(move |((place, _), _)| place == region);
        all.map(|((_, metric), limit)| (metric.clone(), *limit))
    }

    /// Takes a machine of those that are left; false where none is.
    pub(crate) fn take_stock(&mut self, machine_type: &str, zone: &str) -> bool {
        for machine_type in [machine_type, "*"] {
            for zone in [zone, "*"] {
                let key = (machine_type.to_owned(), zone.to_owned());
                match self.stock.get_mut(&key) {
                    Some(0) => return false,
                    Some(left) => {
                        *left -= 1;
                        return true;
                    }
                    None => {}
                }
            }
        }
        true
    }

    /// The refusal that was arranged for the next call of a method.
    pub(crate) fn refusal(&mut self, id: &str) -> Option<Refusal> {
        next(&mut self.refusals, id)
    }

    /// What the operation of this call of a method ends with, if that was arranged.
    pub(crate) fn failure(&mut self, id: &str) -> Option<Refusal> {
        next(&mut self.failures, id)
    }

    /// Whether the answer to this call of a method gets lost.
    pub(crate) fn loses(&mut self, id: &str) -> bool {
        let mut all = self.lost.iter_mut();
        let found = all.find(|(pattern, times)| **times > 0 && is_meant(pattern, id));
        found.map(|(_, times)| *times -= 1).is_some()
    }

    /// Whether the caller has a permission.
    pub(crate) fn has(&self, permission: &str) -> bool {
        let granted = self.granted.as_ref();
        granted.is_none_or(|granted| granted.contains(permission))
            && !self.denied.contains(permission)
    }

    /// The same, for a call that needs it.
    pub(crate) fn needs(&self, permission: &str) -> bool {
        self.needed.borrow_mut().insert(permission.to_owned());
        self.has(permission)
    }

    pub(crate) fn is_disabled(&self, service: &str) -> bool {
        self.disabled.contains(service)
    }
}

impl Gce {
    /// From now on, operations of a method (`instances.insert`, or `*`) are done when they, or
    /// their targets, were looked at so often. Without this, once.
    pub fn set_polls(&self, method: &str, polls: u32) {
        self.world().arranged.polls.push((method.to_owned(), polls));
    }

    /// Lets no operation go on, or lets them all go on again.
    pub fn hold_operations(&self, is_held: bool) {
        self.world().arranged.is_held = is_held;
    }

    /// Leaves this many machines of a type (or `*`) in a zone (or `*`).
    pub fn leave_stock(&self, machine_type: &str, zone: &str, left: u64) {
        let key = (machine_type.to_owned(), zone.to_owned());
        self.world().arranged.stock.insert(key, left);
    }

    /// Lifts what [`Self::leave_stock`] has set.
    pub fn restock(&self) {
        self.world().arranged.stock.clear();
    }

    /// Whether stock-outs are told as `ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS`.
    pub fn stock_out_with_details(&self, with_details: bool) {
        self.world().arranged.with_details = with_details;
    }

    /// Sets a quota's limit in a region, or of the whole project where `region` is empty.
    pub fn set_quota(&self, region: &str, metric: &str, limit: f64) {
        let key = (region.to_owned(), metric.to_owned());
        self.world().arranged.quotas.insert(key, limit);
    }

    /// Refuses the next calls of a method in these words; nothing takes effect.
    pub fn refuse(&self, method: &str, times: u32, code: u16, reason: &str, message: &str) {
        let refusal = Refusal::new(code, reason, message);
        self.refuse_by(method, times, refusal);
    }

    /// Takes the next calls of a method, and lets their operations end with this reason, which is spelt
    /// as a code there; nothing takes effect.
    pub fn fail(&self, method: &str, times: u32, code: u16, reason: &str, message: &str) {
        let failure = (
            method.to_owned(),
            times,
            Refusal::new(code, reason, message),
        );
        self.world().arranged.failures.push(failure);
    }

    /// Lifts what [`Self::refuse`], [`Self::throttle`] and [`Self::fail`] have set.
    pub fn relent(&self) {
        let arranged = &mut self.world().arranged;
        arranged.refusals.clear();
        arranged.failures.clear();
    }

    fn refuse_by(&self, method: &str, times: u32, refusal: Refusal) {
        let refusals = &mut self.world().arranged.refusals;
        refusals.push((method.to_owned(), times, refusal));
    }

    /// Throttles the next calls of a method, by 403 `rateLimitExceeded` or by 429.
    /// <https://cloud.google.com/compute/api-quota#handling_rate_limit_errors>
    pub fn throttle(&self, method: &str, times: u32, code: u16) {
        let message = "Rate Limit Exceeded";
        let mut refusal = Refusal::new(code, "rateLimitExceeded", message);
        if code == 429 {
            let details = json!([{
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "RATE_LIMIT_EXCEEDED",
                "domain": "googleapis.com",
                "metadata": { "service": "compute.googleapis.com" },
            }]);
            refusal.newer = Some(("RESOURCE_EXHAUSTED", details));
        }
        self.refuse_by(method, times, refusal);
    }

    /// Loses the answers of the next calls of a method: each takes effect, and the connection ends.
    pub fn lose(&self, method: &str, times: u32) {
        self.world().arranged.lost.insert(method.to_owned(), times);
    }

    /// Denies a permission, such as `compute.instances.create`.
    pub fn deny(&self, permission: &str) {
        let permission = permission.to_owned();
        self.world().arranged.denied.insert(permission);
    }

    /// Allows a permission again that [`Self::deny`] denied.
    pub fn allow(&self, permission: &str) {
        self.world().arranged.denied.remove(permission);
    }

    /// Grants these permissions and no others; `None` grants all.
    pub fn grant_only(&self, permissions: Option<&[&str]>) {
        let all = permissions.map(|all| all.iter().map(|one| (*one).to_owned()).collect());
        self.world().arranged.granted = all;
    }

    /// The permissions that the calls since the last time have needed.
    pub fn take_needed(&self) -> BTreeSet<String> {
        self.world().arranged.needed.take()
    }

    /// Switches a service off or on in the project: `compute.googleapis.com`.
    pub fn disable_service(&self, service: &str, is_disabled: bool) {
        let disabled = &mut self.world().arranged.disabled;
        match is_disabled {
            true => disabled.insert(service.to_owned()),
            false => disabled.remove(service),
        };
    }

    /// Publishes a newer build of an image family in a project.
    pub fn add_image(&self, project: &str, family: &str, name: &str) {
        let world = &mut *self.world();
        crate::catalogue::add_image(world, project, family, name, 10, "X86_64");
    }

    /// Forgets every `requestId`, as Google does after its window.
    pub fn forget_requests(&self) {
        self.world().requests.clear();
    }

    /// Forgets every operation that is done, as Google does in time.
    pub fn forget_operations(&self) {
        let world = &mut *self.world();
        world.operations.retain(|_, operation| !operation.is_done());
        let known = &world.operations;
        world
            .requests
            .retain(|_, (_, name)| known.contains_key(name));
    }

    /// What was called since the last time, in its order.
    pub fn take_calls(&self) -> Vec<Recorded> {
        std::mem::take(&mut self.world().arranged.calls)
    }

    /// What of all requests the description of the API does not take, each with its exact path.
    pub fn violations(&self) -> Vec<String> {
        self.world().arranged.violations.clone()
    }

    /// What of the double's own answers the description of the API does not have: a fault of the
    /// double.
    pub fn flaws(&self) -> Vec<String> {
        self.world().arranged.flaws.clone()
    }

    /// A thing, by its path from `projects/` on, with the fields that are its own.
    pub fn thing(&self, path: &str) -> Option<Value> {
        let key = Key::parse(path, "")?;
        self.world().things.get(&key).cloned().map(Value::Object)
    }

    /// The paths of all things of a collection (`instances`) in a project.
    pub fn paths(&self, project: &str, collection: &str) -> Vec<String> {
        let Some(kind) = crate::kinds::of_collection(collection) else {
            return Vec::new();
        };
        let world = self.world();
        world
            .all(project, kind.collection)
            .map(|(key, _)| key.path())
            .collect()
    }

    /// Changes a thing from outside, past every rule; false where it is not there.
    pub fn edit(&self, path: &str, change: impl FnOnce(&mut Fields)) -> bool {
        let Some(key) = Key::parse(path, "") else {
            return false;
        };
        let mut world = self.world();
        let Some(fields) = world.things.get_mut(&key) else {
            return false;
        };
        change(fields);
        if key.kind().has_labels {
            stamp_labels(fields);
        }
        true
    }

    /// Takes a thing away from outside, past every rule; false where it was not there.
    pub fn remove(&self, path: &str) -> bool {
        let Some(key) = Key::parse(path, "") else {
            return false;
        };
        let world = &mut *self.world();
        let was_there = world.things.contains_key(&key);
        rules::unmake(world, &key);
        was_there
    }

    /// Copies a thing under another name, with its labels and description, as somebody does who
    /// starts from what there is. A machine's copy has a disk and addresses of its own.
    pub fn copy(&self, path: &str, name: &str) -> Option<String> {
        let key = Key::parse(path, "")?;
        let world = &mut *self.world();
        rules::copy(world, &key, name).map(|key| key.path())
    }
}
