//! Holding documents against a schema.

use std::path::Path;

use jsonschema::Validator;
use serde_json::{Value, json};

/// The validator of a committed schema, which also refuses fields which the schema does not speak of: what is written is to
/// be described, though readers are to pass over what they do not know.
pub(crate) fn validator(name: &str) -> Validator {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = format!("schemas/{name}.schema.json");
    let mut places = here.ancestors().map(|folder| folder.join(&file));
    let text = places.find_map(|path| std::fs::read_to_string(path).ok());
    let text = text.expect("a schema of that name");
    let mut schema: Value = serde_json::from_str(&text).expect("JSON");
    let definitions = schema["$defs"].clone();
    unfold(&mut schema, &definitions);
    close(&mut schema, true);
    jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .expect("a schema")
}

/// Asserts that a document holds, and says where it does not.
#[track_caller]
pub(crate) fn assert_holds(validator: &Validator, document: &Value) {
    let wrong: Vec<_> = validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Asserts that a document is refused once `spoil` had its way with it.
#[track_caller]
pub(crate) fn assert_refused(
    validator: &Validator,
    document: &Value,
    what: &str,
    spoil: impl FnOnce(&mut Value),
) {
    let mut spoilt = document.clone();
    spoil(&mut spoilt);
    assert_ne!(spoilt, *document, "{what} changed nothing");
    assert!(!validator.is_valid(&spoilt), "{what} was taken");
}

/// Writes out what is referred to beside fields of a choice's own: the tag of a variant and the fields of
/// the type that it wraps are one object, and only together all that it may have.
fn unfold(schema: &mut Value, definitions: &Value) {
    match schema {
        Value::Object(fields) => {
            if fields.contains_key("properties")
                && let Some(Value::String(to)) = fields.remove("$ref")
            {
                let of = &definitions[to.trim_start_matches("#/$defs/")];
                for (name, field) in of["properties"].as_object().expect("fields") {
                    fields["properties"][name] = field.clone();
                }
                let required = of["required"].as_array().expect("what is required");
                let all = fields["required"].as_array_mut().expect("the tag");
                all.extend(required.iter().cloned());
            }
            fields.values_mut().for_each(|one| unfold(one, definitions));
        }
        Value::Array(all) => all.iter_mut().for_each(|one| unfold(one, definitions)),
        _ => {}
    }
}

/// Forbids what is not described. A choice among schemas is a part of the schema that it stands
/// in, so its own fields are known only there.
fn close(schema: &mut Value, whole: bool) {
    let Some(fields) = schema.as_object_mut() else {
        return;
    };
    if whole && fields.contains_key("properties") {
        fields
            .entry("unevaluatedProperties")
            .or_insert(json!(false));
    }
    for (keyword, value) in fields {
        match (keyword.as_str(), value) {
            ("properties" | "$defs" | "patternProperties", Value::Object(schemas)) => {
                schemas.values_mut().for_each(|schema| close(schema, true));
            }
            ("oneOf" | "anyOf" | "allOf", Value::Array(schemas)) => {
                schemas.iter_mut().for_each(|schema| close(schema, false));
            }
            ("items" | "additionalProperties", schema) => close(schema, true),
            _ => {}
        }
    }
}
