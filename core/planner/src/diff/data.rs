//! Whose data a plan destroys, so that it is agreed to by name.

use strat_model::{Addr, Field, Noun, Resource, ResourceId, Spec, VolumeSpec};

use crate::plan::{Action, Change, DataLoss};
use crate::{Desired, InventoryIndex};

/// Marks the targets whose data goes for good, and lists them by address and id.
pub(super) fn mark_losses(
    changes: &mut [Change],
    desired: &Desired,
    index: &InventoryIndex<'_>,
) -> Vec<DataLoss> {
    let mut losses = Vec::new();
    for change in changes {
        if !matches!(change.action, Action::Delete | Action::Replace) {
            losses.extend(unprotect(change, index));
            continue;
        }
        for target in &mut change.targets {
            let found = index.by_id(&change.site, &target.id);
            target.data_loss = found.is_some_and(|found| {
                holds_data(&change.addr, found) && !is_disposable(&change.addr, found, desired)
            });
            if target.data_loss {
                losses.push(DataLoss {
                    addr: change.addr.clone(),
                    id: target.id.clone(),
                    name: target.name.clone(),
                    action: change.action,
                });
            }
        }
    }
    losses.sort();
    losses
}

/// The machines that become members of a fleet: from then on they go without being asked for.
fn unprotect(change: &mut Change, index: &InventoryIndex<'_>) -> Vec<DataLoss> {
    let mut losses = Vec::new();
    for target in &mut change.targets {
        let former = target.renamed_from.as_ref().map(|former| &former.addr);
        let Some(former) = former.filter(|addr| addr.local.noun == Noun::Machine) else {
            continue;
        };
        let mark = index
            .by_id(&change.site, &target.id)
            .and_then(|found| found.mark.as_ref());
        let disposable = mark.is_some_and(|mark| mark.disposable);
        target.data_loss = change.addr.local.noun == Noun::Machines && !disposable;
        if target.data_loss {
            losses.push(DataLoss {
                addr: former.clone(),
                id: target.id.clone(),
                name: target.name.clone(),
                action: change.action,
            });
        }
    }
    losses
}

/// Whether there is data on a thing, as far as anybody can tell. A machine has its disks; of a
/// fleet's members each is as good as another. A volume that was never attached is empty, and a
/// bucket where its cloud says so.
fn holds_data(addr: &Addr, found: &Resource) -> bool {
    match (addr.local.noun, &found.spec) {
        (Noun::Machine, _) => true,
        (Noun::Volume, Spec::Volume(volume)) => {
            volume.attach.is_some() || !is_noted_unattached(found)
        }
        (Noun::Bucket, _) => {
            found.attributes.get(Resource::EMPTY).map(String::as_str) != Some("true")
        }
        _ => false,
    }
}

/// Whether a volume's mark says that it was never attached.
pub(crate) fn is_noted_unattached(found: &Resource) -> bool {
    let note = found
        .mark
        .as_ref()
        .and_then(|mark| mark.notes.get(&Field::Attach));
    note.is_some_and(|note| note == VolumeSpec::<ResourceId>::NEVER_ATTACHED)
}

/// Whether the thing's own mark says that its data needs no consent, and the topology, where it
/// still has the thing, says so too.
fn is_disposable(addr: &Addr, found: &Resource, desired: &Desired) -> bool {
    let entry = desired.entries.get(addr);
    found.mark.as_ref().is_some_and(|mark| mark.disposable)
        && entry.is_none_or(|entry| entry.disposable)
}
