//! Tags: their limits, and the calls that change nothing else.
//! <https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations>

use serde_json::{Value, json};

use crate::call::Call;
use crate::id::Id;
use crate::refusal::Refusal;
use crate::server::Answer;
use crate::world::{Fields, World};

/// Most tags of a thing.
const COUNT: usize = 50;

/// Holds tags against their limits. `is_storage`: storage accounts have shorter names.
pub(crate) fn check(tags: Option<&Value>, is_storage: bool) -> Result<(), Refusal> {
    let Some(tags) = tags.filter(|tags| !tags.is_null()) else {
        return Ok(());
    };
    let refuse = |code: &str, message: String| Err(Refusal::new(400, code, message));
    let Some(tags) = tags.as_object() else {
        return refuse("InvalidTags", "Tags are no object of texts.".to_owned());
    };
    if tags.len() > COUNT {
        let message = format!(
            "The number of tags ({}) is more than the limit of {COUNT}.",
            tags.len()
        );
        return refuse("TagCountExceeded", message);
    }
    let longest = if is_storage { 128 } else { 512 };
    let mut seen: Vec<String> = Vec::new();
    for (name, value) in tags {
        let Some(value) = value.as_str() else {
            return refuse(
                "InvalidTags",
                format!("The value of the tag '{name}' is no text."),
            );
        };
        let is_reserved = |c: char| "<>%&\\?/".contains(c) || c.is_control();
        if name.is_empty() || name.contains(is_reserved) {
            let message = format!(
                "The tag names '{name}' have reserved characters '<,>,%,&,\\,?,/' or control \
                 characters."
            );
            return refuse("InvalidTagNameCharacters", message);
        }
        let prefixes = ["microsoft", "azure", "windows"];
        if prefixes
            .iter()
            .any(|prefix| name.to_lowercase().starts_with(prefix))
        {
            let message =
                format!("The tag name '{name}' has a reserved prefix: microsoft, azure, windows.");
            return refuse("ReservedTagName", message);
        }
        if name.chars().count() > longest || value.chars().count() > 256 {
            let message = format!(
                "Tag '{name}' is too long: a name has at most {longest} characters, a value 256."
            );
            return refuse("TagTooLong", message);
        }
        let lower = name.to_lowercase();
        if seen.contains(&lower) {
            let message = format!("The tag '{name}' is there twice: names have no case.");
            return refuse("AmbiguousTagNames", message);
        }
        seen.push(lower);
    }
    Ok(())
}

/// Adds the tags that a policy gives to what lacks them.
pub(crate) fn inherit(world: &World, fields: &mut Fields) {
    for (name, value) in &world.arranged.inherited {
        let tags = fields.entry("tags").or_insert_with(|| json!({}));
        if tags.is_null() {
            *tags = json!({});
        }
        if tags[name].is_null() {
            tags[name] = json!(value);
        }
    }
}

/// The tags of anything, read and changed alone.
/// <https://learn.microsoft.com/rest/api/resources/tags/update-at-scope>
pub(crate) fn answer(world: &mut World, call: &Call<'_>, scope: &Id) -> Result<Answer, Refusal> {
    let is_subscription = scope.kind().is_none();
    let subscription = world.subscription(&call.subscription)?;
    let before = match is_subscription {
        true => subscription.tags.clone(),
        false => {
            let tags = world.thing(scope)?.fields.get("tags");
            tags.and_then(Value::as_object).cloned().unwrap_or_default()
        }
    };
    let given = call
        .body
        .get("properties")
        .and_then(|properties| properties["tags"].as_object());
    let given = given.cloned().unwrap_or_default();
    let after = match call.http {
        "GET" => before.clone(),
        "PUT" => given,
        "DELETE" => Fields::new(),
        "PATCH" => changed(call, before.clone(), given)?,
        http => return Err(Refusal::not_done(&format!("{http} of tags"))),
    };
    if after != before {
        let is_storage = scope
            .kind()
            .is_some_and(|kind| kind.namespace == "Microsoft.Storage");
        check(Some(&json!(after)), is_storage)?;
        match is_subscription {
            true => {
                let key = call.subscription.to_lowercase();
                world.subscriptions.entry(key).or_default().tags = after.clone();
            }
            false => {
                if let Some(thing) = world.get_mut(scope) {
                    thing.fields.insert("tags".to_owned(), json!(after));
                    thing.version += 1;
                }
            }
        }
    }
    if call.http == "DELETE" {
        return Ok(Answer::json(200, &Value::Null));
    }
    let body = json!({
        "id": format!("{scope}/providers/Microsoft.Resources/tags/default"),
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": { "tags": after },
    });
    Ok(Answer::json(200, &body))
}

fn changed(call: &Call<'_>, mut tags: Fields, given: Fields) -> Result<Fields, Refusal> {
    match call.body.get("operation").and_then(Value::as_str) {
        Some("Replace") => Ok(given),
        Some("Merge") => {
            for (name, value) in given {
                tags.retain(|own, _| !own.eq_ignore_ascii_case(&name));
                tags.insert(name, value);
            }
            Ok(tags)
        }
        Some("Delete") => {
            let is_given = |own: &String, value: &Value| {
                given
                    .iter()
                    .any(|(name, of)| name.eq_ignore_ascii_case(own) && of == value)
            };
            tags.retain(|own, value| !is_given(own, value));
            Ok(tags)
        }
        other => {
            let message = format!(
                "The tags operation '{}' is invalid.",
                other.unwrap_or_default()
            );
            Err(Refusal::new(400, "InvalidTagsOperation", message))
        }
    }
}
