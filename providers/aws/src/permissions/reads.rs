//! Cheap reads of the services that have no dry runs.

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_resourcegroupstagging::types::TagFilter;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use strat_model::Result;
use strat_provider::PermissionState;

use super::{Answers, verdict};
use crate::config::Prices;
use crate::offers::STANDARD;
use crate::provider::AwsProvider;
use crate::tags::OWNER;

impl AwsProvider {
    /// Does the reads. What S3 allows with a bucket is asked of one that some topology owns, if
    /// there is one: for a bucket that is not there S3 says so before it looks at permissions.
    pub(super) async fn reads(&self) -> Result<Answers> {
        let mut answers = Answers::new();
        let quotas = self.access.quotas.get_service_quota();
        let quota = quotas.service_code("ec2").quota_code(STANDARD).send();
        let action = "servicequotas:GetServiceQuota";
        answers.insert(action, of(action, quota.await)?);

        if self.settings.prices == Prices::Live {
            let products = self.access.pricing.get_products();
            let products = products.service_code("AmazonEC2").max_results(1).send();
            let action = "pricing:GetProducts";
            answers.insert(action, of(action, products.await)?);
        }

        let buckets = self.access.s3.list_buckets().max_buckets(1).send();
        let action = "s3:ListAllMyBuckets";
        answers.insert(action, of(action, buckets.await)?);

        let tagged = self.access.tagging.get_resources();
        let tagged = tagged
            .resource_type_filters("s3")
            .tag_filters(TagFilter::builder().key(OWNER).build())
            .send()
            .await;
        let owned = tagged.as_ref().ok().and_then(|answer| {
            let arns = answer.resource_tag_mapping_list().iter();
            let mut arns = arns.filter_map(|one| one.resource_arn());
            arns.find_map(|arn| arn.rsplit(':').next().map(str::to_owned))
        });
        answers.insert("tag:GetResources", of("tag:GetResources", tagged)?);
        if let Some(bucket) = owned {
            let s3 = &self.access.s3;
            let tags = s3.get_bucket_tagging().bucket(&bucket).send().await;
            let action = "s3:GetBucketTagging";
            answers.insert(action, of(action, tags)?);
            let versions = s3.get_bucket_versioning().bucket(&bucket).send().await;
            let action = "s3:GetBucketVersioning";
            answers.insert(action, of(action, versions)?);
            let locks = s3.get_public_access_block().bucket(&bucket).send().await;
            let action = "s3:GetBucketPublicAccessBlock";
            answers.insert(action, of(action, locks)?);
            let rules = s3.get_bucket_encryption().bucket(&bucket).send().await;
            let action = "s3:GetEncryptionConfiguration";
            answers.insert(action, of(action, rules)?);
        }
        Ok(answers)
    }
}

/// What a read came to.
fn of<T, E>(
    action: &'static str,
    outcome: Result<T, SdkError<E, HttpResponse>>,
) -> Result<PermissionState>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match outcome {
        Ok(_) => Ok(PermissionState::Granted),
        Err(error) => verdict(action, error),
    }
}
