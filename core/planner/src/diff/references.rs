//! What a goal refers to, held against the ids in the world.

use std::collections::BTreeSet;

use strat_model::{Addr, FirewallRule, FirewallSpec, Name, ResourceId};

use super::Differ;

/// How a reference of a goal compares with an id in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reference {
    Same,
    Remade,
    Other,
}

impl Differ<'_> {
    pub(super) fn reference(&self, site: &Name, want: &Addr, is: &ResourceId) -> Reference {
        if let Some(given) = self.index.given().get(want) {
            return match given.id == *is {
                true => Reference::Same,
                false => Reference::Other,
            };
        }
        if self.index.addr_of(site, is) != Some(want) {
            Reference::Other
        } else if self.remade.contains(want) {
            Reference::Remade
        } else {
            Reference::Same
        }
    }

    pub(super) fn set<'r>(
        &self,
        site: &Name,
        want: impl ExactSizeIterator<Item = &'r Addr>,
        is: impl ExactSizeIterator<Item = &'r ResourceId>,
    ) -> Reference {
        let want: Vec<_> = want.collect();
        let name = |id| self.index.name_of(site, id, |addr| want.contains(&addr));
        let mut named: Vec<_> = is.map(name).collect();
        named.sort();
        if named.len() != want.len()
            || !named.iter().zip(&want).all(|(is, want)| *is == Some(*want))
        {
            Reference::Other
        } else if want.iter().any(|want| self.remade.contains(want)) {
            Reference::Remade
        } else {
            Reference::Same
        }
    }

    /// Rules compare whole. A firewall that names itself is no reference to something made anew.
    pub(super) fn rules(
        &self,
        addr: &Addr,
        want: &FirewallSpec<Addr>,
        is: &FirewallSpec<ResourceId>,
    ) -> Reference {
        let mut remade = false;
        let mut unknown = false;
        let peers = want.rules.iter().flat_map(|rule| &rule.peers);
        let peers: BTreeSet<&Addr> = peers.filter_map(|peer| peer.firewall()).collect();
        let named: BTreeSet<FirewallRule<Addr>> = is
            .rules
            .iter()
            .filter_map(|rule| {
                let rule = rule.try_map_refs(&mut |id| {
                    let found = self
                        .index
                        .name_of(&addr.site, id, |name| peers.contains(name));
                    let found = found.ok_or(());
                    remade |= found.is_ok_and(|found| found != addr && self.remade.contains(found));
                    found.cloned()
                });
                unknown |= rule.is_err();
                rule.ok()
            })
            .collect();
        if unknown || named != want.rules {
            Reference::Other
        } else if remade {
            Reference::Remade
        } else {
            Reference::Same
        }
    }

    /// The address behind an id, or the id itself where it is not ours.
    pub(super) fn name_of(&self, site: &Name, id: &ResourceId) -> String {
        self.index
            .name_of(site, id, |_| true)
            .map_or_else(|| id.to_string(), ToString::to_string)
    }
}
