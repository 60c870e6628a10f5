//! From Google's errors to ours.

mod table;

use std::time::Duration;

use google_cloud_compute_v1::model::Operation;
use google_cloud_compute_v1::model::operation::error::Errors;
use google_cloud_gax::error::Error as SdkError;
use google_cloud_gax::error::rpc::StatusDetails;
use serde::Deserialize;
use strat_model::{Error, ErrorKind, Kind, ResourceId, Scope};
use strat_provider::Quiet;
pub(crate) use strat_provider::if_there;

/// The name of the provider.
pub(crate) const PROVIDER: &str = "gcp";

/// What Google said of a failure, wherever it said it.
#[derive(Debug, Default)]
struct Said<'a> {
    /// The status of the answer; 0 where there is none.
    status: u16,
    /// The reason or code.
    code: Option<&'a str>,
    /// The sentence.
    message: &'a str,
    /// The service that is switched off, if that is it.
    service: Option<&'a str>,
}

/// Turns the failure of a call into ours. `action` is the permission that the call needs, such as
/// `compute.instances.create`; a refusal names it.
pub(crate) fn failed(action: &'static str) -> impl FnOnce(SdkError) -> Error {
    move |error| convert(action, &error)
}

fn convert(action: &'static str, error: &SdkError) -> Error {
    if error.is_authentication() {
        return no_credentials().with_source(Quiet::of(error));
    }
    let status = error.http_status_code().unwrap_or_default();
    if let Some(told) = error.status() {
        let info = told.details.iter().find_map(|detail| match detail {
            StatusDetails::ErrorInfo(info) => Some(info),
            _ => None,
        });
        let reason = info.map(|info| info.reason.as_str());
        let name = told.code.name();
        let said = Said {
            status,
            code: reason
                .filter(|reason| !reason.is_empty())
                .or(Some(name).filter(|name| *name != "UNKNOWN")),
            message: &told.message,
            service: info
                .and_then(|info| info.metadata.get("service"))
                .map(String::as_str),
        };
        return with_wait(of_answer(action, &said), error.http_headers());
    }
    if status != 0 {
        let said = Said {
            status,
            ..Said::default()
        };
        return with_wait(of_answer(action, &said), error.http_headers());
    }
    let error_of = |kind, message: &str| Error::new(kind, message).with_provider(PROVIDER);
    let converted = if error.is_timeout() || error.is_exhausted() {
        error_of(ErrorKind::Timeout, "Google gave no answer in time")
    } else if error.is_serialization() || error.is_binding() {
        error_of(
            ErrorKind::Invalid,
            &format!("no call for {action} can be made of this"),
        )
    } else if error.is_deserialization() {
        let why = Quiet::of(error);
        error_of(
            ErrorKind::Transient,
            &format!("the answer to the call for {action} could not be read: {why}"),
        )
    } else {
        error_of(ErrorKind::Transient, "the connection to Google failed").with_scope(Scope::Region)
    };
    converted.with_source(Quiet::of(error))
}

/// No credentials were found, or they are not taken any more.
pub(crate) fn no_credentials() -> Error {
    refuse(
        ErrorKind::Unauthenticated,
        "there are no credentials for this site",
    )
    .with_scope(Scope::Account)
    .with_help(
        "set `credentials` in its block, or log in with `gcloud auth application-default login`",
    )
}

fn with_wait(error: Error, headers: Option<&reqwest::header::HeaderMap>) -> Error {
    let wait = headers.and_then(|headers| headers.get(reqwest::header::RETRY_AFTER));
    let seconds = wait.and_then(|wait| wait.to_str().ok()?.parse().ok());
    match seconds {
        Some(seconds) => error.with_retry_after(Duration::from_secs(seconds)),
        None => error,
    }
}

fn of_answer(action: &str, said: &Said<'_>) -> Error {
    let (mut kind, scope) = table::meaning(said.code, said.status);
    // An account that is at its limit and a name that is taken have plain codes of their own; what is
    // left is told by the sentence alone.
    if kind == ErrorKind::Invalid && said.message.contains("already exists") {
        kind = ErrorKind::AlreadyExists;
    }
    // A call is repeated for seconds; what is to go is waited for minutes, as where something uses it.
    if action.ends_with(".delete") && said.code.is_some_and(table::is_not_ready) {
        kind = ErrorKind::Conflict;
    }
    let message = match said.message.trim().trim_end_matches('.') {
        "" => format!("Google answered with status {} and no words", said.status),
        message => message.to_owned(),
    };
    let error = match kind {
        ErrorKind::Forbidden => Error::new(kind, &message).with_help(how_to_permit(action, said)),
        ErrorKind::Unauthenticated => Error::new(kind, format!("{action}: {message}"))
            .with_help("check which credentials this site uses, and the clock"),
        _ => Error::new(kind, message),
    };
    let error = error.with_scope(scope).with_provider(PROVIDER);
    match said.code {
        Some(code) => error.with_code(code),
        None => error,
    }
}

/// What to do about a refusal: switch the service on, or give the permission.
fn how_to_permit(action: &str, said: &Said<'_>) -> String {
    let code = said.code.unwrap_or_default();
    if matches!(code, "SERVICE_DISABLED" | "accessNotConfigured") {
        let usual = match action.split('.').next() {
            Some("storage") => "storage.googleapis.com",
            Some("resourcemanager") => "cloudresourcemanager.googleapis.com",
            _ => "compute.googleapis.com",
        };
        let service = said.service.unwrap_or(usual);
        return format!("switch the API on: `gcloud services enable {service}`");
    }
    if code == "BILLING_DISABLED" {
        return "link a billing account to the project".to_owned();
    }
    // "Required 'compute.disks.create' permission for 'projects/…'": it may be another than that of
    // the call, such as that of a network which a machine uses.
    let named = said.message.split('\'').find(|word| is_permission(word));
    format!(
        "allow `{}` in a role of this identity",
        named.unwrap_or(action)
    )
}

fn is_permission(word: &str) -> bool {
    let letters = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric());
    word.split('.').count() == 3 && word.split('.').all(letters)
}

/// What a finished operation failed with, if it did.
pub(crate) fn of_operation(action: &'static str, operation: &Operation) -> Option<Error> {
    let status = operation.http_error_status_code.unwrap_or_default();
    let status = u16::try_from(status).unwrap_or_default();
    let first = operation
        .error
        .as_ref()
        .and_then(|error| error.errors.first());
    if first.is_none() && status == 0 && operation.http_error_message.is_none() {
        return None;
    }
    let said = Said {
        status,
        code: first.and_then(|first| first.code.as_deref()),
        message: first
            .and_then(|first| first.message.as_deref())
            .or(operation.http_error_message.as_deref())
            .unwrap_or_default(),
        service: None,
    };
    let error = of_answer(action, &said);
    let error = match first.and_then(quota) {
        Some(which) if error.kind() == ErrorKind::Quota => error.with_help(which),
        _ => error,
    };
    Some(match &operation.name {
        Some(name) => error.with_request_id(name),
        None => error,
    })
}

/// Which limit it is, and how much it is.
fn quota(error: &Errors) -> Option<String> {
    let mut details = error.error_details.iter();
    let info = details.find_map(|detail| detail.quota_info.as_ref())?;
    let metric = info.metric_name.as_deref()?;
    let limit = info.limit.unwrap_or_default();
    let place = info
        .dimensions
        .get("region")
        .map(|region| format!(" in {region}"));
    Some(format!(
        "ask Google for more of `{metric}`{}, of which the project may have {limit}, or place it elsewhere",
        place.unwrap_or_default()
    ))
}

/// An answer of the JSON APIs that the SDK has no client for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct JsonAnswer {
    error: JsonError,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct JsonError {
    message: String,
    status: Option<String>,
    errors: Vec<JsonReason>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct JsonReason {
    reason: String,
}

/// Turns the answer of such an API into an error.
pub(crate) fn of_json(
    action: &'static str,
    status: u16,
    headers: &reqwest::header::HeaderMap,
    body: &[u8],
) -> Error {
    let answer: JsonAnswer = serde_json::from_slice(body).unwrap_or_default();
    let reason = answer.error.errors.first().map(|one| one.reason.as_str());
    let said = Said {
        status,
        code: reason
            .filter(|reason| !reason.is_empty())
            .or(answer.error.status.as_deref()),
        message: &answer.error.message,
        service: None,
    };
    with_wait(of_answer(action, &said), Some(headers))
}

/// Turns the failure to get such an answer into one.
pub(crate) fn unanswered(error: &reqwest::Error) -> Error {
    let converted = if error.is_timeout() {
        refuse(ErrorKind::Timeout, "Google gave no answer in time")
    } else {
        refuse(ErrorKind::Transient, "the connection to Google failed").with_scope(Scope::Region)
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
    use google_cloud_compute_v1::model::operation::Error as OperationError;

    use super::*;

    fn operation(code: &str, message: &str) -> Operation {
        let one = Errors::new().set_code(code).set_message(message);
        Operation::new().set_error(OperationError::new().set_errors([one]))
    }

    #[test]
    fn an_operation_that_is_done_may_have_failed() {
        assert!(of_operation("compute.instances.create", &Operation::new()).is_none());
        let failed = operation("ZONE_RESOURCE_POOL_EXHAUSTED", "The zone has no resources.");
        let error = of_operation("compute.instances.create", &failed).expect("it failed");
        assert_eq!(
            (error.kind(), error.scope()),
            (ErrorKind::Capacity, Scope::Offer)
        );
        assert_eq!(error.message(), "The zone has no resources");
        assert_eq!(error.code(), Some("ZONE_RESOURCE_POOL_EXHAUSTED"));
    }

    #[test]
    fn what_is_not_ready_is_asked_again_and_what_is_to_go_is_waited_for() {
        let kind = |action| {
            let failed = operation("RESOURCE_NOT_READY", "The resource is not ready");
            of_operation(action, &failed).expect("it failed").kind()
        };
        assert_eq!(kind("compute.subnetworks.create"), ErrorKind::Transient);
        assert_eq!(kind("compute.instances.attachDisk"), ErrorKind::Transient);
        assert_eq!(kind("compute.subnetworks.delete"), ErrorKind::Conflict);
    }

    #[test]
    fn a_refusal_names_the_permission_and_a_service_that_is_off() {
        let help = |code, message| {
            let said = Said {
                status: 403,
                code: Some(code),
                message,
                service: None,
            };
            let error = of_answer("compute.instances.create", &said);
            assert_eq!(error.kind(), ErrorKind::Forbidden);
            error.help().expect("help").to_owned()
        };
        let said = "Required 'compute.subnetworks.use' permission for 'projects/p/regions/r/s'";
        assert!(help("forbidden", said).contains("`compute.subnetworks.use`"));
        assert!(help("forbidden", "No").contains("`compute.instances.create`"));
        assert!(
            help("SERVICE_DISABLED", "").contains("gcloud services enable compute.googleapis.com")
        );
    }

    #[test]
    fn answers_of_the_json_apis_are_read_by_the_same_table() {
        let body = br#"{"error":{"code":412,"message":"At least one of the pre-conditions you specified did not hold.","errors":[{"reason":"conditionNotMet"}]}}"#;
        let error = of_json("storage.objects.create", 412, &Default::default(), body);
        assert_eq!(error.kind(), ErrorKind::Precondition);
        let error = of_json(
            "storage.objects.create",
            503,
            &Default::default(),
            b"<html>",
        );
        assert_eq!(error.kind(), ErrorKind::Transient);
    }
}
