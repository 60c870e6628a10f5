//! Checks that every kind of thing goes through.

use strat_model::{Field, Kind, Labels, Mark, MarkStore, Name, ResourceId, Result, Scope, Spec};

use super::Cloud;
use crate::error::Trouble;
use crate::world::Tx;

/// The most labels where marks are not tags.
const LABELS_MAX: usize = 64;

impl Cloud {
    /// Fails unless the cloud has things of this kind.
    pub(super) fn check_kind(&self, kind: Kind) -> Result<()> {
        if self.capabilities.kinds.contains(&kind) {
            return Ok(());
        }
        let message = format!("this site has no {}", kind.plural());
        Err(self
            .fail(Trouble::CannotDo, message)
            .with_scope(Scope::Region))
    }

    /// Fails if something is larger, or has more, than this cloud takes.
    pub(super) fn check_limits(&self, tx: &Tx<'_>, spec: &Spec<ResourceId>) -> Result<()> {
        let narrow = tx.region().record.trials.limits;
        let beyond = if narrow.is_usual() {
            self.capabilities.beyond(spec)
        } else {
            let mut capabilities = self.capabilities.clone();
            narrow.narrow(&mut capabilities);
            capabilities.beyond(spec)
        };
        let Some(beyond) = beyond else {
            return Ok(());
        };
        let trouble = match beyond.field {
            Field::Cidr => Trouble::BadRange,
            _ => Trouble::BadParameter,
        };
        Err(self.fail(trouble, beyond.message))
    }

    /// Fails unless `name` is 1 to 63 characters of `[a-z0-9-]`, a letter first.
    pub(super) fn check_name(&self, kind: Kind, name: &str) -> Result<()> {
        let first = name.starts_with(|c: char| c.is_ascii_lowercase());
        let rest = name
            .bytes()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
        let shortest = if kind == Kind::Bucket { 3 } else { 1 };
        if first && rest && (shortest..=63).contains(&name.len()) {
            return Ok(());
        }
        let message = format!("`{name}` cannot be the name of a {kind}");
        Err(self.fail(Trouble::BadParameter, message))
    }

    /// Fails if the mark and the labels are more than this cloud stores.
    pub(super) fn check_tags(&self, mark: &Mark, labels: &Labels) -> Result<()> {
        let too_long = |key: &str, value: &str, key_max: usize, value_max: usize| {
            key.is_empty() || key.chars().count() > key_max || value.chars().count() > value_max
        };
        let refuse = |key: &str| {
            let message = format!("the label `{key}` or its value is too long");
            Err(self.fail(Trouble::BadParameter, message))
        };
        match self.capabilities.marks {
            MarkStore::Tags {
                max,
                key_max,
                value_max,
            } => {
                let mut tags = mark.to_tags();
                tags.extend(labels.clone());
                if tags.len() > max as usize {
                    let message = format!("{} tags are more than {max}", tags.len());
                    return Err(self.fail(Trouble::TooManyTags, message));
                }
                let reserved = tags.keys().find(|key| key.starts_with("aws:"));
                if let Some(key) = reserved {
                    let message = format!("the tag `{key}` is reserved");
                    return Err(self.fail(Trouble::BadParameter, message));
                }
                let (key_max, value_max) = (key_max as usize, value_max as usize);
                match tags
                    .iter()
                    .find(|(k, v)| too_long(k, v, key_max, value_max))
                {
                    Some((key, _)) => refuse(key),
                    None => Ok(()),
                }
            }
            MarkStore::Metadata => {
                if labels.len() > LABELS_MAX {
                    let message = format!("{} labels are more than {LABELS_MAX}", labels.len());
                    return Err(self.fail(Trouble::TooManyTags, message));
                }
                match labels.iter().find(|(k, v)| too_long(k, v, 128, 256)) {
                    Some((key, _)) => refuse(key),
                    None => Ok(()),
                }
            }
        }
    }

    /// Fails unless the zone is one of this site's, and not down.
    pub(super) fn check_zone(&self, tx: &Tx<'_>, zone: &Name) -> Result<()> {
        if !self.site.zones.contains(zone) {
            let message = format!("there is no zone {zone} at {}", self.site.name);
            return Err(self.fail(Trouble::BadParameter, message));
        }
        if tx.region().record.trials.is_down(Some(zone)) {
            let message = format!("zone {zone} is down");
            return Err(self
                .fail(Trouble::ZoneDown, message)
                .with_scope(Scope::Zone));
        }
        Ok(())
    }
}
