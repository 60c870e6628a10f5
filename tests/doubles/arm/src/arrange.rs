//! What tests arrange, and what they can ask afterwards.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::Arm;
use crate::disturb::Intrusion;
use crate::id::Id;
use crate::refusal::Refusal;
use crate::rules;
use crate::server::Received;
use crate::world::{Fields, Lock, Subscription};

/// A request as it came in.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The action of the API, such as `Microsoft.Compute/virtualMachines/write`, with `list` instead
    /// of `read` for lists; empty where there is none. Blobs are `blobs/get`, `blobs/put` and so on,
    /// retail prices `prices`, tokens `token`.
    pub id: String,
    /// The HTTP method.
    pub http: String,
    /// The path, without its query.
    pub path: String,
    /// The query's pairs.
    pub query: Vec<(String, String)>,
    /// The body, where it is JSON; the form of a call for a token, without what proves who asks.
    pub body: Option<Value>,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The `If-Match` header.
    pub if_match: Option<String>,
    /// The `If-None-Match` header.
    pub if_none_match: Option<String>,
    /// The status of the answer.
    pub status: u16,
}

impl Recorded {
    pub(crate) fn of(id: &str, asked: &Received, status: u16) -> Self {
        let header = |name: &str| asked.header(name).map(str::to_owned);
        Self {
            id: id.to_owned(),
            http: asked.http.clone(),
            path: asked.path.clone(),
            query: asked.query.clone(),
            body: match id {
                "token" => Some(crate::token::form(&asked.body)),
                _ => serde_json::from_slice(&asked.body).ok(),
            },
            authorization: header("authorization"),
            if_match: header("if-match"),
            if_none_match: header("if-none-match"),
            status,
        }
    }
}

/// How it is told that nothing is left of a size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StockOut {
    /// At the end of the operation: `AllocationFailed`, or `ZonalAllocationFailed` of a machine with
    /// a zone. The machine stays, with the state `Failed`.
    #[default]
    Allocation,
    /// The same as `OverconstrainedAllocationRequest` or `OverconstrainedZonalAllocationRequest`.
    Overconstrained,
    /// At once: `SkuNotAvailable`. Nothing stays.
    Sku,
}

/// Everything that is arranged, and all that was noted.
#[derive(Debug, Default)]
pub(crate) struct Arranged {
    /// How often operations are looked at until they are done.
    pub(crate) polls: Vec<(String, u32)>,
    /// Whether no operation goes on.
    pub(crate) is_held: bool,
    /// Seconds, in the answers that begin an operation.
    pub(crate) retry_after: u32,
    /// How many a page of a list has, where it is not the kind's own.
    pub(crate) page: Option<usize>,
    /// How many lists leave out what is new, and still have what is gone.
    pub(crate) list_lag: u32,
    pub(crate) refusals: Vec<(String, u32, Refusal)>,
    pub(crate) failures: Vec<(String, u32, Refusal)>,
    pub(crate) lost: Vec<(String, u32, ())>,
    pub(crate) intrusions: Vec<Intrusion>,
    pub(crate) denied: BTreeSet<String>,
    pub(crate) granted: Option<BTreeSet<String>>,
    pub(crate) disallowed: BTreeSet<String>,
    /// Tags that a policy gives to all that is made or changed.
    pub(crate) inherited: BTreeMap<String, String>,
    /// Limits by location and name.
    pub(crate) quotas: BTreeMap<(String, String), u64>,
    /// How many machines of a size (in lower case) are left in a place.
    pub(crate) stock: BTreeMap<(String, String), u64>,
    pub(crate) out_as: StockOut,
    /// Sizes that a subscription cannot have: size in lower case, location, zones, reason.
    pub(crate) restricted: Vec<(String, String, Vec<String>, String)>,
    /// Whether conditions of writings of blobs are taken and ignored.
    pub(crate) ignores_conditions: bool,
    pub(crate) calls: Vec<Recorded>,
    pub(crate) violations: Vec<String>,
    pub(crate) flaws: Vec<String>,
    pub(crate) answered: u64,
}

impl Arm {
    /// From now on, operations of a call (`virtualMachines/write`, or `*`) are done when they, or
    /// their targets, were looked at so often. Without this, once; 0 ends them at once.
    pub fn set_polls(&self, call: &str, polls: u32) {
        self.world().arranged.polls.push((call.to_owned(), polls));
    }

    /// Lets no operation go on, or lets them all go on again.
    pub fn hold_operations(&self, is_held: bool) {
        self.world().arranged.is_held = is_held;
    }

    /// Sets how many seconds the start of an operation says to wait.
    pub fn set_retry_after(&self, seconds: u32) {
        self.world().arranged.retry_after = seconds;
    }

    /// Sets how many a page of a list has at the most.
    pub fn set_page(&self, size: usize) {
        self.world().arranged.page = Some(size);
    }

    /// Lets what is made from now on be left out of the next lists of its kind, and what is deleted
    /// still be in them.
    pub fn set_list_lag(&self, lists: u32) {
        self.world().arranged.list_lag = lists;
    }

    /// Refuses the next calls in these words; nothing takes effect.
    pub fn refuse(&self, call: &str, times: u32, status: u16, code: &str, message: &str) {
        let refusal = Refusal::new(status, code, message);
        self.refuse_by(call, times, refusal);
    }

    fn refuse_by(&self, call: &str, times: u32, refusal: Refusal) {
        let refusals = &mut self.world().arranged.refusals;
        refusals.push((call.to_owned(), times, refusal));
    }

    /// Lets the operations of the next calls fail at their end; what they were to do does not happen,
    /// and what a PUT made stays with the state `Failed`.
    pub fn fail(&self, call: &str, times: u32, code: &str, message: &str) {
        let refusal = Refusal::new(409, code, message);
        let failures = &mut self.world().arranged.failures;
        failures.push((call.to_owned(), times, refusal));
    }

    /// Throttles the next calls: by the subscription, or for `Microsoft.Compute` by its own classes.
    /// <https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling>
    /// <https://learn.microsoft.com/troubleshoot/azure/virtual-machines/troubleshooting-throttling-errors>,
    /// seen as in <https://github.com/hashicorp/terraform-provider-azurerm/issues/19146>.
    pub fn throttle(&self, call: &str, times: u32, retry_after_s: u32) {
        let wait = retry_after_s.to_string();
        let compute = ["virtualMachines", "disks", "Microsoft.Compute"];
        let refusal = match compute.iter().any(|word| call.contains(word)) {
            true => {
                let message = "The server rejected the request because too many requests have been \
                               received for this subscription.";
                let class = "Microsoft.Compute/PutVMSubscriptionMaximum;0";
                let detail = serde_json::json!([{
                    "code": "TooManyRequests", "target": "PutVMSubscriptionMaximum",
                    "message": "{\"operationGroup\":\"PutVMSubscriptionMaximum\"}",
                }]);
                let refusal = Refusal::new(429, "OperationNotAllowed", message);
                let refusal = refusal.with("details", detail);
                refusal.with_header("x-ms-ratelimit-remaining-resource", class)
            }
            false => {
                let message = format!(
                    "Number of requests for subscription exceeded the limit. Please try again after \
                     '{wait}' seconds after additional tokens are available."
                );
                Refusal::new(429, "SubscriptionRequestsThrottled", message)
            }
        };
        self.refuse_by(call, times, refusal.with_header("retry-after", wait));
    }

    /// Loses the answers of the next calls: each takes effect, and the connection ends.
    pub fn lose(&self, call: &str, times: u32) {
        self.world()
            .arranged
            .lost
            .push((call.to_owned(), times, ()));
    }

    /// Denies an action, such as `Microsoft.Compute/virtualMachines/write`.
    pub fn deny(&self, action: &str) {
        self.world().arranged.denied.insert(action.to_owned());
    }

    /// Allows an action again that [`Self::deny`] denied.
    pub fn allow(&self, action: &str) {
        self.world().arranged.denied.remove(action);
    }

    /// Grants these actions (with `*` for any text) and no others; `None` grants all.
    pub fn grant_only(&self, actions: Option<&[&str]>) {
        let all = actions.map(|all| all.iter().map(|one| (*one).to_owned()).collect());
        self.world().arranged.granted = all;
    }

    /// Registers every subscription for a namespace, or takes that away.
    pub fn set_registered(&self, namespace: &str, is_registered: bool) {
        let namespace = namespace.to_lowercase();
        for subscription in self.world().subscriptions.values_mut() {
            match is_registered {
                true => subscription.unregistered.remove(&namespace),
                false => subscription.unregistered.insert(namespace.clone()),
            };
        }
    }

    /// Disables every subscription, so that it can only be read, or enables it again.
    pub fn set_read_only(&self, is_read_only: bool) {
        for subscription in self.world().subscriptions.values_mut() {
            subscription.is_read_only = is_read_only;
        }
    }

    /// Adds a subscription.
    pub fn add_subscription(&self, id: &str) {
        let mut world = self.world();
        world.subscriptions.entry(id.to_lowercase()).or_default();
    }

    /// Adds a subscription of a tenant of its own: tokens of others are no good there.
    pub fn add_subscription_of(&self, tenant: &str, id: &str) {
        let mut world = self.world();
        let subscription = Subscription::of_tenant(tenant);
        world.subscriptions.insert(id.to_lowercase(), subscription);
    }

    /// Has a token taken that somebody else gives, such as a machine's platform.
    pub fn take_token(&self, token: &str) {
        self.world().tokens.insert(token.to_owned(), None);
    }

    /// Sets the limit of a quota in a location, by its name in the lists of usages: `cores`,
    /// `standardDSv5Family`, `lowPriorityCores`, `virtualMachines`, `PublicIPAddresses`.
    pub fn set_quota(&self, location: &str, name: &str, limit: u64) {
        let key = (location.to_owned(), name.to_owned());
        self.world().arranged.quotas.insert(key, limit);
    }

    /// Leaves this many machines of a size (or `*`) in a location, a zone (`westeurope-1`) or `*`.
    pub fn leave_stock(&self, size: &str, place: &str, left: u64) {
        let key = (size.to_lowercase(), place.to_owned());
        self.world().arranged.stock.insert(key, left);
    }

    /// Lifts what [`Self::leave_stock`] has set.
    pub fn restock(&self) {
        self.world().arranged.stock.clear();
    }

    /// Sets how it is told that nothing is left.
    pub fn stock_out_as(&self, how: StockOut) {
        self.world().arranged.out_as = how;
    }

    /// Restricts a size in a location, or in zones of it, for the reason that the list of sizes
    /// gives: `NotAvailableForSubscription` or `QuotaId`.
    pub fn restrict_sku(&self, size: &str, location: &str, zones: &[&str], reason: &str) {
        let zones = zones.iter().map(|zone| (*zone).to_owned()).collect();
        let one = (
            size.to_lowercase(),
            location.to_owned(),
            zones,
            reason.to_owned(),
        );
        self.world().arranged.restricted.push(one);
    }

    /// Locks a scope: `CanNotDelete` or `ReadOnly`.
    pub fn lock(&self, scope: &str, level: &str) {
        let lock = Lock {
            name: "lock".to_owned(),
            scope: Id::new(scope),
            level: level.to_owned(),
            notes: None,
        };
        self.world().locks.push(lock);
    }

    /// Takes every lock off a scope.
    pub fn unlock(&self, scope: &str) {
        let scope = Id::new(scope);
        self.world().locks.retain(|lock| lock.scope != scope);
    }

    /// Lets a policy deny that things of a type are made or changed: `virtualMachines`, or the whole.
    pub fn policy_denies(&self, kind: &str, is_denied: bool) {
        let disallowed = &mut self.world().arranged.disallowed;
        match is_denied {
            true => disallowed.insert(kind.to_owned()),
            false => disallowed.remove(kind),
        };
    }

    /// Lets a policy give a tag to all that is made or changed and lacks it.
    /// <https://learn.microsoft.com/azure/azure-resource-manager/management/tag-policies>
    pub fn policy_adds_tag(&self, name: &str, value: &str) {
        let inherited = &mut self.world().arranged.inherited;
        inherited.insert(name.to_owned(), value.to_owned());
    }

    /// Takes conditions of writings of blobs and ignores them, as some servers do that Azure's are not.
    pub fn ignore_conditions(&self, is_ignored: bool) {
        self.world().arranged.ignores_conditions = is_ignored;
    }

    /// Publishes an image of the marketplace everywhere: the newest of its SKU, where its version is.
    pub fn add_image(&self, publisher: &str, offer: &str, sku: &str, version: &str) {
        let world = &mut *self.world();
        crate::catalogue::add_image(&mut world.images, [publisher, offer, sku], version);
    }

    /// What was called since the last time, in its order.
    pub fn take_calls(&self) -> Vec<Recorded> {
        std::mem::take(&mut self.world().arranged.calls)
    }

    /// What of all requests the description of the API does not take, each with its exact path.
    pub fn violations(&self) -> Vec<String> {
        self.world().arranged.violations.clone()
    }

    /// What of the double's own answers the description of the API does not have, and refusals that
    /// changed something: faults of the double.
    pub fn flaws(&self) -> Vec<String> {
        self.world().arranged.flaws.clone()
    }

    /// A thing as it is read, by its identifier.
    pub fn thing(&self, id: &str) -> Option<Value> {
        let world = self.world();
        world
            .get(&Id::new(id))
            .map(|thing| rules::show(&world, thing))
    }

    /// The identifiers of all things of a kind, by the last word of its type: `virtualMachines`.
    pub fn ids(&self, word: &str) -> Vec<String> {
        let Some(kind) = crate::kinds::of_word(word) else {
            return Vec::new();
        };
        let world = self.world();
        world
            .all(kind.word())
            .map(|thing| thing.id.to_string())
            .collect()
    }

    /// Changes a thing from outside, past every rule; false where it is not there.
    pub fn edit(&self, id: &str, change: impl FnOnce(&mut Map<String, Value>)) -> bool {
        let mut world = self.world();
        let Some(thing) = world.get_mut(&Id::new(id)) else {
            return false;
        };
        change(&mut thing.fields);
        thing.version += 1;
        true
    }

    /// Changes a thing from outside just before the next call of this name: after its caller has read
    /// whatever it goes by. Several of one name come one before each call.
    pub fn edit_before(
        &self,
        call: &str,
        id: &str,
        change: impl FnOnce(&mut Map<String, Value>) + Send + 'static,
    ) {
        self.world().arranged.intrusions.push(Intrusion {
            call: call.to_owned(),
            id: Id::new(id),
            change: Box::new(change),
        });
    }

    /// Sets the power of a machine from outside, as its guest, its host or an eviction does:
    /// `running`, `stopped` or `deallocated`; false where it is not there.
    pub fn set_power(&self, id: &str, power: &str) -> bool {
        let mut world = self.world();
        let Some(thing) = world.get_mut(&Id::new(id)) else {
            return false;
        };
        thing.inner.insert("power".to_owned(), power.into());
        true
    }

    /// Takes a thing away from outside, past every rule; false where it was not there.
    pub fn remove(&self, id: &str) -> bool {
        let (mut world, id) = (self.world(), Id::new(id));
        let was_there = world.get(&id).is_some();
        rules::unmake(&mut world, &id);
        was_there
    }

    /// Copies a thing under another name, with its tags, as somebody does who starts from what there
    /// is. A machine's copy has no interface and no disk.
    pub fn copy(&self, id: &str, name: &str) -> Option<String> {
        let (mut world, id) = (self.world(), Id::new(id));
        let mut fields: Fields = world.get(&id)?.fields.clone();
        let at = id.shown.rfind('/')?;
        let made = Id::new(format!("{}/{name}", &id.shown[..at]));
        if let Some(properties) = fields.get_mut("properties").and_then(Value::as_object_mut) {
            for name in [
                "networkProfile",
                "storageProfile",
                "ipConfigurations",
                "ipAddress",
                "vmId",
            ] {
                properties.remove(name);
            }
        }
        world.put(&made, fields);
        Some(made.shown)
    }
}
