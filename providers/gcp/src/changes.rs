//! What it takes to change things on Google Cloud.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use strat_model::{
    Capabilities, ChangeRules, Field, LiveFields, MachineSpec, Means, Resource, ResourceId, Spec,
    Transition, only_grow, resize,
};

use crate::offers::TypeCache;

/// Why ways to the internet stay as they are.
const BY_SITE: &str =
    "whether machines there have public addresses is said by their site's settings";

/// The rules of a site on Google Cloud.
pub(crate) struct GcpRules {
    live: LiveFields,
    types: Arc<TypeCache>,
}

impl GcpRules {
    pub(crate) fn new(capabilities: &Capabilities, types: Arc<TypeCache>) -> Self {
        Self {
            live: LiveFields::usual(capabilities.kinds.iter().copied()),
            types,
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
            // <https://cloud.google.com/compute/docs/disks/resize-persistent-disk>
            Field::Disks if only_grow(&from.disks, &to.disks) => {
                Some(Transition::by(Means::Live).noting(Transition::FILE_SYSTEM))
            }
            _ => None,
        }
    }

    /// Another type, while the machine is off; it may be started on another host. A machine with disks
    /// of its host takes no other type, an image is of one instruction set, and a spot machine that is
    /// stopped may not be had again.
    ///
    /// <https://cloud.google.com/compute/docs/instances/changing-machine-type-of-stopped-instance>
    fn resize(
        &self,
        is: &Resource,
        from: &MachineSpec<ResourceId>,
        to: &MachineSpec<()>,
    ) -> Transition {
        let (was, becomes) = (
            self.types.one(&from.machine_type),
            self.types.one(&to.machine_type),
        );
        let other_arch = match (&was, &becomes) {
            (Some(was), Some(becomes)) => was.arch != becomes.arch,
            _ => false,
        };
        let host_disks = [&was, &becomes];
        let host_disks = host_disks.into_iter().flatten().any(|size| size.host_disks);
        resize(is, from.capacity, !other_arch && !host_disks)
    }
}

impl ChangeRules for GcpRules {
    /// A volume's class is that of the disk for good: another is another disk, made of a snapshot by
    /// whoever wants the data on it.
    fn change(&self, is: &Resource, to: &Spec<()>, fields: &BTreeSet<Field>) -> Transition {
        self.live
            .change_or(is, to, fields, |field| match (&is.spec, to) {
                (Spec::Machine(from), Spec::Machine(to)) => self.machine(is, (from, to), field),
                (Spec::Subnet(_), Spec::Subnet(_)) if field == Field::Internet => {
                    Some(Transition::refused(BY_SITE))
                }
                _ => None,
            })
    }
}

/// What is printed is what sets it apart: the types that are known are the same for all.
impl fmt::Debug for GcpRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GcpRules")
            .field("live", &self.live)
            .finish_non_exhaustive()
    }
}
