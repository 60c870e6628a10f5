//! Whose a label is, and what labels a cloud takes.

use serde::{Deserialize, Serialize};

use crate::{Digest, Field, Labels, Mark};

/// How many hex digits of a key's digest stand for it in a mark's note. 40 labels, the most of one
/// thing, take 240 characters of the 256 that a tag's value has on most clouds.
const KEY_DIGITS: usize = 6;

impl Mark {
    /// What a mark notes under [`Field::Labels`]: which labels the topology set, each by the first
    /// digits of its key's digest. `None` where it set none.
    #[must_use]
    pub fn note_of_labels(labels: &Labels) -> Option<String> {
        let keys = labels.keys().map(|key| short(key));
        let note: String = keys.collect();
        (!note.is_empty()).then_some(note)
    }

    /// Whether the topology set the label of this key once. Any other is somebody else's.
    #[must_use]
    pub fn set_label(&self, key: &str) -> bool {
        let Some(note) = self.notes.get(&Field::Labels) else {
            return false;
        };
        let short = short(key);
        note.as_bytes()
            .chunks(KEY_DIGITS)
            .any(|known| known == short.as_bytes())
    }
}

fn short(key: &str) -> String {
    Digest::of(key.as_bytes()).as_str()[..KEY_DIGITS].to_owned()
}

/// Of a thing's labels, those that the topology sets or set.
#[must_use]
pub fn own_labels(is: &Labels, want: &Labels, mark: Option<&Mark>) -> Labels {
    let own = |key: &str| want.contains_key(key) || mark.is_some_and(|mark| mark.set_label(key));
    let own = is.iter().filter(|(key, _)| own(key));
    own.map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// What a thing's labels become: those that the topology wants, and those that others put on.
#[must_use]
pub fn merged_labels(is: &Labels, want: &Labels, mark: Option<&Mark>) -> Labels {
    let ours = |key: &str| want.contains_key(key) || mark.is_some_and(|mark| mark.set_label(key));
    let others = is.iter().filter(|(key, _)| !ours(key));
    let all = others.chain(want.iter());
    all.map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// What labels a cloud takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelRules {
    /// Any text.
    #[default]
    Any,
    /// Letters, digits, spaces and `+ - = . _ : / @`; keys of at most 128 and values of at most 256
    /// characters; no key that begins with `aws:`, and not `Name`, which is the thing's.
    ///
    /// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions>
    Aws,
    /// Keys of at most 512 characters without `<>%&\\?/`, and values of at most 256.
    ///
    /// <https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations>
    Azure,
    /// Keys and values of at most 63 lower-case letters, digits, `_` and `-`; a key begins with a
    /// letter.
    ///
    /// <https://cloud.google.com/compute/docs/labeling-resources#requirements>
    Google,
}

impl LabelRules {
    /// Why a label is not taken.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence without its subject.
    pub fn check(self, key: &str, value: &str) -> Result<(), &'static str> {
        let longer = |text: &str, most: usize| text.chars().count() > most;
        match self {
            Self::Any => Ok(()),
            Self::Aws => {
                let good = |c: char| c.is_alphanumeric() || " +-=._:/@".contains(c);
                if key == "Name" || key.starts_with("aws:") {
                    Err("its key is not free there: call it something else")
                } else if longer(key, 128) || longer(value, 256) {
                    Err("keys have at most 128 characters there, and values 256")
                } else if !key.chars().chain(value.chars()).all(good) {
                    Err("letters, digits, spaces and + - = . _ : / @ may be in it there")
                } else {
                    Ok(())
                }
            }
            Self::Azure => {
                if longer(key, 512) || longer(value, 256) {
                    Err("keys have at most 512 characters there, and values 256")
                } else if key.contains(|c: char| "<>%&\\?/".contains(c)) {
                    Err("none of < > % & \\ ? / may be in a key there")
                } else {
                    Ok(())
                }
            }
            Self::Google => {
                let lower = |c: char| c.is_alphanumeric() && !c.is_uppercase();
                let good = |c: char| lower(c) || matches!(c, '_' | '-');
                if longer(key, 63) || longer(value, 63) {
                    Err("keys and values have at most 63 characters there")
                } else if !key.chars().chain(value.chars()).all(good) {
                    Err("lower-case letters, digits, _ and - may be in it there")
                } else if !key.starts_with(|c: char| lower(c) && c.is_alphabetic()) {
                    Err("a key begins with a lower-case letter there")
                } else {
                    Ok(())
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shared;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        let own = |(k, v): &(&str, &str)| ((*k).to_owned(), (*v).to_owned());
        pairs.iter().map(own).collect()
    }

    fn mark_of(labels: &Labels) -> Mark {
        let note = Mark::note_of_labels(labels).into_iter();
        Mark {
            owner: "shop".parse().expect("an owner"),
            addr: "machine.db@dc1".parse().expect("an address"),
            spec: "x".to_owned(),
            generation: 1,
            origin: None,
            protect: false,
            disposable: false,
            notes: Shared::from_iter(note.map(|note| (Field::Labels, note))),
        }
    }

    #[test]
    fn what_others_put_on_stays_and_what_the_topology_put_on_goes() {
        let before = labels(&[("team", "shop"), ("tier", "web")]);
        let mark = mark_of(&before);
        let is = labels(&[("team", "bank"), ("tier", "web"), ("CostCenter", "7")]);
        let want = labels(&[("team", "shop")]);
        let merged = merged_labels(&is, &want, Some(&mark));
        assert_eq!(merged, labels(&[("team", "shop"), ("CostCenter", "7")]));
        let own = own_labels(&is, &want, Some(&mark));
        assert_eq!(own, labels(&[("team", "bank"), ("tier", "web")]));
        // Without a mark nobody knows who put them on.
        assert_eq!(merged_labels(&is, &want, None).len(), 3);
    }

    #[test]
    fn the_most_labels_fit_into_a_note() {
        let many: Labels = (0..40)
            .map(|n| (format!("label-{n}"), String::new()))
            .collect();
        assert_eq!(
            Mark::note_of_labels(&many).map(|note| note.len()),
            Some(240)
        );
        assert_eq!(Mark::note_of_labels(&Labels::new()), None);
    }

    #[test]
    fn each_cloud_takes_its_own() {
        use LabelRules::{Any, Aws, Azure, Google};
        for (key, value, takers) in [
            ("role", "web", &[Any, Aws, Azure, Google][..]),
            ("CostCenter", "7 West", &[Any, Aws, Azure]),
            ("kubernetes.io/cluster/x", "owned", &[Any, Aws]),
            ("a?b", "", &[Any]),
            ("Name", "x", &[Any, Azure]),
            ("aws:x", "x", &[Any, Azure]),
            ("1st", "x", &[Any, Aws, Azure]),
            ("version", "1.2", &[Any, Aws, Azure]),
        ] {
            let takes = |rules: &LabelRules| rules.check(key, value).is_ok();
            let found: Vec<_> = [Any, Aws, Azure, Google]
                .into_iter()
                .filter(takes)
                .collect();
            assert_eq!(found, takers, "{key} = {value}");
        }
    }
}
