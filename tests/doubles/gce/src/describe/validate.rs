//! Whether a request is one that the description knows. What is not, is told with its exact path.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Description, Method};
use crate::text::is_bytes;

/// Query parameters of Google's front end, which no document lists.
/// <https://cloud.google.com/apis/docs/system-parameters>
const SYSTEM: [&str; 4] = ["$alt", "$apiVersion", "$fields", "$prettyPrint"];

/// A request, taken apart.
pub(crate) struct Asked<'a> {
    pub(crate) path: &'a BTreeMap<String, String>,
    pub(crate) query: &'a [(String, String)],
    pub(crate) body: Option<&'a Value>,
}

impl Description {
    /// What in a request the method does not take; empty where all is well.
    pub(crate) fn violations(&self, method: &Method, asked: &Asked<'_>) -> Vec<String> {
        let mut found = Vec::new();
        for (name, value) in asked.path {
            match method.parameters.get(name) {
                Some(rule) => self.parameter(rule, value, &format!("path.{name}"), &mut found),
                None => found.push(format!("path.{name}: no such parameter")),
            }
        }
        self.query(method, asked, &mut found);
        let check = Check {
            description: self,
            method: &method.id,
            is_answer: false,
        };
        match (&method.request, asked.body) {
            // No body is one in which nothing is set.
            (Some(schema), body) => {
                let empty = Value::Object(Map::new());
                check.named(schema, body.unwrap_or(&empty), "body", &mut found);
            }
            // Google's own client for Rust sends `{}` with every POST.
            (None, Some(body)) if body.as_object().is_none_or(|body| !body.is_empty()) => {
                found.push("body: this method takes none".to_owned());
            }
            (None, _) => {}
        }
        found
    }

    /// What in an answer of the double the description does not have.
    pub(crate) fn flaws(&self, method: &Method, answer: &Value) -> Vec<String> {
        let mut found = Vec::new();
        let check = Check {
            description: self,
            method: &method.id,
            is_answer: true,
        };
        match &method.response {
            Some(schema) => check.named(schema, answer, "answer", &mut found),
            None if answer.is_null() => {}
            None => found.push("answer: this method has none".to_owned()),
        }
        found
    }

    fn query(&self, method: &Method, asked: &Asked<'_>, found: &mut Vec<String>) {
        for (index, (name, value)) in asked.query.iter().enumerate() {
            let at = format!("query.{name}");
            let of_method = method.parameters.get(name);
            let of_method = of_method.filter(|rule| rule["location"] == "query");
            match of_method.or_else(|| self.common.get(name)) {
                Some(rule) => {
                    let repeats = asked.query[..index].iter().any(|(other, _)| other == name);
                    if repeats && rule["repeated"] != true {
                        found.push(format!("{at}: given twice"));
                    }
                    self.parameter(rule, value, &at, found);
                }
                None if SYSTEM.contains(&name.as_str()) => {}
                None => found.push(format!("{at}: no such parameter of {}", method.id)),
            }
        }
        for (name, rule) in &method.parameters {
            let is_wanted = rule["required"] == true && rule["location"] == "query";
            if is_wanted && !asked.query.iter().any(|(given, _)| given == name) {
                found.push(format!("query.{name}: missing, {} wants it", method.id));
            }
        }
    }
}

impl Description {
    /// Checks a parameter, which is always text.
    fn parameter(&self, rule: &Value, text: &str, at: &str, found: &mut Vec<String>) {
        let fits = match rule["type"].as_str() {
            Some("integer") => is_number(rule, &Value::String(text.to_owned())),
            // Google's own client for Python sends `True`.
            Some("boolean") => matches!(text, "true" | "false" | "True" | "False"),
            _ => true,
        };
        if !fits {
            found.push(format!("{at}: `{text}` is no {}", rule["type"]));
        }
        self.text_rules(rule, text, at, found);
    }

    /// The enumeration and the pattern of a text.
    fn text_rules(&self, rule: &Value, text: &str, at: &str, found: &mut Vec<String>) {
        if let Some(words) = rule["enum"].as_array()
            && !words.iter().any(|word| word == text)
        {
            found.push(format!("{at}: `{text}` is none of its values"));
        }
        if let Some(pattern) = rule["pattern"].as_str()
            && !self.fits(pattern, text)
        {
            found.push(format!("{at}: `{text}` does not match {pattern}"));
        }
    }
}

/// Whether a value is a number of the rule's format, as JSON or as text.
/// <https://developers.google.com/discovery/v1/type-format>
fn is_number(rule: &Value, value: &Value) -> bool {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return false,
    };
    match rule["format"].as_str() {
        Some("int32") => text.parse::<i32>().is_ok(),
        Some("uint32") => text.parse::<u32>().is_ok(),
        Some("uint64") => text.parse::<u64>().is_ok(),
        Some("double" | "float") => text.parse::<f64>().is_ok(),
        _ => text.parse::<i64>().is_ok(),
    }
}

/// The check of one method's body.
struct Check<'a> {
    description: &'a Description,
    method: &'a str,
    /// Whether it is of an answer: that has fields which a request may not have.
    is_answer: bool,
}

impl Check<'_> {
    fn named(&self, name: &str, value: &Value, at: &str, found: &mut Vec<String>) {
        match self.description.schemas.get(name) {
            Some(schema) => self.node(schema, value, at, found),
            None => found.push(format!("{at}: the description lacks the schema {name}")),
        }
    }

    fn node(&self, rule: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
        if let Some(name) = rule["$ref"].as_str() {
            return self.named(name, value, at, found);
        }
        let fits = match (rule["type"].as_str(), value) {
            // A null is a field that is not set.
            (_, Value::Null) | (Some("any") | None, _) => true,
            (Some("object"), Value::Object(fields)) => {
                self.fields(rule, fields, at, found);
                true
            }
            (Some("array"), Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.node(&rule["items"], item, &format!("{at}[{index}]"), found);
                }
                true
            }
            (Some("boolean"), Value::Bool(_)) => true,
            (Some("integer" | "number"), value) => is_number(rule, value),
            (Some("string"), value) => match rule["format"].as_str() {
                Some("int64" | "uint64") => is_number(rule, value),
                Some("byte") => value.as_str().is_some_and(is_bytes),
                _ => value.is_string(),
            },
            _ => false,
        };
        if !fits {
            found.push(format!("{at}: {value} is no {}", rule["type"]));
        }
        if let Value::String(text) = value {
            self.description.text_rules(rule, text, at, found);
        }
    }

    fn fields(&self, rule: &Value, fields: &Map<String, Value>, at: &str, found: &mut Vec<String>) {
        let known = rule["properties"].as_object();
        let others = &rule["additionalProperties"];
        for (name, value) in fields {
            let at = format!("{at}.{name}");
            match known.and_then(|known| known.get(name)) {
                Some(rule) if !self.is_answer && is_output_only(rule) => {
                    found.push(format!("{at}: is output only"));
                }
                Some(rule) => self.node(rule, value, &at, found),
                None if others.is_object() => self.node(others, value, &at, found),
                None => found.push(format!("{at}: no such field")),
            }
        }
        for (name, rule) in known.into_iter().flatten() {
            let methods = rule["annotations"]["required"].as_array();
            let is_wanted = methods.is_some_and(|all| all.iter().any(|one| one == self.method));
            if !self.is_answer && is_wanted && fields.get(name).is_none_or(Value::is_null) {
                found.push(format!("{at}.{name}: missing, {} wants it", self.method));
            }
        }
    }
}

/// Whether the server alone sets a field.
fn is_output_only(rule: &Value) -> bool {
    let text = rule["description"].as_str().unwrap_or_default();
    rule["readOnly"] == true || text.contains("[Output Only]")
}
