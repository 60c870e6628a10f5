//! From Azure's errors to ours.

mod table;

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde::Deserialize;
use strat_model::{Error, ErrorKind, Kind, ResourceId, Scope};
use strat_provider::Quiet;
pub(crate) use strat_provider::if_there;

/// The name of the provider.
pub(crate) const PROVIDER: &str = "azure";

/// The headers with the number of a request, the first that is there.
const REQUEST_IDS: [&str; 2] = ["x-ms-request-id", "x-ms-correlation-request-id"];
/// The header with how many calls of which class are left.
const REMAINING: &str = "x-ms-ratelimit-remaining-resource";

/// What Azure said of a failure, wherever it said it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Said {
    /// The code.
    pub(crate) code: Option<String>,
    /// The sentence.
    pub(crate) message: Option<String>,
    /// What is underneath: a code that says nothing, such as `MultipleErrors`, has the reason here.
    details: Vec<Said>,
}

/// The bodies of answers that are errors: most have an `error`, some are one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Envelope {
    error: Option<Said>,
    code: Option<String>,
    message: Option<String>,
}

/// Codes that say nothing but that there are others.
const HOLLOW: [&str; 5] = [
    "PreconditionFailed",
    "MultipleErrorsOccurred",
    "DeploymentFailed",
    "ResourceDeploymentFailure",
    "ResourceOperationFailure",
];

impl Said {
    /// A code and a sentence.
    pub(crate) fn new(code: &str, message: String) -> Self {
        Self {
            code: Some(code.to_owned()),
            message: Some(message),
            details: Vec::new(),
        }
    }

    /// Reads the body of an answer: JSON, or the XML of the storage's.
    fn read(body: &[u8]) -> Self {
        let json: Option<Envelope> = serde_json::from_slice(body).ok();
        match json {
            Some(Envelope {
                error: Some(said), ..
            }) => said,
            Some(Envelope { code, message, .. }) => Self {
                code,
                message,
                details: Vec::new(),
            },
            None => {
                let text = String::from_utf8_lossy(body);
                Self {
                    code: crate::storage::xml_text(&text, "Code"),
                    message: crate::storage::xml_text(&text, "Message"),
                    details: Vec::new(),
                }
            }
        }
    }

    /// Where the reason is.
    fn reason(&self) -> &Self {
        let hollow = self
            .code
            .as_deref()
            .is_some_and(|code| HOLLOW.contains(&code));
        match self.details.first() {
            Some(first) if hollow => first.reason(),
            _ => self,
        }
    }

    /// The error of it. `action` is the permission that the call needs, such as
    /// `Microsoft.Compute/virtualMachines/write`; a refusal names it. A status of 0 is that of an
    /// operation, which has none.
    pub(crate) fn into_error(self, action: &str, status: u16) -> Error {
        let reason = self.reason();
        let said = reason.message.as_deref().unwrap_or_default();
        let code = reason.code.as_deref();
        let (kind, scope) = table::meaning(code, said, status);
        let message = match sentence(said) {
            "" => format!("Azure answered with status {status} and no words"),
            message => message.to_owned(),
        };
        let error = match kind {
            ErrorKind::Unauthenticated => Error::new(kind, format!("{action}: {message}"))
                .with_help("check which credentials this site uses, its `tenant`, and the clock"),
            _ => Error::new(kind, message),
        };
        let error = match help(code.unwrap_or_default(), kind, said, action) {
            Some(help) => error.with_help(help),
            None => error,
        };
        let error = error.with_scope(scope).with_provider(PROVIDER);
        match code {
            Some(code) => error.with_code(code),
            None => error,
        }
    }
}

/// The first line of what Azure says, without its full stop: requests' numbers and links follow.
fn sentence(said: &str) -> &str {
    let line = said.trim().lines().next().unwrap_or_default();
    line.trim().trim_end_matches('.')
}

/// What to do about a failure.
fn help(code: &str, kind: ErrorKind, said: &str, action: &str) -> Option<String> {
    let quoted = |word: &str| {
        said.split('\'')
            .find(|part| part.contains(word))
            .map(str::to_owned)
    };
    Some(match code {
        "MissingSubscriptionRegistration" => {
            let usual = || action.split('/').next().unwrap_or(action).to_owned();
            let namespace = quoted("Microsoft.").unwrap_or_else(usual);
            format!("register the provider: `az provider register --namespace {namespace} --wait`")
        }
        "ReadOnlyDisabledSubscription" | "DisabledSubscription" => {
            "the subscription is disabled: see to its bill, or its spending limit".to_owned()
        }
        "RequestDisallowedByPolicy" => {
            "a policy of the subscription forbids it: ask whoever assigned it for an exemption"
                .to_owned()
        }
        "ScopeLocked" => "take the lock off with `az lock delete`, or let the thing be".to_owned(),
        "MarketplacePurchaseEligibilityFailed" | "ResourcePurchaseValidationFailed" => {
            "accept the image's terms once: `az vm image terms accept --urn PUBLISHER:OFFER:SKU:latest`"
                .to_owned()
        }
        "SkuNotAvailable" => {
            "the size is sold out or not open to the subscription there: `az vm list-skus` tells which"
                .to_owned()
        }
        _ if kind == ErrorKind::Quota => {
            "ask Microsoft for more of it under \"Quotas\" of the subscription, or place it elsewhere"
                .to_owned()
        }
        _ if kind == ErrorKind::Forbidden => {
            // "… does not have authorization to perform action 'Microsoft.Compute/disks/write' over …":
            // it may be another than that of the call, such as that of a subnet which a machine joins.
            let named = quoted("Microsoft.").filter(|part| part.matches('/').count() >= 2);
            let named = named.filter(|part| !part.starts_with('/'));
            format!("allow `{}` in a role of this identity", named.as_deref().unwrap_or(action))
        }
        _ => return None,
    })
}

/// Turns an answer that is no success into an error.
pub(crate) fn of_answer(action: &str, status: u16, headers: &HeaderMap, body: &[u8]) -> Error {
    let mut said = Said::read(body);
    let of_header = || {
        headers
            .get("x-ms-error-code")?
            .to_str()
            .ok()
            .map(str::to_owned)
    };
    said.code = said.code.or_else(of_header);
    with_headers(said.into_error(action, status), headers)
}

/// What the headers of an answer add to its error.
pub(crate) fn with_headers(mut error: Error, headers: &HeaderMap) -> Error {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(id) = REQUEST_IDS.iter().find_map(|name| text(name)) {
        error = error.with_request_id(id);
    }
    if let Some(wait) = retry_after(headers) {
        error = error.with_retry_after(wait);
    }
    match text(REMAINING) {
        Some(left) if error.kind() == ErrorKind::Throttled => {
            error.with_help(format!("calls that are left by class: {left}"))
        }
        _ => error,
    }
}

/// How long an answer asks to wait.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(reqwest::header::RETRY_AFTER)?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

/// Turns the failure to get an answer into an error.
pub(crate) fn unanswered(error: &reqwest::Error) -> Error {
    let converted = if error.is_timeout() {
        refuse(ErrorKind::Timeout, "Azure gave no answer in time")
    } else if error.is_builder() {
        refuse(ErrorKind::Invalid, "no call can be made of this")
    } else {
        refuse(ErrorKind::Transient, "the connection to Azure failed").with_scope(Scope::Region)
    };
    converted.with_source(Quiet::of(error))
}

/// A failure that is found before anything is called.
pub(crate) fn refuse(kind: ErrorKind, message: impl Into<String>) -> Error {
    Error::new(kind, message).with_provider(PROVIDER)
}

/// What is absent from an answer that always has it.
pub(crate) fn lacking(action: &str, what: &str) -> Error {
    let message = format!("the answer to the call for {action} has no {what}");
    refuse(ErrorKind::Internal, message)
}

/// What a change of something that is not there fails with.
pub(crate) fn gone(kind: Kind, id: &ResourceId) -> Error {
    refuse(ErrorKind::NotFound, format!("there is no {kind} {id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u16, body: &str) -> Error {
        let action = "Microsoft.Compute/virtualMachines/write";
        of_answer(action, status, &HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn a_refusal_names_the_permission_and_the_provider_that_is_not_registered() {
        let body = r#"{"error":{"code":"AuthorizationFailed","message":"The client 'x' with object id 'y' does not have authorization to perform action 'Microsoft.Network/virtualNetworks/subnets/join/action' over scope '/subscriptions/s/resourceGroups/g' or the scope is invalid."}}"#;
        let refused = error(403, body);
        assert_eq!(refused.kind(), ErrorKind::Forbidden);
        let help = refused.help().expect("help");
        assert!(
            help.contains("`Microsoft.Network/virtualNetworks/subnets/join/action`"),
            "{help}"
        );
        let body = r#"{"error":{"code":"MissingSubscriptionRegistration","message":"The subscription is not registered to use namespace 'Microsoft.Storage'. See https://aka.ms/rps-not-found"}}"#;
        let help = error(409, body).help().expect("help").to_owned();
        assert!(
            help.contains("az provider register --namespace Microsoft.Storage"),
            "{help}"
        );
    }

    #[test]
    fn answers_are_read_in_every_form() {
        let plain = error(
            409,
            r#"{"code":"ZonalAllocationFailed","message":"No room.\r\nMore"}"#,
        );
        assert_eq!(
            (plain.kind(), plain.message()),
            (ErrorKind::Capacity, "No room")
        );
        let body = r#"{"error":{"code":"DeploymentFailed","message":"At least one failed","details":[{"code":"QuotaExceeded","message":"Too many"}]}}"#;
        assert_eq!(error(400, body).kind(), ErrorKind::Quota);
        let body = r#"{"error":{"code":"PreconditionFailed","message":"Precondition failed.","details":[{"code":"PreconditionFailedEtagMismatch","message":"Etag provided in if-match header W/\"1\" does not match etag W/\"2\" of resource /subscriptions/s in NRP data store."}]}}"#;
        let stale = error(412, body);
        assert_eq!(stale.kind(), ErrorKind::Precondition);
        assert!(
            stale.message().contains("does not match etag W/"),
            "{stale}"
        );
        let xml = "\u{feff}<?xml version=\"1.0\"?><Error><Code>ConditionNotMet</Code><Message>The condition.</Message></Error>";
        let blob = error(412, xml);
        assert_eq!(
            (blob.kind(), blob.code()),
            (ErrorKind::Precondition, Some("ConditionNotMet"))
        );
        assert_eq!(error(503, "<html>").kind(), ErrorKind::Transient);
    }

    #[test]
    fn headers_say_who_asked_and_how_long_to_wait() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-ms-request-id", "r-1"),
            ("retry-after", "17"),
            (REMAINING, "Microsoft.Compute/PutVM3Min;0"),
        ] {
            headers.insert(name, value.parse().expect("a value"));
        }
        let error = of_answer("a", 429, &headers, b"");
        assert_eq!(
            (error.kind(), error.request_id()),
            (ErrorKind::Throttled, Some("r-1"))
        );
        assert_eq!(error.retry_after(), Some(Duration::from_secs(17)));
        assert!(error.help().expect("help").contains("PutVM3Min;0"));
    }
}
