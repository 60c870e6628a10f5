//! The SDK's clients of one site: credentials, endpoint, and nothing that retries.

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use strat_model::Result;

use crate::config::Settings;

/// What a session of an assumed role is called in the account's logs.
const SESSION: &str = "stratiform";

/// The price list of all regions is asked for in one of a few.
///
/// <https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api.html>
const PRICING_REGION: &str = "us-east-1";

/// The SDK's clients of one site. All share one connection pool and one cache of credentials,
/// which are refreshed before they expire.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) ec2: aws_sdk_ec2::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) sts: aws_sdk_sts::Client,
    pub(crate) tagging: aws_sdk_resourcegroupstagging::Client,
    pub(crate) pricing: aws_sdk_pricing::Client,
    pub(crate) iam: aws_sdk_iam::Client,
    pub(crate) quotas: aws_sdk_servicequotas::Client,
}

impl Access {
    /// Clients for a site. `credentials` stand in for the standard chain.
    ///
    /// # Errors
    /// `Invalid` if the certificates that the environment names cannot be used.
    pub(crate) async fn new(
        settings: &Settings,
        credentials: Option<SharedCredentialsProvider>,
    ) -> Result<Self> {
        let config = configure(settings, credentials).await?;
        let s3 = aws_sdk_s3::config::Builder::from(&config)
            // A bucket's name is no host name beside an endpoint of one's own.
            .force_path_style(settings.endpoint.is_some());
        let pricing = aws_sdk_pricing::config::Builder::from(&config)
            .region(Region::from_static(PRICING_REGION));
        Ok(Self {
            pricing: aws_sdk_pricing::Client::from_conf(pricing.build()),
            ec2: aws_sdk_ec2::Client::new(&config),
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
            sts: aws_sdk_sts::Client::new(&config),
            tagging: aws_sdk_resourcegroupstagging::Client::new(&config),
            iam: aws_sdk_iam::Client::new(&config),
            quotas: aws_sdk_servicequotas::Client::new(&config),
        })
    }
}

async fn configure(
    settings: &Settings,
    credentials: Option<SharedCredentialsProvider>,
) -> Result<SdkConfig> {
    let http = strat_s3::http_client(settings.endpoint.as_deref())?;
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(settings.region.clone()))
        .http_client(http)
        // The layers round a provider retry, wait and give up: once, for every cloud alike.
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(endpoint) = &settings.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(credentials) = credentials {
        loader = loader.credentials_provider(credentials);
    }
    let config = loader.load().await;
    let Some(role) = &settings.assume_role else {
        return Ok(config);
    };
    let mut role = AssumeRoleProvider::builder(role)
        .session_name(SESSION)
        .region(Region::new(settings.region.clone()))
        .configure(&config);
    if let Some(id) = &settings.external_id {
        role = role.external_id(id);
    }
    let role = SharedCredentialsProvider::new(role.build().await);
    Ok(config.into_builder().credentials_provider(role).build())
}
