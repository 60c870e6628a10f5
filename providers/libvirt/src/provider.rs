//! The connected site as the contract wants it: async, and every call on a thread that may block.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use strat_model::{
    Capabilities, Changes, ErrorKind, Field, Kind, Mark, Name, ResourceId, Result, Spec, Token,
};
use strat_provider::{
    Attachment, Contents, Create, Identity, Images, Leases, Machines, Observe, Offers,
    PermissionCheck, Permissions, Provider, Update, Writes,
};

use crate::buckets::Buckets;
use crate::changes::LibvirtRules;
use crate::error::{PROVIDER, fail};
use crate::site::Site;
use crate::thing::{Birth, Phase, Thing, request_digest};

/// One connected site.
pub(crate) struct LibvirtProvider {
    site: Arc<Site>,
    buckets: Option<Buckets>,
}

impl fmt::Debug for LibvirtProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LibvirtProvider")
            .field("site", &self.site.name)
            .finish_non_exhaustive()
    }
}

impl LibvirtProvider {
    pub(crate) const fn new(site: Arc<Site>, buckets: Option<Buckets>) -> Self {
        Self { site, buckets }
    }

    /// The S3 beside the hosts.
    pub(crate) const fn buckets(&self) -> Option<&Buckets> {
        self.buckets.as_ref()
    }

    /// Does some blocking work on a thread that may.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Site) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let site = Arc::clone(&self.site);
        let outcome = tokio::task::spawn_blocking(move || work(&site)).await;
        let outcome = outcome.unwrap_or_else(|error| {
            Err(fail(ErrorKind::Internal, "the thread of a call broke off").with_source(error))
        });
        outcome.map_err(|error| error.with_operation(operation).with_provider(PROVIDER))
    }
}

/// A create with everything in it, for another thread.
#[derive(Debug, Clone)]
pub(crate) struct OwnedCreate<S> {
    pub(crate) spec: S,
    pub(crate) name: String,
    pub(crate) mark: Mark,
    pub(crate) token: Token,
}

impl<S: Clone> OwnedCreate<S> {
    pub(crate) fn of(request: Create<'_, S>) -> Self {
        Self {
            spec: request.spec.clone(),
            name: request.name.to_owned(),
            mark: request.mark.clone(),
            token: request.token.clone(),
        }
    }

    /// The digest of what was asked for.
    pub(crate) fn digest(&self, spec: &Spec<ResourceId>) -> String {
        request_digest(spec)
    }

    /// What a document starts from.
    pub(crate) fn birth<'a>(
        &'a self,
        kind: Kind,
        spec: &'a Spec<ResourceId>,
        digest: &'a str,
        now: Timestamp,
    ) -> Birth<'a> {
        Birth {
            kind,
            name: &self.name,
            mark: &self.mark,
            token: &self.token,
            labels: spec.labels(),
            request: digest,
            now,
        }
    }
}

/// An update with everything in it, for another thread.
#[derive(Debug, Clone)]
pub(crate) struct OwnedUpdate<S> {
    pub(crate) id: ResourceId,
    pub(crate) spec: S,
    pub(crate) fields: BTreeSet<Field>,
    pub(crate) mark: Option<Mark>,
}

impl<S: Clone> OwnedUpdate<S> {
    pub(crate) fn of(request: Update<'_, S>) -> Self {
        Self {
            id: request.id.clone(),
            spec: request.spec.clone(),
            fields: request.fields.clone(),
            mark: request.mark.cloned(),
        }
    }

    /// The document of a thing that was foreign so far. What is to get no mark has none to be written
    /// down beside it.
    pub(crate) fn adopted<B>(
        &self,
        name: &str,
        spec: &Spec<ResourceId>,
        now: Timestamp,
        body: B,
    ) -> Result<Thing<B>> {
        let Some(mark) = &self.mark else {
            let what = format!("{name} has no mark that could be taken off");
            return Err(strat_model::Error::new(ErrorKind::Precondition, what));
        };
        let token = Token::derive("adopted", &mark.addr, mark.generation, 0, 0, name);
        let digest = request_digest(spec);
        let birth = Birth {
            kind: spec.kind(),
            name,
            mark,
            token: &token,
            labels: spec.labels(),
            request: &digest,
            now,
        };
        Ok(Thing::new(birth, Phase::Made, body))
    }
}

#[async_trait]
impl Provider for LibvirtProvider {
    fn name(&self) -> &'static str {
        PROVIDER
    }

    fn site(&self) -> &Name {
        &self.site.name
    }

    fn capabilities(&self) -> &Capabilities {
        &self.site.capabilities
    }

    fn changes(&self) -> Changes {
        Changes::new(LibvirtRules {
            live: self.site.live.clone(),
        })
    }

    async fn identity(&self) -> Result<Identity> {
        self.run("identity", |site| {
            let names = site.hostnames()?;
            let uris: Vec<_> = site.hosts.iter().map(|host| host.uri()).collect();
            Ok(Identity {
                account: names.join(", "),
                principal: uris.join(", "),
            })
        })
        .await
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
        self.buckets.as_ref().map(|_| self as _)
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
impl Permissions for LibvirtProvider {
    async fn check_permissions(&self) -> Result<Vec<PermissionCheck>> {
        self.run("check_permissions", |site| Ok(site.check_permissions()))
            .await
    }
}
