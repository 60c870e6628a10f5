//! AWS's codes, and what they mean here.
//!
//! Sources: for EC2 <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>,
//! for S3 <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>, for what every
//! service may say <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonErrors.html>.

use strat_model::{ErrorKind, Scope};

use ErrorKind::{
    AlreadyExists, Capacity, Conflict, Forbidden, Internal, Invalid, NotFound, Precondition, Quota,
    Throttled, Transient, Unauthenticated, Unsupported,
};

type Row = (&'static str, ErrorKind, Scope);

/// One row a code. What is not here falls to [`SHAPES`].
#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    // None left: another size or zone may have some. Never a matter of the account.
    ("InsufficientInstanceCapacity",            Capacity, Scope::Offer),
    ("InsufficientHostCapacity",                Capacity, Scope::Offer),
    ("InsufficientReservedInstanceCapacity",    Capacity, Scope::Offer),
    ("InsufficientCapacity",                    Capacity, Scope::Offer),
    ("InsufficientCapacityOnHost",              Capacity, Scope::Offer),
    ("InsufficientVolumeCapacity",              Capacity, Scope::Zone),
    ("InsufficientFreeAddressesInSubnet",       Capacity, Scope::Subnet),
    ("InsufficientAddressCapacity",             Capacity, Scope::Region),
    ("InsufficientSubnetsCapacity",             Capacity, Scope::Zone),
    ("SpotMaxPriceTooLow",                      Capacity, Scope::Offer),
    // "The requested configuration is currently not supported": this size is not in that zone.
    ("Unsupported",                             Capacity, Scope::Offer),
    ("InstanceTypeNotSupportedInAvailabilityZone", Capacity, Scope::Offer),

    // The account may not have more, however much there is.
    ("VcpuLimitExceeded",                       Quota, Scope::Region),
    ("InstanceLimitExceeded",                   Quota, Scope::Region),
    ("MaxSpotInstanceCountExceeded",            Quota, Scope::Region),
    ("SpotInstanceCountLimitExceeded",          Quota, Scope::Region),
    ("AddressLimitExceeded",                    Quota, Scope::Region),
    ("VpcLimitExceeded",                        Quota, Scope::Region),
    ("SubnetLimitExceeded",                     Quota, Scope::Region),
    ("InternetGatewayLimitExceeded",            Quota, Scope::Region),
    ("SecurityGroupLimitExceeded",              Quota, Scope::Region),
    ("RulesPerSecurityGroupLimitExceeded",      Quota, Scope::Call),
    ("SecurityGroupsPerInstanceLimitExceeded",  Quota, Scope::Call),
    ("SecurityGroupsPerInterfaceLimitExceeded", Quota, Scope::Call),
    ("NetworkInterfaceLimitExceeded",           Quota, Scope::Region),
    ("VolumeLimitExceeded",                     Quota, Scope::Region),
    ("MaxIOPSLimitExceeded",                    Quota, Scope::Region),
    ("AttachmentLimitExceeded",                 Quota, Scope::Call),
    ("ResourceLimitExceeded",                   Quota, Scope::Region),
    ("ResourceCountLimitExceeded",              Quota, Scope::Region),
    ("RouteLimitExceeded",                      Quota, Scope::Call),
    ("NatGatewayLimitExceeded",                 Quota, Scope::Zone),
    ("RouteTableLimitExceeded",                 Quota, Scope::Region),
    ("TooManyBuckets",                          Quota, Scope::Account),
    ("TagLimitExceeded",                        Invalid, Scope::Call),

    // Too fast.
    ("RequestLimitExceeded",                    Throttled, Scope::Region),
    ("Throttling",                              Throttled, Scope::Region),
    ("ThrottlingException",                     Throttled, Scope::Region),
    ("ThrottledException",                      Throttled, Scope::Region),
    ("EC2ThrottledException",                   Throttled, Scope::Region),
    ("TooManyRequestsException",                Throttled, Scope::Region),
    ("BandwidthLimitExceeded",                  Throttled, Scope::Region),
    ("SlowDown",                                Throttled, Scope::Region),
    ("RequestThrottled",                        Throttled, Scope::Region),
    ("SnapshotCreationPerVolumeRateExceeded",   Throttled, Scope::Call),

    // Who we are.
    ("AuthFailure",                             Unauthenticated, Scope::Account),
    ("InvalidClientTokenId",                    Unauthenticated, Scope::Account),
    ("UnrecognizedClientException",             Unauthenticated, Scope::Account),
    ("SignatureDoesNotMatch",                   Unauthenticated, Scope::Account),
    ("IncompleteSignature",                     Unauthenticated, Scope::Account),
    ("MissingAuthenticationToken",              Unauthenticated, Scope::Account),
    ("InvalidAccessKeyId",                      Unauthenticated, Scope::Account),
    ("InvalidToken",                            Unauthenticated, Scope::Account),
    ("ExpiredToken",                            Unauthenticated, Scope::Account),
    ("ExpiredTokenException",                   Unauthenticated, Scope::Account),
    ("TokenRefreshRequired",                    Unauthenticated, Scope::Account),
    ("RequestExpired",                          Unauthenticated, Scope::Account),
    ("RequestTimeTooSkewed",                    Unauthenticated, Scope::Account),
    ("InvalidSecurity",                         Unauthenticated, Scope::Account),

    // What we may.
    ("UnauthorizedOperation",                   Forbidden, Scope::Account),
    ("AccessDenied",                            Forbidden, Scope::Account),
    ("AccessDeniedException",                   Forbidden, Scope::Account),
    ("AllAccessDisabled",                       Forbidden, Scope::Account),
    ("AccountProblem",                          Forbidden, Scope::Account),
    ("Blocked",                                 Forbidden, Scope::Account),
    ("PendingVerification",                     Forbidden, Scope::Account),
    ("OptInRequired",                           Forbidden, Scope::Account),
    ("NotSignedUp",                             Forbidden, Scope::Account),
    ("OperationNotPermitted",                   Forbidden, Scope::Call),

    // Tokens.
    ("IdempotentParameterMismatch",             Precondition, Scope::Call),
    ("IdempotentInstanceTerminated",            Precondition, Scope::Call),
    ("PreconditionFailed",                      Precondition, Scope::Call),

    // In the way now.
    ("DependencyViolation",                     Conflict, Scope::Call),
    // It passes once the thing that it names is as the call wants it: asked again, a few times.
    ("ConcurrentTagAccess",                     Transient, Scope::Call),
    ("IncorrectState",                          Transient, Scope::Call),
    ("IncorrectInstanceState",                  Transient, Scope::Call),
    ("IncorrectModificationState",              Conflict, Scope::Call),
    ("IncorrectSpotRequestState",               Conflict, Scope::Call),
    // "The pending instance … is not in a valid state for this operation".
    ("InvalidInstanceID",                       Transient, Scope::Call),
    ("VolumeModificationSizeLimitExceeded",     Quota, Scope::Region),
    ("VolumeModificationRateExceeded",          Conflict, Scope::Call),
    ("VolumeInUse",                             Conflict, Scope::Call),
    ("InvalidVolume.ZoneMismatch",              Invalid, Scope::Call),
    ("InvalidAttachment.NotFound",              NotFound, Scope::Call),
    ("NatGatewayNotFound",                      NotFound, Scope::Call),
    ("InvalidGroup.InUse",                      Conflict, Scope::Call),
    ("InvalidGroup.Reserved",                   Invalid, Scope::Call),
    ("InvalidIPAddress.InUse",                  Conflict, Scope::Call),
    ("InvalidInstanceID.NotLinkable",           Conflict, Scope::Call),
    ("InvalidNetworkInterface.InUse",           Conflict, Scope::Call),
    ("InvalidSubnet.Conflict",                  Conflict, Scope::Call),
    ("Resource.AlreadyAssociated",              Conflict, Scope::Call),
    ("Resource.AlreadyAssigned",                Conflict, Scope::Call),
    ("Gateway.NotAttached",                     NotFound, Scope::Call),
    ("BucketNotEmpty",                          Conflict, Scope::Call),
    ("OperationAborted",                        Conflict, Scope::Call),
    ("ConditionalRequestConflict",              Conflict, Scope::Call),

    // There already.
    ("InvalidGroup.Duplicate",                  AlreadyExists, Scope::Call),
    ("InvalidKeyPair.Duplicate",                AlreadyExists, Scope::Call),
    ("InvalidPermission.Duplicate",             AlreadyExists, Scope::Call),
    ("RouteAlreadyExists",                      AlreadyExists, Scope::Call),
    ("BucketAlreadyExists",                     AlreadyExists, Scope::Cloud),
    ("BucketAlreadyOwnedByYou",                 AlreadyExists, Scope::Account),

    // Not there. An image or type that is not there is a wrong request, not a thing gone.
    ("InvalidAMIID.NotFound",                   Invalid, Scope::Call),
    ("InvalidAMIID.Malformed",                  Invalid, Scope::Call),
    ("InvalidAMIID.Unavailable",                Invalid, Scope::Call),
    ("InvalidInstanceType",                     Invalid, Scope::Offer),
    ("InvalidInstanceType.NotFound",            Invalid, Scope::Offer),
    ("NoSuchBucket",                            NotFound, Scope::Call),
    ("NoSuchTagSet",                            NotFound, Scope::Call),
    ("NoSuchKey",                               NotFound, Scope::Call),
    ("NoSuchResourceException",                 NotFound, Scope::Call),

    // Wrong, and wrong again.
    ("InvalidSubnet.Range",                     Invalid, Scope::Call),
    ("InvalidVpc.Range",                        Invalid, Scope::Call),
    ("InvalidParameterValue",                   Invalid, Scope::Call),
    ("InvalidParameterCombination",             Invalid, Scope::Call),
    ("InvalidParameter",                        Invalid, Scope::Call),
    ("MissingParameter",                        Invalid, Scope::Call),
    ("ValidationError",                         Invalid, Scope::Call),
    ("ValidationException",                     Invalid, Scope::Call),
    ("MalformedXML",                            Invalid, Scope::Call),
    ("VPCIdNotSpecified",                       Invalid, Scope::Call),
    ("UnknownParameter",                        Invalid, Scope::Call),

    // Never here.
    ("UnsupportedOperation",                    Unsupported, Scope::Call),
    ("UnsupportedInstanceAttribute",            Unsupported, Scope::Call),
    ("InvalidAction",                           Unsupported, Scope::Call),
    ("NotImplemented",                          Unsupported, Scope::Call),
    ("UnknownOperationException",               Unsupported, Scope::Call),

    // Passing.
    ("InternalError",                           Transient, Scope::Region),
    ("InternalFailure",                         Transient, Scope::Region),
    ("InternalServiceException",                Transient, Scope::Region),
    ("ServiceUnavailable",                      Transient, Scope::Region),
    ("ServiceUnavailableException",             Transient, Scope::Region),
    ("Unavailable",                             Transient, Scope::Region),
    ("RequestTimeout",                          Transient, Scope::Call),
    ("Server.InternalError",                    Internal, Scope::Call),
];

/// Codes by their shape, in this order, for those that AWS adds.
const SHAPES: &[(Shape, ErrorKind, Scope)] = &[
    (Shape::Ends(".NotFound"), NotFound, Scope::Call),
    (Shape::Ends(".Duplicate"), AlreadyExists, Scope::Call),
    (Shape::Ends(".InUse"), Conflict, Scope::Call),
    (Shape::Ends(".Malformed"), Invalid, Scope::Call),
    (Shape::Ends("LimitExceeded"), Quota, Scope::Region),
    (Shape::Starts("Insufficient"), Capacity, Scope::Offer),
    (Shape::Starts("Invalid"), Invalid, Scope::Call),
    (Shape::Starts("Missing"), Invalid, Scope::Call),
    (Shape::Starts("Incorrect"), Conflict, Scope::Call),
];

#[derive(Clone, Copy)]
enum Shape {
    Starts(&'static str),
    Ends(&'static str),
}

/// What a code means; for one that says nothing, what the HTTP status says.
pub(super) fn meaning(code: Option<&str>, status: u16) -> (ErrorKind, Scope) {
    let code = code.unwrap_or_default();
    if let Some((_, kind, scope)) = TABLE.iter().find(|(known, ..)| *known == code) {
        return (*kind, *scope);
    }
    let fits = |shape: Shape| match shape {
        Shape::Starts(start) => code.starts_with(start),
        Shape::Ends(end) => code.ends_with(end),
    };
    if let Some((_, kind, scope)) = SHAPES.iter().find(|(shape, ..)| fits(*shape)) {
        return (*kind, *scope);
    }
    match status {
        401 => (Unauthenticated, Scope::Account),
        403 => (Forbidden, Scope::Account),
        404 => (NotFound, Scope::Call),
        409 => (Conflict, Scope::Call),
        412 => (Precondition, Scope::Call),
        429 => (Throttled, Scope::Region),
        501 => (Unsupported, Scope::Call),
        500.. => (Transient, Scope::Region),
        _ => (Invalid, Scope::Call),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_code_stands_twice() {
        let mut seen = BTreeSet::new();
        for (code, ..) in TABLE {
            assert!(seen.insert(code), "{code}");
        }
    }

    #[test]
    fn stock_quota_and_rate_are_told_apart() {
        let check = |code, expect| assert_eq!(meaning(Some(code), 400).0, expect, "{code}");
        check("InsufficientInstanceCapacity", Capacity);
        check("InsufficientHostCapacity", Capacity);
        check("Unsupported", Capacity);
        check("SpotMaxPriceTooLow", Capacity);
        check("VcpuLimitExceeded", Quota);
        check("InstanceLimitExceeded", Quota);
        check("MaxSpotInstanceCountExceeded", Quota);
        check("RequestLimitExceeded", Throttled);
        check("AuthFailure", Unauthenticated);
        check("UnauthorizedOperation", Forbidden);
        check("IdempotentParameterMismatch", Precondition);
        check("UnsupportedOperation", Unsupported);
    }

    #[test]
    fn codes_that_are_new_go_by_their_shape() {
        let check = |code, expect| assert_eq!(meaning(Some(code), 400).0, expect, "{code}");
        check("InvalidVpcID.NotFound", NotFound);
        check("InvalidInstanceID.NotFound", NotFound);
        check("IncorrectInstanceState", Transient);
        check("InvalidVpcPeeringConnectionID.Malformed", Invalid);
        check("SomethingLimitExceeded", Quota);
        check("InsufficientUnicornCapacity", Capacity);
        check("InvalidUnicorn", Invalid);
        check("NeverHeardOf", Invalid);
    }

    #[test]
    fn without_a_code_the_status_speaks() {
        let check = |status, expect| assert_eq!(meaning(None, status).0, expect, "{status}");
        check(400, Invalid);
        check(401, Unauthenticated);
        check(403, Forbidden);
        check(404, NotFound);
        check(429, Throttled);
        check(500, Transient);
        check(503, Transient);
    }
}
