//! IAM's simulation of an identity's own policies.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html>

use aws_sdk_iam::types::PolicyEvaluationDecisionType as Decision;
use strat_model::{ErrorKind, Result};
use strat_provider::{PermissionState, Provider as _};

use super::{ACTIONS, Answers, verdict};
use crate::provider::AwsProvider;

/// The action that the simulation itself needs.
pub(super) const ACTION: &str = "iam:SimulatePrincipalPolicy";

impl AwsProvider {
    /// What the simulation says of each action, and whether it may be asked for at all.
    pub(super) async fn simulate(&self) -> Result<(Answers, PermissionState)> {
        let mut answers = Answers::new();
        let caller = match self.identity().await {
            Ok(identity) => identity.principal,
            Err(error) if error.kind() == ErrorKind::Unauthenticated => return Err(error),
            Err(error) => {
                let why = error.message().to_owned();
                return Ok((answers, PermissionState::Unknown { why }));
            }
        };
        let Some(source) = self
            .settings
            .assume_role
            .clone()
            .or_else(|| source(&caller))
        else {
            let why = format!("IAM has no policies of its own for {caller} to simulate");
            return Ok((answers, PermissionState::Unknown { why }));
        };
        let mut results = self
            .access
            .iam
            .simulate_principal_policy()
            .policy_source_arn(source)
            .set_action_names(Some(ACTIONS.map(str::to_owned).to_vec()))
            .into_paginator()
            .items()
            .send();
        while let Some(result) = results.next().await {
            let result = match result {
                Ok(result) => result,
                Err(error) => return Ok((answers, verdict(ACTION, error)?)),
            };
            let simulated = result.eval_action_name();
            let Some(action) = ACTIONS.iter().find(|action| **action == simulated) else {
                continue;
            };
            let state = match result.eval_decision() {
                Decision::Allowed => PermissionState::Granted,
                _ if !result.missing_context_values().is_empty() => PermissionState::Unknown {
                    why: format!(
                        "its policy depends on {}",
                        result.missing_context_values().join(", ")
                    ),
                },
                Decision::ExplicitDeny => PermissionState::Missing {
                    why: "a policy denies it (IAM's simulation)".to_owned(),
                },
                _ => PermissionState::Missing {
                    why: "no policy allows it (IAM's simulation)".to_owned(),
                },
            };
            answers.insert(action, state);
        }
        Ok((answers, PermissionState::Granted))
    }
}

/// The user or role whose policies count for a caller. A session of a role does not tell the role's
/// path, so of a role with one nothing is found. The account itself and federated users have none.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>
fn source(caller: &str) -> Option<String> {
    let mut parts = caller.splitn(6, ':');
    let (_, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (_, account, name) = (parts.next()?, parts.next()?, parts.next()?);
    match (service, name.split('/').collect::<Vec<_>>().as_slice()) {
        ("iam", ["user", ..]) => Some(caller.to_owned()),
        ("sts", ["assumed-role", role, _]) => {
            Some(format!("arn:{partition}:iam::{account}:role/{role}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policies_of_a_session_are_its_roles() {
        let check = |caller, expect: Option<&str>| {
            assert_eq!(source(caller).as_deref(), expect, "{caller}");
        };
        let user = "arn:aws:iam::123456789012:user/teams/shop";
        check(user, Some(user));
        check(
            "arn:aws-cn:sts::123456789012:assumed-role/shop/stratiform",
            Some("arn:aws-cn:iam::123456789012:role/shop"),
        );
        check("arn:aws:iam::123456789012:root", None);
        check("arn:aws:sts::123456789012:federated-user/ann", None);
        check("nonsense", None);
    }
}
