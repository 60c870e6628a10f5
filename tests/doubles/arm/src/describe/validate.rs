//! Requests and answers held against the types of Microsoft's clients.

use serde_json::Value;

use super::{Description, Shape};
use crate::call::{Call, Route};

/// Whether a value is sent or answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Sent,
    Answered,
}

impl Description {
    /// What of a request Microsoft's types do not take, each with its exact path.
    pub(crate) fn violations(&self, call: &Call<'_>) -> Vec<String> {
        let Some(operation) = self.operation(call) else {
            return match is_described(call) {
                true => vec![format!(
                    "Microsoft's clients have no {} of this path",
                    call.http
                )],
                false => Vec::new(),
            };
        };
        let mut found = Vec::new();
        for (name, _) in &call.asked.query {
            let is_known = operation
                .query
                .iter()
                .any(|own| own.eq_ignore_ascii_case(name));
            // What comes with the link to a next page.
            if !is_known && !name.eq_ignore_ascii_case("$skiptoken") {
                found.push(format!("query.{name}: it is no parameter"));
            }
        }
        match (&operation.body, call.asked.body.is_empty()) {
            (Some(shape), false) => {
                let body = Value::Object(call.body.clone());
                self.check("body", shape, &body, Side::Sent, &mut found);
            }
            (None, false) => found.push("body: there is none".to_owned()),
            (Some(_), true) if call.http == "PUT" => found.push("body: it is missing".to_owned()),
            (_, true) => {}
        }
        found
    }

    /// What of an answer Microsoft's types do not have.
    pub(crate) fn flaws(&self, call: &Call<'_>, body: &Value) -> Vec<String> {
        let operation = self.operation(call);
        let Some(shape) = operation.and_then(|operation| operation.answer.as_ref()) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        self.check("answer", shape, body, Side::Answered, &mut found);
        found
    }

    fn check(&self, path: &str, shape: &Shape, value: &Value, side: Side, found: &mut Vec<String>) {
        if value.is_null() {
            return;
        }
        let fits = match shape {
            Shape::Any => true,
            Shape::Text => value.is_string(),
            Shape::Whole => value.is_i64() || value.is_u64(),
            Shape::Number => value.is_number(),
            Shape::Truth => value.is_boolean(),
            Shape::Enum(name) => {
                let known = self.enums.get(name).map_or(&[] as &[String], Vec::as_slice);
                let is_known = |text: &str| known.iter().any(|own| own.eq_ignore_ascii_case(text));
                if value.as_str().is_some_and(|text| !is_known(text)) {
                    found.push(format!("{path}: {value} is none of {}", known.join(", ")));
                }
                value.is_string()
            }
            Shape::List(of) => {
                for (at, value) in value.as_array().into_iter().flatten().enumerate() {
                    self.check(&format!("{path}[{at}]"), of, value, side, found);
                }
                value.is_array()
            }
            Shape::Map(of) => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    self.check(&format!("{path}.{name}"), of, value, side, found);
                }
                value.is_object()
            }
            Shape::Model(name) => {
                self.check_model(path, name, value, side, found);
                value.is_object()
            }
        };
        if !fits {
            found.push(format!("{path}: {value} is no {}", word(shape)));
        }
    }

    fn check_model(
        &self,
        path: &str,
        name: &str,
        value: &Value,
        side: Side,
        found: &mut Vec<String>,
    ) {
        let (Some(fields), Some(given)) = (self.types.get(name), value.as_object()) else {
            return;
        };
        for (field, value) in given {
            let path = format!("{path}.{field}");
            match fields.get(field) {
                None => found.push(format!("{path}: {name} has no such field")),
                Some(of) => {
                    if of.is_read_only && side == Side::Sent && !value.is_null() {
                        found.push(format!("{path}: only the service sets it"));
                    }
                    self.check(&path, &of.shape, value, side, found);
                }
            }
        }
        for (field, of) in fields {
            let is_missing = given.get(field).is_none_or(Value::is_null);
            if of.is_required && is_missing && (side == Side::Sent || !of.is_read_only) {
                found.push(format!("{path}.{field}: it is missing"));
            }
        }
    }
}

fn word(shape: &Shape) -> &'static str {
    match shape {
        Shape::Any => "value",
        Shape::Text | Shape::Enum(_) => "text",
        Shape::Whole => "whole number",
        Shape::Number => "number",
        Shape::Truth => "truth",
        Shape::List(_) => "list",
        Shape::Map(_) | Shape::Model(_) => "object",
    }
}

/// Whether a call is of a kind that the description has: what is of other clients is held against
/// the double's rules alone.
fn is_described(call: &Call<'_>) -> bool {
    match &call.route {
        Route::Thing(_, _)
        | Route::List(_, _)
        | Route::Action(_, _, _)
        | Route::Resources(_)
        | Route::Tags(_)
        | Route::Skus
        | Route::NameAvailability
        | Route::Providers(_) => true,
        Route::Located(_, _, rest) => !matches!(
            rest.first().map(String::as_str),
            Some("operations" | "operationResults" | "asyncoperations")
        ),
        Route::Subscriptions
        | Route::Subscription
        | Route::Locations
        | Route::Result(_)
        | Route::Permissions(_)
        | Route::Locks(_, _)
        | Route::Agreement(_) => false,
    }
}
