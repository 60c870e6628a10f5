//! A connected simulated site, and the way of a call through it.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use strat_model::{Capabilities, Changes, Error, ErrorKind, Name, Result};
use strat_provider::{
    Attachment, Contents, Identity, Images, Leases, Machines, Observe, Offers, PermissionCheck,
    Permissions, Provider, Writes,
};

use crate::error::PROVIDER;
use crate::faults::{Effect, Passage, gate};
use crate::permissions;
use crate::rules::Cloud;
use crate::world::{Phase, RegionKey, Tx, World};
use crate::{Behaviour, LeaseRule, Profile};

/// One connected site.
pub(crate) struct SimProvider {
    world: World,
    cloud: Cloud,
}

impl fmt::Debug for SimProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimProvider")
            .field("site", &self.cloud.site.name)
            .finish_non_exhaustive()
    }
}

impl SimProvider {
    pub(crate) const fn new(world: World, cloud: Cloud) -> Self {
        Self { world, cloud }
    }

    /// How it behaves.
    pub(crate) const fn behaviour(&self) -> &Behaviour {
        &self.cloud.site.behaviour
    }

    /// The region that it is connected to.
    pub(crate) const fn key(&self) -> &RegionKey {
        &self.cloud.key
    }

    /// How its leases work.
    pub(crate) fn lease_rule(&self) -> LeaseRule {
        self.behaviour()
            .leases
            .unwrap_or(match self.cloud.profile() {
                Profile::Aws => LeaseRule::Digest,
                Profile::Azure | Profile::Gcp | Profile::Onprem => LeaseRule::Counter,
            })
    }

    /// A call that changes nothing.
    pub(crate) async fn read<T: Send>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Cloud, &mut Tx<'_>) -> Result<T> + Send,
    ) -> Result<T> {
        self.call(operation, Effect::Read, work).await
    }

    /// A call that changes something.
    pub(crate) async fn write<T: Send>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Cloud, &mut Tx<'_>) -> Result<T> + Send,
    ) -> Result<T> {
        self.call(operation, Effect::Write, work).await
    }

    /// The way of every call: half the latency there, the gate, the effect, half the latency back.
    async fn call<T: Send>(
        &self,
        operation: &'static str,
        effect: Effect,
        work: impl FnOnce(&Cloud, &mut Tx<'_>) -> Result<T> + Send,
    ) -> Result<T> {
        let behaviour = &self.cloud.site.behaviour;
        let one_way = Duration::from_micros(behaviour.latency_ms.saturating_mul(500));
        self.world.count(&self.cloud.key, operation);
        self.world.pass(operation, Phase::Before).await;
        self.wait(one_way).await;
        let (mut passage, mut back) = (Passage::Free, one_way);
        let outcome = self.world.transact(&self.cloud.key, |tx| {
            if let Some(latency_ms) = tx.region().record.trials.pace.latency_ms {
                back = Duration::from_millis(latency_ms).saturating_sub(one_way);
            }
            passage = gate(tx, behaviour, operation, effect)?;
            match passage {
                Passage::Silent => Err(Error::new(ErrorKind::Timeout, "nothing answers")),
                Passage::Free | Passage::Lost(_) => work(&self.cloud, tx),
            }
        });
        if matches!(passage, Passage::Silent) {
            std::future::pending::<()>().await;
        }
        self.world.pass(operation, Phase::After).await;
        self.wait(back).await;
        let answer = match passage {
            Passage::Lost(error) if outcome.is_ok() => Err(error),
            _ => outcome,
        };
        answer.map_err(|error| error.with_operation(operation).with_provider(PROVIDER))
    }

    async fn wait(&self, time: Duration) {
        if !time.is_zero() {
            self.world.clock().sleep(time).await;
        }
    }
}

#[async_trait]
impl Provider for SimProvider {
    fn name(&self) -> &'static str {
        PROVIDER
    }

    fn site(&self) -> &Name {
        &self.cloud.site.name
    }

    fn capabilities(&self) -> &Capabilities {
        &self.cloud.capabilities
    }

    fn changes(&self) -> Changes {
        self.cloud.changes.clone()
    }

    fn meter(&self) -> String {
        let site = &self.cloud.site;
        let words = [site.account.as_str(), site.profile.as_str(), &site.region];
        format!("{PROVIDER}/{}", words.join("/"))
    }

    async fn identity(&self) -> Result<Identity> {
        self.read("identity", |cloud, _| {
            Ok(Identity {
                account: cloud.site.account.clone(),
                principal: format!("{}:stratiform", cloud.profile()),
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
        (self.lease_rule() != LeaseRule::None).then_some(self)
    }
}

#[async_trait]
impl Permissions for SimProvider {
    async fn check_permissions(&self) -> Result<Vec<PermissionCheck>> {
        self.read("check_permissions", |cloud, tx| {
            let trials = &tx.region().record.trials;
            Ok(permissions::check(&cloud.capabilities, trials))
        })
        .await
    }
}
