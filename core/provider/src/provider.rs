//! A connected site.

use std::fmt::Debug;

use async_trait::async_trait;
use strat_model::{Capabilities, Changes, Kind, Name, Result, Service};

use crate::{Attachment, Contents, Images, Leases, Machines, Observe, Offers, Permissions, Writes};

/// Who we are at a site, in the cloud's own words. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account, project or subscription.
    pub account: String,
    /// The user or role.
    pub principal: String,
}

/// One site, connected.
///
/// The three services and [`Observe`] every provider has. What only some can do is a facet, which
/// is `None` unless a provider says otherwise. A facet is there or not for the whole life of a
/// connection, and agrees with the capabilities: who makes machines in batches of more than one has
/// [`Machines`], who has machines and volumes has [`Attachment`].
#[async_trait]
pub trait Provider: Debug + Send + Sync {
    /// The provider's name, such as `sim` or `aws`.
    fn name(&self) -> &'static str;
    /// The site's name in the topology.
    fn site(&self) -> &Name;
    /// What it can do here.
    fn capabilities(&self) -> &Capabilities;
    /// What it takes to change things here.
    fn changes(&self) -> Changes;
    /// What the cloud meters this site's calls together with, such as account and region: sites that
    /// say the same share one throttle. A rate of its own unless a provider says otherwise.
    fn meter(&self) -> String {
        format!("{}/{}", self.name(), self.site())
    }
    /// Who we are here; one cheap call that proves the credentials.
    ///
    /// # Errors
    /// `Unauthenticated` where the credentials are missing, wrong or expired.
    async fn identity(&self) -> Result<Identity>;

    /// Reads.
    fn observe(&self) -> &dyn Observe;
    /// Networks, subnets, firewalls, addresses.
    fn network(&self) -> &dyn Writes;
    /// Machines, key pairs, images.
    fn compute(&self) -> &dyn Writes;
    /// Volumes and buckets.
    fn storage(&self) -> &dyn Writes;

    /// Machines in batches, and their power.
    fn machines(&self) -> Option<&dyn Machines> {
        None
    }
    /// Volumes on machines.
    fn attachment(&self) -> Option<&dyn Attachment> {
        None
    }
    /// What is in buckets.
    fn contents(&self) -> Option<&dyn Contents> {
        None
    }
    /// Public images.
    fn images(&self) -> Option<&dyn Images> {
        None
    }
    /// What is on sale, and the limits.
    fn offers(&self) -> Option<&dyn Offers> {
        None
    }
    /// What the identity in use may do.
    fn permissions(&self) -> Option<&dyn Permissions> {
        None
    }
    /// Leases, kept beside what they guard, where the site has something that writes on condition.
    fn leases(&self) -> Option<&dyn Leases> {
        None
    }
}

/// The service of a provider that has a kind.
pub(crate) fn service_of(provider: &(impl Provider + ?Sized), kind: Kind) -> &dyn Writes {
    match kind.service() {
        Service::Network => provider.network(),
        Service::Compute => provider.compute(),
        Service::Storage => provider.storage(),
    }
}
