//! Marks and labels as Google's labels.
//!
//! A label there has a key and a value of at most 63 lower-case letters, digits, `-` and `_`, and a
//! thing has at most 64 labels. So what is ours is written in a way that can be read back:
//!
//! - A text is written letter by letter: `a` to `z`, `0` to `9` and `-` as they are, and every other
//!   byte of its UTF-8 as `_` and two hex digits. `shop/web` is `shop_2fweb`.
//! - What is longer than a value goes on in `KEY-2`, `KEY-3` and so on.
//! - A mark's tag `stratiform:owner` is the label `stratiform-owner`, and so each of its tags.
//! - A label of the topology that Google takes is a label of that key and value. One that it does not
//!   take is `stratiform-label-` and a digest of its key; its value is key, `=` and value, as text.
//!
//! <https://cloud.google.com/compute/docs/labeling-resources#requirements>

use std::collections::BTreeMap;

use strat_model::{Digest, ErrorKind, Labels, Mark, Owner, Result};

use crate::error::refuse;

/// The most characters of a value.
const VALUE_MAX: usize = 63;
/// The most labels of one thing.
const LABELS_MAX: usize = 64;
/// What begins every key of ours.
const PREFIX: &str = "stratiform-";
/// What Google's own services put on begins so.
const GOOGLE: &str = "goog-";
/// What begins the key of a label that Google does not take.
const ENCODED: &str = "label-";

/// The token of the create and a digest of what was asked for.
pub(crate) const MADE: &str = "made";
/// A digest of where and under which name it was made.
pub(crate) const SELF: &str = "self";
/// The name that was asked for, where Google takes another.
pub(crate) const NAME: &str = "name";
/// A size that is not a whole number of GiB, in bytes.
pub(crate) const SIZE: &str = "size";
/// The machine's owner, on a disk that lives and dies with a machine.
pub(crate) const DISK_OF: &str = "disk-of";

/// The words after [`PREFIX`] that are no part of the mark and outlive an update.
const KEPT: [&str; 5] = [MADE, SELF, NAME, SIZE, DISK_OF];
/// Those that are true of a thing whosever it is.
const TRUE_OF_ALL: [&str; 3] = [NAME, SIZE, DISK_OF];

/// Labels as Google has them.
pub(crate) type Raw = BTreeMap<String, String>;

/// Labels as the SDK has them.
pub(crate) fn raw(labels: &std::collections::HashMap<String, String>) -> Raw {
    labels.iter().map(|(k, v)| (k.clone(), v.clone())).collect()
}

/// Writes a text so that a label's value can have it.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' => out.push(char::from(byte)),
            other => out.push_str(&format!("_{other:02x}")),
        }
    }
    out
}

/// Reads it back; `None` for what was not written so.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'_' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let (high, low) = (digit(rest.next())?, digit(rest.next())?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// The labels of one text under a word of ours.
fn spread(labels: &mut Raw, word: &str, text: &str) {
    let text = encode(text);
    let bytes = text.as_bytes();
    let mut parts: Vec<&[u8]> = bytes.chunks(VALUE_MAX).collect();
    if parts.is_empty() {
        parts.push(b"");
    }
    for (index, part) in parts.into_iter().enumerate() {
        let key = match index {
            0 => format!("{PREFIX}{word}"),
            index => format!("{PREFIX}{word}-{}", index + 1),
        };
        labels.insert(key, String::from_utf8_lossy(part).into_owned());
    }
}

/// The text under a word of ours.
fn gather(labels: &Raw, word: &str) -> Option<String> {
    let first = format!("{PREFIX}{word}");
    let mut text = labels.get(&first)?.clone();
    let rest = (2..=LABELS_MAX).map_while(|index| labels.get(&format!("{first}-{index}")));
    rest.for_each(|part| text.push_str(part));
    decode(&text)
}

/// The word of a key of ours, without the number of its part.
fn word_of(key: &str) -> Option<&str> {
    let word = key.strip_prefix(PREFIX)?;
    match word.rsplit_once('-') {
        Some((head, number)) if number.bytes().all(|b| b.is_ascii_digit()) && head != "label" => {
            Some(head)
        }
        _ => Some(word),
    }
}

/// Sets a word that is no part of the mark.
pub(crate) fn set(labels: &mut Raw, word: &str, text: &str) {
    spread(labels, word, text);
}

/// Reads one.
pub(crate) fn get(labels: &Raw, word: &str) -> Option<String> {
    gather(labels, word)
}

/// Takes off one word, all its parts.
pub(crate) fn take_off_word(labels: &mut Raw, word: &str) {
    take_off(labels, |one| one != word);
}

/// Takes off the words that are not to be kept, all their parts.
fn take_off(labels: &mut Raw, keep: impl Fn(&str) -> bool) {
    labels.retain(|key, _| word_of(key).is_none_or(&keep));
}

fn put_mark(labels: &mut Raw, mark: &Mark) {
    for (key, value) in mark.to_tags() {
        if let Some(word) = key.strip_prefix("stratiform:") {
            spread(labels, word, &value);
        }
    }
}

/// Whether Google takes a label as it is, and it cannot be taken for one of ours.
fn is_plain(key: &str, value: &str) -> bool {
    let good = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-' | '_');
    key.len() <= VALUE_MAX
        && value.len() <= VALUE_MAX
        && key.starts_with(|c: char| c.is_ascii_lowercase())
        && key.chars().chain(value.chars()).all(good)
        && !key.starts_with(PREFIX)
        && !key.starts_with(GOOGLE)
}

fn put_labels(labels: &mut Raw, wanted: &Labels) {
    for (key, value) in wanted {
        if is_plain(key, value) {
            labels.insert(key.clone(), value.clone());
        } else {
            let digest = Digest::of(key.as_bytes());
            // A digit last could be taken for the number of a part.
            let word = format!("{ENCODED}{}x", digest.short());
            spread(labels, &word, &format!("{key}={value}"));
        }
    }
}

/// The labels of a new thing.
pub(crate) fn of_new(mark: &Mark, labels: &Labels) -> Raw {
    let mut all = Raw::new();
    put_mark(&mut all, mark);
    put_labels(&mut all, labels);
    all
}

/// Fails for more labels than a thing can have.
pub(crate) fn check(labels: &Raw) -> Result<()> {
    if labels.len() <= LABELS_MAX {
        return Ok(());
    }
    let message = format!(
        "{} labels, those of the mark among them, are more than the {LABELS_MAX} that a thing on \
         Google Cloud can have",
        labels.len()
    );
    Err(refuse(ErrorKind::Invalid, message).with_help("set fewer, shorter labels"))
}

/// What an update makes of labels: the mark becomes `mark`, and the topology's labels become `wanted`
/// where there are any to bring.
pub(crate) fn changed(before: &Raw, mark: Option<&Mark>, wanted: Option<&Labels>) -> Result<Raw> {
    let is_label = |word: &str| word.starts_with(ENCODED);
    let mut after = before.clone();
    take_off(&mut after, |word| {
        let ours = mark.is_some() && KEPT.contains(&word);
        is_label(word) || ours || TRUE_OF_ALL.contains(&word)
    });
    if let Some(mark) = mark {
        put_mark(&mut after, mark);
    }
    if let Some(wanted) = wanted {
        after.retain(|key, _| {
            key.starts_with(GOOGLE) || word_of(key).is_some_and(|word| !is_label(word))
        });
        put_labels(&mut after, wanted);
    }
    check(&after)?;
    Ok(after)
}

/// The topology's, or anybody's, labels among Google's.
pub(crate) fn labels(labels: &Raw) -> Labels {
    let mut found: Vec<(String, String)> = Vec::new();
    for (key, value) in labels {
        match word_of(key) {
            None if key.starts_with(GOOGLE) => {}
            None => found.push((key.clone(), value.clone())),
            // Each part of a long one is met; the first stands for all.
            Some(word) if word.starts_with(ENCODED) && key.ends_with('x') => {
                let pair = gather(labels, word);
                let pair = pair.as_deref().and_then(|text| text.split_once('='));
                found.extend(pair.map(|(k, v)| (k.to_owned(), v.to_owned())));
            }
            Some(_) => {}
        }
    }
    found.into_iter().collect()
}

/// The mark among labels.
pub(crate) fn mark(labels: &Raw) -> Option<Mark> {
    let words: std::collections::BTreeSet<&str> = labels
        .keys()
        .filter_map(|key| word_of(key))
        .filter(|word| !word.starts_with(ENCODED) && !KEPT.contains(word))
        .collect();
    let tags: Vec<(String, String)> = words
        .into_iter()
        .filter_map(|word| Some((format!("stratiform:{word}"), gather(labels, word)?)))
        .collect();
    Mark::from_tags(tags.iter().map(|(k, v)| (k.as_str(), v.as_str())))
}

/// A filter that one word of ours has this text, as far as its first label has it.
fn filter_word(word: &str, text: &str) -> String {
    let text = encode(text);
    let first = &text[..text.len().min(VALUE_MAX)];
    format!("(labels.{PREFIX}{word} = \"{first}\")")
}

/// A filter for what carries a mark of this owner, of whatever lineage. A long name may let others
/// through.
pub(crate) fn filter_owner(owner: &Owner) -> String {
    filter_word("owner", &owner.named().to_string())
}

/// A filter for what has this address in its mark. A long one may let others through.
pub(crate) fn filter_addr(addr: &strat_model::Addr) -> String {
    filter_word("addr", &addr.to_string())
}

#[cfg(test)]
mod tests {
    use strat_model::Field;

    use super::*;

    fn mark_of(notes: &[(Field, &str)]) -> Mark {
        let long = "n".repeat(63);
        Mark {
            owner: "bank/shop:0a1b2c3d4e5f6g7h".parse().expect("owner"),
            addr: format!("machines.{long}[\"K \\\"q\\\" ü\"]@{long}")
                .parse()
                .expect("addr"),
            spec: "0123456789abcdef".to_owned(),
            generation: 3,
            origin: None,
            protect: true,
            disposable: false,
            notes: notes.iter().map(|(f, n)| (*f, (*n).to_owned())).collect(),
        }
    }

    fn labels_of(pairs: &[(&str, &str)]) -> Labels {
        let own = |(k, v): &(&str, &str)| ((*k).to_owned(), (*v).to_owned());
        pairs.iter().map(own).collect()
    }

    #[test]
    fn any_text_comes_back() {
        for text in ["", "shop", "a_b", "A/B c", "東京 \u{7}", "__5f"] {
            let written = encode(text);
            assert!(
                written
                    .chars()
                    .all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-' | '_'))
            );
            assert_eq!(decode(&written).as_deref(), Some(text));
        }
        for broken in ["_", "_5", "_zz", "_ff"] {
            assert_eq!(decode(broken), None, "{broken}");
        }
    }

    #[test]
    fn marks_and_labels_come_back_within_googles_grammar() {
        let mark_of = mark_of(&[
            (Field::UserData, "abc"),
            (Field::Request, "cpu=4 memory=16GiB"),
        ]);
        let long = "x".repeat(200);
        let wanted = labels_of(&[
            ("team", "shop"),
            ("tier-2", "web"),
            ("City", "東京"),
            ("empty", ""),
            ("long", &long),
            ("stratiform-owner", "me"),
            ("goog-x", "y"),
        ]);
        let all = of_new(&mark_of, &wanted);
        for (key, value) in &all {
            assert!(key.len() <= 63 && value.len() <= 63, "{key}={value}");
            let good = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-' | '_');
            assert!(key.chars().chain(value.chars()).all(good), "{key}={value}");
        }
        assert_eq!(mark(&all), Some(mark_of));
        assert_eq!(labels(&all), wanted);
    }

    #[test]
    fn an_update_takes_off_what_is_not_wanted_any_more_and_keeps_the_rest() {
        let old = mark_of(&[(Field::UserData, "x")]);
        let mut all = of_new(&old, &labels_of(&[("team", "shop"), ("Tier", "web")]));
        set(&mut all, MADE, "token-digest");
        all.insert("goog-ops".to_owned(), "on".to_owned());
        let wanted = labels_of(&[("team", "bank")]);
        let after = changed(&all, Some(&mark_of(&[])), Some(&wanted)).expect("a change");
        assert_eq!(labels(&after), wanted);
        assert_eq!(mark(&after), Some(mark_of(&[])));
        assert_eq!(get(&after, MADE).as_deref(), Some("token-digest"));
        assert_eq!(after["goog-ops"], "on");
    }

    #[test]
    fn of_what_is_let_go_the_labels_are_left() {
        let wanted = labels_of(&[("team", "shop"), ("City", "Bonn")]);
        let mut all = of_new(&mark_of(&[]), &wanted);
        set(&mut all, MADE, "token-digest");
        let after = changed(&all, None, None).expect("a change");
        assert_eq!((mark(&after), labels(&after)), (None, wanted));
        assert_eq!(get(&after, MADE), None);
        let back = changed(&after, Some(&mark_of(&[])), None).expect("a change");
        assert_eq!(mark(&back), Some(mark_of(&[])));
    }

    #[test]
    fn too_many_labels_are_refused() {
        let many: Labels = (0..60).map(|n| (format!("l{n}"), String::new())).collect();
        assert!(check(&of_new(&mark_of(&[]), &many)).is_err());
    }
}
