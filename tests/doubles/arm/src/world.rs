//! Everything that is there: things of all kinds, operations, and what was arranged.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::arrange::Arranged;
use crate::blobs::Containers;
use crate::id::Id;
use crate::kinds::Kind;
use crate::operations::Operation;
use crate::refusal::Refusal;
use crate::text::guid;

/// The fields of a thing.
pub(crate) type Fields = Map<String, Value>;

/// A thing that is there.
#[derive(Debug, Clone)]
pub(crate) struct Thing {
    pub(crate) id: Id,
    /// What it is, looked up once.
    kind: Option<&'static Kind>,
    /// What ARM shows: `location`, `tags`, `properties` and so on.
    pub(crate) fields: Fields,
    /// What it knows and does not show: power, user data.
    pub(crate) inner: Fields,
    /// How often it was changed.
    pub(crate) version: u64,
    pub(crate) made: Timestamp,
    /// How many more lists it is left out of.
    pub(crate) hidden: u32,
}

impl Thing {
    /// A field of `properties`.
    pub(crate) fn property(&self, name: &str) -> &Value {
        self.fields
            .get("properties")
            .map_or(&Value::Null, |properties| &properties[name])
    }

    pub(crate) fn set(&mut self, name: &str, value: Value) {
        let properties = self.fields.entry("properties").or_insert_with(|| json!({}));
        properties[name] = value;
    }

    pub(crate) fn location(&self) -> &str {
        self.fields
            .get("location")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Microsoft.Network's is a GUID, and Microsoft.Compute's a number: as in
    /// <https://github.com/kubernetes-sigs/cloud-provider-azure/issues/9728>.
    pub(crate) fn etag(&self) -> String {
        if self.kind.is_some_and(|kind| !kind.is_network()) {
            return format!("\"{}\"", self.version);
        }
        format!(
            "W/\"{}\"",
            guid(&format!("{} {}", self.id.key(), self.version))
        )
    }
}

/// A subscription.
#[derive(Debug, Clone, Default)]
pub(crate) struct Subscription {
    /// The namespaces that are not registered.
    pub(crate) unregistered: BTreeSet<String>,
    /// Whether it is disabled, and so can be read only.
    pub(crate) is_read_only: bool,
    pub(crate) tags: Fields,
    /// Its tenant, where it is not the one that all others have.
    tenant: Option<String>,
}

impl Subscription {
    pub(crate) fn of_tenant(tenant: &str) -> Self {
        Self {
            tenant: Some(tenant.to_lowercase()),
            ..Self::default()
        }
    }

    pub(crate) fn tenant(&self) -> &str {
        self.tenant.as_deref().unwrap_or(crate::TENANT)
    }
}

/// A management lock.
#[derive(Debug, Clone)]
pub(crate) struct Lock {
    pub(crate) name: String,
    pub(crate) scope: Id,
    /// `CanNotDelete` or `ReadOnly`.
    pub(crate) level: String,
    pub(crate) notes: Option<String>,
}

/// The state of the double.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) endpoint: String,
    pub(crate) subscriptions: BTreeMap<String, Subscription>,
    /// By identifier in lower case, so that what is in a group stands together.
    pub(crate) things: BTreeMap<String, Thing>,
    /// What was deleted and still is in lists.
    pub(crate) ghosts: Vec<Thing>,
    pub(crate) operations: BTreeMap<String, Operation>,
    pub(crate) locks: Vec<Lock>,
    /// The plans whose terms were accepted: subscription, publisher, offer, plan.
    pub(crate) accepted: BTreeSet<[String; 4]>,
    pub(crate) images: crate::catalogue::Images,
    pub(crate) containers: Containers,
    /// Where the blobs of every account are, where they are not the double's own.
    pub(crate) blobs: Option<String>,
    /// The tokens that are taken, each with the tenant that gave it; without one, for all of them.
    pub(crate) tokens: BTreeMap<String, Option<String>>,
    pub(crate) arranged: Arranged,
    /// The moment of the request that is being answered.
    pub(crate) now: Timestamp,
    count: u64,
    next_address: u32,
}

impl World {
    pub(crate) fn new(now: Timestamp, endpoint: String, subscriptions: &[String]) -> Self {
        let subscriptions = subscriptions
            .iter()
            .map(|id| (id.to_lowercase(), Subscription::default()));
        Self {
            endpoint,
            subscriptions: subscriptions.collect(),
            things: BTreeMap::new(),
            ghosts: Vec::new(),
            operations: BTreeMap::new(),
            locks: Vec::new(),
            accepted: BTreeSet::new(),
            images: crate::catalogue::images(),
            containers: Containers::new(),
            blobs: None,
            tokens: BTreeMap::from([(crate::TOKEN.to_owned(), None)]),
            arranged: Arranged::default(),
            now,
            count: 0,
            next_address: 0x1455_0001,
        }
    }

    /// A number that was not given before.
    pub(crate) fn count(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// A public address that nobody has.
    pub(crate) fn public_address(&mut self) -> String {
        self.next_address += 1;
        Ipv4Addr::from(self.next_address).to_string()
    }

    /// Puts a thing there, or changes what is there.
    pub(crate) fn put(&mut self, id: &Id, fields: Fields) {
        let (now, lag) = (self.now, self.arranged.list_lag);
        match self.things.get_mut(&id.key()) {
            Some(thing) => {
                thing.fields = fields;
                thing.version += 1;
            }
            None => {
                let thing = Thing {
                    id: id.clone(),
                    kind: id.kind(),
                    fields,
                    inner: Fields::new(),
                    version: 0,
                    made: now,
                    hidden: lag,
                };
                self.things.insert(id.key(), thing);
            }
        }
    }

    /// Takes a thing away, with all its parts.
    pub(crate) fn drop_thing(&mut self, id: &Id) {
        let below = format!("{}/", id.key());
        let is_meant = |key: &String| *key == id.key() || key.starts_with(&below);
        let keys: Vec<String> = self
            .things
            .keys()
            .filter(|key| is_meant(key))
            .cloned()
            .collect();
        for key in keys {
            if let Some(mut thing) = self.things.remove(&key)
                && self.arranged.list_lag > 0
            {
                thing.hidden = self.arranged.list_lag;
                self.ghosts.push(thing);
            }
        }
        let container = id.kind().is_some_and(|kind| kind.word() == "containers");
        self.containers.retain(|key, _| match container {
            true => *key != id.key(),
            false => !key.starts_with(&below),
        });
    }

    pub(crate) fn get(&self, id: &Id) -> Option<&Thing> {
        self.things.get(&id.key())
    }

    pub(crate) fn get_mut(&mut self, id: &Id) -> Option<&mut Thing> {
        self.things.get_mut(&id.key())
    }

    /// A thing that is there.
    pub(crate) fn thing(&self, id: &Id) -> Result<&Thing, Refusal> {
        self.get(id).ok_or_else(|| Refusal::not_found(id))
    }

    /// The things of a kind, by its last word, in the order of their identifiers.
    pub(crate) fn all<'a>(&'a self, word: &'static str) -> impl Iterator<Item = &'a Thing> {
        let is_it = move |thing: &&Thing| thing.kind.is_some_and(|kind| kind.word() == word);
        self.things.values().filter(is_it)
    }

    /// The parts of a thing of a kind.
    pub(crate) fn parts<'a>(
        &'a self,
        id: &Id,
        word: &'static str,
    ) -> impl Iterator<Item = &'a Thing> + use<'a> {
        let below = format!("{}/{}/", id.key(), word.to_lowercase());
        let range = self.things.range(below.clone()..);
        range
            .map(|(_, thing)| thing)
            .take_while(move |thing| thing.id.key().starts_with(&below))
    }

    /// Whether the state of a subscription lets it be used.
    pub(crate) fn subscription(&self, id: &str) -> Result<&Subscription, Refusal> {
        let message = format!("The subscription '{id}' could not be found.");
        let missing = || Refusal::new(404, "SubscriptionNotFound", message);
        self.subscriptions
            .get(&id.to_lowercase())
            .ok_or_else(missing)
    }
}

/// The identifier in a reference: `{ "id": … }`.
pub(crate) fn reference(value: &Value) -> Option<Id> {
    value["id"]
        .as_str()
        .filter(|id| !id.is_empty())
        .map(Id::new)
}

/// The items of a list; none where there is no list.
pub(crate) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
