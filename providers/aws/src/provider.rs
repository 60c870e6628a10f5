//! A connected site.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::types::Filter;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use strat_model::{
    Capabilities, Changes, Error, ErrorKind, Kind, Money, Name, Resource, ResourceId, Result,
};
use strat_provider::{
    Attachment, Clock, Contents, Identity, Images, Leases, Machines, Observe, Offers,
    PermissionCheck, Permissions, Provider, Writes,
};
use strat_s3::S3Leases;
use tokio::sync::OnceCell;

use crate::access::Access;
use crate::capabilities::capabilities;
use crate::changes::AwsRules;
use crate::compute::Shortened;
use crate::config::Settings;
use crate::error::{PROVIDER, failed};
use crate::images::DisksOfImages;
use crate::offers::TypeCache;
use crate::recent::Recent;
use crate::tags::{self, TagChange};
use crate::tokens::{Tokens, check_stamp};

/// One region of one account.
pub(crate) struct AwsProvider {
    pub(crate) settings: Settings,
    pub(crate) access: Access,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) recent: Recent,
    pub(crate) tokens: Tokens,
    pub(crate) types: Arc<TypeCache>,
    /// The zones of the region, once they are known.
    pub(crate) zones: OnceCell<Vec<Name>>,
    pub(crate) prices: OnceCell<BTreeMap<String, Money>>,
    pub(crate) image_disks: DisksOfImages,
    pub(crate) shortened: Shortened,
    /// Whose turn it is to make or end the ways of networks to the internet.
    pub(crate) ways: tokio::sync::Mutex<()>,
    pub(crate) leases: OnceCell<S3Leases>,
    /// The account, once it was asked for.
    pub(crate) account: OnceCell<String>,
    capabilities: Capabilities,
}

impl fmt::Debug for AwsProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsProvider")
            .field("site", &self.settings.site)
            .field("region", &self.settings.region)
            .finish_non_exhaustive()
    }
}

impl AwsProvider {
    pub(crate) fn new(settings: Settings, access: Access, clock: Arc<dyn Clock>) -> Self {
        let capabilities = capabilities(settings.consistency_ms);
        let window = Duration::from_millis(capabilities.consistency_window_ms);
        Self {
            recent: Recent::new(Arc::clone(&clock), window),
            tokens: Tokens::default(),
            types: Arc::default(),
            zones: OnceCell::new(),
            prices: OnceCell::new(),
            image_disks: DisksOfImages::default(),
            shortened: Shortened::default(),
            ways: tokio::sync::Mutex::default(),
            leases: OnceCell::new(),
            account: OnceCell::new(),
            capabilities,
            settings,
            access,
            clock,
        }
    }

    /// The client for EC2.
    pub(crate) const fn ec2(&self) -> &aws_sdk_ec2::Client {
        &self.access.ec2
    }

    /// Turns the failure of a call that uses other things into ours: what was made a moment ago and
    /// is "not found" is not seen yet, so the same call passes later.
    pub(crate) fn failed<E>(
        &self,
        action: &'static str,
    ) -> impl FnOnce(SdkError<E, HttpResponse>) -> Error
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        move |error| {
            let error = failed(action)(error);
            if error.kind() != ErrorKind::NotFound || !self.recent.is_about_new(error.message()) {
                return error;
            }
            let lagging = "AWS does not see everywhere yet what was made a moment ago";
            error.wrapped(lagging).with_kind(ErrorKind::Transient)
        }
    }

    /// What a token made before; `None` where it made nothing, or that is gone.
    ///
    /// # Errors
    /// `Precondition` if the token was used for something else.
    pub(crate) async fn replay(
        &self,
        stamp: &str,
        as_id: impl Fn(String) -> ResourceId + Send,
        kind: Kind,
    ) -> Result<Option<Resource>> {
        let Some(made) = self.tokens.begin(self.ec2(), stamp).await? else {
            return Ok(None);
        };
        check_stamp(&made.stamp, stamp)?;
        let found = self.get(kind, &[as_id(made.id)]).await?.into_iter().next();
        if found.is_none() {
            self.tokens.forget(stamp).await;
        }
        Ok(found)
    }

    /// What a token made, after a create said that the name or range is taken; else that error.
    pub(crate) async fn after_taken(
        &self,
        stamp: &str,
        as_id: impl Fn(String) -> ResourceId + Send,
        kind: Kind,
        error: Error,
    ) -> Result<Resource> {
        if !matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::Conflict) {
            return Err(error);
        }
        let Some(made) = self.tokens.find(self.ec2(), stamp).await? else {
            return Err(error);
        };
        check_stamp(&made.stamp, stamp)?;
        self.tokens.made(stamp, &made.id).await;
        let found = self.get(kind, &[as_id(made.id)]).await?.into_iter().next();
        found.ok_or(error)
    }

    /// Brings the tags of an EC2 thing to what a change says; no call for no difference.
    pub(crate) async fn retag(&self, id: &str, change: &TagChange) -> Result<()> {
        self.retag_all(&[id.to_owned()], change).await
    }

    /// The same of a thing and its parts, in the same calls.
    pub(crate) async fn retag_all(&self, ids: &[String], change: &TagChange) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let ids = || Some(ids.to_vec());
        if !change.set.is_empty() {
            let tags = Some(tags::write(&change.set));
            let call = self.ec2().create_tags().set_resources(ids());
            let call = call.set_tags(tags);
            call.send().await.map_err(failed("ec2:CreateTags"))?;
        }
        if !change.remove.is_empty() {
            let keys = change.remove.iter();
            let keys = keys.map(|key| aws_sdk_ec2::types::Tag::builder().key(key).build());
            let tags = Some(keys.collect());
            let call = self.ec2().delete_tags().set_resources(ids());
            let call = call.set_tags(tags);
            call.send().await.map_err(failed("ec2:DeleteTags"))?;
        }
        Ok(())
    }
}

/// A filter of a describing call.
pub(crate) fn filter<S: Into<String>>(
    name: impl Into<String>,
    values: impl IntoIterator<Item = S>,
) -> Filter {
    let values = values.into_iter().map(Into::into).collect();
    Filter::builder()
        .name(name)
        .set_values(Some(values))
        .build()
}

#[async_trait]
impl Provider for AwsProvider {
    fn name(&self) -> &'static str {
        PROVIDER
    }

    fn site(&self) -> &Name {
        &self.settings.site
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn changes(&self) -> Changes {
        Changes::new(AwsRules::new(&self.capabilities, Arc::clone(&self.types)))
    }

    /// EC2 meters by account and region; the account is who the credentials belong to.
    fn meter(&self) -> String {
        let words = [
            self.settings.profile.as_deref(),
            self.settings.assume_role.as_deref(),
            self.settings.endpoint.as_deref(),
            Some(self.settings.region.as_str()),
        ];
        let words = words.map(Option::unwrap_or_default);
        format!("{PROVIDER}/{}", words.join("/"))
    }

    async fn identity(&self) -> Result<Identity> {
        let caller = self.access.sts.get_caller_identity().send().await;
        let caller = caller.map_err(failed("sts:GetCallerIdentity"))?;
        let account = caller.account().unwrap_or_default().to_owned();
        // Credentials of one connection are one account's, whenever they are asked.
        self.account.set(account.clone()).ok();
        Ok(Identity {
            account,
            principal: caller.arn().unwrap_or_default().to_owned(),
        })
    }

    fn observe(&self) -> &dyn Observe {
        self
    }

    fn network(&self) -> &dyn Writes {
        self
    }

    fn compute(&self) -> &dyn Writes {
        self
    }

    fn storage(&self) -> &dyn Writes {
        self
    }

    fn machines(&self) -> Option<&dyn Machines> {
        Some(self)
    }

    fn attachment(&self) -> Option<&dyn Attachment> {
        Some(self)
    }

    fn contents(&self) -> Option<&dyn Contents> {
        Some(self)
    }

    fn images(&self) -> Option<&dyn Images> {
        Some(self)
    }

    fn offers(&self) -> Option<&dyn Offers> {
        Some(self)
    }

    fn permissions(&self) -> Option<&dyn Permissions> {
        Some(self)
    }

    fn leases(&self) -> Option<&dyn Leases> {
        Some(self)
    }
}

#[async_trait]
impl Permissions for AwsProvider {
    async fn check_permissions(&self) -> Result<Vec<PermissionCheck>> {
        self.ask_permissions().await
    }
}
