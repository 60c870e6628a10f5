//! The keys of a map: each once, and those that `<<` merges into it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Node, NodeKind, YamlError, value};

/// The first key of a map that stands there before.
pub(crate) fn twice(pairs: &[(Node, Node)]) -> Option<(&Node, Arc<str>)> {
    let mut seen = BTreeMap::new();
    pairs.iter().find_map(|(key, _)| {
        let text = value::key(key)?;
        match seen.entry(text.clone()) {
            Entry::Occupied(_) => Some((key, text)),
            Entry::Vacant(place) => {
                place.insert(());
                None
            }
        }
    })
}

/// The pairs of a map, each key once, with those of the maps that a key `<<` names
/// (<https://yaml.org/type/merge.html>): what the map says itself counts, then the earlier map.
pub(super) fn checked(pairs: Vec<(Node, Node)>) -> Result<Vec<(Node, Node)>, YamlError> {
    if let Some((key, text)) = twice(&pairs) {
        return Err(YamlError {
            at: key.range.start,
            message: format!("the key `{text}` stands twice in one map"),
        });
    }
    let merges =
        |key: &Node| matches!(&key.kind, NodeKind::Scalar { text, plain: true } if text == "<<");
    let (merged, mut own): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(key, _)| merges(key));
    if merged.is_empty() {
        return Ok(own);
    }
    let keys = own.iter().filter_map(|(key, _)| value::key(key));
    let mut known: BTreeSet<Arc<str>> = keys.collect();
    for (_, maps) in merged {
        let at = maps.range.start;
        let maps = match maps.kind {
            NodeKind::List(maps) => maps,
            kind => vec![Node {
                range: maps.range,
                kind,
            }],
        };
        for map in maps {
            let NodeKind::Map(pairs) = map.kind else {
                return Err(YamlError {
                    at,
                    message:
                        "`<<` merges a map, or a list of maps; a key of that name stands in quotes"
                            .to_owned(),
                });
            };
            let new = pairs
                .into_iter()
                .filter(|(key, _)| value::key(key).is_none_or(|key| known.insert(key)));
            own.extend(new);
        }
    }
    Ok(own)
}
