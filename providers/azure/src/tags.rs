//! Marks, labels and what is known beside them as tags.
//!
//! A thing has at most 50 tags, with keys of 512 characters (128 of a storage account's) and values of
//! 256. So a text that is longer goes on in `KEY-2`, `KEY-3`. A mark's tags are as everywhere:
//! `stratiform:owner` and so on. All others are labels.
//!
//! No tag is ever written together with a thing that is there already: a `PUT` replaces all of them, and
//! policies of the subscription put on theirs. The resource manager merges and takes off single ones.
//!
//! <https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations>

use std::collections::BTreeMap;

use strat_model::{Digest, ErrorKind, LabelRules, Labels, Mark, ResourceId, Result, Witness};

use crate::error::refuse;

/// The most characters of a value.
const VALUE_MAX: usize = 256;
/// The most tags of one thing.
const TAGS_MAX: usize = 50;
/// What begins every key of ours.
pub(crate) const PREFIX: &str = "stratiform:";

/// The token of the create and a digest of what was asked for.
pub(crate) const MADE: &str = "made";
/// A digest of the subscription and the id under which it was made.
pub(crate) const SELF: &str = "self";
/// The name that was asked for, where Azure takes another.
pub(crate) const NAME: &str = "name";
/// The network of a firewall.
pub(crate) const NETWORK: &str = "network";
/// A size that is not a whole number of GiB, in bytes.
pub(crate) const SIZE: &str = "size";
/// The disks that a machine was made with.
pub(crate) const DISKS: &str = "disks";
/// The key pair that a machine was made with.
pub(crate) const KEYPAIR: &str = "keypair";
/// The machine that an address lives and dies with.
pub(crate) const ADDRESS_OF: &str = "address-of";
/// The network that a security group is for.
pub(crate) const RULES_OF: &str = "rules-of";
/// What begins the word of a subnet's note, on its network.
pub(crate) const SUBNET: &str = "subnet-";

/// The words after [`PREFIX`] that are true of a thing whosever it is.
const TRUE_OF_ALL: [&str; 7] = [NAME, NETWORK, SIZE, DISKS, KEYPAIR, ADDRESS_OF, RULES_OF];

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// The word of a key of ours, without the number of its part.
fn word_of(key: &str) -> Option<&str> {
    let word = key.strip_prefix(PREFIX)?;
    match word.rsplit_once('-') {
        Some((head, number))
            if number.bytes().all(|b| b.is_ascii_digit()) && !number.is_empty() =>
        {
            // A subnet's name may end in a number: its parts are counted with two.
            match head.rsplit_once("--") {
                Some((subnet, "")) if subnet.starts_with(SUBNET) => Some(subnet),
                _ if head.starts_with(SUBNET) || word.starts_with(SUBNET) => Some(word),
                _ => Some(head),
            }
        }
        _ => Some(word),
    }
}

/// The key of one part of a word's text.
fn part_key(word: &str, index: usize) -> String {
    match index {
        0 => format!("{PREFIX}{word}"),
        index if word.starts_with(SUBNET) => format!("{PREFIX}{word}---{}", index + 1),
        index => format!("{PREFIX}{word}-{}", index + 1),
    }
}

/// Sets a word of ours.
pub(crate) fn set(tags: &mut Tags, word: &str, text: &str) {
    take_off(tags, word);
    let letters: Vec<char> = text.chars().collect();
    if letters.is_empty() {
        tags.insert(part_key(word, 0), String::new());
    }
    for (index, part) in letters.chunks(VALUE_MAX).enumerate() {
        tags.insert(part_key(word, index), part.iter().collect());
    }
}

/// Reads one.
pub(crate) fn get(tags: &Tags, word: &str) -> Option<String> {
    let mut text = tags.get(&part_key(word, 0))?.clone();
    let rest = (1..TAGS_MAX).map_while(|index| tags.get(&part_key(word, index)));
    rest.for_each(|part| text.push_str(part));
    Some(text)
}

/// Takes one off, all its parts.
pub(crate) fn take_off(tags: &mut Tags, word: &str) {
    tags.retain(|key, _| word_of(key) != Some(word));
}

fn put_mark(tags: &mut Tags, mark: &Mark) {
    for (key, value) in mark.to_tags() {
        if let Some(word) = key.strip_prefix(PREFIX) {
            set(tags, word, &value);
        }
    }
}

/// The mark among tags.
pub(crate) fn mark(tags: &Tags) -> Option<Mark> {
    let words: std::collections::BTreeSet<&str> =
        tags.keys().filter_map(|key| word_of(key)).collect();
    let whole: Vec<(String, String)> = words
        .into_iter()
        .filter_map(|word| Some((format!("{PREFIX}{word}"), get(tags, word)?)))
        .collect();
    Mark::from_tags(whole.iter().map(|(k, v)| (k.as_str(), v.as_str())))
}

/// The topology's, or anybody's, labels among tags. What Azure's own services hide is none.
///
/// <https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources>
pub(crate) fn labels(tags: &Tags) -> Labels {
    let own = tags
        .iter()
        .filter(|(key, _)| !key.starts_with(PREFIX) && !key.starts_with("hidden-"));
    own.map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// The tags of a new thing: mark, labels, what made it and what it is called there.
pub(crate) fn of_new(mark: &Mark, labels: &Labels, made: &str, is: &str) -> Result<Tags> {
    check_labels(labels)?;
    let mut tags = Tags::new();
    put_mark(&mut tags, mark);
    tags.extend(labels.clone());
    set(&mut tags, MADE, made);
    set(&mut tags, SELF, is);
    check(&tags)?;
    Ok(tags)
}

/// Fails for labels that Azure does not take, or that would be taken for ours.
fn check_labels(labels: &Labels) -> Result<()> {
    for (key, value) in labels {
        if key.starts_with(PREFIX) || key.starts_with("hidden-") {
            let message = format!("the label `{key}` is not free on Azure");
            return Err(refuse(ErrorKind::Invalid, message).with_help("call it something else"));
        }
        if let Err(why) = LabelRules::Azure.check(key, value) {
            let message = format!("the label `{key}` is none that Azure takes: {why}");
            return Err(refuse(ErrorKind::Invalid, message));
        }
    }
    Ok(())
}

/// Fails for more tags than a thing can have.
pub(crate) fn check(tags: &Tags) -> Result<()> {
    if tags.len() <= TAGS_MAX {
        return Ok(());
    }
    let message = format!(
        "{} tags, those of the mark among them, are more than the {TAGS_MAX} that a thing on Azure \
         can have",
        tags.len()
    );
    let help = "set fewer labels; the notes of a network's subnets are tags of the network";
    Err(refuse(ErrorKind::Invalid, message).with_help(help))
}

/// What an update makes of tags: the mark becomes `mark`, and the labels become `wanted` where there are
/// any to bring. Of what is let go, what is true of it whosever it is stays.
pub(crate) fn changed(before: &Tags, mark: Option<&Mark>, wanted: Option<&Labels>) -> Result<Tags> {
    let mut after = before.clone();
    after.retain(|key, _| {
        word_of(key).is_none_or(|word| {
            let ours = mark.is_some() && [MADE, SELF].contains(&word);
            ours || TRUE_OF_ALL.contains(&word) || word.starts_with(SUBNET)
        })
    });
    if let Some(mark) = mark {
        put_mark(&mut after, mark);
    }
    if let Some(wanted) = wanted {
        check_labels(wanted)?;
        after.retain(|key, _| key.starts_with(PREFIX) || key.starts_with("hidden-"));
        after.extend(wanted.clone());
    }
    check(&after)?;
    Ok(after)
}

/// What is to be written, and what is to be taken off, to make `after` of `before`.
pub(crate) fn difference(before: &Tags, after: &Tags) -> (Tags, Tags) {
    let set = after.iter().filter(|(k, v)| before.get(*k) != Some(*v));
    let gone = before.iter().filter(|(key, _)| !after.contains_key(*key));
    let own = |pairs: &mut dyn Iterator<Item = (&String, &String)>| {
        pairs.map(|(k, v)| (k.clone(), v.clone())).collect()
    };
    (own(&mut set.into_iter()), own(&mut gone.into_iter()))
}

/// A digest of where and under which name a thing was made: what a copy with the same tags has otherwise.
pub(crate) fn self_of(subscription: &str, id: &ResourceId) -> String {
    let subscription = subscription.to_ascii_lowercase();
    Digest::of_parts(["self", &subscription, id.as_str()])
        .short()
        .to_owned()
}

/// Whether a thing is where, and called as, its tags say that it was made: the whole id of a copy is
/// another.
pub(crate) fn witness(tags: &Tags, mark: Option<&Mark>, id: &ResourceId, is: &str) -> Witness {
    Witness::judge(mark, id, |_| match get(tags, SELF) {
        Some(made_as) if made_as == is => Witness::Held,
        Some(_) => Witness::Refuted {
            why: "its mark was written for another name, group or subscription".to_owned(),
        },
        None => Witness::Lacking,
    })
}

#[cfg(test)]
mod tests {
    use strat_model::Field;

    use super::*;

    fn mark_of(notes: &[(Field, &str)]) -> Mark {
        let long = "n".repeat(63);
        Mark {
            owner: "bank/shop:0a1b2c3d4e5f6g7h".parse().expect("owner"),
            addr: format!("machines.{long}[\"K \\\"q\\\" ü{long}\"]@{long}")
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

    fn new(mark: &Mark, labels: &Labels) -> Tags {
        of_new(mark, labels, "token-digest", "self").expect("tags")
    }

    #[test]
    fn marks_and_labels_come_back_within_azures_limits() {
        let long = "x".repeat(256);
        let mark_of = mark_of(&[
            (Field::Request, "cpu=4 memory=16GiB"),
            (Field::Labels, &long),
        ]);
        let wanted = labels_of(&[("team", "Zürich"), ("empty", ""), ("long", &long)]);
        let all = new(&mark_of, &wanted);
        for (key, value) in &all {
            assert!(
                key.chars().count() <= 128 && value.chars().count() <= 256,
                "{key}={value}"
            );
            assert!(!key.contains(|c: char| "<>%&\\?/".contains(c)), "{key}");
        }
        assert_eq!((mark(&all), labels(&all)), (Some(mark_of), wanted));
    }

    #[test]
    fn an_update_takes_off_what_is_not_wanted_any_more_and_keeps_the_rest() {
        let mut all = new(
            &mark_of(&[(Field::UserData, "x")]),
            &labels_of(&[("team", "shop")]),
        );
        set(&mut all, DISKS, "ssd:1");
        all.insert("hidden-link".to_owned(), "x".to_owned());
        let wanted = labels_of(&[("team", "bank")]);
        let after = changed(&all, Some(&mark_of(&[])), Some(&wanted)).expect("a change");
        assert_eq!((labels(&after), mark(&after)), (wanted, Some(mark_of(&[]))));
        assert_eq!(get(&after, MADE).as_deref(), Some("token-digest"));
        assert_eq!(after["hidden-link"], "x");
        let let_go = changed(&after, None, None).expect("a change");
        assert_eq!((mark(&let_go), get(&let_go, MADE)), (None, None));
        assert_eq!(get(&let_go, DISKS).as_deref(), Some("ssd:1"));
        let (write, drop) = difference(&all, &after);
        assert_eq!(write["team"], "bank");
        assert!(
            drop.keys().any(|key| key.ends_with("note-user_data")),
            "{drop:?}"
        );
    }

    #[test]
    fn notes_of_subnets_are_apart_whatever_they_are_called() {
        let mut all = new(&mark_of(&[]), &Labels::new());
        let long = "y".repeat(600);
        for (subnet, text) in [
            ("app-2", long.as_str()),
            ("app", "short"),
            ("app-2-1", "other"),
        ] {
            set(&mut all, &format!("{SUBNET}{subnet}"), text);
        }
        set(&mut all, &format!("{SUBNET}app"), "shorter");
        assert_eq!(get(&all, "subnet-app-2").as_deref(), Some(long.as_str()));
        assert_eq!(get(&all, "subnet-app").as_deref(), Some("shorter"));
        take_off(&mut all, "subnet-app-2");
        assert_eq!(get(&all, "subnet-app-2"), None);
        assert_eq!(get(&all, "subnet-app-2-1").as_deref(), Some("other"));
        assert_eq!(mark(&all), Some(mark_of(&[])));
    }

    #[test]
    fn what_azure_does_not_take_is_refused() {
        let many: Labels = (0..60).map(|n| (format!("l{n}"), String::new())).collect();
        for labels in [
            many,
            labels_of(&[("a/b", "c")]),
            labels_of(&[("stratiform:owner", "me")]),
        ] {
            assert!(
                of_new(&mark_of(&[]), &labels, "m", "s").is_err(),
                "{labels:?}"
            );
        }
    }
}
