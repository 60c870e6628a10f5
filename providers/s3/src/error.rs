//! What an S3's errors mean.

use std::error::Error as StdError;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;
use strat_model::{Error, ErrorKind};
use strat_provider::Quiet;

use crate::transport::{PROXIES, refused_by_proxy};

/// The codes, and what they mean. What is not here is told by the answer's status.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
const TABLE: &[(&str, ErrorKind)] = &[
    ("AccessDenied", ErrorKind::Forbidden),
    ("BucketAlreadyExists", ErrorKind::AlreadyExists),
    ("BucketAlreadyOwnedByYou", ErrorKind::AlreadyExists),
    ("BucketNotEmpty", ErrorKind::Conflict),
    ("ConditionalRequestConflict", ErrorKind::Precondition),
    ("ExpiredToken", ErrorKind::Unauthenticated),
    ("InternalError", ErrorKind::Transient),
    ("InvalidAccessKeyId", ErrorKind::Unauthenticated),
    ("InvalidBucketName", ErrorKind::Invalid),
    ("InvalidTag", ErrorKind::Invalid),
    ("InvalidToken", ErrorKind::Unauthenticated),
    ("MalformedXML", ErrorKind::Invalid),
    ("MethodNotAllowed", ErrorKind::Unsupported),
    ("NoSuchBucket", ErrorKind::NotFound),
    ("NoSuchKey", ErrorKind::NotFound),
    ("NotImplemented", ErrorKind::Unsupported),
    ("OperationAborted", ErrorKind::Conflict),
    ("PreconditionFailed", ErrorKind::Precondition),
    ("RequestTimeout", ErrorKind::Transient),
    ("RequestTimeTooSkewed", ErrorKind::Unauthenticated),
    ("ServiceUnavailable", ErrorKind::Transient),
    ("SignatureDoesNotMatch", ErrorKind::Unauthenticated),
    ("SlowDown", ErrorKind::Throttled),
    ("TooManyBuckets", ErrorKind::Quota),
];

/// What a code means, or where it is unknown, the answer's status.
fn meaning(code: Option<&str>, status: u16) -> ErrorKind {
    let row = TABLE.iter().find(|(known, _)| Some(*known) == code);
    match (row, status) {
        (Some((_, kind)), _) => *kind,
        (None, 401) => ErrorKind::Unauthenticated,
        (None, 403) => ErrorKind::Forbidden,
        (None, 404) => ErrorKind::NotFound,
        (None, 409) => ErrorKind::Conflict,
        (None, 429) => ErrorKind::Throttled,
        (None, 501) => ErrorKind::Unsupported,
        (None, 500..) => ErrorKind::Transient,
        (None, _) => ErrorKind::Invalid,
    }
}

/// Turns the failure of a call into ours. `call` is the operation's name, as in `s3:CreateBucket`.
pub(crate) fn failed<E>(call: &'static str) -> impl FnOnce(SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    move |error| {
        let status = error.raw_response().map_or(0, |r| r.status().as_u16());
        let request_id = error.request_id().map(str::to_owned);
        let proxy = refused_by_proxy(&error);
        let converted = match &error {
            SdkError::ServiceError(context) => {
                let (code, said) = (context.err().code(), context.err().message());
                let kind = meaning(code, status);
                let said = said
                    .unwrap_or("the server says no more")
                    .trim_end_matches('.');
                let error = Error::new(kind, format!("{call}: {said}"));
                let error = match kind {
                    ErrorKind::Forbidden => {
                        error.with_help(format!("allow `{call}` to these credentials"))
                    }
                    ErrorKind::Unauthenticated => error.with_help(
                        "check the profile or environment that `s3` names, and the clock",
                    ),
                    _ => error,
                };
                match code {
                    Some(code) => error.with_code(code),
                    None => error,
                }
            }
            SdkError::TimeoutError(_) => {
                Error::new(ErrorKind::Timeout, format!("{call}: no answer in time"))
            }
            SdkError::DispatchFailure(_) if proxy.is_some() => {
                let why = proxy.unwrap_or_default();
                Error::new(ErrorKind::Transient, format!("{call}: {why}")).with_help(PROXIES)
            }
            SdkError::DispatchFailure(failure) if failure.is_user() || failure.is_other() => {
                let message = format!("{call}: the request could not be sent");
                let help = "see that there are credentials for it: `s3 = { profile = … }`, or \
                            `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` in the environment";
                Error::new(ErrorKind::Unauthenticated, message).with_help(help)
            }
            SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => Error::new(
                ErrorKind::Transient,
                format!("{call}: the connection failed (status {status})"),
            ),
            _ => Error::new(
                ErrorKind::Internal,
                format!("{call}: the request cannot be made"),
            ),
        };
        let converted = match request_id {
            Some(id) => converted.with_request_id(id),
            None => converted,
        };
        // Of a service's answer, code, message and request id are told already, and what lies
        // underneath repeats them in the SDK's debug form.
        let underneath = match &error {
            SdkError::ServiceError(_) => None,
            error => Quiet::causes(error),
        };
        match underneath {
            Some(why) => converted.with_source(why),
            None => converted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_row() {
        for (code, kind) in TABLE {
            assert_eq!(TABLE.iter().filter(|(other, _)| other == code).count(), 1);
            assert_eq!(meaning(Some(code), 200), *kind, "{code}");
        }
    }

    #[test]
    fn an_unknown_code_is_read_by_its_status() {
        let check = |status, kind| assert_eq!(meaning(Some("NeverHeardOf"), status), kind);
        check(403, ErrorKind::Forbidden);
        check(404, ErrorKind::NotFound);
        check(503, ErrorKind::Transient);
        check(400, ErrorKind::Invalid);
        assert_eq!(meaning(None, 429), ErrorKind::Throttled);
    }
}
