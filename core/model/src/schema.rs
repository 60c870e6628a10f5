//! What the JSON Schemas of plans and journals are made with: patterns of what is written as text
//! (regular expressions of ECMA 262, as JSON Schema has them), and descriptions for other readers
//! than those of the code.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

macro_rules! name {
    () => {
        "[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
    };
}

macro_rules! octet {
    () => {
        "(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
    };
}

macro_rules! ipv4_range {
    () => {
        concat!("(", octet!(), "\\.){3}", octet!(), "/(3[0-2]|[12]?[0-9])")
    };
}

/// A [`Name`](crate::Name).
pub const NAME: &str = concat!("^", name!(), "$");

/// An [`Owner`](crate::Owner) as text.
pub const OWNER: &str = concat!("^(", name!(), "/)?", name!(), "(:[0-9a-z]{8,32})?$");

/// A [`Lineage`](crate::Lineage).
pub const LINEAGE: &str = "^[0-9a-z]{8,32}$";

/// An [`Addr`](crate::Addr).
pub const ADDR: &str = concat!(
    "^(",
    crate::addr::nouns!(),
    ")\\.",
    name!(),
    "(\\[([0-9]+|\"([^\"\\\\]|\\\\.)*\")\\])?@",
    name!(),
    "(/",
    name!(),
    ")?$"
);

/// A [`LocalAddr`](crate::LocalAddr).
pub const LOCAL_ADDR: &str = concat!(
    "^(",
    crate::addr::nouns!(),
    ")\\.",
    name!(),
    "(\\[([0-9]+|\"([^\"\\\\]|\\\\.)*\")\\])?$"
);

/// A [`Token`](crate::Token).
pub const TOKEN: &str = "^[0-9a-f]{32}$";

/// The short form of a [`Digest`](crate::Digest).
pub const SHORT_DIGEST: &str = "^[0-9a-f]{16}$";

/// A SHA-256 in hex digits.
pub const SHA256: &str = "^[0-9a-f]{64}$";

/// An exact decimal number.
pub const DECIMAL: &str = "^-?[0-9]+(\\.[0-9]+)?$";

/// A [`PortRange`](crate::PortRange).
pub const PORTS: &str = "^[0-9]{1,5}(-[0-9]{1,5})?$";

/// A range of IPv4 addresses.
pub const IPV4_RANGE: &str = concat!("^", ipv4_range!(), "$");

/// A range of IPv4 or IPv6 addresses.
pub const IP_RANGE: &str = concat!(
    "^(",
    ipv4_range!(),
    "|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*/[0-9]{1,3})$"
);

/// The JSON Schema of what is written of a type.
#[must_use]
pub fn of_written<T: JsonSchema>(description: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<T>();
    let mut schema = schema.to_value();
    schema["description"] = description.into();
    describe(&mut schema);
    schema
}

/// The same with a title, in place of the type's own.
#[must_use]
pub fn of_titled<T: JsonSchema>(title: &str, description: &str) -> Value {
    let mut schema = of_written::<T>(description);
    schema["title"] = title.into();
    schema
}

/// Turns the doc comments in a schema into descriptions for people who know no Rust: paragraphs
/// without line ends, no links into the code, `null` for what is `None` here.
pub fn describe(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(text) if key == "description" => *text = plain(text),
                    value => describe(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(describe),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn plain(doc: &str) -> String {
    let paragraphs: Vec<_> = doc.split("\n\n").map(|p| p.replace('\n', " ")).collect();
    paragraphs
        .join("\n\n")
        .replace("[`", "`")
        .replace("`]", "`")
        .replace("`None`", "`null`")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn descriptions_are_for_everybody() {
        let mut schema = json!({ "properties": { "a": {
            "description": "One\ntwo; `None` for\nnothing.\n\nSee [`Addr`]."
        } } });
        describe(&mut schema);
        let text = "One two; `null` for nothing.\n\nSee `Addr`.";
        assert_eq!(
            schema,
            json!({ "properties": { "a": { "description": text } } })
        );
    }
}
