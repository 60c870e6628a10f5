//! What a person says of things before a plan is made: that one is a topology's, is called otherwise
//! now, or is to be made anew.

use std::collections::{BTreeMap, BTreeSet};

use strat_model::{
    Addr, Fingerprint, Inventory, Mark, MarkOrigin, Missed, MissedState, Moves, Name, Noun, Owner,
    Resource, ResourceId, ResourceState, Shared, SiteInventory, Witness,
};

use crate::Target;
use crate::plan::{Action, Cause, Former, Plan};

/// What a person says before a plan is made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    /// These addresses stand for these things: the one of an id, or the one that is known to be it.
    pub adopt: Vec<(Addr, Option<ResourceId>)>,
    /// All that is certain is adopted: what is known to be the topology's and lost its mark.
    pub adopt_known: bool,
    /// Nothing else is planned.
    pub only_adopt: bool,
    /// What is gone at these, or was let go, and what is on it, is made anew, empty.
    pub recreate: Vec<Target>,
    /// What is at these is the topology's no more: it stays as it is, without its mark. Nothing else is
    /// planned.
    pub release: Vec<Addr>,
    /// What is there at these is made anew, though it is as it should be; volumes and buckets are not.
    pub replace: Vec<Target>,
    /// The same of single things, by site and id: those that a plan has chosen already.
    pub replace_ids: BTreeSet<(Name, ResourceId)>,
}

impl Claims {
    /// What was said before a plan was made, as the plan shows it.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let mut claims = Self::default();
        for change in &plan.changes {
            match change.action {
                Action::Adopt => {
                    let ids = change.targets.iter().map(|target| target.id.clone());
                    claims
                        .adopt
                        .extend(ids.map(|id| (change.addr.clone(), Some(id))));
                }
                // What a `removed` block lets go, the topology says itself.
                Action::Forget if change.cause == Cause::Requested => {
                    claims.release.push(change.addr.clone());
                }
                Action::Replace if change.cause == Cause::Requested => {
                    let ids = change.targets.iter().map(|target| target.id.clone());
                    let site = &change.addr.site;
                    claims.replace_ids.extend(ids.map(|id| (site.clone(), id)));
                }
                Action::Create => claims.recreate.push(Target::Addr(change.addr.clone())),
                _ => {}
            }
        }
        claims.only_adopt = !claims.adopt.is_empty();
        claims
    }
}

/// The things whose place in the topology a person said: what is planned is as if their marks said so
/// already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edits {
    /// By site and id.
    pub things: BTreeMap<(Name, ResourceId), Edit>,
    /// Addresses to which things were renamed and where others are, and what is said of it. Nothing of
    /// either is touched.
    pub taken: BTreeMap<Addr, String>,
}

/// A thing whose place in the topology a person said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Its fingerprint as it really is.
    pub real: Fingerprint,
    /// What it was called before, if it is renamed; `None`: it is adopted.
    pub former: Option<Former>,
}

impl Edits {
    /// What a thing was called before, if it is renamed.
    #[must_use]
    pub fn former(&self, site: &Name, id: &ResourceId) -> Option<&Former> {
        if self.things.is_empty() {
            return None;
        }
        let edit = self.things.get(&(site.clone(), id.clone()))?;
        edit.former.as_ref()
    }
}

/// Takes what was renamed into what was seen, as if the marks had been rewritten already.
pub fn rename(inventory: &mut Inventory, owner: &Owner, moves: &Moves, edits: &mut Edits) {
    if moves.is_empty() {
        return;
    }
    for (site, seen) in &mut inventory.sites {
        rename_at(site, seen, owner, moves, edits);
    }
}

fn rename_at(
    site: &Name,
    seen: &mut SiteInventory,
    owner: &Owner,
    moves: &Moves,
    edits: &mut Edits,
) {
    let mut renamed: BTreeMap<Addr, Vec<(Addr, ResourceId)>> = BTreeMap::new();
    for resource in &mut seen.resources {
        let Some(mark) = &mut resource.mark else {
            continue;
        };
        let now = moves.of_mark(owner, mark).filter(|now| now.site == *site);
        let Some(now) = now.filter(|now| *now != mark.addr || !owner.owns(&mark.owner)) else {
            continue;
        };
        let former = Former {
            owner: (!owner.owns(&mark.owner)).then(|| mark.owner.clone()),
            addr: mark.addr.clone(),
        };
        let real = resource.fingerprint();
        let Some(mark) = &mut resource.mark else {
            continue;
        };
        if resource.state != ResourceState::Deleting && now.local.noun != Noun::Machines {
            let there = renamed.entry(now.clone()).or_default();
            there.push((former.addr.clone(), resource.id.clone()));
        }
        mark.addr = now;
        mark.owner = owner.clone();
        let former = Some(former);
        let key = (site.clone(), resource.id.clone());
        edits.things.insert(key, Edit { real, former });
    }
    for (addr, things) in renamed {
        let (first, id) = &things[0];
        let other = things.iter().find(|(former, _)| former != first);
        let native = seen.resources.iter().find(|one| {
            let mark = one.mark.as_ref();
            let here = mark.is_some_and(|mark| owner.owns(&mark.owner) && mark.addr == addr);
            here && one.state != ResourceState::Deleting
                && !edits.things.contains_key(&(site.clone(), one.id.clone()))
        });
        let native = native.map(|one| &one.id);
        if let Some(there) = native.or(other.map(|(_, id)| id)) {
            let why = format!(
                "{id}, which was {first}, is renamed to it, and {there} is there already; neither \
                 is touched: delete the one that is not it, or take the `moved` block out"
            );
            edits.taken.insert(addr, why);
        }
    }
}

/// Why a thing cannot be adopted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{addr} cannot be adopted: {why}")]
pub struct CannotAdopt {
    /// What it was to become.
    pub addr: Addr,
    /// Why not.
    pub why: String,
}

/// Takes what a person said into what was seen, as if the marks said it already.
///
/// # Errors
/// If something is to be adopted that is not there, or where something else is.
pub fn claim(
    inventory: &mut Inventory,
    owner: &Owner,
    claims: &Claims,
    edits: &mut Edits,
) -> Result<(), CannotAdopt> {
    for seen in inventory.sites.values_mut() {
        seen.missed.retain_mut(|missed| {
            let mut named = claims.recreate.iter();
            let is_named = named.any(|target| target.covers(&missed.addr));
            match &mut missed.state {
                MissedState::Gone => !is_named,
                MissedState::Released { beside, .. } => {
                    *beside |= is_named;
                    true
                }
                _ => true,
            }
        });
    }
    let mut adopt = claims.adopt.clone();
    if claims.adopt_known {
        let missed = inventory.sites.values().flat_map(|seen| &seen.missed);
        let lost = missed.filter(|missed| missed.state == MissedState::Unmarked);
        adopt.extend(lost.map(|one| (one.addr.clone(), Some(one.id.clone()))));
    }
    for (addr, id) in &adopt {
        let refuse = |why: String| CannotAdopt {
            addr: addr.clone(),
            why,
        };
        let Some(seen) = inventory.sites.get_mut(&addr.site) else {
            return Err(refuse(format!("the site `{}` gave no answer", addr.site)));
        };
        let of_addr = |one: &&Resource| {
            let mark = one.mark.as_ref();
            mark.is_some_and(|mark| owner.owns(&mark.owner) && mark.addr == *addr)
        };
        let id = match id {
            Some(id) => id.clone(),
            None => known(&seen.missed, &seen.resources, addr, of_addr).map_err(refuse)?,
        };
        let is_one = addr.local.noun != Noun::Machines;
        let mut there = seen.resources.iter().filter(of_addr);
        let other = there.find(|one| is_one && one.witness.is_held() && one.id != id);
        if let Some(other) = other {
            return Err(refuse(format!("{} is there and is it", other.id)));
        }
        let of_kind = |one: &&mut Resource| one.id == id && one.kind() == addr.kind();
        let Some(found) = seen.resources.iter_mut().find(of_kind) else {
            let kind = addr.kind();
            return Err(refuse(format!("there is no {kind} {id} at {}", addr.site)));
        };
        if of_addr(&&*found) && found.witness.is_held() {
            // It is it, and says so.
            continue;
        }
        let edit = Edit {
            real: found.fingerprint(),
            former: None,
        };
        edits.things.insert((addr.site.clone(), id.clone()), edit);
        let before = found.mark.take().filter(|mark| owner.owns(&mark.owner));
        found.mark = Some(adopted(owner, addr, &id, before));
        found.witness = Witness::Held;
        seen.missed.retain(|missed| missed.id != id);
    }
    Ok(())
}

/// The one thing that is known to be an address's, or that carries its mark, and is not plainly it.
fn known(
    missed: &[Missed],
    resources: &[Resource],
    addr: &Addr,
    of_addr: impl Fn(&&Resource) -> bool,
) -> Result<ResourceId, String> {
    let there = missed.iter();
    let there = there.filter(|one| one.addr == *addr && one.state != MissedState::Gone);
    let unsure = resources.iter().filter(of_addr);
    let unsure = unsure.filter(|one| !one.witness.is_held());
    let mut ids: Vec<&ResourceId> = there.map(|one| &one.id).collect();
    ids.extend(unsure.map(|one| &one.id));
    match ids.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err("nothing is known that could be it; name its id".to_owned()),
        several => {
            let ids: Vec<_> = several.iter().map(ToString::to_string).collect();
            Err(format!("name which one it is: {}", ids.join(", ")))
        }
    }
}

fn adopted(owner: &Owner, addr: &Addr, id: &ResourceId, before: Option<Mark>) -> Mark {
    let before = before.filter(|mark| mark.addr == *addr);
    Mark {
        owner: owner.clone(),
        addr: addr.clone(),
        // Nothing that it could be: the mark is still to be written.
        spec: String::new(),
        generation: before.as_ref().map_or(1, |mark| mark.generation),
        origin: Some(MarkOrigin::Adopted(id.clone())),
        protect: before.as_ref().is_some_and(|mark| mark.protect),
        disposable: before.as_ref().is_some_and(|mark| mark.disposable),
        notes: before.map_or_else(Shared::new, |mark| mark.notes),
    }
}
