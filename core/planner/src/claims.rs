//! Which of the things that carry an address's mark are the topology's, and which addresses are left
//! alone because nobody can tell.
//!
//! | what is seen at an address | so |
//! |---|---|
//! | one thing, with a witness | it is the topology's |
//! | one thing, with a mark alone | it is the topology's, and is neither deleted, replaced nor attached |
//! | a copy: its cloud says that its mark was written for another | it is a stranger; what it is a copy of counts |
//! | several things, one with a witness | the others are strangers |
//! | several of one generation, all or none with a witness | none is touched |
//! | a known thing whose mark is gone, or is somebody else's | the address is left alone |
//! | a known thing that is not there any more | it is made anew; what holds data only by name |
//! | something that is where nobody looks now | the address is left alone |
//! | a thing that was let go, and is there still | no other is made beside it, but by name |

use rustc_hash::FxHashMap;
use strat_model::{
    Addr, Inventory, Missed, MissedState, Name, Noun, Resource, ResourceId, ResourceState,
    SiteInventory, Witness,
};

use crate::left::Reason;

/// What carries a mark of ours and is not what its mark says.
#[derive(Debug)]
pub(crate) struct Stranger<'a> {
    pub(crate) site: &'a Name,
    pub(crate) resource: &'a Resource,
    pub(crate) why: String,
}

/// Takes away what is not the topology's of the things that carry the mark of `addr`. Gives what was
/// taken away, and why the address is to be left alone, if it is.
pub(crate) fn judge<'a>(
    addr: &'a Addr,
    found: &mut Vec<&'a Resource>,
) -> (Vec<Stranger<'a>>, Option<String>) {
    let mut strangers = Vec::new();
    let is_one = addr.local.noun != Noun::Machines;
    let any_held = is_one && found.iter().any(|one| one.witness.is_held());
    let original = found.iter().find(|one| one.witness.is_held());
    let original = original.map(|one| one.id.clone());
    found.retain(|one| {
        let why = match &one.witness {
            Witness::Held => return true,
            Witness::Refuted { why } => why.clone(),
            Witness::Lacking if any_held => "nothing but a mark says so of it".to_owned(),
            Witness::Lacking => return true,
        };
        let why = match original.as_ref().filter(|_| is_one) {
            Some(original) => format!("{why}, and {original} is what it is a copy of"),
            None => why,
        };
        strangers.push(Stranger {
            site: &addr.site,
            resource: one,
            why,
        });
        false
    });
    if !is_one {
        return (strangers, None);
    }
    let unseen = found.iter().find(|one| one.state == ResourceState::Unseen);
    if let Some(one) = unseen {
        let why = one.unseen().unwrap_or("nobody looks there now");
        return (
            strangers,
            Some(format!("{} is left as it is: {why}", one.id)),
        );
    }
    let held = match (found.as_slice(), strangers.first()) {
        ([], Some(copy)) => Some(format!(
            "only {} carries its mark, and that is a copy: {}; {}",
            copy.resource.id,
            copy.why,
            adopt(addr, &copy.resource.id)
        )),
        ([one, other, ..], _) if generation(one) == generation(other) => Some(format!(
            "{} and {} carry the same mark and nobody can tell which it is, so neither is touched; \
             adopt the right one as {addr}",
            one.id, other.id
        )),
        _ => None,
    };
    (strangers, held)
}

/// Why an address is left alone because of something that is known of it and not seen as ours.
pub(crate) fn held_by(missed: &Missed) -> Option<Reason> {
    let Missed {
        addr, id, state, ..
    } = missed;
    match state {
        MissedState::Unmarked => {
            let adopt = adopt(addr, id);
            Some(format!("{id} is still there, but its mark is gone; {adopt}").into())
        }
        MissedState::Mismarked { addr: other } => {
            let adopt = adopt(addr, id);
            let why = format!("{id} is still there, but its mark says that it is {other}; {adopt}");
            Some(why.into())
        }
        MissedState::Foreign { owner } => {
            let why = format!(
                "{id} is still there, but its mark says that it is {owner}'s, so it is left to \
                 them; take {addr} out of the topology, or let its owner delete it"
            );
            Some(why.into())
        }
        MissedState::Released { beside, .. } if *beside || addr.local.noun == Noun::Machines => {
            None
        }
        MissedState::Released { .. } => {
            let why = format!(
                "{id} was let go and is still there; take {addr} out of the topology, adopt {id} \
                 as {addr}, or have another made beside it"
            );
            Some(Reason::from(why).or_recreate(addr))
        }
        MissedState::Gone => addr.kind().is_data().then(|| {
            let why = format!(
                "{id} was deleted behind Stratiform's back, and what was on it with it; an empty one \
                 is made only if that is asked for"
            );
            Reason::from(why).or_recreate(addr)
        }),
    }
}

/// How many of the things that are known to have been at an address are not there any more.
pub(crate) fn gone(seen: &SiteInventory, addr: &Addr) -> u32 {
    let missed = seen.missed.iter();
    let gone = missed.filter(|one| one.addr == *addr && one.state == MissedState::Gone);
    u32::try_from(gone.count()).unwrap_or(u32::MAX)
}

/// How many of those were ended by their cloud, and why the first was.
pub(crate) fn ended<'s>(seen: &'s SiteInventory, addr: &Addr) -> Option<(u32, &'s str)> {
    let missed = seen.missed.iter().filter(|one| one.addr == *addr);
    let mut ended = missed.filter_map(|one| one.why.as_deref());
    let first = ended.next()?;
    let rest = u32::try_from(ended.count()).unwrap_or(u32::MAX);
    Some((rest.saturating_add(1), first))
}

fn adopt(addr: &Addr, id: &ResourceId) -> String {
    format!("if it is it, adopt {id} as {addr}")
}

fn generation(resource: &Resource) -> u64 {
    resource.mark.as_ref().map_or(0, |mark| mark.generation)
}

/// The addresses that are left alone because of what is known and not seen as ours. What has a thing
/// of ours by now is not: that is its successor.
pub(crate) fn held(
    inventory: &Inventory,
    is_there: impl Fn(&Addr) -> bool,
) -> FxHashMap<&Addr, Reason> {
    let missed = inventory.sites.values().flat_map(|site| &site.missed);
    let mut held = FxHashMap::default();
    for missed in missed {
        let whole_fleet = missed.addr.local.noun == Noun::Machines;
        if !whole_fleet && is_there(&missed.addr) {
            continue;
        }
        if let Some(why) = held_by(missed) {
            held.entry(&missed.addr).or_insert(why);
        }
    }
    held
}
