//! What changed in the topology's bursts since they were read last.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use strat_model::burst::BurstIntent;

/// What is another than before, one line a setting.
pub(super) fn changes(before: &[BurstIntent], after: &[BurstIntent]) -> Vec<String> {
    let flat = |bursts: &[BurstIntent]| -> BTreeMap<String, BTreeMap<String, String>> {
        let one = |burst: &BurstIntent| {
            let mut settings = BTreeMap::new();
            settings.insert("fleet".to_owned(), burst.fleet.to_string());
            let value = serde_json::to_value(&burst.policy).unwrap_or_default();
            flatten("", &value, &mut settings);
            (burst.policy.name.clone(), settings)
        };
        bursts.iter().map(one).collect()
    };
    let (before, after) = (flat(before), flat(after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut said = Vec::new();
    for name in names {
        match (before.get(name), after.get(name)) {
            (None, Some(_)) => said.push(format!("burst.{name} is new")),
            (Some(_), None) => said.push(format!("burst.{name} is no more: its machines stay")),
            (Some(old), Some(new)) => {
                let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
                for key in keys {
                    let none = || "nothing".to_owned();
                    let was = old.get(key).cloned().unwrap_or_else(none);
                    let is = new.get(key).cloned().unwrap_or_else(none);
                    if was != is {
                        said.push(format!("burst.{name}: {key} was {was}, and is {is}"));
                    }
                }
            }
            (None, None) => {}
        }
    }
    said
}

fn flatten(at: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    let inner = |key: &str| match at {
        "" => key.to_owned(),
        at => format!("{at}.{key}"),
    };
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                flatten(&inner(key), value, into);
            }
        }
        Value::Array(list) => {
            for (number, value) in list.iter().enumerate() {
                let name = value.get("name").and_then(Value::as_str);
                let key = name.map_or_else(|| number.to_string(), str::to_owned);
                flatten(&inner(&key), value, into);
            }
        }
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            into.insert(at.to_owned(), value.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use strat_model::LocalAddr;
    use strat_model::burst::BurstPolicy;

    use super::*;

    fn burst(name: &str, max: u32) -> BurstIntent {
        let fleet: LocalAddr = "machines.web".parse().expect("an address");
        BurstIntent {
            fleet,
            policy: BurstPolicy::new(name, 1, max),
            origin: None,
        }
    }

    #[test]
    fn what_changed_is_said_setting_by_setting() {
        let mut other = burst("web", 80);
        other.policy.down.after_s = 60;
        let said = changes(
            &[burst("web", 60), burst("old", 1)],
            &[other, burst("new", 2)],
        );
        assert_eq!(
            said,
            [
                "burst.new is new",
                "burst.old is no more: its machines stay",
                "burst.web: down.after_s was 900, and is 60",
                "burst.web: max was 60, and is 80",
            ]
        );
        assert_eq!(changes(&[burst("web", 1)], &[burst("web", 1)]), [""; 0]);
    }
}
