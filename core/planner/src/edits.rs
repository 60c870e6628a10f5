//! What a person says of things before a plan is made: that one is a topology's, or is to be made anew.

use std::collections::BTreeMap;

use strat_model::{
    Addr, Fingerprint, Inventory, Mark, MarkOrigin, Missed, MissedState, Name, Owner, Resource,
    ResourceId, Shared, Witness,
};

use crate::Target;
use crate::plan::{Action, Plan};

/// What a person says before a plan is made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    /// These addresses stand for these things: the one of an id, or the one that is known to be it.
    pub adopt: Vec<(Addr, Option<ResourceId>)>,
    /// All that is certain is adopted: what is known to be the topology's and lost its mark.
    pub adopt_known: bool,
    /// Nothing else is planned.
    pub only_adopt: bool,
    /// What is gone at these, and what was on it, is made anew, empty.
    pub recreate: Vec<Target>,
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
                Action::Create => claims.recreate.push(Target::Addr(change.addr.clone())),
                _ => {}
            }
        }
        claims.only_adopt = !claims.adopt.is_empty();
        claims
    }
}

/// The things whose place in the topology a person said, and their fingerprints as they really are.
pub type Edits = BTreeMap<(Name, ResourceId), Fingerprint>;

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
) -> Result<Edits, CannotAdopt> {
    for seen in inventory.sites.values_mut() {
        seen.missed.retain(|missed| {
            let gone = missed.state == MissedState::Gone;
            let mut named = claims.recreate.iter();
            !(gone && named.any(|target| target.covers(&missed.addr)))
        });
    }
    let mut adopt = claims.adopt.clone();
    if claims.adopt_known {
        let missed = inventory.sites.values().flat_map(|seen| &seen.missed);
        let lost = missed.filter(|missed| missed.state == MissedState::Unmarked);
        adopt.extend(lost.map(|one| (one.addr.clone(), Some(one.id.clone()))));
    }
    let mut edits = Edits::new();
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
        let is_one = addr.local.noun != strat_model::Noun::Machines;
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
        edits.insert((addr.site.clone(), id.clone()), found.fingerprint());
        let before = found.mark.take().filter(|mark| owner.owns(&mark.owner));
        found.mark = Some(adopted(owner, addr, &id, before));
        found.witness = Witness::Held;
        seen.missed.retain(|missed| missed.id != id);
    }
    Ok(edits)
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
