//! What the journal knows under names of before.

use std::collections::BTreeMap;

use strat_model::{Addr, Kind, Moves, Name, Owner, ResourceId};

use super::Journal;

/// A thing as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// Whose it is said to be.
    pub owner: Owner,
    /// Which of that topology's things it is said to be.
    pub addr: Addr,
    /// Its id.
    pub id: ResourceId,
}

impl Journal {
    /// The things of a kind that are known to be at a site, under the names of now and of before.
    #[must_use]
    pub fn noted(&self, owner: &Owner, moves: &Moves, site: &Name, kind: Kind) -> Vec<Noted> {
        let mut noted = Vec::new();
        for (owner, site) in names(owner, moves, site) {
            let known = self.known(&owner, &site, kind).into_iter();
            noted.extend(known.map(|(id, addr)| Noted {
                owner: owner.clone(),
                addr,
                id,
            }));
        }
        noted
    }

    /// The same by id, and what each is called now.
    pub(crate) fn known_as(
        &self,
        owner: &Owner,
        moves: &Moves,
        site: &Name,
        kind: Kind,
    ) -> BTreeMap<ResourceId, Addr> {
        if moves.is_empty() {
            return self.known(owner, site, kind);
        }
        // Under a name of now it counts more: that was written later.
        let noted = self.noted(owner, moves, site, kind).into_iter().rev();
        noted.map(|one| (one.id, moves.addr(&one.addr))).collect()
    }

    /// The account that a site was in when it was last applied, under whatever name.
    #[must_use]
    pub fn account_as(&self, owner: &Owner, moves: &Moves, site: &Name) -> Option<String> {
        let names = names(owner, moves, site);
        names
            .into_iter()
            .find_map(|(owner, site)| self.account(&owner, &site))
    }
}

/// The names under which the things at a site are, or were: those of now first.
fn names(owner: &Owner, moves: &Moves, site: &Name) -> Vec<(Owner, Name)> {
    let mut owners = vec![owner.clone()];
    owners.extend(moves.former_owners(owner));
    let mut sites = vec![site.clone()];
    sites.extend(moves.former_sites(site).into_iter().cloned());
    let pairs = owners
        .iter()
        .flat_map(|owner| sites.iter().map(|site| (owner.clone(), site.clone())));
    pairs.collect()
}
