//! What a PUT or PATCH leaves of what was there.

use serde_json::Value;

use crate::world::Fields;

/// `old` with what `new` says: objects field by field, everything else whole; null takes a field
/// away. <https://learn.microsoft.com/azure/azure-resource-manager/management/azure-services-resource-providers>
/// has no word on it: it is how Microsoft.Compute and Microsoft.Storage are seen to behave.
pub(crate) fn merge(old: &Fields, new: &Fields) -> Fields {
    let mut merged = old.clone();
    for (name, value) in new {
        // Tags are one value: whoever sets them sets all of them.
        let whole = name == "tags";
        match (merged.get(name), value) {
            (_, Value::Null) => {
                merged.remove(name);
            }
            (Some(Value::Object(before)), Value::Object(after)) if !whole => {
                let both = merge(before, after);
                merged.insert(name.clone(), Value::Object(both));
            }
            _ => {
                merged.insert(name.clone(), value.clone());
            }
        }
    }
    merged
}

/// The same without what is null.
pub(crate) fn plain(fields: &Fields) -> Fields {
    merge(&Fields::new(), fields)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_left_out_stays_and_what_is_null_goes() {
        let fields = |value: Value| value.as_object().cloned().expect("an object");
        let old = json!({ "a": { "x": 1, "y": 2 }, "list": [1, 2], "tags": { "t": "1" }, "b": 1 });
        let new = json!({ "a": { "y": 3 }, "list": [9], "tags": { "u": "2" }, "b": null });
        let merged = merge(&fields(old), &fields(new));
        let wanted = json!({ "a": { "x": 1, "y": 3 }, "list": [9], "tags": { "u": "2" } });
        assert_eq!(Value::Object(merged), wanted);
    }
}
