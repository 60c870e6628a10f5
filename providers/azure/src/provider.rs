//! A connected site.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use strat_model::{
    Capabilities, Changes, ErrorKind, Kind, Mark, Name, Owner, Resource, ResourceId, ResourceState,
    Result, Spec,
};
use strat_provider::{
    Attachment, Clock, Contents, Identity, Images, Leases, Machines, Observe, Offers,
    PermissionCheck, Permissions, Provider, Stamp, Turns, Writes,
};
use tokio::sync::{Mutex, OnceCell};

use crate::access::Access;
use crate::arm::Call;
use crate::capabilities::capabilities;
use crate::changes::AzureRules;
use crate::config::Settings;
use crate::error::{PROVIDER, gone, refuse};
use crate::names::{Place, RESOURCES, SUBSCRIPTIONS, Type};
use crate::offers::{RetailPrices, Sizes};
use crate::tags::{self, Tags};

/// One region of one subscription.
pub(crate) struct AzureProvider {
    pub(crate) settings: Settings,
    pub(crate) access: Access,
    pub(crate) clock: Arc<dyn Clock>,
    /// The sizes of machines, once they were asked for.
    pub(crate) sizes: Arc<Sizes>,
    /// One change of a network, of its rules, or of a machine at a time.
    pub(crate) turns: Turns<String>,
    /// Groups that are known to be there, and whose.
    pub(crate) groups: Mutex<BTreeSet<(String, Owner)>>,
    /// What an hour costs, once Microsoft's list was asked.
    pub(crate) prices: OnceCell<RetailPrices>,
    /// Where the leases' blobs are, once that was asked for.
    pub(crate) lease_blobs: OnceCell<String>,
    capabilities: Capabilities,
}

/// A thing as it was seen, and what is known of it beside.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) resource: Resource,
    /// The token of its create and a digest of what was asked for.
    pub(crate) made: Option<String>,
}

impl fmt::Debug for AzureProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzureProvider")
            .field("site", &self.settings.site)
            .field("subscription", &self.settings.subscription)
            .field("region", &self.settings.region)
            .finish_non_exhaustive()
    }
}

/// What the account says of itself.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Subscription {
    subscription_id: Option<String>,
}

impl AzureProvider {
    pub(crate) fn new(settings: Settings, access: Access, clock: Arc<dyn Clock>) -> Self {
        Self {
            capabilities: Capabilities {
                public_ips: settings.public_ips,
                ..capabilities(settings.consistency_ms)
            },
            sizes: Arc::default(),
            turns: Turns::default(),
            groups: Mutex::default(),
            prices: OnceCell::new(),
            lease_blobs: OnceCell::new(),
            settings,
            access,
            clock,
        }
    }

    /// Fails for what is beyond what Azure takes, before anything is called.
    pub(crate) fn check_limits(&self, spec: &Spec<ResourceId>) -> Result<()> {
        let beyond = self.capabilities.beyond(spec);
        beyond.map_or(Ok(()), |beyond| {
            Err(refuse(ErrorKind::Invalid, beyond.message))
        })
    }

    /// Whether something is in this site's region. Azure writes `westeurope` and `West Europe`.
    pub(crate) fn is_here(&self, location: &str) -> bool {
        let letters = location.chars().filter(|c| !c.is_whitespace());
        let plain: String = letters.map(|c| c.to_ascii_lowercase()).collect();
        plain == self.settings.region
    }

    /// A digest of the id of a thing here.
    pub(crate) fn self_of(&self, id: &ResourceId) -> String {
        tags::self_of(&self.settings.subscription, id)
    }

    /// Where a new thing of this name goes, and its tags.
    pub(crate) async fn ground(
        &self,
        name: &str,
        mark: &Mark,
        labels: &strat_model::Labels,
        stamp: &Stamp,
    ) -> Result<(Place, Tags)> {
        let at = Place::new(&self.group_for(mark).await?, name);
        let is = self.self_of(&at.id());
        let tags = tags::of_new(mark, labels, &stamp.text(), &is)?;
        Ok((at, tags))
    }

    /// Makes one thing, once, whatever becomes of the answers: what has the name is looked at first, and
    /// a `PUT` of the same is the same.
    ///
    /// # Caveats
    /// Only machines can be made on the condition that there is none: of another kind, one that somebody
    /// else makes under this name between the look and the call is overwritten. Of ours nobody does: the
    /// lease is held.
    pub(crate) async fn make(
        &self,
        (kind, id): (Kind, &ResourceId),
        mark: &Mark,
        stamp: &Stamp,
        put: &Call,
    ) -> Result<Resource> {
        if let Some(there) = self.one(kind, id).await? {
            let there = made_by(stamp, there, mark)?;
            // What was begun and failed is begun again: it is the same call.
            if there.state != ResourceState::Failed {
                return Ok(there);
            }
        }
        self.done(put).await?;
        let there = self.one(kind, id).await?;
        made_by(stamp, there.ok_or_else(|| gone(kind, id))?, mark)
    }

    /// Brings the tags of what has a path to `after`; no call for no difference.
    pub(crate) async fn write_tags(&self, path: &str, before: &Tags, after: &Tags) -> Result<()> {
        let (set, drop) = tags::difference(before, after);
        for (operation, tags) in [("Delete", drop), ("Merge", set)] {
            if tags.is_empty() {
                continue;
            }
            let path = format!("{path}/providers/Microsoft.Resources/tags/default");
            let body = json!({ "operation": operation, "properties": { "tags": tags } });
            let action = "Microsoft.Resources/tags/write";
            let call = Call::new(action, Method::PATCH, path, RESOURCES).carrying(body);
            self.done(&call).await?;
        }
        Ok(())
    }

    /// The same of a thing that an update is about: its mark and its labels.
    pub(crate) async fn retag(
        &self,
        (of, at): (Type, &Place),
        before: &Tags,
        mark: Option<&Mark>,
        labels: Option<&strat_model::Labels>,
    ) -> Result<()> {
        let after = tags::changed(before, mark, labels)?;
        self.write_tags(&self.path(of, at), before, &after).await
    }

    /// Deletes a thing, and waits until it is gone; one that is not there is gone already.
    pub(crate) async fn end(&self, action: &'static str, of: Type, at: &Place) -> Result<()> {
        let call = Call::new(action, Method::DELETE, self.path(of, at), of.version);
        crate::error::if_there(self.done(&call).await).map(|_| ())
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

/// The state of what Azure says that it is working on, or is not any more.
pub(crate) fn state(provisioning: Option<&str>) -> ResourceState {
    match provisioning.unwrap_or("Succeeded") {
        "Succeeded" | "ResolvingDNS" => ResourceState::Ready,
        "Failed" | "Canceled" => ResourceState::Failed,
        "Deleting" => ResourceState::Deleting,
        _ => ResourceState::Pending,
    }
}

/// A moment as Azure writes it.
pub(crate) fn moment(text: Option<&str>) -> Option<jiff::Timestamp> {
    text?.parse().ok()
}

#[async_trait]
impl Provider for AzureProvider {
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
        Changes::new(AzureRules::new(&self.capabilities, Arc::clone(&self.sizes)))
    }

    /// Azure meters the calls of an identity in a subscription, per region.
    ///
    /// <https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling>
    fn meter(&self) -> String {
        let endpoint = self.settings.endpoint.as_deref().unwrap_or_default();
        let (subscription, region) = (&self.settings.subscription, &self.settings.region);
        format!("{PROVIDER}/{subscription}/{region}/{endpoint}")
    }

    async fn identity(&self) -> Result<Identity> {
        let action = "Microsoft.Resources/subscriptions/read";
        let call = Call::new(action, Method::GET, self.subscription(), SUBSCRIPTIONS);
        let answer = self.send(&call).await.map_err(|error| match error.kind() {
            // A subscription that is not there, or not open to us, is a matter of credentials.
            ErrorKind::NotFound => error.with_kind(ErrorKind::Unauthenticated),
            _ => error,
        })?;
        let account: Subscription = answer.read(action)?;
        let own = || self.settings.subscription.clone();
        Ok(Identity {
            account: account.subscription_id.unwrap_or_else(own),
            principal: self.access.principal().await?,
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
impl Permissions for AzureProvider {
    async fn check_permissions(&self) -> Result<Vec<PermissionCheck>> {
        self.ask_permissions().await
    }
}
