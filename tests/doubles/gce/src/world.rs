//! Everything that is there: things of all kinds, operations, and what was arranged.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::arrange::Arranged;
use crate::identity::Identities;
use crate::kinds::{Key, LINK, Scope, region_of};
use crate::operations::Operation;
use crate::refusal::Refusal;
use crate::text::{fingerprint, time};

/// The fields of a thing.
pub(crate) type Fields = Map<String, Value>;

/// What is used by metric, by project and region.
pub(crate) type Counted = BTreeMap<(String, String), BTreeMap<String, f64>>;

/// The state of the double.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) things: BTreeMap<Key, Fields>,
    pub(crate) operations: BTreeMap<String, Operation>,
    /// What a project's `requestId` was used for, and which operation it led to.
    pub(crate) requests: BTreeMap<(String, String), (String, String)>,
    /// The addresses that are taken, by the link of their subnet.
    pub(crate) taken: BTreeMap<String, BTreeSet<Ipv4Addr>>,
    /// What is used of each quota, by project and region, as counted for this request.
    pub(crate) counted: RefCell<Counted>,
    pub(crate) arranged: Arranged,
    pub(crate) identities: Identities,
    pub(crate) projects: BTreeSet<String>,
    pub(crate) buckets: crate::storage::Buckets,
    /// The greatest generation that an object was ever given.
    pub(crate) last_generation: u64,
    /// The moment of the request that is being answered.
    pub(crate) now: Timestamp,
    next_id: u64,
    next_address: u32,
}

impl World {
    pub(crate) fn new(now: Timestamp, projects: BTreeSet<String>) -> Self {
        let mut world = Self {
            things: BTreeMap::new(),
            operations: BTreeMap::new(),
            requests: BTreeMap::new(),
            taken: BTreeMap::new(),
            counted: RefCell::default(),
            arranged: Arranged::default(),
            identities: Identities::default(),
            projects,
            buckets: BTreeMap::new(),
            last_generation: 0,
            now,
            next_id: 4_611_686_018_427_387_904,
            next_address: 0x2200_0001,
        };
        crate::catalogue::fill(&mut world);
        world
    }

    /// Notes where an answer is not as the description says.
    pub(crate) fn note_flaws(&mut self, method: &str, flaws: Vec<String>) {
        let flaws = flaws.into_iter().map(|flaw| format!("{method}: {flaw}"));
        self.arranged.flaws.extend(flaws);
    }

    pub(crate) fn id(&mut self) -> String {
        self.next_id += 7_919;
        self.next_id.to_string()
    }

    /// A public address that nobody has.
    pub(crate) fn public_address(&mut self) -> String {
        self.next_address += 1;
        Ipv4Addr::from(self.next_address).to_string()
    }

    /// Puts a thing there, with the fields that every kind has.
    pub(crate) fn put(&mut self, key: &Key, mut fields: Fields) -> String {
        let id = self.id();
        fields.insert("id".to_owned(), json!(id));
        fields.insert("name".to_owned(), json!(key.name));
        let kind = key.kind();
        fields.insert("kind".to_owned(), json!(format!("compute#{}", kind.word)));
        fields.insert("selfLink".to_owned(), json!(key.link()));
        fields.insert("creationTimestamp".to_owned(), json!(time(self.now)));
        let place = |rest: &str| json!(format!("{LINK}projects/{}/{rest}", key.project));
        match &key.scope {
            // Of all kinds, this one has the name and no link.
            Scope::Zone(zone) if key.collection == "machineTypes" => {
                fields.insert("zone".to_owned(), json!(zone));
            }
            Scope::Zone(zone) => {
                fields.insert("zone".to_owned(), place(&format!("zones/{zone}")));
            }
            Scope::Region(region) => {
                fields.insert("region".to_owned(), place(&format!("regions/{region}")));
            }
            Scope::Global | Scope::Project => {}
        }
        if kind.has_labels {
            stamp_labels(&mut fields);
        }
        self.things.insert(key.clone(), fields);
        id
    }

    /// The things of a project and kind, in the order of scope and name.
    pub(crate) fn all<'a>(
        &'a self,
        project: &'a str,
        collection: &'static str,
    ) -> impl Iterator<Item = (&'a Key, &'a Fields)> {
        let start = Key::new(project, collection, Scope::Project, "");
        let range = self.things.range(start..);
        range.take_while(move |(key, _)| key.project == project && key.collection == collection)
    }

    /// The first of a project's things of a kind that is meant.
    pub(crate) fn first<'a>(
        &'a self,
        project: &'a str,
        collection: &'static str,
        is_meant: impl Fn(&'a Fields) -> bool,
    ) -> Option<Key> {
        let mut all = self.all(project, collection);
        let found = all.find(|(_, fields)| is_meant(fields));
        found.map(|(key, _)| key.clone())
    }

    /// The key of a thing that is there, by its name or its id.
    pub(crate) fn find(&self, key: &Key) -> Result<Key, Refusal> {
        if self.things.contains_key(key) {
            return Ok(key.clone());
        }
        let is_id = key.name.bytes().all(|byte| byte.is_ascii_digit());
        let mut same = self.all(&key.project, key.collection);
        let by_id = is_id.then(|| same.find(|(_, fields)| fields["id"] == key.name.as_str()));
        match by_id.flatten() {
            Some((found, _)) if found.scope == key.scope => Ok(found.clone()),
            _ => Err(Refusal::not_found(&key.path())),
        }
    }

    /// A thing that is there.
    pub(crate) fn thing(&self, key: &Key) -> Result<&Fields, Refusal> {
        let missing = || Refusal::not_found(&key.path());
        self.things.get(key).ok_or_else(missing)
    }

    /// The thing that a field refers to; it must be there, and ready.
    pub(crate) fn referred(
        &self,
        field: &str,
        url: &str,
        home: &str,
        collection: &'static str,
    ) -> Result<Key, Refusal> {
        let malformed = || Refusal::invalid(field, url, "The URL is malformed.");
        let key = Key::parse(url, home).filter(|key| key.collection == collection);
        let key = key.ok_or_else(malformed)?;
        if !self.things.contains_key(&key) {
            let noun = key.kind().noun;
            let why = format!("The referenced {noun} resource cannot be found.");
            return Err(Refusal::invalid(field, url, &why));
        }
        self.ready(&key)?;
        Ok(key)
    }

    /// The regions' and zones' own check of a call's path.
    pub(crate) fn place_is_known(&self, project: &str, scope: &Scope) -> Result<(), Refusal> {
        let (field, collection, name) = match scope {
            Scope::Zone(name) => ("zone", "zones", name),
            Scope::Region(name) => ("region", "regions", name),
            Scope::Global | Scope::Project => return Ok(()),
        };
        let key = Key::new(project, collection, Scope::Project, name);
        match self.things.contains_key(&key) {
            true => Ok(()),
            false => Err(Refusal::invalid(field, name, &format!("Unknown {field}."))),
        }
    }
}

/// Sets the fingerprint of the labels.
pub(crate) fn stamp_labels(fields: &mut Fields) {
    let labels = fields.get("labels").cloned().unwrap_or_else(|| json!({}));
    fields.insert("labelFingerprint".to_owned(), json!(fingerprint(&labels)));
}

/// The region of a scope, where it has one.
pub(crate) fn region(scope: &Scope) -> Option<&str> {
    match scope {
        Scope::Zone(zone) => Some(region_of(zone)),
        Scope::Region(region) => Some(region),
        Scope::Global | Scope::Project => None,
    }
}
