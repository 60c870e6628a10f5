//! What it takes to change things, in the clouds that are simulated.

use std::collections::{BTreeMap, BTreeSet};

use strat_model::{
    ChangeRules, Field, LiveFields, MachineSpec, Means, Offer, Resource, ResourceId, Spec,
    Transition, only_grow, public_ip, resize,
};

use crate::Profile;

/// The rules of a site of a profile.
#[derive(Debug)]
pub(crate) struct SimRules {
    profile: Profile,
    live: LiveFields,
    /// The instruction sets of the machine types on sale.
    archs: BTreeMap<String, String>,
}

impl SimRules {
    pub(crate) fn new(profile: Profile, offers: &[Offer]) -> Self {
        let arch = |offer: &Offer| (offer.machine_type.clone(), offer.arch.clone());
        Self {
            profile,
            live: LiveFields::usual(profile.kinds()),
            archs: offers.iter().map(arch).collect(),
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
            Field::PublicIp => Some(public_ip(to.public_ip)),
            Field::Disks if only_grow(&from.disks, &to.disks) => {
                // https://learn.microsoft.com/azure/virtual-machines/expand-disks: an OS disk grows
                // while the machine is deallocated.
                let takes = Transition::by(match self.profile {
                    Profile::Azure => Means::Deallocate,
                    Profile::Aws | Profile::Gcp | Profile::Onprem => Means::Live,
                });
                Some(takes.noting(Transition::FILE_SYSTEM))
            }
            _ => None,
        }
    }

    /// Another type. What is bought as spot cannot become another, and an image is of one instruction
    /// set.
    ///
    /// - AWS: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-resize.html>
    /// - Azure: <https://learn.microsoft.com/azure/virtual-machines/sizes/resize-vm>
    /// - Google: <https://cloud.google.com/compute/docs/instances/changing-machine-type-of-stopped-instance>
    fn resize(
        &self,
        is: &Resource,
        from: &MachineSpec<ResourceId>,
        to: &MachineSpec<()>,
    ) -> Transition {
        let arch = |kind: &str| self.archs.get(kind);
        let archs = (arch(&from.machine_type), arch(&to.machine_type));
        let other_arch = matches!(archs, (Some(from), Some(to)) if from != to);
        let takes = resize(is, from.capacity, !other_arch);
        match self.profile {
            Profile::Onprem if takes.is_in_place() => Transition::by(Means::Restart),
            _ => takes,
        }
    }

    /// The class of a volume changes on AWS alone.
    fn volume(&self, field: Field) -> Option<Transition> {
        match field {
            Field::Size | Field::Class if self.profile == Profile::Aws => {
                Some(Transition::by(Means::Live).noting(EBS_RATE))
            }
            _ => None,
        }
    }
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVolume.html>
const EBS_RATE: &str = "the cloud lets a volume be changed four times in 24 hours";

impl ChangeRules for SimRules {
    fn change(&self, is: &Resource, to: &Spec<()>, fields: &BTreeSet<Field>) -> Transition {
        self.live
            .change_or(is, to, fields, |field| match (&is.spec, to) {
                (Spec::Machine(from), Spec::Machine(to)) => self.machine(is, (from, to), field),
                (Spec::Volume(_), Spec::Volume(_)) => self.volume(field),
                _ => None,
            })
    }
}
