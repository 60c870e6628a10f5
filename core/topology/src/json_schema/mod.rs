//! The JSON Schema of topologies in JSON and YAML, from the tables that the parser reads by.
//!
//! It is for editors: what it refuses is wrong, and what it takes may still be refused once its
//! expressions are evaluated.

mod burst_words;
mod machine_words;
mod reach_words;
mod shape;
mod words;

use serde_json::{Map, Value, json};

use crate::schema::{AttributeSchema, BlockSchema, FILE};

pub(crate) use shape::Shape;
pub(crate) use words::{attribute as attribute_words, block as block_words};

/// The JSON Schema of one file of a topology in the JSON notation, which is that of YAML too.
///
/// Every file of a folder is described by itself, so nothing says that a `topology` block must be
/// there.
#[must_use]
pub fn json_schema() -> Value {
    let mut definitions = shape::definitions();
    let mut properties = Map::new();
    properties.insert(
        "$schema".to_owned(),
        json!({ "description": "Where this schema is, for editors.", "type": "string" }),
    );
    properties.insert("//".to_owned(), comment());
    for block in FILE {
        properties.insert(block.keyword.to_owned(), blocks(block));
        define(block, &mut definitions);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A Stratiform topology",
        "description": "One file of a topology in JSON or YAML. A string is a template; \
                        \"${…}\" alone is the expression itself, whatever its type.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "$defs": definitions,
    })
}

fn comment() -> Value {
    json!({ "description": "A comment." })
}

/// What stands behind a block's keyword: bodies by name, or one body or several.
fn blocks(block: &BlockSchema) -> Value {
    let body = json!({ "$ref": format!("#/$defs/{}", definition(block)) });
    let doc = words::block(block.keyword);
    let Some(label) = block.label else {
        let most = if block.single { json!(1) } else { Value::Null };
        let mut list = json!({ "type": "array", "items": body });
        if block.single {
            list["maxItems"] = most;
        }
        return json!({ "description": doc, "anyOf": [body, list] });
    };
    let named = json!({
        "type": "object",
        "propertyNames": {
            "description": label,
            "pattern": shape::label(block.keyword),
        },
        "additionalProperties": { "anyOf": [body, { "type": "null" }] },
    });
    json!({
        "description": doc,
        "anyOf": [named, { "type": "array", "items": named }],
    })
}

/// The name of the definition of a block's body.
fn definition(block: &BlockSchema) -> String {
    format!("{}_block", block.keyword)
}

/// Defines the bodies of a block and of those that may stand in it.
fn define(block: &BlockSchema, definitions: &mut Map<String, Value>) {
    let mut properties = Map::new();
    properties.insert("//".to_owned(), comment());
    for attribute in block.attributes {
        properties.insert(
            attribute.name.to_owned(),
            described(block.keyword, attribute),
        );
    }
    for nested in block.blocks {
        let mut shape = blocks(nested);
        // `demand` of a burst is a text, or a map of names to blocks.
        if let Some(attribute) = properties.remove(nested.keyword) {
            shape = json!({ "anyOf": [attribute, shape] });
        }
        properties.insert(nested.keyword.to_owned(), shape);
        define(nested, definitions);
    }
    let required = block.attributes.iter().filter(|a| a.required);
    let required: Vec<_> = required.map(|attribute| attribute.name).collect();
    let mut body = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": block.open,
    });
    if !required.is_empty() && block.may_look_up() {
        // What others own is looked up, and then nothing else is said of it.
        body["anyOf"] = json!([{ "required": required }, { "required": ["lookup"] }]);
    } else if !required.is_empty() {
        body["required"] = json!(required);
    }
    definitions.insert(definition(block), body);
}

fn described(keyword: &str, attribute: &AttributeSchema) -> Value {
    let Some((shape, doc)) = words::attribute(keyword, attribute.name) else {
        return json!(true);
    };
    let mut value = shape.schema();
    if !attribute.required {
        // Null is as good as leaving it out.
        value = match value.get_mut("anyOf").and_then(Value::as_array_mut) {
            Some(choices) => {
                choices.push(json!({ "type": "null" }));
                value
            }
            None => json!({ "anyOf": [value, { "type": "null" }] }),
        };
    }
    value["description"] = json!(doc);
    value
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn all() -> Vec<&'static BlockSchema> {
        let mut all = FILE.to_vec();
        let mut at = 0;
        while let Some(block) = all.get(at) {
            all.extend(block.blocks);
            at += 1;
        }
        all
    }

    #[test]
    fn every_block_and_attribute_has_its_words() {
        for block in all() {
            assert!(!words::block(block.keyword).is_empty(), "{}", block.keyword);
            for attribute in block.attributes {
                let word = format!("`{}` of `{}`", attribute.name, block.keyword);
                assert!(
                    words::attribute(block.keyword, attribute.name).is_some(),
                    "nothing describes {word} in json_schema/words.rs"
                );
            }
        }
    }

    #[test]
    fn no_words_are_left_over() {
        let all = all();
        let known: BTreeSet<_> = all
            .iter()
            .flat_map(|block| block.attributes.iter().map(|a| (block.keyword, a.name)))
            .collect();
        for (keyword, attribute) in words::attributes() {
            let used = match keyword {
                "" => known.iter().any(|(_, name)| *name == attribute),
                _ => known.contains(&(keyword, attribute)),
            };
            assert!(used, "`{keyword}` has no `{attribute}`");
        }
    }
}
