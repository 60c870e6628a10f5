//! The values of fields, for people.

use serde_json::Value;
use stratiform::model::{Bytes, Field};

/// The longest value that is shown whole, in characters.
const VALUE_MAX: usize = 120;

/// A value of a field, on one line.
pub(crate) fn value(field: Field, value: &Value) -> String {
    shorten(&show(field.as_str(), value))
}

/// The keys that two objects differ in, each with its value before and after.
pub(crate) fn object_changes(before: &Value, after: &Value) -> Option<Vec<[String; 3]>> {
    let empty = serde_json::Map::new();
    let map = |value: &Value| match value {
        Value::Object(map) => Some(map.clone()),
        Value::Null => Some(empty.clone()),
        _ => None,
    };
    let (before, after) = (map(before)?, map(after)?);
    let mut keys: Vec<&String> = before.keys().chain(after.keys()).collect();
    keys.sort();
    keys.dedup();
    let text = |value: Option<&Value>| value.map_or_else(none, |v| shorten(&show("", v)));
    let changes = keys
        .into_iter()
        .filter(|key| before.get(*key) != after.get(*key))
        .map(|key| [key.clone(), text(before.get(key)), text(after.get(key))]);
    Some(changes.collect())
}

/// What two lists do not have in common: what goes, and what comes.
pub(crate) fn list_changes(
    field: Field,
    before: &Value,
    after: &Value,
) -> Option<(Vec<String>, Vec<String>)> {
    let (Value::Array(before), Value::Array(after)) = (before, after) else {
        return None;
    };
    let only = |these: &[Value], those: &[Value]| {
        these
            .iter()
            .filter(|item| !those.contains(item))
            .map(|item| value(field, item))
            .collect()
    };
    Some((only(before, after), only(after, before)))
}

/// What goes and what comes of a firewall's rules: a rule that admits others than before stays, and is
/// told peer by peer.
pub(crate) fn rule_changes(before: &Value, after: &Value) -> Option<(Vec<String>, Vec<String>)> {
    let (Value::Array(before), Value::Array(after)) = (before, after) else {
        return None;
    };
    let only = |these: &[Value], those: &[Value]| -> Vec<String> {
        let told = |rule: &Value| -> Vec<String> {
            let Some(other) = those.iter().find(|other| head(other) == head(rule)) else {
                return vec![value(Field::Rules, rule)];
            };
            let (peers, others) = (peers(rule), peers(other));
            let only = peers.iter().filter(|peer| !others.contains(peer));
            only.map(|peer| format!("{} {}", head(rule), show("", peer)))
                .collect()
        };
        these
            .iter()
            .filter(|rule| !those.contains(rule))
            .flat_map(told)
            .collect()
    };
    Some((only(before, after), only(after, before)))
}

fn peers(rule: &Value) -> Vec<Value> {
    rule["peers"].as_array().cloned().unwrap_or_default()
}

/// A rule without whom it admits: `ingress http: tcp 80 from`.
fn head(rule: &Value) -> String {
    let mut rule = rule.clone();
    if let Some(peers) = rule.get_mut("peers") {
        *peers = Value::String(" ".to_owned());
    }
    show("", &rule).trim_end().to_owned()
}

fn none() -> String {
    "(none)".to_owned()
}

fn show(key: &str, value: &Value) -> String {
    match value {
        Value::Null => none(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => match number.as_u64() {
            Some(bytes) if matches!(key, "memory" | "size") => Bytes(bytes).to_string(),
            _ => number.to_string(),
        },
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => none(),
        Value::Array(items) => join(items.iter().map(|item| show("", item)), ", "),
        Value::Object(map) => object(map),
    }
}

fn object(map: &serde_json::Map<String, Value>) -> String {
    // A rule of a firewall.
    if let (Some(name), Some(protocol)) = (map.get("name"), map.get("protocol")) {
        let direction = map
            .get("direction")
            .map_or_else(String::new, |d| show("", d));
        let word = if direction == "egress" { "to" } else { "from" };
        let ports = match map.get("ports") {
            Some(Value::Array(ports)) if !ports.is_empty() => {
                format!(" {}", join(ports.iter().map(|port| show("", port)), ","))
            }
            _ => String::new(),
        };
        let peers = map.get("peers").map_or_else(none, |peers| show("", peers));
        let (name, protocol) = (show("", name), show("", protocol));
        return format!("{direction} {name}: {protocol}{ports} {word} {peers}");
    }
    // An enum with a value: an image, a peer, and the like.
    if map.len() == 1
        && let Some((_, inner)) = map.iter().next()
    {
        return match inner {
            Value::Object(inner) => match inner.get("name") {
                Some(name) => show("name", name),
                None => object(inner),
            },
            other if !map.contains_key("size") && !map.contains_key("memory") => show("", other),
            other => show("size", other),
        };
    }
    // A disk.
    if let (Some(size), Some(class)) = (map.get("size"), map.get("class")) {
        return format!("{} {}", show("size", size), show("", class));
    }
    let fields = map
        .iter()
        .map(|(key, value)| format!("{key}={}", show(key, value)));
    join(fields, " ")
}

fn join(items: impl Iterator<Item = String>, separator: &str) -> String {
    items.collect::<Vec<_>>().join(separator)
}

/// A text that is not too long for a line.
pub(crate) fn shorten(text: &str) -> String {
    let flat = text.replace('\n', "\\n");
    if flat.chars().count() <= VALUE_MAX {
        return flat;
    }
    let head: String = flat.chars().take(VALUE_MAX - 20).collect();
    let tail: Vec<char> = flat.chars().rev().take(16).collect();
    format!("{head}...{}", tail.into_iter().rev().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_read_like_the_file() {
        let check = |field, json: Value, expect: &str| assert_eq!(value(field, &json), expect);
        check(Field::Memory, json!(17_179_869_184_u64), "16GiB");
        check(
            Field::Disks,
            json!([{"size": 42_949_672_960_u64, "class": "ssd"}]),
            "40GiB ssd",
        );
        check(
            Field::Image,
            json!({"named": {"name": "debian-12", "id": "ami-1"}}),
            "debian-12",
        );
        check(
            Field::Rules,
            json!({"name": "http", "direction": "ingress", "peers": ["internet"],
                   "protocol": "tcp", "ports": ["80", "443"]}),
            "ingress http: tcp 80,443 from internet",
        );
        check(Field::Versioning, json!(true), "yes");
        check(Field::Keypair, json!(null), "(none)");
    }

    #[test]
    fn a_rule_that_stays_differs_by_peer() {
        let rule = |name: &str, port: &str, peers: &[&str]| {
            json!({"name": name, "direction": "ingress", "peers": peers, "protocol": "tcp",
                   "ports": [port]})
        };
        let many = ["10.0.0.0/24", "10.0.1.0/24", "internet"];
        let before = json!([rule("http", "80", &many), rule("ssh", "22", &["internet"])]);
        let now = ["10.0.0.0/24", "10.0.2.0/24", "internet"];
        let after = json!([rule("http", "80", &now), rule("ssh", "2222", &["internet"])]);
        let (gone, new) = rule_changes(&before, &after).expect("lists");
        assert_eq!(
            gone,
            [
                "ingress http: tcp 80 from 10.0.1.0/24",
                "ingress ssh: tcp 22 from internet"
            ]
        );
        assert_eq!(
            new,
            [
                "ingress http: tcp 80 from 10.0.2.0/24",
                "ingress ssh: tcp 2222 from internet"
            ]
        );
    }

    #[test]
    fn labels_differ_by_key() {
        let changes = object_changes(&json!({"a": "1", "b": "2"}), &json!({"b": "3"}));
        assert_eq!(
            changes,
            Some(vec![
                ["a".to_owned(), "1".to_owned(), "(none)".to_owned()],
                ["b".to_owned(), "2".to_owned(), "3".to_owned()],
            ])
        );
    }
}
