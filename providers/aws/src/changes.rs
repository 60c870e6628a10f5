//! What it takes to change things on AWS.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use aws_sdk_ec2::types::VolumeType;
use strat_model::{
    Capabilities, ChangeRules, DiskClass, Field, LiveFields, Loss, MachineSpec, Means, Resource,
    ResourceId, Spec, Transition, VolumeSpec, only_grow, public_ip, resize,
};

use crate::offers::TypeCache;
use crate::storage::class;

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVolume.html>
const VOLUME_RATE: &str = "EBS lets a volume be changed four times in 24 hours, each time once the \
                           change before it is done";

/// The rules of a site on AWS.
pub(crate) struct AwsRules {
    live: LiveFields,
    types: Arc<TypeCache>,
}

impl AwsRules {
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
            Field::PublicIp => Some(public_ip(to.public_ip)),
            Field::Disks if only_grow(&from.disks, &to.disks) => {
                let takes = Transition::by(Means::Live).noting(VOLUME_RATE);
                Some(takes.noting(Transition::FILE_SYSTEM))
            }
            _ => None,
        }
    }

    /// Another type, while the instance is stopped. What is bought as spot cannot become another, and
    /// an image is of one instruction set. A started instance may be on another host: what was on
    /// disks of the host is gone, and so is an address that was not set aside.
    ///
    /// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-resize.html>
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
        let takes = resize(is, from.capacity, !other_arch);
        match was.is_some_and(|was| was.host_disks) && takes.is_in_place() {
            true => takes.losing(Loss::LocalDisks),
            false => takes,
        }
    }
}

/// EBS changes size, type and operations of a volume that is in use. Magnetic volumes, which hard
/// disks of less than 125 GiB are, become nothing else.
fn volume(from: &VolumeSpec<ResourceId>, to: &VolumeSpec<()>, field: Field) -> Option<Transition> {
    let magnetic = |class: DiskClass, size: strat_model::Bytes| {
        let gib = class::gib(size).unwrap_or_default();
        class::volume_type(class, gib, false) == VolumeType::Standard
    };
    match field {
        Field::Class if magnetic(from.class, from.size) || magnetic(to.class, to.size) => None,
        Field::Size | Field::Class => Some(Transition::by(Means::Live).noting(VOLUME_RATE)),
        _ => None,
    }
}

impl ChangeRules for AwsRules {
    fn change(&self, is: &Resource, to: &Spec<()>, fields: &BTreeSet<Field>) -> Transition {
        self.live
            .change_or(is, to, fields, |field| match (&is.spec, to) {
                (Spec::Machine(from), Spec::Machine(to)) => self.machine(is, (from, to), field),
                (Spec::Volume(from), Spec::Volume(to)) => volume(from, to, field),
                _ => None,
            })
    }
}

/// What is printed is what sets it apart: the types that are known are the same for all.
impl fmt::Debug for AwsRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsRules")
            .field("live", &self.live)
            .finish_non_exhaustive()
    }
}
