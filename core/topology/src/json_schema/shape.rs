//! What values look like in JSON and YAML.

mod told;

use serde_json::{Map, Value, json};

/// A name of a block: see [`Name`](strat_model::Name).
const NAME: &str = "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$";
/// A name of a variable or output: a word of the language.
const WORD: &str = "^[A-Za-z_][A-Za-z0-9_-]{0,62}$";

/// What an attribute takes. Each takes an expression of that type as well.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    Any,
    Text,
    Bool,
    Number,
    /// A number, or this word.
    NumberOr(&'static str),
    /// A whole number from, and up to.
    Whole(u64, u64),
    Size,
    /// A time such as `5m`.
    Duration,
    /// A number of machines, or a share of them.
    Wave,
    OneOf(&'static [&'static str]),
    Ipv4Range,
    Sha256,
    Texts,
    Site,
    Sites,
    /// A reference to a block of this keyword.
    Reference(&'static str),
    References(&'static str),
    Peers,
    /// Machines, or what a peer is.
    Ends,
    Ports,
    Labels,
    Capacity,
    Money,
    /// Numbers by site.
    Weights,
    ForEach,
    /// A type, which is an expression without `${}`.
    Type,
    /// References without `${}`.
    Blocks,
    /// A reference without `${}` to something that may not be there.
    Renamed,
}

impl Shape {
    /// Its schema.
    pub(super) fn schema(self) -> Value {
        let or_expression = |value: Value| json!({ "anyOf": [value, of("expression")] });
        match self {
            Self::Any => json!({}),
            Self::Text => of("text"),
            Self::Type => json!({ "type": "string", "examples": ["string", "list(number)"] }),
            Self::Bool => {
                json!({ "anyOf": [{ "type": "boolean" }, { "enum": ["true", "false"] }, of("expression")] })
            }
            Self::Number => json!({ "anyOf": [
                { "type": "number" },
                { "type": "string", "pattern": "^[0-9.]+$" },
                of("expression"),
            ] }),
            Self::NumberOr(word) => json!({ "anyOf": [
                { "type": "number" },
                { "type": "string", "pattern": "^[0-9.]+$" },
                { "const": word },
                of("expression"),
            ] }),
            Self::Whole(from, to) => json!({ "anyOf": [
                { "type": "integer", "minimum": from, "maximum": to },
                { "type": "string", "pattern": "^[0-9]+$" },
                of("expression"),
            ] }),
            Self::Size => or_expression(of("size")),
            Self::Duration => or_expression(json!({
                "type": "string",
                "pattern": "^[0-9]+\\s*(ms|s|m|h|d)$",
                "examples": ["5m"],
            })),
            Self::Wave => json!({ "anyOf": [
                { "type": "integer", "minimum": 1 },
                { "type": "string", "pattern": "^[0-9]+\\s*%?$", "examples": ["25%"] },
                of("expression"),
            ] }),
            Self::OneOf(words) => or_expression(json!({ "enum": words })),
            Self::Ipv4Range => or_expression(of("ipv4_range")),
            Self::Sha256 => {
                or_expression(json!({ "type": "string", "pattern": "^[0-9A-Fa-f]{64}$" }))
            }
            Self::Texts => or_expression(json!({ "type": "array", "items": of("text") })),
            Self::Site => of("site"),
            Self::Sites => {
                let list = json!({ "type": "array", "items": of("site"), "minItems": 1 });
                or_expression(list)
            }
            Self::Reference(keyword) => reference(keyword),
            Self::References(keyword) => {
                or_expression(json!({ "type": "array", "items": reference(keyword) }))
            }
            Self::Peers => one_or_several(&of("peer")),
            Self::Ends => one_or_several(&of("text")),
            Self::Ports => one_or_several(&of("port")),
            Self::Labels => or_expression(of("labels")),
            Self::Capacity => or_expression(of("capacity")),
            Self::Money => or_expression(json!({
                "type": "string",
                "pattern": "^[0-9][0-9.]* +USD$",
                "examples": ["500 USD"],
            })),
            Self::Weights => or_expression(json!({
                "type": "object",
                "propertyNames": { "pattern": NAME },
                "additionalProperties": Self::Whole(0, 1_000_000).schema(),
            })),
            Self::ForEach => {
                or_expression(json!({ "type": ["object", "array"], "examples": [["a", "b"]] }))
            }
            Self::Renamed => json!({
                "type": "string",
                "pattern": r#"^[a-z]+\.[A-Za-z0-9._-]+(\[([0-9]+|".*")\])?$"#,
                "examples": ["volume.data", "volume.data[\"a\"]", "site.east"],
            }),
            Self::Blocks => or_expression(json!({
                "type": "array",
                "items": { "type": "string", "examples": ["machine.db"] },
            })),
        }
    }
}

/// The pattern of the names of a block.
pub(super) fn label(keyword: &str) -> &'static str {
    match keyword {
        "variable" | "output" | "module" => WORD,
        _ => NAME,
    }
}

/// What [`Shape::schema`] refers to.
pub(super) fn definitions() -> Map<String, Value> {
    let size = json!({
        "description": "A number and a unit: `KiB`, `MiB`, `GiB`, `TiB`, or `kB`, `MB`, `GB`, `TB`.",
        "type": "string",
        "pattern": "^[0-9][0-9.]*\\s*([KMGTPEkmgtpe][Ii]?)?[Bb]$",
        "examples": ["16GiB"],
    });
    let or_expression = |word: &str| json!({ "anyOf": [of(word), of("expression")] });
    let definitions = [
        (
            "expression",
            json!({
                "description": "A template: text with `${…}` or `%{…}` in it.",
                "type": "string",
                "pattern": "[$%]\\{",
                "examples": ["${var.name}"],
            }),
        ),
        (
            "text",
            json!({
                "description": "A text; it is a template.",
                "type": ["string", "number", "boolean"],
            }),
        ),
        ("size", size),
        (
            "ipv4_range",
            json!({
                "description": "An IPv4 range.",
                "type": "string",
                "pattern": "^([0-9]{1,3}\\.){3}[0-9]{1,3}/[0-9]{1,2}$",
                "examples": ["10.20.0.0/16"],
            }),
        ),
        (
            "site",
            json!({
                "description": "A site, by reference or by name.",
                "anyOf": [
                    { "type": "string", "pattern": NAME, "examples": ["${site.east}"] },
                    of("expression"),
                ],
            }),
        ),
        (
            "peer",
            json!({
                "description": "Everybody, a range or address, a firewall's machines, or a network's range.",
                "anyOf": [
                    { "const": "internet" },
                    {
                        "type": "string",
                        "pattern": "^[0-9A-Fa-f:.]*[.:][0-9A-Fa-f:.]*(/[0-9]{1,3})?$",
                        "examples": ["10.20.0.0/16", "${firewall.web}"],
                    },
                    of("expression"),
                ],
            }),
        ),
        (
            "port",
            json!({
                "description": "A port, or a range of ports.",
                "anyOf": [
                    { "type": "integer", "minimum": 1, "maximum": 65535 },
                    {
                        "type": "string",
                        "pattern": "^\\s*[0-9]{1,5}\\s*(-\\s*[0-9]{1,5}\\s*)?$",
                        "examples": ["5432-5433"],
                    },
                    of("expression"),
                ],
            }),
        ),
        (
            "labels",
            json!({
                "description": "Labels; each cloud where the thing may go must take them.",
                "type": "object",
                "propertyNames": { "minLength": 1, "maxLength": 512 },
                "additionalProperties": of("text"),
            }),
        ),
        (
            "capacity",
            json!({
                "description": "How much owned hardware there is.",
                "type": "object",
                "properties": {
                    "cpu": Shape::Whole(1, u64::from(u32::MAX)).schema(),
                    "memory": or_expression("size"),
                    "disk": { "anyOf": [of("size"), of("expression"), { "type": "null" }] },
                    "gpus": {
                        "description": "How many GPUs there are of each model.",
                        "type": ["object", "null"],
                        "propertyNames": { "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$" },
                        "additionalProperties": Shape::Whole(0, u64::from(u32::MAX)).schema(),
                    },
                },
                "required": ["cpu", "memory"],
                "additionalProperties": false,
            }),
        ),
    ];
    let definitions = definitions.into_iter();
    definitions
        .map(|(name, schema)| (name.to_owned(), schema))
        .collect()
}

fn of(definition: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{definition}") })
}

/// A thing has no text, so a reference to it stands alone.
fn reference(keyword: &str) -> Value {
    json!({
        "type": "string",
        "pattern": "^\\$\\{[\\s\\S]*\\}$",
        "examples": [format!("${{{keyword}.name}}")],
    })
}

fn one_or_several(item: &Value) -> Value {
    json!({ "anyOf": [item, { "type": "array", "items": item }] })
}
