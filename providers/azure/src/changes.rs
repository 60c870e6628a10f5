//! What it takes to change things on Azure.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use strat_model::{
    Capabilities, ChangeRules, Field, LiveFields, Loss, MachineSpec, Means, Resource, ResourceId,
    Spec, Transition, VolumeSpec, only_grow, resize,
};

use crate::offers::Sizes;

/// Why ways to the internet stay as they are.
const BY_SITE: &str =
    "whether machines there have public addresses is said by their site's settings";

/// The rules of a site on Azure.
pub(crate) struct AzureRules {
    live: LiveFields,
    sizes: Arc<Sizes>,
}

impl AzureRules {
    pub(crate) fn new(capabilities: &Capabilities, sizes: Arc<Sizes>) -> Self {
        Self {
            live: LiveFields::usual(capabilities.kinds.iter().copied()),
            sizes,
        }
    }

    fn machine(
        &self,
        is: &Resource,
        (from, to): (&MachineSpec<ResourceId>, &MachineSpec<()>),
        field: Field,
    ) -> Option<Transition> {
        match field {
            Field::MachineType => Some(self.resize(is, from, to)),
            Field::PublicIp => Some(Transition::refused(BY_SITE)),
            // <https://learn.microsoft.com/azure/virtual-machines/linux/expand-disks>: a boot disk grows
            // while its machine is deallocated.
            Field::Disks if only_grow(&from.disks, &to.disks) => {
                Some(Transition::by(Means::Deallocate).noting(Transition::FILE_SYSTEM))
            }
            _ => None,
        }
    }

    /// Another size, while the machine is deallocated; it may be started on another host. Its public
    /// address is a static one and stays. Sizes with and without a temporary disk do not mix, and what is
    /// on a temporary disk goes.
    ///
    /// <https://learn.microsoft.com/azure/virtual-machines/sizes/resize-vm>,
    /// <https://learn.microsoft.com/azure/virtual-machines/azure-vms-no-temp-disk>
    fn resize(
        &self,
        is: &Resource,
        from: &MachineSpec<ResourceId>,
        to: &MachineSpec<()>,
    ) -> Transition {
        let sizes = (
            self.sizes.one(&from.machine_type),
            self.sizes.one(&to.machine_type),
        );
        let same_kind = match &sizes {
            (Some(was), Some(becomes)) => {
                was.arch == becomes.arch && was.temporary_disk == becomes.temporary_disk
            }
            _ => true,
        };
        let mut takes = resize(is, from.capacity, same_kind);
        takes.loses.remove(&Loss::DynamicAddress);
        let temporary = sizes.0.is_some_and(|was| was.temporary_disk);
        match temporary && takes.is_in_place() {
            true => takes.losing(Loss::LocalDisks),
            false => takes,
        }
    }
}

/// A disk becomes one of another class only while no running machine has it, twice a day at most.
///
/// <https://learn.microsoft.com/azure/virtual-machines/disks-convert-types>
fn volume(is: &VolumeSpec<ResourceId>, field: Field) -> Option<Transition> {
    match (field, &is.attach) {
        (Field::Class, Some(_)) => Some(Transition::refused(
            "Azure changes the class of a volume only while it is attached to no machine",
        )),
        (Field::Class, None) => {
            Some(Transition::by(Means::Live).noting("the cloud lets it be done twice a day"))
        }
        _ => None,
    }
}

impl ChangeRules for AzureRules {
    fn change(&self, is: &Resource, to: &Spec<()>, fields: &BTreeSet<Field>) -> Transition {
        self.live
            .change_or(is, to, fields, |field| match (&is.spec, to) {
                (Spec::Machine(from), Spec::Machine(to)) => self.machine(is, (from, to), field),
                (Spec::Volume(from), Spec::Volume(_)) => volume(from, field),
                (Spec::Subnet(_), Spec::Subnet(_)) if field == Field::Internet => {
                    Some(Transition::refused(BY_SITE))
                }
                _ => None,
            })
    }
}

/// What is printed is what sets it apart: the sizes that are known are the same for all.
impl fmt::Debug for AzureRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzureRules")
            .field("live", &self.live)
            .finish_non_exhaustive()
    }
}
