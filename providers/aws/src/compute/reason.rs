//! Why a machine is over, in EC2's words.
//!
//! The codes: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StateReason.html>.

use aws_sdk_ec2::types::{Instance, StateReason};
use strat_model::{Attributes, Resource};

/// What a machine has that somebody ended by EC2's API.
const BY_HAND: &str = "Client.UserInitiatedShutdown";

/// What codes say that there was no more of.
const SHORTAGES: [(&str, &str); 3] = [
    ("Server.InsufficientInstanceCapacity", "capacity"),
    ("Server.SpotInstanceTermination", "capacity"),
    ("Client.VolumeLimitExceeded", "quota"),
];

/// What EC2 does not say of a code.
///
/// Source: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/troubleshooting-launch.html>
const HINTS: [(&str, &str); 2] = [
    (
        "Client.InternalError",
        "mostly the KMS key of a disk: it is disabled, or this identity may not use it or create grants of it",
    ),
    (
        "Client.InvalidSnapshot.NotFound",
        "a snapshot that the image names is gone, or is not shared with this account",
    ),
];

/// Whether a machine did not come to its end by anybody's call.
pub(super) fn died(instance: &Instance) -> bool {
    let code = instance.state_reason().and_then(StateReason::code);
    code.is_some_and(|code| !code.is_empty() && code != BY_HAND)
}

/// What is told of why a machine is over.
pub(super) fn attributes(instance: &Instance) -> Attributes {
    let Some(reason) = instance.state_reason() else {
        return Attributes::new();
    };
    let code = reason.code().unwrap_or_default();
    let message = reason.message().unwrap_or_default();
    let mut told = match (code, message) {
        ("", "") => return Attributes::new(),
        (code, "") => code.to_owned(),
        (code, message) if message.starts_with(code) => message.to_owned(),
        (code, message) => format!("{code}: {message}"),
    };
    if let Some((_, hint)) = HINTS.iter().find(|(known, _)| *known == code) {
        told = format!("{told} ({hint})");
    }
    let mut attributes = Attributes::from([(Resource::STATE_REASON.to_owned(), told)]);
    let shortage = SHORTAGES.iter().find(|(known, _)| *known == code);
    if let Some((_, of)) = shortage {
        attributes.insert(Resource::SHORTAGE.to_owned(), (*of).to_owned());
    }
    attributes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(code: &str, message: &str) -> (Option<String>, Option<String>) {
        let reason = StateReason::builder().code(code).message(message).build();
        let instance = Instance::builder().state_reason(reason).build();
        let told = attributes(&instance);
        let get = |key: &str| told.get(key).cloned();
        (get(Resource::STATE_REASON), get(Resource::SHORTAGE))
    }

    #[test]
    fn a_reason_begins_with_its_code_and_says_what_it_is_a_matter_of() {
        let code = "Server.InsufficientInstanceCapacity";
        let none = format!("{code}: Insufficient capacity to satisfy instance request");
        let expect = (Some(none.clone()), Some("capacity".to_owned()));
        assert_eq!(told(code, &none), expect);
        assert_eq!(told(code, &none[code.len() + 2..]), expect, "the same");
        let (why, of) = told("Client.VolumeLimitExceeded", "Volume limit exceeded");
        assert_eq!(of.as_deref(), Some("quota"), "{why:?}");
        let key = "Client.InternalError: Client error on launch";
        let (why, of) = told("Client.InternalError", key);
        let why = why.expect("a reason");
        assert!(why.starts_with(key) && why.contains("KMS key"), "{why}");
        assert_eq!(of, None);
        assert_eq!(told("", ""), (None, None));
    }

    #[test]
    fn what_somebody_ended_did_not_die() {
        let of = |code: &str| {
            let reason = StateReason::builder().code(code).build();
            died(&Instance::builder().state_reason(reason).build())
        };
        assert!(of("Client.InternalError") && of("Server.SpotInstanceTermination"));
        assert!(!of(BY_HAND) && !of("") && !died(&Instance::builder().build()));
    }
}
