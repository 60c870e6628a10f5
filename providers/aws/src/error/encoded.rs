//! The part of a refusal that EC2 encodes, since what a policy says may not be for everybody: only an identity
//! that may call `sts:DecodeAuthorizationMessage` reads it.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html>

use std::error::Error as StdError;
use std::fmt;

use serde_json::Value;
use strat_model::{Error, ErrorKind, Result};
use strat_provider::Outcome;

use super::{PROVIDER, failed};
use crate::provider::AwsProvider;

/// The action that decoding needs.
pub(crate) const DECODE: &str = "sts:DecodeAuthorizationMessage";

/// What stands before the encoded part.
pub(super) const ENCODED: &str = "Encoded authorization failure message:";

/// The encoded part, kept as the source of the refusal for who may read it.
#[derive(Debug)]
pub(super) struct Encoded(String);

impl Encoded {
    /// The encoded part of a message, if it has one.
    pub(super) fn of(message: &str) -> Option<Self> {
        let (_, encoded) = message.split_once(ENCODED)?;
        let encoded = encoded.trim();
        (!encoded.is_empty()).then(|| Self(encoded.to_owned()))
    }

    fn within(error: &Error) -> Option<&Self> {
        let mut next = error.source();
        while let Some(source) = next {
            if let Some(encoded) = source.downcast_ref::<Self>() {
                return Some(encoded);
            }
            next = source.source();
        }
        None
    }
}

impl fmt::Display for Encoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(encoded) = self;
        write!(
            f,
            "which policy it is a matter of tells `aws sts decode-authorization-message --encoded-message \
             {encoded}` to who may ask"
        )
    }
}

impl StdError for Encoded {}

/// What a decoded message says.
#[derive(Debug, PartialEq, Eq)]
struct Decoded {
    action: String,
    resource: String,
    /// The statements that deny it, where one does.
    denied_by: Option<Vec<String>>,
}

impl Decoded {
    fn read(text: &str) -> Option<Self> {
        let message: Value = serde_json::from_str(text).ok()?;
        let context = &message["context"];
        let statements = message["matchedStatements"]["items"].as_array();
        let statements = statements.into_iter().flatten();
        let ids = statements.filter_map(|one| one["statementId"].as_str());
        let ids: Vec<String> = ids.filter(|id| !id.is_empty()).map(str::to_owned).collect();
        Some(Self {
            action: context["action"].as_str()?.to_owned(),
            resource: context["resource"].as_str()?.to_owned(),
            denied_by: message["explicitDeny"].as_bool()?.then_some(ids),
        })
    }

    fn why(&self) -> String {
        let Self {
            action, resource, ..
        } = self;
        match self.denied_by.as_deref() {
            None => format!("no policy allows `{action}` on {resource}"),
            Some([]) => format!("a policy denies `{action}` on {resource}"),
            Some(ids) => {
                let ids = ids.join("`, `");
                format!("the statement `{ids}` denies `{action}` on {resource}")
            }
        }
    }

    fn help(&self) -> String {
        let Self {
            action, resource, ..
        } = self;
        match self.denied_by {
            None => format!("allow `{action}` on {resource} in the policy of this identity"),
            Some(_) => {
                "take the denial out, or do what it permits: a policy that allows it does not help"
                    .to_owned()
            }
        }
    }
}

impl AwsProvider {
    /// Says of a refusal which policy it is a matter of, where this identity may read that.
    pub(crate) async fn explain<T>(&self, outcome: Result<T>) -> Result<T> {
        let error = match outcome {
            Err(error) if error.kind() == ErrorKind::Forbidden => error,
            outcome => return outcome,
        };
        let Some(Encoded(encoded)) = Encoded::within(&error) else {
            return Err(error);
        };
        let call = self.access.sts.decode_authorization_message();
        let answer = call.encoded_message(encoded).send().await;
        let decoded = answer.map_err(failed(DECODE)).ok();
        let decoded = decoded.and_then(|answer| Decoded::read(answer.decoded_message()?));
        // Who may not ask keeps the encoded part.
        let Some(decoded) = decoded else {
            return Err(error);
        };
        let message = format!("{}: {}", error.message(), decoded.why());
        let told = Error::new(error.kind(), message)
            .with_scope(error.scope())
            .with_help(decoded.help())
            .with_provider(PROVIDER);
        let told = match error.code() {
            Some(code) => told.with_code(code),
            None => told,
        };
        Err(match error.request_id() {
            Some(id) => told.with_request_id(id),
            None => told,
        })
    }

    /// The same of each of several things.
    pub(crate) async fn explain_each(&self, outcomes: Vec<Outcome>) -> Vec<Outcome> {
        let mut told = Vec::with_capacity(outcomes.len());
        for Outcome { id, result } in outcomes {
            let result = self.explain(result).await;
            told.push(Outcome { id, result });
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_encoded_part_is_kept() {
        let text = "You are not authorized. Encoded authorization failure message: abc_-";
        let error =
            Error::new(ErrorKind::Forbidden, "no").with_source(Encoded::of(text).expect("one"));
        assert_eq!(
            Encoded::within(&error).map(|one| one.0.as_str()),
            Some("abc_-")
        );
        let outer = error.wrapped("further out");
        assert!(Encoded::within(&outer).is_some());
        assert!(Encoded::of("You are not authorized.").is_none());
    }

    /// In the documented form, cut to what is read.
    #[test]
    fn a_denial_names_its_statement_and_a_lack_what_is_to_be_allowed() {
        let message = |denied: bool, ids: &[&str]| {
            let items: Vec<_> = ids.iter().map(|id| json!({ "statementId": id })).collect();
            let context =
                json!({ "action": "ec2:RunInstances", "resource": "arn:aws:ec2:::subnet/s" });
            json!({
                "allowed": false, "explicitDeny": denied,
                "matchedStatements": { "items": items }, "context": context,
            })
            .to_string()
        };
        let read = |text: &str| Decoded::read(text).expect("a decoded message");
        let denied = read(&message(true, &["NoBigOnes", ""]));
        let why = "the statement `NoBigOnes` denies `ec2:RunInstances` on arn:aws:ec2:::subnet/s";
        assert_eq!(denied.why(), why);
        assert!(denied.help().contains("does not help"));
        let lacks = read(&message(false, &[]));
        let why = "no policy allows `ec2:RunInstances` on arn:aws:ec2:::subnet/s";
        assert_eq!(lacks.why(), why);
        assert!(lacks.help().starts_with("allow `ec2:RunInstances` on arn:"));
        assert_eq!(Decoded::read("{}"), None);
        assert_eq!(Decoded::read("no JSON"), None);
    }
}
