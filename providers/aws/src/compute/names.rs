//! The names of a batch: all of its machines have the same tags, so each finds its own name by its
//! place in the launch.
//!
//! `RunInstances` tags every instance alike, and naming each by a call of its own would cost a call
//! a machine. So the tags `stratiform:names`, `stratiform:names-2`… hold all names of the batch, in
//! the order of `AmiLaunchIndex`: the part they share, then what follows it in each, with spaces
//! between. `Name` is the part they share.

use strat_model::{ErrorKind, Result};

use crate::error::refuse;
use crate::tags::{NAME, NAMES, Tags};

/// The longest value of a tag.
const VALUE_MAX: usize = 256;

/// What `Name` says of machines with these names.
pub(super) fn common_name(names: &[String]) -> String {
    match names {
        [only] => only.clone(),
        _ => {
            let stem = stem(names).trim_end_matches('-');
            let first = names.first().map_or("machines", String::as_str);
            if stem.is_empty() { first } else { stem }.to_owned()
        }
    }
}

/// What `Name` may say of machines with these names, made alone or in any batch.
pub(crate) fn common_names(names: &[String]) -> Vec<String> {
    let mut common = std::collections::BTreeSet::new();
    for name in names {
        let dashes = name.match_indices('-').map(|(at, _)| &name[..at]);
        common.extend(dashes.map(|stem| stem.trim_end_matches('-').to_owned()));
        common.insert(name.clone());
    }
    common.remove("");
    common.into_iter().collect()
}

/// The tags that hold the names of a batch; none for a single machine, whose `Name` is its name.
pub(super) fn write(names: &[String]) -> Result<Tags> {
    let mut tags = Tags::new();
    if names.len() < 2 {
        return Ok(tags);
    }
    if names
        .iter()
        .any(|name| name.contains(' ') || !name.is_ascii())
    {
        let what = "the name of a machine has a space or a letter that is not ASCII";
        return Err(refuse(ErrorKind::Invalid, what));
    }
    let stem = stem(names);
    let tails = names.iter().map(|name| &name[stem.len()..]);
    let words: Vec<&str> = std::iter::once(stem).chain(tails).collect();
    let text = words.join(" ");
    // The text is ASCII, and a tag may not begin or end with a space: `.` guards both ends.
    let chunks = text.as_bytes().chunks(VALUE_MAX - 2);
    for (index, chunk) in chunks.enumerate() {
        let chunk = String::from_utf8_lossy(chunk);
        tags.insert(key(index), format!(".{chunk}."));
    }
    Ok(tags)
}

/// The name of the machine at this place of its launch.
pub(super) fn read(tags: &Tags, index: usize) -> String {
    let common = tags.get(NAME).cloned().unwrap_or_default();
    let chunks = (0..)
        .map(|index| tags.get(&key(index)))
        .map_while(|chunk| chunk);
    let text: String = chunks
        .map(|chunk| {
            chunk
                .strip_prefix('.')
                .and_then(|chunk| chunk.strip_suffix('.'))
                .unwrap_or(chunk)
        })
        .collect();
    if text.is_empty() {
        return common;
    }
    let mut words = text.split(' ');
    let stem = words.next().unwrap_or_default();
    match words.nth(index) {
        Some(tail) => format!("{stem}{tail}"),
        None => common,
    }
}

fn key(index: usize) -> String {
    match index {
        0 => NAMES.to_owned(),
        _ => format!("{NAMES}-{}", index + 1),
    }
}

/// What all names begin with, up to and with a dash.
fn stem(names: &[String]) -> &str {
    let Some((first, rest)) = names.split_first() else {
        return "";
    };
    let shared = |name: &String| {
        let pairs = first.bytes().zip(name.bytes());
        pairs.take_while(|(a, b)| a == b).count()
    };
    let shared = rest.iter().map(shared).min().unwrap_or(first.len());
    let shared = first.get(..shared).unwrap_or("");
    shared.rfind('-').map_or("", |dash| &shared[..=dash])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(names: &[String]) -> Tags {
        let mut tags = write(names).expect("tags");
        tags.insert(NAME.to_owned(), common_name(names));
        // Names without anything in common are told by the first alone.
        let of_one = common_names(names.get(..1).expect("a name"));
        assert!(of_one.contains(&tags[NAME]), "{of_one:?}");
        for (index, name) in names.iter().enumerate() {
            assert_eq!(read(&tags, index), *name);
        }
        assert!(tags.values().all(|value| value.len() <= VALUE_MAX));
        tags
    }

    #[test]
    fn a_machine_finds_its_name_by_its_place() {
        let names = |tails: &[&str]| -> Vec<String> {
            tails
                .iter()
                .map(|tail| format!("shop-web-{tail}"))
                .collect()
        };
        assert_eq!(check(&names(&["1a2b3c4d"])).len(), 1);
        let tags = check(&names(&["1a2b3c4d", "1a9f0e2c", "77aa00bb"]));
        assert_eq!(tags[NAME], "shop-web");
        check(&["a".to_owned(), "b".to_owned()]);
        check(&["one-two".to_owned(), "other".to_owned()]);
    }

    #[test]
    fn a_hundred_names_take_five_tags() {
        let names: Vec<_> = (0..100).map(|n| format!("shop-web-{n:010}")).collect();
        assert_eq!(check(&names).len(), 6);
    }
}
