//! Azure's codes, and what they mean here.
//!
//! One code may mean two things: `OperationNotAllowed` is a quota where the sentence speaks of one, and
//! else something that is in the way; a 429 is throttling whatever its code says, but for those that
//! say that something else is at work.

use strat_model::{ErrorKind, Scope};

use ErrorKind::{
    AlreadyExists, Capacity, Conflict, Forbidden, Internal, Invalid, NotFound, Precondition, Quota,
    Throttled, Timeout, Transient, Unauthenticated, Unsupported,
};

/// A code, what it means, how far it reaches, and Microsoft's page on it. No page has some codes of
/// Microsoft.Network and of what stands before the resource manager: then it is the page on what the call
/// is about, and the code was seen as in
/// <https://github.com/hashicorp/terraform-provider-azurerm/issues/8105> (`NicInUse`),
/// <https://github.com/hashicorp/terraform-provider-azurerm/issues/2566> (`PublicIPAddressCannotBeDeleted`),
/// <https://github.com/MicrosoftDocs/azure-docs/pull/123869> (`NetcfgSubnet…`),
/// <https://github.com/hashicorp/terraform-provider-azurerm/issues/11525> (`NetcfgInvalidSubnet`),
/// <https://github.com/cloudfoundry/bosh-azure-cpi-release/issues/179> (`RetryableError`),
/// <https://github.com/coreos/tectonic-installer/issues/1454> (`StaticPublicIPCountLimitReached`) and
/// <https://github.com/kubernetes-sigs/cloud-provider-azure/issues/9729> (`PreconditionFailedEtagMismatch`).
type Row = (&'static str, ErrorKind, Scope, &'static str);

const ALLOCATION: &str =
    "https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/allocation-failure";
const SKU: &str = "https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-sku-not-available";
const QUOTAS: &str =
    "https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-resource-quota";
const RATES: &str = "https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling";
const COMMON: &str = "https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors";
const COMPUTE: &str =
    "https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/error-messages";
const ETAGS: &str =
    "https://learn.microsoft.com/rest/api/compute/virtual-machines/create-or-update";
const REGISTER: &str = "https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-register-resource-provider";
const POLICY: &str = "https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-policy-requestdisallowedbypolicy";
const LOCKS: &str =
    "https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources";
const ACCESS: &str = "https://learn.microsoft.com/azure/role-based-access-control/troubleshooting";
const DISABLED: &str =
    "https://learn.microsoft.com/azure/cost-management-billing/manage/subscription-disabled";
const TOKENS: &str = "https://learn.microsoft.com/entra/identity-platform/reference-error-codes";
const NETWORK: &str = "https://learn.microsoft.com/azure/virtual-network/virtual-network-troubleshoot-cannot-delete-vnet";
const ADDRESSES: &str = "https://learn.microsoft.com/azure/virtual-network/ip-services/virtual-network-public-ip-address";
const INTERFACES: &str =
    "https://learn.microsoft.com/azure/virtual-network/virtual-network-network-interface";
const SUBNETS: &str =
    "https://learn.microsoft.com/azure/virtual-network/virtual-network-manage-subnet";
const OPERATIONS: &str =
    "https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations";
const RULES: &str =
    "https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview";
const STORAGE: &str =
    "https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes";
const ACCOUNTS: &str = "https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-storage-account-name";
const TERMS: &str = "https://learn.microsoft.com/azure/virtual-machines/linux/cli-ps-findimage";

/// One row a code. What is not here falls to [`by_status`].
#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    // None left of this size in this zone or region: another size or zone may have some.
    ("SkuNotAvailable",                              Capacity, Scope::Offer, SKU),
    ("AllocationFailed",                             Capacity, Scope::Offer, ALLOCATION),
    ("ZonalAllocationFailed",                        Capacity, Scope::Offer, ALLOCATION),
    ("OverconstrainedAllocationRequest",             Capacity, Scope::Offer, ALLOCATION),
    ("OverconstrainedZonalAllocationRequest",        Capacity, Scope::Offer, ALLOCATION),
    ("SubnetIsFull",                                 Capacity, Scope::Subnet, COMMON),

    // The subscription may not have more, however much there is.
    ("QuotaExceeded",                                Quota, Scope::Region, QUOTAS),
    ("ResourceQuotaExceeded",                        Quota, Scope::Region, QUOTAS),
    ("PublicIPCountLimitReached",                    Quota, Scope::Region, QUOTAS),
    ("StaticPublicIPCountLimitReached",              Quota, Scope::Region, QUOTAS),
    ("NetworkInterfaceCountLimitReached",            Quota, Scope::Region, QUOTAS),
    ("SubscriptionQuotaExceeded",                    Quota, Scope::Region, QUOTAS),
    ("StorageAccountCountLimitExceeded",             Quota, Scope::Region, QUOTAS),

    // Too fast.
    ("TooManyRequests",                              Throttled, Scope::Account, RATES),
    ("SubscriptionRequestsThrottled",                Throttled, Scope::Account, RATES),
    ("ResourceCollectionRequestsThrottled",          Throttled, Scope::Account, RATES),
    ("ServerBusy",                                   Throttled, Scope::Region, STORAGE),

    // Who we are.
    ("AuthenticationFailed",                         Unauthenticated, Scope::Account, TOKENS),
    ("ExpiredAuthenticationToken",                   Unauthenticated, Scope::Account, TOKENS),
    ("InvalidAuthenticationToken",                   Unauthenticated, Scope::Account, TOKENS),
    ("InvalidAuthenticationTokenTenant",             Unauthenticated, Scope::Account, TOKENS),
    ("InvalidAuthenticationTokenAudience",           Unauthenticated, Scope::Account, TOKENS),
    ("InvalidAuthenticationInfo",                    Unauthenticated, Scope::Account, TOKENS),
    ("SubscriptionNotFound",                         Unauthenticated, Scope::Account, ACCESS),

    // What we may, and what the subscription may.
    ("AuthorizationFailed",                          Forbidden, Scope::Account, ACCESS),
    ("LinkedAuthorizationFailed",                    Forbidden, Scope::Account, ACCESS),
    ("AuthorizationPermissionMismatch",              Forbidden, Scope::Account, STORAGE),
    ("AuthorizationFailure",                         Forbidden, Scope::Account, STORAGE),
    ("ReadOnlyDisabledSubscription",                 Forbidden, Scope::Account, DISABLED),
    ("DisabledSubscription",                         Forbidden, Scope::Account, DISABLED),
    ("MissingSubscriptionRegistration",              Forbidden, Scope::Account, REGISTER),
    ("RequestDisallowedByPolicy",                    Forbidden, Scope::Call, POLICY),
    ("RequestDisallowedByAzure",                     Forbidden, Scope::Region, POLICY),
    ("ScopeLocked",                                  Forbidden, Scope::Call, LOCKS),
    ("MarketplacePurchaseEligibilityFailed",         Forbidden, Scope::Call, TERMS),
    ("ResourcePurchaseValidationFailed",             Forbidden, Scope::Call, TERMS),

    // Conditions that were not met: somebody wrote in between.
    ("PreconditionFailed",                           Precondition, Scope::Call, COMPUTE),
    ("PreconditionFailedEtagMismatch",               Precondition, Scope::Call, ETAGS),
    ("ConditionNotMet",                              Precondition, Scope::Call, STORAGE),
    ("BlobAlreadyExists",                            Precondition, Scope::Call, STORAGE),
    ("TargetConditionNotMet",                        Precondition, Scope::Call, STORAGE),

    // In the way now.
    ("Conflict",                                     Conflict, Scope::Call, COMMON),
    ("InUse",                                        Conflict, Scope::Call, NETWORK),
    ("ResourceGroupBeingDeleted",                    Conflict, Scope::Call, COMMON),
    ("AttachDiskWhileBeingDetached",                 Conflict, Scope::Call, COMPUTE),
    ("DiskServiceInternalError",                     Transient, Scope::Call, COMPUTE),
    ("ResourceInUse",                                Conflict, Scope::Call, COMMON),
    ("InUseSubnetCannotBeDeleted",                   Conflict, Scope::Call, NETWORK),
    ("InUseSubnetCannotBeUpdated",                   Conflict, Scope::Call, NETWORK),
    ("InUseNetworkSecurityGroupCannotBeDeleted",     Conflict, Scope::Call, RULES),
    ("PublicIPAddressCannotBeDeleted",               Conflict, Scope::Call, ADDRESSES),
    ("PublicIPAddressInUse",                         Conflict, Scope::Call, ADDRESSES),
    ("NicInUse",                                     Conflict, Scope::Call, INTERFACES),
    ("NetcfgSubnetRangesOverlap",                    Conflict, Scope::Call, SUBNETS),
    ("SecurityRuleConflict",                         Conflict, Scope::Call, RULES),
    ("ContainerBeingDeleted",                        Conflict, Scope::Call, STORAGE),
    ("SnapshotsPresent",                             Conflict, Scope::Call, STORAGE),
    ("BlobImmutableDueToPolicy",                     Conflict, Scope::Call, STORAGE),
    ("LeaseIdMissing",                               Conflict, Scope::Call, STORAGE),

    // Something of Azure's own is at work on it, and the same call passes later.
    ("AnotherOperationInProgress",                   Transient, Scope::Call, COMMON),
    ("RetryableError",                               Transient, Scope::Call, OPERATIONS),
    ("AccountBeingCreated",                          Transient, Scope::Call, STORAGE),
    ("AccountIsBeingCreated",                        Transient, Scope::Call, STORAGE),
    ("OperationPreempted",                           Conflict, Scope::Call, COMPUTE),

    // There, and not there.
    ("StorageAccountAlreadyTaken",                   AlreadyExists, Scope::Call, ACCOUNTS),
    ("StorageAccountInAnotherResourceGroup",         AlreadyExists, Scope::Call, ACCOUNTS),
    ("ConflictingUserInput",                         Conflict, Scope::Call, COMPUTE),
    ("StorageAccountAlreadyExists",                  AlreadyExists, Scope::Call, ACCOUNTS),
    ("ContainerAlreadyExists",                       AlreadyExists, Scope::Call, STORAGE),
    ("ResourceNotFound",                             NotFound, Scope::Call, COMMON),
    ("ResourceGroupNotFound",                        NotFound, Scope::Call, COMMON),
    ("NotFound",                                     NotFound, Scope::Call, COMMON),
    ("ParentResourceNotFound",                       NotFound, Scope::Call, COMMON),
    ("PlatformImageNotFound",                        NotFound, Scope::Call, COMPUTE),
    ("ImageNotFound",                                NotFound, Scope::Call, COMPUTE),
    ("ArtifactNotFound",                             NotFound, Scope::Call, COMPUTE),
    ("BlobNotFound",                                 NotFound, Scope::Call, STORAGE),
    ("ContainerNotFound",                            NotFound, Scope::Call, STORAGE),

    // Never so.
    ("InvalidParameter",                             Invalid, Scope::Call, COMPUTE),
    ("InvalidRequestContent",                        Invalid, Scope::Call, COMMON),
    ("InvalidResourceReference",                     Invalid, Scope::Call, COMMON),
    ("InvalidTemplate",                              Invalid, Scope::Call, COMMON),
    ("BadRequest",                                   Invalid, Scope::Call, COMMON),
    ("PropertyChangeNotAllowed",                     Invalid, Scope::Call, COMPUTE),
    ("NetcfgSubnetRangeOutsideVnet",                 Invalid, Scope::Call, SUBNETS),
    ("NetcfgInvalidSubnet",                          Invalid, Scope::Call, SUBNETS),
    ("ResizeDiskError",                              Invalid, Scope::Call, COMPUTE),
    ("LocationNotAvailableForResourceType",          Invalid, Scope::Region, COMMON),
    ("NoRegisteredProviderFound",                    Unsupported, Scope::Region, COMMON),
    ("ResourceTypeNotSupported",                     Unsupported, Scope::Region, COMMON),

    // Azure's own trouble.
    ("InternalServerError",                          Transient, Scope::Call, COMMON),
    ("InternalExecutionError",                       Transient, Scope::Call, COMPUTE),
    ("VMStartTimedOut",                              Transient, Scope::Call, COMPUTE),
    ("OSProvisioningTimedOut",                       Conflict, Scope::Call, COMPUTE),
    ("ServiceUnavailable",                           Transient, Scope::Region, OPERATIONS),
    ("GatewayTimeout",                               Timeout, Scope::Call, OPERATIONS),
    ("OperationTimedOut",                            Timeout, Scope::Call, STORAGE),
];

/// The meaning of a status without a code that is known.
///
/// <https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations>
const fn by_status(status: u16) -> (ErrorKind, Scope) {
    match status {
        401 => (Unauthenticated, Scope::Account),
        403 => (Forbidden, Scope::Account),
        404 | 410 => (NotFound, Scope::Call),
        408 => (Timeout, Scope::Call),
        409 => (Conflict, Scope::Call),
        412 => (Precondition, Scope::Call),
        429 => (Throttled, Scope::Account),
        501 => (Unsupported, Scope::Call),
        500 | 502..=599 => (Transient, Scope::Region),
        400..=499 => (Invalid, Scope::Call),
        _ => (Internal, Scope::Call),
    }
}

/// What a code, a sentence and a status mean. A status of 0 is that of an operation, which has none.
pub(super) fn meaning(code: Option<&str>, message: &str, status: u16) -> (ErrorKind, Scope) {
    let row = code.and_then(|code| {
        let mut rows = TABLE.iter();
        rows.find(|(known, ..)| known.eq_ignore_ascii_case(code))
    });
    let is_quota = message.to_ascii_lowercase().contains("quota");
    match (code, row, status) {
        (_, Some((_, kind @ Transient, scope, _)), 429) => (*kind, *scope),
        (_, _, 429) => (Throttled, Scope::Account),
        // The quota of a family leaves the other families; that of the region leaves none.
        (Some("OperationNotAllowed" | "QuotaExceeded"), ..) if is_quota => {
            // "… exceeding approved Total Regional Cores quota", "… exceeding quota limits of Core".
            let all = message.contains("Region") || message.contains("quota limits of Core.");
            (Quota, if all { Scope::Region } else { Scope::Offer })
        }
        (Some("OperationNotAllowed"), ..) => (Conflict, Scope::Call),
        (_, Some((_, kind, scope, _)), _) => (*kind, *scope),
        // "Application Security Group web cannot be deleted because it is referenced by …": nobody tells
        // its code. https://github.com/Azure/azure-cli/issues/12591
        (_, None, _) if message.contains("cannot be deleted because") => (Conflict, Scope::Call),
        // An operation that failed without a code that is known: what it was about is not as asked for.
        (_, None, 0) => (Conflict, Scope::Call),
        (_, None, status) => by_status(status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_its_page_and_stands_once() {
        for (index, (code, _, _, page)) in TABLE.iter().enumerate() {
            assert!(page.starts_with("https://learn.microsoft.com/"), "{code}");
            let twin = TABLE[..index]
                .iter()
                .find(|row| row.0.eq_ignore_ascii_case(code));
            assert_eq!(twin, None, "{code}");
        }
    }

    #[test]
    fn capacity_quota_rate_and_identity_are_never_confused() {
        let quota = "Operation could not be completed as it results in exceeding approved \
                     standardDSv5Family Cores quota.";
        let regional = "Operation could not be completed as it results in exceeding approved Total \
                        Regional Cores quota.";
        let referenced = "Application Security Group web cannot be deleted because it is referenced by \
                          IpConfiguration(s) ipconfig1.";
        let cores = "Operation results in exceeding quota limits of Core. Maximum allowed: 4, Current \
                     in use: 4, Additional requested: 2.";
        for (code, message, status, kind, scope) in [
            ("SkuNotAvailable", "", 409, Capacity, Scope::Offer),
            ("ZonalAllocationFailed", "", 0, Capacity, Scope::Offer),
            (
                "OverconstrainedZonalAllocationRequest",
                "",
                0,
                Capacity,
                Scope::Offer,
            ),
            ("OperationNotAllowed", quota, 409, Quota, Scope::Offer),
            ("OperationNotAllowed", regional, 409, Quota, Scope::Region),
            ("OperationNotAllowed", cores, 409, Quota, Scope::Region),
            ("QuotaExceeded", "", 409, Quota, Scope::Region),
            (
                "OperationNotAllowed",
                "Disk d is attached to VM v",
                409,
                Conflict,
                Scope::Call,
            ),
            ("OperationNotAllowed", quota, 429, Throttled, Scope::Account),
            ("TooManyRequests", "", 429, Throttled, Scope::Account),
            ("RetryableError", "", 429, Transient, Scope::Call),
            (
                "AnotherOperationInProgress",
                "",
                429,
                Transient,
                Scope::Call,
            ),
            (
                "AnotherOperationInProgress",
                "",
                409,
                Transient,
                Scope::Call,
            ),
            (
                "MissingSubscriptionRegistration",
                "",
                409,
                Forbidden,
                Scope::Account,
            ),
            (
                "ReadOnlyDisabledSubscription",
                "",
                409,
                Forbidden,
                Scope::Account,
            ),
            ("ScopeLocked", "", 409, Forbidden, Scope::Call),
            ("RequestDisallowedByPolicy", "", 403, Forbidden, Scope::Call),
            (
                "ExpiredAuthenticationToken",
                "",
                401,
                Unauthenticated,
                Scope::Account,
            ),
            ("SomethingNew", referenced, 400, Conflict, Scope::Call),
            ("SomethingNew", "", 400, Invalid, Scope::Call),
            ("SomethingNew", "", 429, Throttled, Scope::Account),
            ("SomethingNew", "", 503, Transient, Scope::Region),
        ] {
            assert_eq!(
                meaning(Some(code), message, status),
                (kind, scope),
                "{code} {status}"
            );
        }
    }
}
