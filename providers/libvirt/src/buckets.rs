//! Buckets, which are not on the hosts: in an S3 that the site has beside them, if it has one.

#[cfg(feature = "s3")]
pub(crate) use strat_s3::{Buckets, S3Settings, SharedCredentialsProvider};
#[cfg(not(feature = "s3"))]
pub(crate) use without::{Buckets, S3Settings, SharedCredentialsProvider};

/// A build without the feature has neither settings nor buckets: there is no value of these types.
#[cfg(not(feature = "s3"))]
mod without {
    use serde::Deserialize;
    use strat_model::{BucketSpec, Resource, ResourceId, Result};
    use strat_provider::{Create, Emptied, Update};

    #[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
    pub(crate) enum S3Settings {}

    impl S3Settings {
        pub(crate) fn problem(&self) -> Option<&'static str> {
            match *self {}
        }
    }

    #[derive(Debug, Clone)]
    pub(crate) enum SharedCredentialsProvider {}

    #[derive(Debug)]
    pub(crate) enum Buckets {}

    impl Buckets {
        pub(crate) async fn of(
            settings: S3Settings,
            _: Option<SharedCredentialsProvider>,
        ) -> Result<Self> {
            match settings {}
        }

        pub(crate) async fn create(&self, _: Create<'_, BucketSpec>) -> Result<Resource> {
            match *self {}
        }

        pub(crate) async fn update(&self, _: Update<'_, BucketSpec>) -> Result<Resource> {
            match *self {}
        }

        pub(crate) async fn empty(&self, _: &ResourceId) -> Result<Emptied> {
            match *self {}
        }

        pub(crate) async fn delete(&self, _: &ResourceId) -> Result<()> {
            match *self {}
        }

        pub(crate) async fn list(&self) -> Result<Vec<Resource>> {
            match *self {}
        }

        pub(crate) async fn get(&self, _: &[ResourceId]) -> Result<Vec<Resource>> {
            match *self {}
        }
    }
}
