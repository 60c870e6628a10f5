//! Where an S3 is, and with whose credentials.

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::config::SharedCredentialsProvider;
use serde::Deserialize;
use strat_model::Result;

use crate::transport::http_client;

/// The region that servers of one's own take where nobody says another.
pub(crate) const DEFAULT_REGION: &str = "us-east-1";

/// Where an S3 is, and which credentials are used there. It names them, and holds none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3Settings {
    /// Its URL, such as `https://s3.dc1.example:9000`.
    pub endpoint: String,
    /// What requests are signed for; `us-east-1` where it is not said.
    #[serde(default)]
    pub region: Option<String>,
    /// The profile of the AWS tools' files; else the environment and the rest of their chain.
    #[serde(default)]
    pub profile: Option<String>,
}

impl S3Settings {
    /// What requests are signed for.
    pub(crate) fn region(&self) -> &str {
        self.region.as_deref().unwrap_or(DEFAULT_REGION)
    }

    /// What is wrong with it, if anything is.
    #[must_use]
    pub fn problem(&self) -> Option<&'static str> {
        let is_url = self.endpoint.starts_with("http://") || self.endpoint.starts_with("https://");
        (!is_url).then_some("`endpoint` is a URL, such as `https://s3.dc1.example:9000`")
    }

    /// A client that makes one attempt at a call.
    pub(crate) async fn client(
        &self,
        credentials: Option<SharedCredentialsProvider>,
    ) -> Result<aws_sdk_s3::Client> {
        let (endpoint, profile) = (Some(&*self.endpoint), self.profile.as_deref());
        client(endpoint, self.region(), profile, credentials).await
    }
}

/// A client of the S3 at an endpoint, or of AWS's own, that makes one attempt at a call.
pub(crate) async fn client(
    endpoint: Option<&str>,
    region: &str,
    profile: Option<&str>,
    credentials: Option<SharedCredentialsProvider>,
) -> Result<aws_sdk_s3::Client> {
    let http = http_client(endpoint)?;
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .http_client(http)
        // The layers round a provider retry, wait and give up: once, for every cloud alike.
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Some(endpoint) = endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    if let Some(credentials) = credentials {
        loader = loader.credentials_provider(credentials);
    }
    let config = loader.load().await;
    // A bucket's name is no host name beside an endpoint of one's own.
    let config = aws_sdk_s3::config::Builder::from(&config).force_path_style(endpoint.is_some());
    Ok(aws_sdk_s3::Client::from_conf(config.build()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_url() {
        let settings = |endpoint: &str| S3Settings {
            endpoint: endpoint.to_owned(),
            region: None,
            profile: None,
        };
        assert_eq!(settings("http://127.0.0.1:9000").problem(), None);
        assert!(settings("s3.dc1.example:9000").problem().is_some());
        assert_eq!(settings("http://x").region(), "us-east-1");
    }
}
