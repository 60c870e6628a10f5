//! Making stores of `lease` blocks.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_s3::config::SharedCredentialsProvider;
use strat_model::{Error, ErrorKind, LeaseSpec, Result};
use strat_provider::{ConnectContext, LeaseStoreFactory, Leases, SettingError, SettingsReader};

use crate::leases::S3Leases;
use crate::settings::{DEFAULT_REGION, client};

/// Makes stores of leases in a bucket of any S3.
#[derive(Clone, Default)]
pub struct S3LeaseFactory {
    credentials: Option<SharedCredentialsProvider>,
}

impl fmt::Debug for S3LeaseFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3LeaseFactory").finish_non_exhaustive()
    }
}

impl S3LeaseFactory {
    /// A factory whose stores find their credentials by the standard chain of the AWS tools.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A factory whose stores use these credentials instead: for programs that bring their own.
    #[must_use]
    pub fn with_credentials(credentials: SharedCredentialsProvider) -> Self {
        Self {
            credentials: Some(credentials),
        }
    }
}

/// What a `lease` block says, checked.
struct Settings {
    bucket: String,
    region: String,
    endpoint: Option<String>,
    profile: Option<String>,
    /// Whose the bucket must be.
    account: Option<String>,
}

const KNOWN: [&str; 5] = ["account", "bucket", "endpoint", "profile", "region"];

impl Settings {
    fn parse(spec: &LeaseSpec) -> Result<Self, Vec<SettingError>> {
        let mut reader = SettingsReader::of_lease(spec);
        let endpoint = reader.endpoint("endpoint");
        let settings = Self {
            bucket: bucket(&mut reader),
            region: region(&mut reader, endpoint.is_some()),
            endpoint,
            profile: reader.text("profile"),
            account: reader.text("account"),
        };
        let credentials =
            "name a `profile`, or set the environment variables that the AWS tools read";
        reader.unknown("a lease in S3", &KNOWN, credentials);
        reader.finish(settings)
    }

    /// Where it is, for people.
    fn place(&self) -> String {
        let at = self.endpoint.as_ref().unwrap_or(&self.region);
        format!("the S3 bucket {} at {at}", self.bucket)
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
fn bucket(reader: &mut SettingsReader<'_, LeaseSpec>) -> String {
    if reader.value("bucket").is_none() {
        let help = "add `bucket = \"shop-leases\"`; an apply makes it if it is not there";
        reader.fail("bucket", "a lease in S3 needs it", help);
    }
    let Some(bucket) = reader.text("bucket") else {
        return String::new();
    };
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
    if !(3..=63).contains(&bucket.len()) || !bucket.chars().all(is_plain) {
        let message = format!("`{bucket}` is not the name of a bucket");
        let help = "use 3 to 63 lower-case letters, digits, `-` and `.`";
        reader.fail("bucket", message, help);
    }
    bucket
}

fn region(reader: &mut SettingsReader<'_, LeaseSpec>, has_endpoint: bool) -> String {
    if reader.value("region").is_none() && !has_endpoint {
        let help = "add `region = \"eu-central-1\"`, or the `endpoint` of another S3";
        reader.fail("region", "a bucket of AWS is in a region", help);
    }
    let region = reader.text("region");
    region.unwrap_or_else(|| DEFAULT_REGION.to_owned())
}

#[async_trait]
impl LeaseStoreFactory for S3LeaseFactory {
    fn name(&self) -> &'static str {
        "s3"
    }

    fn check(&self, spec: &LeaseSpec) -> Result<(), Vec<SettingError>> {
        Settings::parse(spec).map(drop)
    }

    async fn connect(
        &self,
        spec: &LeaseSpec,
        _context: &ConnectContext,
    ) -> Result<Arc<dyn Leases>> {
        let settings = Settings::parse(spec).map_err(|errors| {
            let all = errors
                .iter()
                .map(|error| format!("{}: {}", error.attribute, error.message));
            Error::new(ErrorKind::Invalid, all.collect::<Vec<_>>().join("; "))
        })?;
        let place = settings.place();
        let (endpoint, profile) = (settings.endpoint.as_deref(), settings.profile.as_deref());
        let client = client(
            endpoint,
            &settings.region,
            profile,
            self.credentials.clone(),
        )
        .await?;
        let is_any = settings.endpoint.is_some();
        let leases = S3Leases::new(client, settings.bucket, settings.region, place, is_any);
        Ok(Arc::new(match settings.account {
            Some(account) => leases.owned_by(account),
            None => leases,
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parse(settings: Value) -> Result<Settings, Vec<String>> {
        let Value::Object(settings) = settings else {
            panic!("settings are an object")
        };
        let spec = LeaseSpec {
            store: "s3".to_owned(),
            settings,
            origin: None,
        };
        Settings::parse(&spec).map_err(|errors| {
            let told = errors
                .iter()
                .map(|error| format!("{}: {}", error.attribute, error.message));
            told.collect()
        })
    }

    #[test]
    fn a_bucket_is_in_a_region_or_at_an_endpoint() {
        let place = |settings| parse(settings).map(|settings| settings.place());
        let here = place(json!({ "bucket": "shop-leases", "region": "eu-central-1" }));
        assert_eq!(
            here.as_deref(),
            Ok("the S3 bucket shop-leases at eu-central-1")
        );
        let own = place(json!({ "bucket": "shop-leases", "endpoint": "http://127.0.0.1:9000" }));
        assert_eq!(
            own.as_deref(),
            Ok("the S3 bucket shop-leases at http://127.0.0.1:9000")
        );
    }

    #[test]
    fn what_is_wrong_is_told() {
        let told = parse(json!({ "bucket": "Shop", "secret_access_key": "hush", "buckt": 1 }));
        let told = told.err().expect("wrong");
        let wanted = [
            "bucket: `Shop` is not the name of a bucket",
            "region: a bucket of AWS is in a region",
            "buckt: a lease in S3 has no such setting",
            "secret_access_key: a topology file never holds a credential",
        ];
        assert_eq!(told, wanted);
        let told = parse(json!({ "region": "eu-central-1" }))
            .err()
            .expect("wrong");
        assert_eq!(told, ["bucket: a lease in S3 needs it"]);
    }
}
