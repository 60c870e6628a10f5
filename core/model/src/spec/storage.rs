//! Volumes and buckets.

use serde::{Deserialize, Serialize};

use super::{DiskClass, Labels};
use crate::{Bytes, Name};

/// A block device that outlives the machine it is attached to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "VolumeSpec"))]
pub struct VolumeSpec<R> {
    /// Its size. It can grow, never shrink.
    pub size: Bytes,
    /// What it is made of.
    pub class: DiskClass,
    /// The zone: that of the machine it is for.
    pub zone: Name,
    /// The machine it is attached to, if any.
    pub attach: Option<R>,
    /// The user's labels.
    pub labels: Labels,
}

/// A store of objects. Never public; encrypted by the cloud.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BucketSpec {
    /// Whether older versions of an object are kept.
    pub versioning: bool,
    /// The user's labels.
    pub labels: Labels,
}

impl<R> VolumeSpec<R> {
    /// What a mark notes under [`Field::Attach`](crate::Field::Attach) of a volume that was made
    /// unattached and was never attached since: there is nothing on it.
    pub const NEVER_ATTACHED: &'static str = "never";

    /// The same spec with its reference put through `f`.
    ///
    /// # Errors
    /// The error of `f`.
    pub fn try_map_refs<T, E>(
        &self,
        f: &mut impl FnMut(&R) -> Result<T, E>,
    ) -> Result<VolumeSpec<T>, E> {
        Ok(VolumeSpec {
            size: self.size,
            class: self.class,
            zone: self.zone.clone(),
            attach: self.attach.as_ref().map(f).transpose()?,
            labels: self.labels.clone(),
        })
    }
}
