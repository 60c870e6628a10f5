//! One request, known and checked.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::describe::Method;
use crate::kinds::{Key, Kind, Scope};
use crate::refusal::Refusal;
use crate::text::is_uuid;
use crate::world::Fields;

/// A request to Compute Engine.
pub(crate) struct Call<'a> {
    /// For example `compute.instances.insert`.
    pub(crate) method: String,
    pub(crate) resource: &'a str,
    pub(crate) verb: &'a str,
    /// The name of the path's last parameter.
    pub(crate) last: &'a str,
    pub(crate) project: String,
    pub(crate) path: BTreeMap<String, String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Fields,
}

impl<'a> Call<'a> {
    pub(crate) fn new(
        method: &'a Method,
        path: BTreeMap<String, String>,
        query: Vec<(String, String)>,
        body: Option<&Value>,
    ) -> Self {
        let (resource, verb) = method.words();
        let body = body.and_then(Value::as_object).cloned();
        Self {
            method: method.id.clone(),
            resource,
            verb,
            last: method.last_parameter(),
            project: path.get("project").cloned().unwrap_or_default(),
            path,
            query,
            body: body.unwrap_or_default(),
        }
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let pair = self.query.iter().find(|(key, _)| key == name);
        pair.map(|(_, value)| value.as_str())
    }

    pub(crate) fn request_id(&self) -> Option<&str> {
        self.query("requestId")
    }

    /// The method, and what it is about.
    pub(crate) fn what(&self) -> String {
        let name = text(&self.body, "name").filter(|_| self.verb == "insert");
        let mut words: Vec<&str> = self.path.values().map(String::as_str).collect();
        words.extend(name);
        format!("{} of {}", self.method, words.join("/"))
    }

    /// Refuses a `requestId` that is no UUID.
    pub(crate) fn check_request_id(&self) -> Result<(), Refusal> {
        match self.request_id() {
            Some(id) if !is_uuid(id) => {
                let why = "The request ID must be a valid UUID, and not the zero UUID.";
                Err(Refusal::invalid("requestId", id, why))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn scope(&self) -> Scope {
        match self.resource {
            "projects" | "zones" | "regions" => Scope::Project,
            _ => Scope::of(&self.path),
        }
    }

    /// The thing that the path names.
    pub(crate) fn key(&self, kind: &Kind) -> Key {
        let name = self.path.get(self.last).map_or("", String::as_str);
        // `kind` may be borrowed for less long than its words.
        let kind = crate::kinds::of_collection(kind.collection).expect("a kind");
        Key::new(&self.project, kind.collection, self.scope(), name)
    }

    /// The thing that the body is about to make.
    pub(crate) fn new_key(&self, kind: &Kind) -> Result<Key, Refusal> {
        let name = text(&self.body, "name").unwrap_or_default();
        if name.is_empty() {
            return Err(Refusal::new(
                400,
                "required",
                "Required field 'resource.name' not specified",
            ));
        }
        check_description(&self.body)?;
        let mut key = self.key(kind);
        name.clone_into(&mut key.name);
        Ok(key)
    }

    /// The answer to a method that the double has not.
    pub(crate) fn unknown(&self) -> Refusal {
        let message = format!("the double does not have {}", self.method);
        Refusal::new(501, "notImplemented", message)
    }
}

/// The longest description: what the console takes; the reference names no bound.
const DESCRIPTION_MAX: usize = 2_048;

/// Refuses a description that is too long.
pub(crate) fn check_description(fields: &Fields) -> Result<(), Refusal> {
    let description = text(fields, "description").unwrap_or_default();
    match description.chars().count() > DESCRIPTION_MAX {
        true => {
            let why = "Must be at most 2048 characters long.";
            Err(Refusal::invalid("resource.description", description, why))
        }
        false => Ok(()),
    }
}

/// A field that is text and not empty.
pub(crate) fn text<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    let text = fields.get(name).and_then(Value::as_str);
    text.filter(|text| !text.is_empty())
}

/// A field that is a number, as JSON or as text.
pub(crate) fn number(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => text.parse().ok(),
        value => value.as_u64(),
    }
}

/// Sets a field where it is not set.
pub(crate) fn default(fields: &mut Fields, name: &str, value: Value) {
    let slot = fields.entry(name).or_insert(Value::Null);
    if slot.is_null() || slot == "" {
        *slot = value;
    }
}
