//! What can go wrong, in the words of each cloud.

use strat_model::{Error, ErrorKind};

use crate::Profile;

/// The name of the provider.
pub(crate) const PROVIDER: &str = "sim";

/// One row of the mapping from what is wrong to a kind and each vendor's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    Missing,
    NameTaken,
    BucketTaken,
    InUse,
    NotEmpty,
    NotReady,
    TokenReused,
    TooManyCalls,
    OutOfStock,
    OutOfAddresses,
    OverQuota,
    BadParameter,
    BadType,
    BadImage,
    BadRange,
    Overlap,
    TooManyTags,
    ZoneDown,
    RegionDown,
    CannotDo,
    WrongKey,
    NotAllowed,
}

impl Trouble {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 22] = [
        Self::Missing,
        Self::NameTaken,
        Self::BucketTaken,
        Self::InUse,
        Self::NotEmpty,
        Self::NotReady,
        Self::TokenReused,
        Self::TooManyCalls,
        Self::OutOfStock,
        Self::OutOfAddresses,
        Self::OverQuota,
        Self::BadParameter,
        Self::BadType,
        Self::BadImage,
        Self::BadRange,
        Self::Overlap,
        Self::TooManyTags,
        Self::ZoneDown,
        Self::RegionDown,
        Self::CannotDo,
        Self::WrongKey,
        Self::NotAllowed,
    ];

    /// The kind, then the codes of AWS, Azure, Google and our own racks.
    #[rustfmt::skip]
    const fn row(self) -> (ErrorKind, [&'static str; 4]) {
        match self {
            Self::Missing => (ErrorKind::NotFound, ["InvalidID.NotFound", "ResourceNotFound", "notFound", "not_found"]),
            Self::NameTaken => (ErrorKind::AlreadyExists, ["InvalidGroup.Duplicate", "ResourceExists", "alreadyExists", "name_taken"]),
            Self::BucketTaken => (ErrorKind::AlreadyExists, ["BucketAlreadyExists", "StorageAccountAlreadyTaken", "conflict", "name_taken"]),
            Self::InUse => (ErrorKind::Conflict, ["DependencyViolation", "InUseResourceCannotBeDeleted", "resourceInUseByAnotherResource", "in_use"]),
            Self::NotEmpty => (ErrorKind::Conflict, ["BucketNotEmpty", "StorageAccountNotEmpty", "conflict", "not_empty"]),
            Self::NotReady => (ErrorKind::Conflict, ["IncorrectState", "ReferencedResourceNotProvisioned", "resourceNotReady", "not_ready"]),
            Self::TokenReused => (ErrorKind::Precondition, ["IdempotentParameterMismatch"; 4]),
            Self::TooManyCalls => (ErrorKind::Throttled, ["RequestLimitExceeded", "TooManyRequests", "rateLimitExceeded", "busy"]),
            Self::OutOfStock => (ErrorKind::Capacity, ["InsufficientInstanceCapacity", "SkuNotAvailable", "ZONE_RESOURCE_POOL_EXHAUSTED", "no_room"]),
            Self::OutOfAddresses => (ErrorKind::Capacity, ["InsufficientFreeAddressesInSubnet", "SubnetIsFull", "IP_SPACE_EXHAUSTED", "subnet_full"]),
            Self::OverQuota => (ErrorKind::Quota, ["VcpuLimitExceeded", "QuotaExceeded", "quotaExceeded", "over_quota"]),
            Self::BadParameter => (ErrorKind::Invalid, ["InvalidParameterValue", "InvalidParameter", "invalid", "invalid"]),
            Self::BadType => (ErrorKind::Invalid, ["InvalidInstanceType", "InvalidVmSize", "invalidMachineType", "invalid_size"]),
            Self::BadImage => (ErrorKind::Invalid, ["InvalidAMIID.NotFound", "ImageNotFound", "invalidImage", "unknown_image"]),
            Self::BadRange => (ErrorKind::Invalid, ["InvalidSubnet.Range", "NetcfgSubnetRangeOutsideVnet", "invalidIpRange", "invalid_range"]),
            Self::Overlap => (ErrorKind::Conflict, ["InvalidSubnet.Conflict", "NetcfgSubnetRangesOverlap", "ipRangeOverlap", "overlap"]),
            Self::TooManyTags => (ErrorKind::Invalid, ["TagLimitExceeded", "TooManyTags", "metadataTooLarge", "too_many_labels"]),
            Self::ZoneDown => (ErrorKind::Capacity, ["Unavailable", "ZonalAllocationFailed", "ZONE_UNAVAILABLE", "rack_down"]),
            Self::RegionDown => (ErrorKind::Transient, ["ServiceUnavailable", "ServiceUnavailable", "backendError", "unreachable"]),
            Self::CannotDo => (ErrorKind::Unsupported, ["UnsupportedOperation", "OperationNotAllowed", "unsupported", "unsupported"]),
            Self::WrongKey => (ErrorKind::Unauthenticated, ["AuthFailure", "AuthenticationFailed", "authError", "not_known"]),
            Self::NotAllowed => (ErrorKind::Forbidden, ["UnauthorizedOperation", "AuthorizationFailed", "forbidden", "not_allowed"]),
        }
    }

    /// The error, as a cloud of this profile would report it.
    pub(crate) fn error(self, profile: Profile, message: impl Into<String>) -> Error {
        let (kind, codes) = self.row();
        Error::new(kind, message).with_code(codes[profile as usize])
    }
}

impl Trouble {
    /// A fault that was planned for a call, as a cloud of this profile would report it.
    pub(crate) fn planned(kind: ErrorKind, profile: Profile, operation: &str) -> Error {
        let trouble = match kind {
            ErrorKind::NotFound => Self::Missing,
            ErrorKind::AlreadyExists => Self::NameTaken,
            ErrorKind::Conflict => Self::NotReady,
            ErrorKind::Precondition => Self::TokenReused,
            ErrorKind::Throttled => Self::TooManyCalls,
            ErrorKind::Capacity => Self::OutOfStock,
            ErrorKind::Quota => Self::OverQuota,
            ErrorKind::Invalid => Self::BadParameter,
            ErrorKind::Unsupported => Self::CannotDo,
            ErrorKind::Unauthenticated => Self::WrongKey,
            ErrorKind::Forbidden => Self::NotAllowed,
            // No answer, or none that a code could be read from.
            ErrorKind::Timeout | ErrorKind::Transient | ErrorKind::Internal => {
                return Error::new(kind, "a planned fault");
            }
        };
        let error = trouble.error(profile, "a planned fault");
        match trouble {
            Self::NotAllowed => {
                error.with_help(format!("allow `{operation}` to the identity of this site"))
            }
            _ => error,
        }
    }
}

/// A fault of the simulator itself: its files, mostly.
pub(crate) fn broken(
    message: impl Into<String>,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Error {
    Error::new(ErrorKind::Internal, message)
        .with_source(source)
        .with_provider(PROVIDER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trouble_has_a_code_everywhere() {
        for trouble in Trouble::ALL {
            for profile in Profile::ALL {
                let error = trouble.error(profile, "x");
                assert!(error.code().is_some_and(|code| !code.is_empty()));
            }
        }
    }

    #[test]
    fn stock_and_quota_are_told_apart() {
        for profile in Profile::ALL {
            let kind = |trouble: Trouble| trouble.error(profile, "x").kind();
            assert_eq!(kind(Trouble::OutOfStock), ErrorKind::Capacity);
            assert_eq!(kind(Trouble::OverQuota), ErrorKind::Quota);
            assert_eq!(kind(Trouble::TokenReused), ErrorKind::Precondition);
        }
    }
}
