//! Which of the actions of the least policy the identity in use may do.
//!
//! Three ways of asking, none of which does anything:
//! - EC2's dry runs ([`dry_run`]), one for each of its actions.
//! - Reads that are cheap ([`reads`]), for what is not EC2's.
//! - IAM's simulation of the identity's policies ([`simulation`]), for what the others leave open,
//!   where the identity may ask for it.
//!
//! A call's own answer counts for more than the simulation: it knows of every policy.

mod dry_run;
mod reads;
mod simulation;

use std::collections::BTreeMap;

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use strat_model::{ErrorKind, Result};
use strat_provider::{PermissionCheck, PermissionState};

use crate::config::Prices;
use crate::error::{DECODE, failed};
use crate::provider::AwsProvider;

/// What is said of an action, if anything, by its name.
type Answers = BTreeMap<&'static str, PermissionState>;

/// The actions of the least policy, `docs/aws-policy.json`; a test compares them.
pub(super) const ACTIONS: [&str; 94] = [
    "ec2:AllocateAddress",
    "ec2:AssociateAddress",
    "ec2:AssociateRouteTable",
    "ec2:AssociateVpcCidrBlock",
    "ec2:AttachInternetGateway",
    "ec2:AttachVolume",
    "ec2:AuthorizeSecurityGroupEgress",
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:CreateInternetGateway",
    "ec2:CreateNatGateway",
    "ec2:CreateRoute",
    "ec2:CreateRouteTable",
    "ec2:CreateSecurityGroup",
    "ec2:CreateSubnet",
    "ec2:CreateTags",
    "ec2:CreateVolume",
    "ec2:CreateVpc",
    "ec2:DeleteInternetGateway",
    "ec2:DeleteKeyPair",
    "ec2:DeleteNatGateway",
    "ec2:DeleteRouteTable",
    "ec2:DeleteSecurityGroup",
    "ec2:DeleteSubnet",
    "ec2:DeleteTags",
    "ec2:DeleteVolume",
    "ec2:DeleteVpc",
    "ec2:DescribeAddresses",
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeImages",
    "ec2:DescribeInstanceTypeOfferings",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeInstances",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeKeyPairs",
    "ec2:DescribeNatGateways",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSpotPriceHistory",
    "ec2:DescribeSubnets",
    "ec2:DescribeTags",
    "ec2:DescribeVolumes",
    "ec2:DescribeVpcAttribute",
    "ec2:DescribeVpcs",
    "ec2:DetachInternetGateway",
    "ec2:DetachVolume",
    "ec2:DisassociateAddress",
    "ec2:DisassociateRouteTable",
    "ec2:ImportKeyPair",
    "ec2:ModifyInstanceAttribute",
    "ec2:ModifyInstanceMetadataOptions",
    "ec2:ModifyNetworkInterfaceAttribute",
    "ec2:ModifyVolume",
    "ec2:ModifyVpcAttribute",
    "ec2:ReleaseAddress",
    "ec2:ReplaceRoute",
    "ec2:ReplaceRouteTableAssociation",
    "ec2:RevokeSecurityGroupEgress",
    "ec2:RevokeSecurityGroupIngress",
    "ec2:RunInstances",
    "ec2:StartInstances",
    "ec2:StopInstances",
    "ec2:TerminateInstances",
    "ec2:UpdateSecurityGroupRuleDescriptionsEgress",
    "ec2:UpdateSecurityGroupRuleDescriptionsIngress",
    simulation::ACTION,
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "pricing:GetProducts",
    "s3:AbortMultipartUpload",
    "s3:CreateBucket",
    "s3:DeleteBucket",
    "s3:DeleteObjectVersion",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetObject",
    "s3:ListAllMyBuckets",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:ListBucketVersions",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketTagging",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutObject",
    "s3:TagResource",
    "servicequotas:GetServiceQuota",
    DECODE,
    "tag:GetResources",
];

impl AwsProvider {
    /// All actions of the least policy, and whether they are allowed.
    ///
    /// # Errors
    /// If AWS does not know the identity at all.
    pub(crate) async fn ask_permissions(&self) -> Result<Vec<PermissionCheck>> {
        let mut answers = self.dry_runs().await?;
        answers.extend(self.reads().await?);
        let (simulated, itself) = self.simulate().await?;
        answers.insert(simulation::ACTION, itself.clone());
        let check = |action: &&'static str| {
            let state = match (answers.get(action), simulated.get(action)) {
                (Some(PermissionState::Unknown { .. }) | None, Some(told)) => told.clone(),
                (Some(told), _) => told.clone(),
                (None, None) => PermissionState::Unknown {
                    why: nobody_tells(&itself),
                },
            };
            PermissionCheck {
                permission: (*action).to_owned(),
                without: self.goes_on_without(action).map(str::to_owned),
                state,
            }
        };
        let asked = ACTIONS.iter().filter(|action| self.may_use(action));
        Ok(asked.map(check).collect())
    }

    /// Whether a site with these settings ever uses an action.
    fn may_use(&self, action: &str) -> bool {
        match action {
            "pricing:GetProducts" => self.settings.prices == Prices::Live,
            // The account's own key for EBS lets in whoever EC2 lets in.
            action if action.starts_with("kms:") => self.settings.kms_key.is_some(),
            _ => true,
        }
    }

    /// What is so without an action, where it is not needed.
    fn goes_on_without(&self, action: &str) -> Option<&'static str> {
        match action {
            "pricing:GetProducts" => Some("prices are those of the snapshot"),
            DECODE => Some("a refusal is told without which policy it is a matter of"),
            "servicequotas:GetServiceQuota" => Some("no limit on virtual CPUs is known ahead"),
            "ec2:DescribeSpotPriceHistory" if !self.settings.spot => {
                Some("this site may not list spot capacity, which it does not")
            }
            "s3:ListBucketVersions" => {
                Some("nobody knows whether a bucket is empty: each is deleted by name alone")
            }
            "s3:AbortMultipartUpload"
            | "s3:DeleteObjectVersion"
            | "s3:ListBucketMultipartUploads" => {
                Some("a bucket that is not empty is not emptied, and stays")
            }
            "ec2:DescribeVpcAttribute" => {
                Some("nobody is told that a network's DNS was switched off or on")
            }
            "s3:GetBucketPublicAccessBlock" => {
                Some("nobody is told that a bucket was opened to the public")
            }
            "s3:GetEncryptionConfiguration" => {
                Some("nobody is told that a bucket is encrypted otherwise")
            }
            simulation::ACTION => Some("some permissions can only be told by using them"),
            _ => None,
        }
    }
}

/// Why nothing is known of an action that no call tells about.
fn nobody_tells(simulation: &PermissionState) -> String {
    match simulation {
        PermissionState::Granted => "the simulation of the policies says nothing of it".to_owned(),
        PermissionState::Missing { .. } => format!(
            "only `{}` tells of it, and that is missing",
            simulation::ACTION
        ),
        PermissionState::Unknown { why } => why.clone(),
    }
}

/// What the failure of a call says of the permission for it.
///
/// # Errors
/// If it says that the identity is not known.
fn verdict<E>(action: &'static str, error: SdkError<E, HttpResponse>) -> Result<PermissionState>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let error = failed(action)(error);
    match error.kind() {
        ErrorKind::Unauthenticated => Err(error),
        ErrorKind::Forbidden => Ok(PermissionState::Missing {
            why: error.message().to_owned(),
        }),
        _ => {
            let code = error.code().unwrap_or("no code");
            Ok(PermissionState::Unknown {
                why: format!("AWS looked at something else first ({code})"),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_actions_are_those_of_the_documented_policy() {
        let policy = include_str!("../../../../docs/aws-policy.json");
        let policy: serde_json::Value = serde_json::from_str(policy).expect("JSON");
        let statements = policy["Statement"].as_array().expect("statements");
        let documented: BTreeSet<&str> = statements
            .iter()
            .flat_map(|statement| statement["Action"].as_array().expect("actions"))
            .map(|action| action.as_str().expect("a name"))
            .collect();
        let checked: BTreeSet<&str> = ACTIONS.into();
        assert_eq!(checked, documented);
        assert!(ACTIONS.is_sorted(), "each once, in order");
        assert_eq!(checked.len(), ACTIONS.len());
    }
}
