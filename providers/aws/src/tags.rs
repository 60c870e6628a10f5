//! Marks, names and labels as tags.
//!
//! Beside the mark's own tags (`stratiform:owner` and so on) a thing carries `Name`, which the
//! consoles show, and those of the tags below that apply to its kind. The rest are the user's
//! labels, but for what AWS sets itself (`aws:…`). So `Name` cannot be a label.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use strat_model::{ErrorKind, Labels, Mark, Owner, Result};

use crate::error::refuse;

/// What the consoles show.
pub(crate) const NAME: &str = "Name";
/// The token of the create and a digest of what was asked for, for kinds whose create takes none.
pub(crate) const TOKEN: &str = "stratiform:token";
/// The owner: what lists filter by.
pub(crate) const OWNER: &str = "stratiform:owner";
/// The names of a batch of machines; more follow as `stratiform:names-2`.
pub(crate) const NAMES: &str = "stratiform:names";
/// The disks that a machine was made with.
pub(crate) const DISKS: &str = "stratiform:disks";
/// The machine's owner, on a disk that lives and dies with a machine.
pub(crate) const DISK_OF: &str = "stratiform:disk-of";
/// The network that something belongs to which is no thing of a topology: a route table, or what its NAT
/// gateway is made of.
pub(crate) const PART_OF: &str = "stratiform:part-of";
/// What such a part is for.
pub(crate) const PART: &str = "stratiform:part";
/// A size that is not a whole number of GiB, as it was asked for.
pub(crate) const SIZE: &str = "stratiform:size";

/// The most tags of one thing.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions>
const TAGS_MAX: usize = 50;

/// The words after `stratiform:` that are no part of the mark and outlive an update.
const KEPT: [&str; 5] = [TOKEN, NAMES, DISKS, DISK_OF, SIZE];

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// Tags as the SDK reports them.
pub(crate) fn read(tags: &[Tag]) -> Tags {
    let pair = |tag: &Tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or("").to_owned()));
    tags.iter().filter_map(pair).collect()
}

/// Tags as the SDK takes them.
pub(crate) fn write(tags: &Tags) -> Vec<Tag> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    tags.iter().map(tag).collect()
}

/// Tags to set in a creating call.
pub(crate) fn specification(kind: ResourceType, tags: &Tags) -> TagSpecification {
    let builder = TagSpecification::builder().resource_type(kind);
    builder.set_tags(Some(write(tags))).build()
}

/// The tags of a new thing: mark, name, labels, and the token where the create takes none.
pub(crate) fn of_new(
    name: &str,
    mark: &Mark,
    labels: &Labels,
    stamp: Option<&str>,
) -> Result<Tags> {
    check_labels(labels)?;
    let mut tags = mark.to_tags();
    tags.extend(labels.clone());
    tags.insert(NAME.to_owned(), name.to_owned());
    tags.extend(stamp.map(|stamp| (TOKEN.to_owned(), stamp.to_owned())));
    check(&tags)?;
    Ok(tags)
}

/// Fails for labels that are not the user's to set.
fn check_labels(labels: &Labels) -> Result<()> {
    let reserved =
        |key: &&String| *key == NAME || key.starts_with("aws:") || key.starts_with("stratiform:");
    match labels.keys().find(reserved) {
        None => Ok(()),
        Some(key) => Err(refuse(
            ErrorKind::Invalid,
            format!("the label `{key}` is not free on AWS"),
        )
        .with_help("call it something else")),
    }
}

/// Fails for more, or longer, tags than a thing can have.
pub(crate) fn check(tags: &Tags) -> Result<()> {
    let refuse =
        |message| Err(refuse(ErrorKind::Invalid, message).with_help("set fewer, shorter labels"));
    if tags.len() > TAGS_MAX {
        return refuse(format!(
            "{} tags are more than the {TAGS_MAX} that a thing on AWS can have",
            tags.len()
        ));
    }
    let is_long = |(key, value): &(&String, &String)| {
        key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256
    };
    match tags.iter().find(is_long) {
        None => Ok(()),
        Some((key, _)) => refuse(format!(
            "the tag `{key}` has a key of more than 128 or a value of more than 256 characters"
        )),
    }
}

/// The user's labels among tags.
pub(crate) fn labels(tags: &Tags) -> Labels {
    let is_label =
        |key: &str| key != NAME && !key.starts_with("aws:") && !key.starts_with("stratiform:");
    let labels = tags.iter().filter(|(key, _)| is_label(key));
    labels.map(|(k, v)| (k.clone(), v.clone())).collect()
}

/// The mark among tags.
pub(crate) fn mark(tags: &Tags) -> Option<Mark> {
    Mark::from_tags(tags.iter().map(|(k, v)| (k.as_str(), v.as_str())))
}

/// Whether the tags carry a mark of this owner, of whatever lineage.
pub(crate) fn is_of(tags: &Tags, owner: &Owner) -> bool {
    mark(tags).is_some_and(|mark| mark.owner.is_namesake(owner))
}

/// What an update does to tags.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TagChange {
    /// To set.
    pub(crate) set: Tags,
    /// To take off.
    pub(crate) remove: BTreeSet<String>,
    /// All tags afterwards.
    pub(crate) after: Tags,
}

impl TagChange {
    /// Whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.remove.is_empty()
    }

    /// What of it concerns a part of the thing that carries no mark: the labels.
    pub(crate) fn of_labels(&self) -> Self {
        let is_label = |key: &String| !key.starts_with("stratiform:");
        let mut labels = Self {
            set: self.set.clone(),
            remove: self.remove.clone(),
            after: self.after.clone(),
        };
        labels.set.retain(|key, _| is_label(key));
        labels.remove.retain(is_label);
        labels
    }
}

/// Brings the mark to `mark`, and the labels to `labels` where there are any to bring.
pub(crate) fn change(
    before: &Tags,
    mark: Option<&Mark>,
    labels: Option<&Labels>,
) -> Result<TagChange> {
    let is_kept = |key: &str| {
        let of_batch = key
            .strip_prefix(NAMES)
            .is_some_and(|rest| rest.starts_with('-'));
        // Of what is let go, nothing of ours is left but its name.
        let of_ours = mark.is_some() && (KEPT.contains(&key) || of_batch);
        of_ours || key == NAME || key.starts_with("aws:")
    };
    let is_mark = |key: &str| key.starts_with("stratiform:") && !is_kept(key);
    let mut after = before.clone();
    after.retain(|key, _| !is_mark(key));
    after.extend(mark.map(Mark::to_tags).into_iter().flatten());
    if let Some(labels) = labels {
        check_labels(labels)?;
        after.retain(|key, _| is_kept(key) || key.starts_with("stratiform:"));
        after.extend(labels.clone());
    }
    check(&after)?;
    let set = after.iter().filter(|(k, v)| before.get(*k) != Some(*v));
    let remove = before.keys().filter(|key| !after.contains_key(*key));
    Ok(TagChange {
        set: set.map(|(k, v)| (k.clone(), v.clone())).collect(),
        remove: remove.cloned().collect(),
        after,
    })
}

#[cfg(test)]
mod tests {
    use strat_model::Field;

    use super::*;

    fn mark_of(notes: &[(Field, &str)]) -> Mark {
        Mark {
            owner: "bank/shop".parse().expect("owner"),
            addr: "machines.web@east".parse().expect("addr"),
            spec: "abc".to_owned(),
            generation: 1,
            origin: None,
            protect: false,
            disposable: false,
            notes: notes.iter().map(|(f, n)| (*f, (*n).to_owned())).collect(),
        }
    }

    fn labels_of(pairs: &[(&str, &str)]) -> Labels {
        let own = |(k, v): &(&str, &str)| ((*k).to_owned(), (*v).to_owned());
        pairs.iter().map(own).collect()
    }

    #[test]
    fn an_update_takes_off_what_is_not_wanted_any_more_and_keeps_the_rest() {
        let old = mark_of(&[(Field::UserData, "x")]);
        let labels = labels_of(&[("team", "shop"), ("tier", "web")]);
        let mut tags = of_new("n", &old, &labels, None).expect("tags");
        tags.insert("aws:autoscaling:groupName".to_owned(), "g".to_owned());
        tags.insert(format!("{NAMES}-2"), "a b".to_owned());
        let wanted = labels_of(&[("team", "bank")]);
        let change = change(&tags, Some(&mark_of(&[])), Some(&wanted)).expect("change");
        assert_eq!(change.set, Tags::from_iter(wanted.clone()));
        let gone: Vec<_> = change.remove.iter().map(String::as_str).collect();
        assert_eq!(gone, ["stratiform:note-user_data", "tier"]);
        assert_eq!(super::labels(&change.after), wanted);
    }

    #[test]
    fn of_what_is_let_go_the_labels_and_the_name_are_left() {
        let labels = labels_of(&[("team", "shop")]);
        let mut tags = of_new("n", &mark_of(&[]), &labels, Some("k.t.d")).expect("tags");
        tags.insert(format!("{NAMES}-2"), "a b".to_owned());
        let change = change(&tags, None, None).expect("change");
        let mut left = Tags::from_iter(labels);
        left.insert(NAME.to_owned(), "n".to_owned());
        assert_eq!(change.after, left);
        assert!(change.set.is_empty());
    }

    #[test]
    fn an_adoption_keeps_the_labels() {
        let tags = Tags::from_iter(labels_of(&[("team", "shop"), (NAME, "by hand")]));
        let change = change(&tags, Some(&mark_of(&[])), None).expect("change");
        assert_eq!(change.remove, BTreeSet::new());
        assert_eq!(mark(&change.after), Some(mark_of(&[])));
        assert_eq!(change.after[NAME], "by hand");
    }

    #[test]
    fn reserved_labels_are_refused() {
        for key in [NAME, "aws:x", "stratiform:owner"] {
            let labels = labels_of(&[(key, "x")]);
            assert!(of_new("n", &mark_of(&[]), &labels, None).is_err(), "{key}");
        }
    }
}
