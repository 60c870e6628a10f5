//! What to do about a refusal. AWS has one answer, 403, for what a policy does not allow, what one
//! denies, and what has nothing to do with policies.

/// The help for a code that no policy of the identity explains, by code.
///
/// Sources: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>
const CODES: &[(&str, &str)] = &[
    (
        "OptInRequired",
        "accept the terms of the image in the AWS Marketplace, or enable the service or region for this \
         account; no policy changes this",
    ),
    (
        "NotSignedUp",
        "sign up for the service with this account; no policy changes this",
    ),
    (
        "PendingVerification",
        "AWS verifies new accounts, which can take some hours: run this again then; no policy changes this",
    ),
    (
        "Blocked",
        "the account is blocked: ask AWS Support; no policy changes this",
    ),
    (
        "AccountProblem",
        "something is wrong with the account itself: ask AWS Support; no policy changes this",
    ),
    (
        "AllAccessDisabled",
        "access to this bucket is disabled: ask AWS Support; no policy changes this",
    ),
];

/// What an explicit deny names as its place, and who can change it.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>
const DENIES: &[(&str, &str)] = &[
    (
        "service control policy",
        "a service control policy of the organisation denies `{}`: whoever keeps the organisation can lift \
         it, or use another account or region",
    ),
    (
        "resource control policy",
        "a resource control policy of the organisation denies `{}`: whoever keeps the organisation can lift it",
    ),
    (
        "permissions boundary",
        "the permissions boundary of this identity denies `{}`: it must allow it too",
    ),
    (
        "session policy",
        "the policy of this session denies `{}`: begin one with less restriction",
    ),
    (
        "VPC endpoint policy",
        "the policy of the VPC endpoint denies `{}`",
    ),
    (
        "resource-based policy",
        "the policy of the thing itself denies `{}`: take the denial out of it",
    ),
    (
        "identity-based policy",
        "a policy of this identity denies `{}`: take the denial out, another policy that allows it does not \
         help",
    ),
];

/// What to do about a refusal of `action`, by its code and the first part of its message.
pub(super) fn help(action: &str, code: &str, said: &str) -> String {
    if let Some((_, help)) = CODES.iter().find(|(known, _)| *known == code) {
        return (*help).to_owned();
    }
    // "The instance 'i-…' may not be terminated. Modify its 'disableApiTermination' instance attribute and
    // try again", and the same of 'disableApiStop'.
    if code == "OperationNotPermitted" {
        return match (said.contains("disableApiTermination"), said.contains("disableApiStop")) {
            (true, _) => "somebody turned its termination protection on: turn that off where it was done, or \
                          leave the machine in the topology"
                .to_owned(),
            (_, true) => "somebody turned its stop protection on: turn that off where it was done".to_owned(),
            _ => "AWS does not permit this of the thing as it is; no policy changes this".to_owned(),
        };
    }
    let is_denied = said.contains("explicit deny");
    let place = DENIES.iter().find(|(place, _)| said.contains(place));
    match place {
        Some((_, help)) if is_denied => help.replace("{}", action),
        _ if is_denied => format!("a policy denies `{action}`: one that allows it does not help"),
        // "because no service control policy allows the …": the same places, and nothing denied.
        Some((place, _)) if said.contains("because no ") && *place != "identity-based policy" => {
            format!(
                "no {place} allows `{action}`, which one must do beside the policy of this identity"
            )
        }
        _ => format!("allow `{action}` in the policy of this identity"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHO: &str = "User: arn:aws:iam::1:user/ci is not authorized to perform: ec2:RunInstances on \
                       resource: arn:aws:ec2:eu-central-1:1:instance/*";

    fn check(code: &str, said: &str, expect: &str) {
        let help = help("ec2:RunInstances", code, said);
        assert!(help.contains(expect), "{code} {said}: {help}");
    }

    #[test]
    fn only_what_a_policy_lacks_is_to_be_allowed() {
        let plain = "You are not authorized to perform this operation";
        check(
            "UnauthorizedOperation",
            plain,
            "allow `ec2:RunInstances` in the policy of this identity",
        );
        let lacks =
            format!("{WHO} because no identity-based policy allows the ec2:RunInstances action");
        check(
            "UnauthorizedOperation",
            &lacks,
            "allow `ec2:RunInstances` in the policy",
        );
        for code in [
            "OptInRequired",
            "PendingVerification",
            "Blocked",
            "NotSignedUp",
        ] {
            check(code, "AWS says so", "no policy changes this");
        }
    }

    #[test]
    fn a_denial_is_told_by_its_place() {
        for (place, _) in DENIES {
            let said = format!("{WHO} with an explicit deny in a {place}");
            let help = help("ec2:RunInstances", "UnauthorizedOperation", &said);
            assert!(
                help.contains("denies `ec2:RunInstances`"),
                "{place}: {help}"
            );
            assert!(
                !help.contains("allow `ec2:RunInstances` in"),
                "{place}: {help}"
            );
        }
        let boundary =
            format!("{WHO} because no permissions boundary allows the ec2:RunInstances action");
        check(
            "UnauthorizedOperation",
            &boundary,
            "no permissions boundary allows",
        );
    }

    #[test]
    fn protection_is_no_matter_of_policies() {
        let said = "The instance 'i-1' may not be terminated. Modify its 'disableApiTermination' instance \
                    attribute and try again";
        check("OperationNotPermitted", said, "termination protection");
    }
}
