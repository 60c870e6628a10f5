//! A connected site.

use std::fmt::Debug;

use async_trait::async_trait;
use strat_model::{Capabilities, Name, Result};

use crate::{Compute, Images, Network, Observe, Offers, PermissionCheck, Storage};

/// Who we are at a site, in the cloud's own words. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account, project or subscription.
    pub account: String,
    /// The user or role.
    pub principal: String,
}

/// One site, connected.
#[async_trait]
pub trait Provider: Debug + Send + Sync {
    /// The provider's name, such as `sim` or `aws`.
    fn name(&self) -> &'static str;
    /// The site's name in the topology.
    fn site(&self) -> &Name;
    /// What it can do here.
    fn capabilities(&self) -> &Capabilities;
    /// Who we are here; one cheap call that proves the credentials.
    async fn identity(&self) -> Result<Identity>;
    /// Which of the permissions that work at this site may need the identity in use has.
    ///
    /// # Behavior
    /// - Nothing is made, changed or deleted, and no planned thing is used up: the cloud is asked
    ///   in ways that have no effect.
    /// - What cannot be asked so is [`Unknown`](crate::PermissionState::Unknown), and says why.
    /// - Sorted by permission, each once. Empty where the provider knows of none.
    async fn check_permissions(&self) -> Result<Vec<PermissionCheck>>;

    /// Reads.
    fn observe(&self) -> &dyn Observe;
    /// Networks, subnets, firewalls, addresses.
    fn network(&self) -> &dyn Network;
    /// Machines and key pairs.
    fn compute(&self) -> &dyn Compute;
    /// Volumes and buckets.
    fn storage(&self) -> &dyn Storage;
    /// Images.
    fn images(&self) -> &dyn Images;
    /// What is on sale.
    fn offers(&self) -> &dyn Offers;
}
