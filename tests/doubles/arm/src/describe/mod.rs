//! Microsoft's own description of the API, as far as the types of its clients tell it: which
//! operations there are, and what each takes.
//!
//! `scripts/peers/azure` makes it from the wheels `azure-mgmt-compute`, `azure-mgmt-network`,
//! `azure-mgmt-resource` and `azure-mgmt-storage`: every operation with its path, its query and the
//! types of its bodies, and of every type the fields, with those that only the service sets.

mod validate;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::call::Call;

/// The description.
#[derive(Debug)]
pub(crate) struct Description {
    /// The operations by their HTTP method and the shape of their path in lower case: words, and
    /// `{}` for what a caller fills in.
    operations: BTreeMap<(String, String), Operation>,
    types: BTreeMap<String, BTreeMap<String, Field>>,
    enums: BTreeMap<String, Vec<String>>,
}

/// One operation.
#[derive(Debug)]
struct Operation {
    query: Vec<String>,
    /// The type of what is sent, and of what is answered.
    body: Option<Shape>,
    answer: Option<Shape>,
}

/// One field of a type.
#[derive(Debug)]
struct Field {
    shape: Shape,
    /// Whether only the service sets it.
    is_read_only: bool,
    is_required: bool,
}

/// What a value is.
#[derive(Debug, Clone)]
enum Shape {
    Any,
    Text,
    Whole,
    Number,
    Truth,
    List(Box<Self>),
    Map(Box<Self>),
    Enum(String),
    Model(String),
}

impl Shape {
    fn parse(value: &Value) -> Result<Self, String> {
        let inner = || Self::parse(&value["of"]).map(Box::new);
        let name = || value["of"].as_str().unwrap_or_default().to_owned();
        match value["is"].as_str().or_else(|| value.as_str()) {
            Some("any") => Ok(Self::Any),
            Some("text") => Ok(Self::Text),
            Some("whole") => Ok(Self::Whole),
            Some("number") => Ok(Self::Number),
            Some("truth") => Ok(Self::Truth),
            Some("list") => inner().map(Self::List),
            Some("map") => inner().map(Self::Map),
            Some("enum") => Ok(Self::Enum(name())),
            Some("model") => Ok(Self::Model(name())),
            _ => Err(format!("{value} is no type")),
        }
    }
}

/// The descriptions that were read, by path: tests start many doubles.
static READ: Mutex<BTreeMap<String, Arc<Description>>> = Mutex::new(BTreeMap::new());

impl Description {
    pub(crate) fn load(path: &Path) -> Result<Arc<Self>, String> {
        let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
        let key = path.display().to_string();
        if let Some(found) = read.get(&key) {
            return Ok(Arc::clone(found));
        }
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| format!("{key}: {error}: run scripts/peers/azure once"))?;
        let value = serde_json::from_str(&text).map_err(|error| format!("{key}: {error}"))?;
        let description = Self::parse(&value).map_err(|error| format!("{key}: {error}"))?;
        let description = Arc::new(description);
        read.insert(key, Arc::clone(&description));
        Ok(description)
    }

    fn parse(value: &Value) -> Result<Self, String> {
        let shape = |value: &Value| match value {
            Value::Null => Ok(None),
            value => Shape::parse(value).map(Some),
        };
        let texts = |value: &Value| -> Vec<String> {
            let all = value.as_array().into_iter().flatten();
            all.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let mut operations = BTreeMap::new();
        for one in value["operations"].as_array().into_iter().flatten() {
            let http = one["http"].as_str().unwrap_or_default().to_owned();
            let path = one["path"].as_str().unwrap_or_default().to_lowercase();
            let operation = Operation {
                query: texts(&one["query"]),
                body: shape(&one["body"])?,
                answer: shape(&one["answer"])?,
            };
            operations.insert((http, path), operation);
        }
        let mut types = BTreeMap::new();
        for (name, fields) in value["types"].as_object().into_iter().flatten() {
            let mut own = BTreeMap::new();
            for (field, of) in fields.as_object().into_iter().flatten() {
                let field_of = Field {
                    shape: Shape::parse(&of["type"])?,
                    is_read_only: of["read_only"] == true,
                    is_required: of["required"] == true,
                };
                own.insert(field.clone(), field_of);
            }
            types.insert(name.clone(), own);
        }
        let enums = value["enums"].as_object().into_iter().flatten();
        let enums = enums
            .map(|(name, values)| (name.clone(), texts(values)))
            .collect();
        match operations.is_empty() || types.is_empty() {
            true => Err("it has no operations or no types".to_owned()),
            false => Ok(Self {
                operations,
                types,
                enums,
            }),
        }
    }

    /// The operation of a call; none where Microsoft's clients do not have it.
    fn operation(&self, call: &Call<'_>) -> Option<&Operation> {
        let words: Vec<&str> = call
            .asked
            .path
            .split('/')
            .filter(|word| !word.is_empty())
            .collect();
        let lower: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
        let fits = |path: &str| {
            let pattern: Vec<&str> = path.split('/').filter(|word| !word.is_empty()).collect();
            // What can be asked about any scope begins with the scope.
            let (pattern, lower) = match pattern.first() {
                Some(&"{scope}") => {
                    let rest = &pattern[1..];
                    (
                        rest,
                        lower
                            .get(lower.len().saturating_sub(rest.len())..)
                            .unwrap_or(&[]),
                    )
                }
                _ => (&pattern[..], &lower[..]),
            };
            pattern.len() == lower.len()
                && pattern.iter().zip(lower).all(|(a, b)| *a == "{}" || a == b)
        };
        let http = call.asked.http.as_str();
        let mut all = self.operations.iter();
        let found = all.find(|((method, path), _)| method == http && fits(path));
        found.map(|(_, operation)| operation)
    }
}
