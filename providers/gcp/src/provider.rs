//! A connected site.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use google_cloud_compute_v1::model::Operation;
use strat_model::{
    Capabilities, Changes, Kind, Mark, Name, Resource, ResourceId, ResourceState, Result,
};
use strat_provider::{
    Attachment, Clock, Contents, Identity, Images, Leases, Machines, Observe, Offers,
    PermissionCheck, Permissions, Provider, Turns, Writes,
};
use tokio::sync::OnceCell;

use crate::access::Access;
use crate::capabilities::capabilities;
use crate::changes::GcpRules;
use crate::config::Settings;
use crate::error::{PROVIDER, failed, refuse};
use crate::names::Zonal;
use crate::offers::TypeCache;
use crate::operations::{LIVES_MAX, RequestId as _, Stamp, is_done};

/// One region of one project.
pub(crate) struct GcpProvider {
    pub(crate) settings: Settings,
    pub(crate) access: Access,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) types: Arc<TypeCache>,
    /// One write of the project's metadata at a time.
    pub(crate) metadata_turn: tokio::sync::Mutex<()>,
    /// Machines whose delete was taken: Google shows one that is going as one that is stopping.
    pub(crate) ended: Ended,
    /// One change of a machine at a time.
    pub(crate) turns: Turns<Zonal>,
    /// The zones of the region, once they were asked for.
    pub(crate) zones: OnceCell<Vec<Name>>,
    capabilities: Capabilities,
}

/// Machines whose delete was taken, by id and the number of each.
#[derive(Debug, Default)]
pub(crate) struct Ended(Mutex<BTreeSet<(ResourceId, u64)>>);

impl Ended {
    pub(crate) fn insert(&self, id: &ResourceId, number: u64) {
        let mut ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ended.insert((id.clone(), number));
    }

    pub(crate) fn contains(&self, id: &ResourceId, number: u64) -> bool {
        let ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ended.contains(&(id.clone(), number))
    }
}

/// A thing as it was seen, and what is known of it beside.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) resource: Resource,
    /// The token of its create and a digest of what was asked for.
    pub(crate) made: Option<String>,
    /// The region that a global thing was made for.
    pub(crate) region: Option<String>,
}

impl fmt::Debug for GcpProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GcpProvider")
            .field("site", &self.settings.site)
            .field("project", &self.settings.project)
            .field("region", &self.settings.region)
            .finish_non_exhaustive()
    }
}

impl GcpProvider {
    pub(crate) fn new(settings: Settings, access: Access, clock: Arc<dyn Clock>) -> Self {
        Self {
            capabilities: Capabilities {
                public_ips: settings.public_ips,
                ..capabilities(settings.consistency_ms)
            },
            types: Arc::default(),
            metadata_turn: tokio::sync::Mutex::default(),
            ended: Ended::default(),
            turns: Turns::default(),
            zones: OnceCell::new(),
            settings,
            access,
            clock,
        }
    }

    /// The path of something global of this project.
    pub(crate) fn global(&self, collection: &str, name: &str) -> String {
        format!(
            "projects/{}/global/{collection}/{name}",
            self.settings.project
        )
    }

    /// The path of something of this region.
    pub(crate) fn regional(&self, collection: &str, name: &str) -> String {
        let (project, region) = (&self.settings.project, &self.settings.region);
        format!("projects/{project}/regions/{region}/{collection}/{name}")
    }

    /// The path of something in a zone.
    pub(crate) fn zonal(&self, zone: &str, collection: &str, name: &str) -> String {
        format!(
            "projects/{}/zones/{zone}/{collection}/{name}",
            self.settings.project
        )
    }

    /// Whether a zone is one of this site's region.
    pub(crate) fn has_zone(&self, zone: &str) -> bool {
        let rest = zone.strip_prefix(self.settings.region.as_str());
        rest.is_some_and(|rest| rest.starts_with('-'))
    }

    /// Makes one thing, once, whatever becomes of the answers.
    ///
    /// # Behavior
    /// - The name is what makes it one: Google takes none twice where the thing is. The request id
    ///   finds a create again that is under way.
    /// - What Google remembers of a request id may be over: it failed, or what it made is gone. Then
    ///   the next id is used.
    pub(crate) async fn make<F>(
        &self,
        (action, stamp): (&'static str, &Stamp),
        (kind, id): (Kind, &ResourceId),
        mark: &Mark,
        insert: impl Fn(String) -> F + Send + Sync,
    ) -> Result<Resource>
    where
        F: Future<Output = Result<Operation>> + Send,
    {
        let mut last = None;
        for life in 0..LIVES_MAX {
            let begun = insert(stamp.request_id("insert", life)).await;
            // A call that was just taken is not done yet: one that is has been answered before.
            let replayed = begun.as_ref().is_ok_and(is_done);
            let ended = match begun {
                Ok(operation) => self.settle(action, operation).await.map(|_| ()),
                Err(error) => Err(error),
            };
            let taken =
                |error: &strat_model::Error| error.kind() == strat_model::ErrorKind::AlreadyExists;
            match ended {
                Err(error) if taken(&error) => match self.one(kind, id).await? {
                    Some(there) => return made_by(stamp, there, mark),
                    None => last = Some(error),
                },
                Err(error) if !replayed => return Err(error),
                Err(error) => last = Some(error),
                Ok(()) => {
                    if let Some(there) = self.one(kind, id).await? {
                        return made_by(stamp, there, mark);
                    }
                }
            }
        }
        let vanished = || {
            let message = format!("the {kind} {id} was made and is gone again");
            refuse(strat_model::ErrorKind::Conflict, message)
        };
        Err(last.unwrap_or_else(vanished))
    }
}

/// The thing that has the name, if this create made it.
pub(crate) fn made_by(stamp: &Stamp, there: Seen, mark: &Mark) -> Result<Resource> {
    let is_ours = there
        .resource
        .mark
        .as_ref()
        .is_some_and(|found| found.owner == mark.owner);
    let checked = stamp.check(there.made.as_deref(), is_ours, &there.resource.name);
    checked.map_err(|error| error.with_provider(PROVIDER))?;
    Ok(there.resource)
}

/// The state of what has no more than being there.
pub(crate) const READY: ResourceState = ResourceState::Ready;

#[async_trait]
impl Provider for GcpProvider {
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
        Changes::new(GcpRules::new(&self.capabilities, Arc::clone(&self.types)))
    }

    /// Google meters the calls of a project, whatever their region.
    ///
    /// <https://cloud.google.com/compute/api-quota>
    fn meter(&self) -> String {
        let endpoint = self.settings.endpoint.as_deref().unwrap_or_default();
        format!("{PROVIDER}/{}/{endpoint}", self.settings.project)
    }

    async fn identity(&self) -> Result<Identity> {
        let call = self
            .access
            .projects
            .get()
            .set_project(&self.settings.project);
        let project = call.send().await.map_err(failed("compute.projects.get"))?;
        Ok(Identity {
            account: project
                .name
                .unwrap_or_else(|| self.settings.project.clone()),
            principal: self.access.principal.clone(),
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
impl Permissions for GcpProvider {
    async fn check_permissions(&self) -> Result<Vec<PermissionCheck>> {
        self.ask_permissions().await
    }
}
