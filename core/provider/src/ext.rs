//! Conveniences over every provider: one call for a spec of any kind, whole lists, all facts.

use std::collections::BTreeSet;

use async_trait::async_trait;
use futures::future::try_join5;
use strat_model::{
    Error, ErrorKind, Field, Kind, Mark, Resource, ResourceId, Result, SiteFacts, Spec, Token,
};

use crate::{Create, CreateMachines, Filter, Provider, Update};

/// The longest list that is followed, in pages: a bound against a cloud that never ends one.
const PAGES_MAX: usize = 100_000;

/// Conveniences that every provider has.
#[async_trait]
pub trait ProviderExt: Provider {
    /// Makes one thing of any kind; a machine is a batch of one.
    async fn create(
        &self,
        spec: &Spec<ResourceId>,
        name: &str,
        mark: &Mark,
        token: &Token,
    ) -> Result<Resource> {
        macro_rules! create {
            ($noun:ident, $method:ident, $spec:expr) => {
                self.$noun()
                    .$method(Create {
                        spec: $spec,
                        name,
                        mark,
                        token,
                    })
                    .await
            };
        }
        match spec {
            Spec::Network(spec) => create!(network, create_network, spec),
            Spec::Subnet(spec) => create!(network, create_subnet, spec),
            Spec::Firewall(spec) => create!(network, create_firewall, spec),
            Spec::Address(spec) => create!(network, create_address, spec),
            Spec::Keypair(spec) => create!(compute, create_keypair, spec),
            Spec::Image(spec) => create!(images, create_image, spec),
            Spec::Volume(spec) => create!(storage, create_volume, spec),
            Spec::Bucket(spec) => create!(storage, create_bucket, spec),
            Spec::Machine(spec) => {
                let names = [name.to_owned()];
                let request = CreateMachines {
                    spec,
                    names: &names,
                    mark,
                    token,
                };
                let batch = self.compute().create_machines(request).await?;
                match (batch.created.into_iter().next(), batch.shortfall) {
                    (Some(machine), _) => Ok(machine),
                    (None, Some(why)) => Err(why),
                    (None, None) => Err(Error::new(
                        ErrorKind::Internal,
                        "a batch came back empty and gave no reason",
                    )),
                }
            }
        }
    }

    /// Changes one thing of any kind in place.
    async fn update(
        &self,
        id: &ResourceId,
        spec: &Spec<ResourceId>,
        fields: &BTreeSet<Field>,
        mark: &Mark,
    ) -> Result<Resource> {
        macro_rules! update {
            ($noun:ident, $method:ident, $spec:expr) => {
                self.$noun()
                    .$method(Update {
                        id,
                        spec: $spec,
                        fields,
                        mark,
                    })
                    .await
            };
        }
        match spec {
            Spec::Network(spec) => update!(network, update_network, spec),
            Spec::Subnet(spec) => update!(network, update_subnet, spec),
            Spec::Firewall(spec) => update!(network, update_firewall, spec),
            Spec::Address(spec) => update!(network, update_address, spec),
            Spec::Keypair(spec) => update!(compute, update_keypair, spec),
            Spec::Image(spec) => update!(images, update_image, spec),
            Spec::Machine(spec) => update!(compute, update_machine, spec),
            Spec::Volume(spec) => update!(storage, update_volume, spec),
            Spec::Bucket(spec) => update!(storage, update_bucket, spec),
        }
    }

    /// Deletes things of one kind: machines in batches, the rest one by one.
    async fn delete(&self, kind: Kind, ids: &[ResourceId]) -> Result<()> {
        if kind == Kind::Machine {
            let batch = self.capabilities().delete_batch.max(1) as usize;
            for ids in ids.chunks(batch) {
                self.compute().delete_machines(ids).await?;
            }
            return Ok(());
        }
        for id in ids {
            match kind {
                Kind::Network => self.network().delete_network(id).await?,
                Kind::Subnet => self.network().delete_subnet(id).await?,
                Kind::Firewall => self.network().delete_firewall(id).await?,
                Kind::Address => self.network().delete_address(id).await?,
                Kind::Keypair => self.compute().delete_keypair(id).await?,
                Kind::Image => self.images().delete_image(id).await?,
                Kind::Volume => self.storage().delete_volume(id).await?,
                Kind::Bucket => self.storage().delete_bucket(id).await?,
                Kind::Machine => {}
            }
        }
        Ok(())
    }

    /// A whole list, page after page.
    async fn list_all(&self, kind: Kind, filter: &Filter) -> Result<Vec<Resource>> {
        let mut items = Vec::new();
        let mut next = None;
        for _ in 0..PAGES_MAX {
            let page = self.observe().list(kind, filter, next.as_ref()).await?;
            items.extend(page.items);
            next = page.next;
            if next.is_none() {
                return Ok(items);
            }
        }
        Err(Error::new(
            ErrorKind::Internal,
            format!("the list of {kind} did not end after {PAGES_MAX} pages"),
        ))
    }

    /// The things of these ids, fresh, in as few calls as the provider's batches allow.
    async fn get_all(&self, kind: Kind, ids: &[ResourceId]) -> Result<Vec<Resource>> {
        let mut items = Vec::with_capacity(ids.len());
        for ids in ids.chunks(self.capabilities().delete_batch.max(1) as usize) {
            items.extend(self.observe().get(kind, ids).await?);
        }
        Ok(items)
    }
}

impl<P: Provider + ?Sized> ProviderExt for P {}

/// All that is known of a site before anything is planned there.
///
/// # Errors
/// The first error of any of its calls.
pub async fn gather_facts(provider: &dyn Provider) -> Result<SiteFacts> {
    let offers = provider.offers();
    let (zones, listed, free, quotas, images) = try_join5(
        offers.zones(),
        offers.list_offers(),
        offers.free(),
        offers.quotas(),
        provider.images().public_images(),
    )
    .await?;
    Ok(SiteFacts {
        capabilities: provider.capabilities().clone(),
        zones,
        offers: listed,
        free,
        quotas,
        images,
    })
}
