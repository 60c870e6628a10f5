//! What it takes to change things under libvirt.

use std::collections::BTreeSet;

use strat_model::{ChangeRules, Field, LiveFields, Means, Resource, Spec, Transition, only_grow};

/// The rules of a site: what is usual, and machines whose processors, memory and disks change.
///
/// Processors and memory change in the definition, which counts from the next start; a disk grows
/// while it is in use (`virDomainBlockResize`).
#[derive(Debug, Clone)]
pub(crate) struct LibvirtRules {
    pub(crate) live: LiveFields,
}

impl ChangeRules for LibvirtRules {
    fn change(&self, is: &Resource, to: &Spec<()>, fields: &BTreeSet<Field>) -> Transition {
        self.live
            .change_or(is, to, fields, |field| match (&is.spec, to, field) {
                (Spec::Machine(_), _, Field::MachineType) => Some(Transition::by(Means::Restart)),
                (Spec::Machine(from), Spec::Machine(to), Field::Disks)
                    if only_grow(&from.disks, &to.disks) =>
                {
                    Some(Transition::by(Means::Live).noting(Transition::FILE_SYSTEM))
                }
                _ => None,
            })
    }
}
