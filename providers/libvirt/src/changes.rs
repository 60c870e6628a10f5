//! What it takes to change things under libvirt.

use std::collections::BTreeSet;

use strat_model::{
    ChangeRules, Field, FlexSize, LiveFields, Means, Resource, Spec, Transition, only_grow,
};

/// Why a subnet keeps its way to the internet: libvirt changes it only in a network that is stopped, which
/// cuts off all machines that are plugged into it.
pub(crate) const STAYS: &str = "libvirt changes how a network forwards only by stopping it, which cuts its machines off; \
                     add a subnet of another name and move them, or write the way that it has";

/// The rules of a site: what is usual, and machines whose processors, memory and disks change.
///
/// Processors and memory change in the definition, which counts from the next start, and GPUs are taken
/// away there; who is to have more of them may need another host. A disk grows while it is in use
/// (`virDomainBlockResize`).
#[derive(Debug, Clone)]
pub(crate) struct LibvirtRules {
    pub(crate) live: LiveFields,
}

impl ChangeRules for LibvirtRules {
    fn change(&self, is: &Resource, to: &Spec<()>, fields: &BTreeSet<Field>) -> Transition {
        self.live
            .change_or(is, to, fields, |field| match (&is.spec, to, field) {
                (Spec::Subnet(_), Spec::Subnet(_), Field::Internet) => {
                    Some(Transition::refused(STAYS))
                }
                (Spec::Machine(_), Spec::Machine(_), Field::PublicIp) => {
                    Some(Transition::refused("there are no public addresses there"))
                }
                (Spec::Machine(from), Spec::Machine(to), Field::MachineType)
                    if keeps_gpus(&from.machine_type, &to.machine_type) =>
                {
                    Some(Transition::by(Means::Restart))
                }
                (Spec::Machine(from), Spec::Machine(to), Field::Disks)
                    if only_grow(&from.disks, &to.disks) =>
                {
                    Some(Transition::by(Means::Live).noting(Transition::FILE_SYSTEM))
                }
                _ => None,
            })
    }
}

/// Whether a machine of one type has all the GPUs that it is to have as another.
fn keeps_gpus(from: &str, to: &str) -> bool {
    let gpus = |text: &str| text.parse().ok().and_then(|size: FlexSize| size.gpus);
    match (gpus(from), gpus(to)) {
        (_, None) => true,
        (Some((has, of)), Some((count, model))) => of == model && has >= count,
        (None, Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gpus_are_taken_away_and_not_given() {
        assert!(keeps_gpus("flex-2-4096", "flex-4-8192"));
        assert!(keeps_gpus("flex-2-4096-2xL4", "flex-4-8192-1xL4"));
        assert!(keeps_gpus("flex-2-4096-2xL4", "flex-2-4096"));
        assert!(keeps_gpus("flex-2-4096-2xL4+T4", "flex-2-4096"));
        assert!(!keeps_gpus("flex-2-4096", "flex-2-4096-1xL4"));
        assert!(!keeps_gpus("flex-2-4096-1xL4", "flex-2-4096-2xL4"));
        assert!(!keeps_gpus("flex-2-4096-1xL4", "flex-2-4096-1xT4"));
    }
}
