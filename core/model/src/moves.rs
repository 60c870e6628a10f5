//! What was renamed: things, sites, and the topology itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Addr, LocalAddr, Mark, Name, Noun, Owner};

/// What the topology calls otherwise than before. The real things stay; their marks are rewritten.
///
/// A mark, or a record of the journal, that has the name of before is read as if it had the one of
/// now. So it does not matter how many marks have been rewritten already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moves {
    /// Things: from, to. Without a key on either side all instances of a block are meant.
    pub things: Vec<(LocalAddr, LocalAddr)>,
    /// Sites: from, to.
    pub sites: BTreeMap<Name, Name>,
    /// What the topology was called before.
    pub topologies: BTreeSet<Name>,
}

impl Moves {
    /// Whether nothing was renamed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.things.is_empty() && self.sites.is_empty() && self.topologies.is_empty()
    }

    /// What a thing is called now.
    #[must_use]
    pub fn local(&self, from: &LocalAddr) -> LocalAddr {
        let mut now = from.clone();
        // One rename may follow another, each once: the topology refuses circles.
        for _ in 0..self.things.len() {
            let Some(next) = self.next(&now) else { break };
            now = next;
        }
        now
    }

    /// What the next rename makes of an address. One that names it exactly comes before one of its
    /// whole block.
    fn next(&self, from: &LocalAddr) -> Option<LocalAddr> {
        let exact = self.things.iter().find(|(old, _)| old == from);
        if let Some((_, to)) = exact.filter(|(old, to)| old.key.is_some() || to.key.is_some()) {
            return Some(to.clone());
        }
        let whole = self.things.iter().find(|(old, to)| {
            let block = (old.noun, &old.name) == (from.noun, &from.name);
            block && old.key.is_none() && to.key.is_none()
        });
        whole.map(|(_, to)| LocalAddr {
            // Members of a fleet have no key.
            key: from
                .key
                .clone()
                .filter(|_| to.noun != Noun::Machines || from.noun == to.noun),
            ..to.clone()
        })
    }

    /// What a site is called now.
    #[must_use]
    pub fn site(&self, from: &Name) -> Name {
        let mut now = from;
        for _ in 0..self.sites.len() {
            let Some(next) = self.sites.get(now) else {
                break;
            };
            now = next;
        }
        now.clone()
    }

    /// What a thing at a site is called now.
    #[must_use]
    pub fn addr(&self, from: &Addr) -> Addr {
        if self.is_empty() {
            return from.clone();
        }
        Addr {
            local: self.local(&from.local),
            site: self.site(&from.site),
            zone: from.zone.clone(),
        }
    }

    /// What a site was called before, at any time.
    #[must_use]
    pub fn former_sites(&self, site: &Name) -> Vec<&Name> {
        let former = self.sites.keys();
        former.filter(|from| self.site(from) == *site).collect()
    }

    /// Whose its things were said to be before.
    #[must_use]
    pub fn former_owners(&self, owner: &Owner) -> Vec<Owner> {
        let former = |topology: &Name| Owner {
            topology: topology.clone(),
            ..owner.clone()
        };
        self.topologies.iter().map(former).collect()
    }

    /// Whether a mark of `marked` is one of `owner`: under the name of now as ever, and under one of
    /// before only with the lineage. Without that nobody could tell it from another topology of the
    /// name.
    #[must_use]
    pub fn owns(&self, owner: &Owner, marked: &Owner) -> bool {
        let renamed = || {
            owner.lineage.is_some()
                && marked.lineage == owner.lineage
                && marked.realm == owner.realm
                && self.topologies.contains(&marked.topology)
        };
        owner.owns(marked) || renamed()
    }

    /// What the thing with this mark is called now, if it is `owner`'s.
    #[must_use]
    pub fn of_mark(&self, owner: &Owner, mark: &Mark) -> Option<Addr> {
        self.owns(owner, &mark.owner).then(|| self.addr(&mark.addr))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moves(things: &[(&str, &str)]) -> Moves {
        let local = |text: &str| text.parse::<LocalAddr>().expect(text);
        Moves {
            things: things
                .iter()
                .map(|(from, to)| (local(from), local(to)))
                .collect(),
            ..Moves::default()
        }
    }

    #[track_caller]
    fn check(things: &[(&str, &str)], from: &str, to: &str) {
        let now = moves(things).local(&from.parse().expect(from));
        assert_eq!(now.to_string(), to, "{things:?} of {from}");
    }

    #[test]
    fn a_block_is_moved_with_all_its_instances_and_an_instance_alone() {
        check(&[("volume.a", "volume.b")], "volume.a", "volume.b");
        check(
            &[("volume.a", "volume.b")],
            "volume.a[\"x\"]",
            "volume.b[\"x\"]",
        );
        check(
            &[("volume.a[0]", "volume.a[\"x\"]")],
            "volume.a[0]",
            "volume.a[\"x\"]",
        );
        check(
            &[("volume.a[0]", "volume.a[\"x\"]")],
            "volume.a[1]",
            "volume.a[1]",
        );
        check(
            &[("volume.a", "volume.a[\"x\"]")],
            "volume.a",
            "volume.a[\"x\"]",
        );
        check(
            &[("volume.a", "volume.a[\"x\"]")],
            "volume.a[\"x\"]",
            "volume.a[\"x\"]",
        );
        check(&[("volume.a", "volume.b")], "machine.a", "machine.a");
    }

    #[test]
    fn one_rename_follows_another_and_the_exact_one_comes_first() {
        let chain = [("volume.a", "volume.b"), ("volume.b", "volume.c")];
        check(&chain, "volume.a[1]", "volume.c[1]");
        let both = [("volume.a", "volume.b"), ("volume.a[0]", "volume.c")];
        check(&both, "volume.a[0]", "volume.c");
        check(&both, "volume.a[1]", "volume.b[1]");
    }

    #[test]
    fn machines_lose_their_keys_in_a_fleet() {
        check(&[("machine.a", "machines.b")], "machine.a[2]", "machines.b");
        check(
            &[("machine.a[2]", "machines.b")],
            "machine.a[2]",
            "machines.b",
        );
        check(
            &[("machines.a", "machines.b")],
            "machines.a[\"x\"]",
            "machines.b[\"x\"]",
        );
    }

    #[test]
    fn a_former_name_of_the_topology_counts_with_the_lineage_alone() {
        let owner = |text: &str| text.parse::<Owner>().expect(text);
        let moves = Moves {
            topologies: ["shop".parse().expect("name")].into(),
            ..Moves::default()
        };
        let store = owner("store:aaaaaaaa");
        assert!(moves.owns(&store, &owner("shop:aaaaaaaa")));
        assert!(moves.owns(&store, &owner("store")));
        for other in [
            "shop",
            "shop:bbbbbbbb",
            "bank/shop:aaaaaaaa",
            "other:aaaaaaaa",
        ] {
            assert!(!moves.owns(&store, &owner(other)), "{other}");
        }
        assert!(!moves.owns(&owner("store"), &owner("shop")));
    }
}
