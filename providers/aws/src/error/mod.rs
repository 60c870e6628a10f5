//! From the SDK's errors to ours.

mod encoded;
mod refusal;
mod table;

use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::operation::RequestId;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use strat_model::{Error, ErrorKind, Kind, ResourceId, Result, Scope};
use strat_provider::Quiet;

pub(crate) use encoded::DECODE;
use encoded::{ENCODED, Encoded};

/// The name of the provider.
pub(crate) const PROVIDER: &str = "aws";

/// Turns the failure of a call into ours. `action` is the call's IAM action, such as
/// `ec2:RunInstances`; a refusal names it.
pub(crate) fn failed<E>(action: &'static str) -> impl FnOnce(SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    move |error| convert(action, &error)
}

fn convert<E>(action: &'static str, error: &SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    let request_id = error.request_id().map(str::to_owned);
    let status = error.raw_response().map_or(0, |r| r.status().as_u16());
    let converted = match error {
        SdkError::ServiceError(context) => {
            let (code, message) = (context.err().code(), context.err().message());
            let (kind, scope) = table::meaning(code, status);
            let said = said(message, status);
            let error = match kind {
                ErrorKind::Forbidden => {
                    let help = refusal::help(action, code.unwrap_or_default(), &said);
                    let error = Error::new(kind, said).with_help(help);
                    match message.and_then(Encoded::of) {
                        Some(encoded) => error.with_source(encoded),
                        None => error,
                    }
                }
                ErrorKind::Unauthenticated => Error::new(kind, format!("{action}: {said}"))
                    .with_help("check which credentials this site uses, and the clock"),
                _ => Error::new(kind, said),
            };
            let error = error.with_scope(scope);
            match code {
                Some(code) => error.with_code(code),
                None => error,
            }
        }
        SdkError::TimeoutError(_) => Error::new(ErrorKind::Timeout, "AWS gave no answer in time"),
        SdkError::ResponseError(_) => Error::new(
            ErrorKind::Transient,
            format!("the answer to {action} could not be read (status {status})"),
        ),
        SdkError::ConstructionFailure(_) => Error::new(
            ErrorKind::Invalid,
            format!("no {action} can be made of this"),
        ),
        SdkError::DispatchFailure(failure) => dispatch(failure, error),
        _ => Error::new(ErrorKind::Internal, "the SDK failed in a new way"),
    };
    let converted = match request_id {
        Some(id) => converted.with_request_id(id),
        None => converted,
    };
    let converted = converted.with_provider(PROVIDER);
    // Of a service's answer, code, message and request id are told already, and what lies underneath
    // repeats them in the SDK's debug form.
    let underneath = match error {
        SdkError::ServiceError(_) => None,
        error => Quiet::causes(error),
    };
    match underneath {
        Some(underneath) => converted.with_source(underneath),
        None => converted,
    }
}

/// A request that got no answer, or was never sent.
fn dispatch(
    failure: &aws_smithy_runtime_api::client::result::DispatchFailure,
    error: &(dyn StdError + 'static),
) -> Error {
    if let Some(why) = credentials(error) {
        let message = format!("there are no credentials for this site: {why}");
        return Error::new(ErrorKind::Unauthenticated, message)
            .with_scope(Scope::Account)
            .with_help("set `profile` in its block, or log in with the AWS tools");
    }
    if failure.is_timeout() {
        return Error::new(ErrorKind::Timeout, "AWS gave no answer in time");
    }
    if let Some(why) = strat_s3::refused_by_proxy(error) {
        return Error::new(ErrorKind::Transient, why)
            .with_scope(Scope::Region)
            .with_help(strat_s3::PROXIES);
    }
    let what = "the connection to AWS failed";
    Error::new(ErrorKind::Transient, what).with_scope(Scope::Region)
}

/// The reason that no credentials were found, if that is what went wrong.
fn credentials(error: &(dyn StdError + 'static)) -> Option<&'static str> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<CredentialsError>() {
            return Some(match error {
                CredentialsError::CredentialsNotLoaded(_) => "the standard chain found none",
                CredentialsError::ProviderTimedOut(_) => "their source gave no answer in time",
                CredentialsError::InvalidConfiguration(_) => {
                    "the AWS configuration files are not as they should be"
                }
                _ => "their source failed",
            });
        }
        next = error.source();
    }
    None
}

fn said(message: Option<&str>, status: u16) -> String {
    let Some(message) = message else {
        return format!("AWS answered with status {status} and no words");
    };
    let message = message.split(ENCODED).next().unwrap_or(message);
    message.trim().trim_end_matches('.').to_owned()
}

/// A failure that is found before anything is called.
pub(crate) fn refuse(kind: ErrorKind, message: impl Into<String>) -> Error {
    Error::new(kind, message).with_provider(PROVIDER)
}

/// What is absent from an answer that always has it.
pub(crate) fn lacking(action: &str, what: &str) -> Error {
    refuse(
        ErrorKind::Internal,
        format!("the answer to {action} has no {what}"),
    )
}

/// What a change of something that is not there fails with.
pub(crate) fn gone(kind: Kind, id: &ResourceId) -> Error {
    refuse(ErrorKind::NotFound, format!("there is no {kind} {id}"))
}

/// A delete of what is not there is done. An id that no thing can have is of nothing that is there.
pub(crate) fn unless_gone(outcome: Result<()>) -> Result<()> {
    match outcome {
        Err(error) if is_gone(&error) => Ok(()),
        outcome => outcome,
    }
}

/// Whether an error says that the thing is not there.
pub(crate) fn is_gone(error: &Error) -> bool {
    let malformed = error
        .code()
        .is_some_and(|code| code.ends_with(".Malformed"));
    error.kind() == ErrorKind::NotFound || malformed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_cut_before_its_encoded_part() {
        let text = "You are not authorized. Encoded authorization failure message: abc";
        assert_eq!(said(Some(text), 403), "You are not authorized");
        assert_eq!(said(None, 500), "AWS answered with status 500 and no words");
    }
}
