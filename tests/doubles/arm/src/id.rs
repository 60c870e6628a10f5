//! Identifiers of resources. They compare without regard to case.
//! <https://learn.microsoft.com/azure/azure-resource-manager/management/overview>

use std::fmt;

use crate::kinds::{self, Kind};

/// The identifier of one resource: where it is, and its path as it was first written.
#[derive(Debug, Clone)]
pub(crate) struct Id {
    /// As ARM shows it.
    pub(crate) shown: String,
}

impl PartialEq for Id {
    fn eq(&self, other: &Self) -> bool {
        self.shown.eq_ignore_ascii_case(&other.shown)
    }
}

impl Eq for Id {}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Id {
    pub(crate) fn new(shown: impl Into<String>) -> Self {
        let shown: String = shown.into();
        Self {
            shown: shown.trim_end_matches('/').to_owned(),
        }
    }

    /// What it is found by: the same for every way to write it.
    pub(crate) fn key(&self) -> String {
        self.shown.to_lowercase()
    }

    /// What comes below it, or it.
    pub(crate) fn child(&self, rest: &str) -> Self {
        Self::new(format!("{}/{rest}", self.shown))
    }

    fn words(&self) -> Vec<&str> {
        self.shown
            .split('/')
            .filter(|word| !word.is_empty())
            .collect()
    }

    pub(crate) fn name(&self) -> &str {
        self.shown.rsplit('/').next().unwrap_or_default()
    }

    pub(crate) fn subscription(&self) -> &str {
        self.words().get(1).copied().unwrap_or_default()
    }

    /// The name of its resource group; empty where it is in none.
    pub(crate) fn group(&self) -> &str {
        let words = self.words();
        let is_group = words
            .get(2)
            .is_some_and(|word| word.eq_ignore_ascii_case("resourceGroups"));
        match is_group {
            true => words.get(3).copied().unwrap_or_default(),
            false => "",
        }
    }

    /// The identifier of its resource group.
    pub(crate) fn group_id(&self) -> Self {
        let (subscription, group) = (self.subscription(), self.group());
        Self::new(format!(
            "/subscriptions/{subscription}/resourceGroups/{group}"
        ))
    }

    /// The resource that it is a part of: the network of a subnet.
    pub(crate) fn parent(&self) -> Self {
        let mut words = self.words();
        words.truncate(words.len().saturating_sub(2));
        Self::new(format!("/{}", words.join("/")))
    }

    /// The kind of what it is of, where the double has that.
    pub(crate) fn kind(&self) -> Option<&'static Kind> {
        let words = self.words();
        let at = words
            .iter()
            .rposition(|word| word.eq_ignore_ascii_case("providers"));
        let Some(at) = at else {
            let is_group = words.len() == 4 && !self.group().is_empty();
            return is_group.then_some(&kinds::GROUP);
        };
        let namespace = words.get(at + 1)?;
        let rest = &words[at + 2..];
        let types: Vec<&str> = rest.iter().step_by(2).copied().collect();
        let is_whole = !rest.is_empty() && rest.len().is_multiple_of(2);
        is_whole.then(|| kinds::find(namespace, &types)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_the_same_in_any_case_and_knows_its_place() {
        let subnet = "/subscriptions/S/resourceGroups/G/providers/Microsoft.Network\
                      /virtualNetworks/n/subnets/a";
        let id = Id::new(subnet);
        assert_eq!(id, Id::new(subnet.to_uppercase()));
        assert_eq!((id.subscription(), id.group(), id.name()), ("S", "G", "a"));
        assert_eq!(id.parent().name(), "n");
        assert_eq!(id.group_id().shown, "/subscriptions/S/resourceGroups/G");
        let kind = id.kind().expect("a kind");
        assert_eq!(kind.name(), "Microsoft.Network/virtualNetworks/subnets");
        assert!(Id::new("/subscriptions/S").kind().is_none());
    }
}
