//! Google's codes, and what they mean here.
//!
//! Compute Engine says why a call failed in two places: as a `reason` of the answer
//! (`quotaExceeded`), or, once the call was taken, as a `code` of the operation (`QUOTA_EXCEEDED`). They
//! are the same words in two spellings, so one table serves both: the spelling does not count.

use strat_model::{ErrorKind, Scope};

use ErrorKind::{
    AlreadyExists, Capacity, Conflict, Forbidden, Internal, Invalid, NotFound, Precondition, Quota,
    Throttled, Timeout, Transient, Unauthenticated, Unsupported,
};

/// A code, what it means, how far it reaches, and Google's page on it.
type Row = (&'static str, ErrorKind, Scope, &'static str);

const STOCK: &str =
    "https://cloud.google.com/compute/docs/troubleshooting/troubleshooting-resource-availability";
const QUOTAS: &str = "https://cloud.google.com/compute/resource-usage";
const RATES: &str = "https://cloud.google.com/compute/api-quota";
const CREATION: &str =
    "https://cloud.google.com/compute/docs/troubleshooting/troubleshooting-vm-creation";
const ANSWERS: &str = "https://cloud.google.com/compute/docs/api/how-tos/api-requests-responses";
const PRINTS: &str = "https://cloud.google.com/compute/docs/api/how-tos/label-or-tag-fingerprint";
const ENABLE: &str = "https://cloud.google.com/apis/docs/troubleshooting";
const IAM: &str = "https://cloud.google.com/iam/docs/permission-error-messages";
const LOGIN: &str = "https://cloud.google.com/docs/authentication/troubleshoot-adc";
const STORAGE: &str = "https://cloud.google.com/storage/docs/json_api/v1/status-codes";
const ORGANISATION: &str =
    "https://cloud.google.com/resource-manager/docs/organization-policy/overview";
const CANONICAL: &str = "https://cloud.google.com/apis/design/errors#handling_errors";

/// One row a code. What is not here falls to [`by_status`].
#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    // None left in this zone of this type: another zone or type may have some.
    ("ZONE_RESOURCE_POOL_EXHAUSTED",              Capacity, Scope::Offer, STOCK),
    ("ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS", Capacity, Scope::Offer, STOCK),
    ("RESOURCE_POOL_EXHAUSTED",                   Capacity, Scope::Offer, STOCK),
    ("STOCKOUT",                                  Capacity, Scope::Offer, STOCK),
    ("VM_MIN_COUNT_NOT_REACHED",                  Capacity, Scope::Offer, STOCK),
    ("IP_SPACE_EXHAUSTED",                        Capacity, Scope::Subnet, CREATION),
    ("IP_SPACE_EXHAUSTED_WITH_DETAILS",           Capacity, Scope::Subnet, CREATION),

    // The project may not have more, however much there is.
    ("QUOTA_EXCEEDED",                            Quota, Scope::Region, QUOTAS),
    ("LIMIT_EXCEEDED",                            Quota, Scope::Region, QUOTAS),
    ("CONDITION_QUOTA_EXCEEDED",                  Quota, Scope::Region, QUOTAS),

    // Too fast.
    ("rateLimitExceeded",                         Throttled, Scope::Account, RATES),
    ("userRateLimitExceeded",                     Throttled, Scope::Account, RATES),
    ("concurrentLimitExceeded",                   Throttled, Scope::Account, RATES),
    ("RATE_LIMIT_EXCEEDED",                       Throttled, Scope::Account, RATES),
    ("concurrentOperationsQuotaExceeded",         Throttled, Scope::Account, RATES),

    // Who we are.
    ("authError",                                 Unauthenticated, Scope::Account, LOGIN),
    ("required",                                  Invalid, Scope::Call, ANSWERS),
    ("UNAUTHENTICATED",                           Unauthenticated, Scope::Account, LOGIN),
    ("ACCESS_TOKEN_EXPIRED",                      Unauthenticated, Scope::Account, LOGIN),
    ("CREDENTIALS_MISSING",                       Unauthenticated, Scope::Account, LOGIN),

    // What we may, and which services the project has switched on.
    ("SERVICE_DISABLED",                          Forbidden, Scope::Account, ENABLE),
    ("accessNotConfigured",                       Forbidden, Scope::Account, ENABLE),
    ("BILLING_DISABLED",                          Forbidden, Scope::Account, ENABLE),
    ("forbidden",                                 Forbidden, Scope::Account, IAM),
    ("insufficientPermissions",                   Forbidden, Scope::Account, IAM),
    ("IAM_PERMISSION_DENIED",                     Forbidden, Scope::Account, IAM),
    ("PERMISSION_DENIED",                         Forbidden, Scope::Account, IAM),
    ("PERMISSIONS_ERROR",                         Forbidden, Scope::Account, IAM),
    ("CONDITION_NOT_MET_ORG_POLICY",              Forbidden, Scope::Call, ORGANISATION),

    // Conditions that were not met: somebody wrote in between.
    ("conditionNotMet",                           Precondition, Scope::Call, PRINTS),
    ("FAILED_PRECONDITION",                       Precondition, Scope::Call, CANONICAL),

    // In the way now.
    ("RESOURCE_IN_USE_BY_ANOTHER_RESOURCE",       Conflict, Scope::Call, ANSWERS),
    ("resourceInUse",                             Conflict, Scope::Call, ANSWERS),
    ("resourceNotStandardTier",                   Invalid, Scope::Call, ANSWERS),
    ("OPERATION_CANCELED_BY_USER",                Conflict, Scope::Call, ANSWERS),
    ("conflict",                                  Conflict, Scope::Call, STORAGE),
    ("invalidResourceState",                      Conflict, Scope::Call, ANSWERS),
    ("ABORTED",                                   Conflict, Scope::Call, CANONICAL),

    // Another change of the same thing is under way, for a moment: Google's provider for Terraform asks
    // again, too (`isSubnetworkUnreadyError`, `is409OperationInProgressError` in error_retry_predicates.go of
    // https://github.com/hashicorp/terraform-provider-google). What is to go is waited for as what is in use.
    ("RESOURCE_NOT_READY",                        Transient, Scope::Call, ANSWERS),
    ("operationInProgress",                       Transient, Scope::Call, ANSWERS),

    // There, and not there.
    ("RESOURCE_ALREADY_EXISTS",                   AlreadyExists, Scope::Call, ANSWERS),
    ("alreadyExists",                             AlreadyExists, Scope::Call, ANSWERS),
    ("duplicate",                                 AlreadyExists, Scope::Call, ANSWERS),
    ("RESOURCE_NOT_FOUND",                        NotFound, Scope::Call, ANSWERS),
    ("notFound",                                  NotFound, Scope::Call, ANSWERS),

    // Never so.
    ("invalid",                                   Invalid, Scope::Call, ANSWERS),
    ("INVALID_USAGE",                             Invalid, Scope::Call, ANSWERS),
    ("INVALID_FIELD_VALUE",                       Invalid, Scope::Call, ANSWERS),
    ("invalidParameter",                          Invalid, Scope::Call, ANSWERS),
    ("INVALID_ARGUMENT",                          Invalid, Scope::Call, CANONICAL),
    ("badRequest",                                Invalid, Scope::Call, ANSWERS),
    ("parseError",                                Invalid, Scope::Call, ANSWERS),
    ("wrongSubnetwork",                           Invalid, Scope::Call, ANSWERS),
    ("NETWORK_RANGE_OVERLAP",                     Invalid, Scope::Call, ANSWERS),
    ("UNSUPPORTED_OPERATION",                     Unsupported, Scope::Call, ANSWERS),
    ("UNIMPLEMENTED",                             Unsupported, Scope::Call, CANONICAL),

    // Google's own trouble.
    ("backendError",                              Transient, Scope::Region, ANSWERS),
    ("INTERNAL_ERROR",                            Transient, Scope::Call, ANSWERS),
    ("INTERNAL",                                  Transient, Scope::Call, CANONICAL),
    ("UNAVAILABLE",                               Transient, Scope::Region, CANONICAL),
    ("DEADLINE_EXCEEDED",                         Timeout, Scope::Call, CANONICAL),
];

/// The meaning of a status without a code that is known.
///
/// <https://cloud.google.com/apis/design/errors#handling_errors>
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

/// Whether a code says that another change of the same thing is under way.
pub(super) fn is_not_ready(code: &str) -> bool {
    let known = ["RESOURCE_NOT_READY", "operationInProgress"];
    known.iter().any(|known| plain(known).eq(plain(code)))
}

/// One spelling for both.
fn plain(code: &str) -> impl Iterator<Item = char> + '_ {
    let letters = code.chars().filter(|c| *c != '_');
    letters.map(|c| c.to_ascii_lowercase())
}

/// What a code and a status mean.
pub(super) fn meaning(code: Option<&str>, status: u16) -> (ErrorKind, Scope) {
    let row = code.and_then(|code| {
        let mut rows = TABLE.iter();
        rows.find(|(known, ..)| plain(known).eq(plain(code)))
    });
    row.map_or_else(|| by_status(status), |(_, kind, scope, _)| (*kind, *scope))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_its_page_and_contradicts_no_other() {
        for (index, (code, kind, scope, page)) in TABLE.iter().enumerate() {
            assert!(page.starts_with("https://cloud.google.com/"), "{code}");
            let same = TABLE[..index]
                .iter()
                .find(|row| plain(row.0).eq(plain(code)));
            assert!(
                same.is_none_or(|row| (row.1, row.2) == (*kind, *scope)),
                "{code}"
            );
        }
    }

    #[test]
    fn capacity_quota_rate_and_identity_are_never_confused() {
        for (code, status, kind) in [
            ("ZONE_RESOURCE_POOL_EXHAUSTED", 503, Capacity),
            ("ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS", 503, Capacity),
            ("QUOTA_EXCEEDED", 403, Quota),
            ("quotaExceeded", 403, Quota),
            ("rateLimitExceeded", 403, Throttled),
            ("RATE_LIMIT_EXCEEDED", 403, Throttled),
            ("SERVICE_DISABLED", 403, Forbidden),
            ("resourceInUseByAnotherResource", 400, Conflict),
            ("RESOURCE_IN_USE_BY_ANOTHER_RESOURCE", 400, Conflict),
            ("resourceNotReady", 400, Transient),
            ("RESOURCE_NOT_READY", 400, Transient),
            ("operationInProgress", 409, Transient),
            ("conditionNotMet", 412, Precondition),
        ] {
            assert_eq!(meaning(Some(code), status).0, kind, "{code}");
        }
        assert_eq!(meaning(Some("somethingNew"), 429).0, Throttled);
        assert_eq!(meaning(None, 503).0, Transient);
        assert_eq!(meaning(None, 403).0, Forbidden);
    }
}
