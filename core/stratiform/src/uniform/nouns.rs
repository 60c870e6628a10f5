//! Every noun of a provider, sent to the one store.

use async_trait::async_trait;
use strat_model::{
    AddressSpec, BucketSpec, Capabilities, Error, ErrorKind, FirewallSpec, ImageSpec, KeypairSpec,
    Kind, MachineSpec, Name, NetworkSpec, Offer, Pool, PublicImages, Quota, Resource, ResourceId,
    Result, Spec, SubnetSpec, VolumeSpec,
};
use strat_provider::{
    Compute, Create, CreateMachines, Filter, Identity, Images, MachineBatch, Network, Observe,
    Offers, Page, PageToken, PermissionCheck, Provider, Shutdown, Storage, Update,
};

use super::{Things, Uniform};

/// A noun's trait: a create, an update and a delete for each kind, and what else it has.
macro_rules! noun {
    ($noun:ident {
        $($kind:ident($spec:ty): $create:ident $update:ident $delete:ident;)*
    } $($more:item)*) => {
        #[async_trait]
        impl<T: Things> $noun for Uniform<T> {
            $(
                async fn $create(&self, request: Create<'_, $spec>) -> Result<Resource> {
                    let spec = unattached(Spec::$kind(request.spec.clone()));
                    self.0.create(spec, request.name, request.mark).await
                }
                async fn $update(&self, request: Update<'_, $spec>) -> Result<Resource> {
                    let spec = Spec::$kind(request.spec.clone());
                    self.0.update(request.id, spec, request.mark).await
                }
                async fn $delete(&self, id: &ResourceId) -> Result<()> {
                    self.0.delete(Kind::$kind, id).await
                }
            )*
            $($more)*
        }
    };
}

/// What can be attached is made unattached; attaching is a step of its own.
fn unattached(spec: Spec<ResourceId>) -> Spec<ResourceId> {
    match spec {
        Spec::Volume(spec) => Spec::Volume(VolumeSpec {
            attach: None,
            ..spec
        }),
        Spec::Address(spec) => Spec::Address(AddressSpec {
            attach: None,
            ..spec
        }),
        other => other,
    }
}

noun!(Network {
    Network(NetworkSpec): create_network update_network delete_network;
    Subnet(SubnetSpec<ResourceId>): create_subnet update_subnet delete_subnet;
    Firewall(FirewallSpec<ResourceId>): create_firewall update_firewall delete_firewall;
    Address(AddressSpec<ResourceId>): create_address update_address delete_address;
});

noun!(Images {
    Image(ImageSpec): create_image update_image delete_image;
}
    async fn public_images(&self) -> Result<PublicImages> {
        Ok(PublicImages::default())
    }
);

#[async_trait]
impl<T: Things> Storage for Uniform<T> {
    async fn create_volume(&self, request: Create<'_, VolumeSpec<ResourceId>>) -> Result<Resource> {
        let spec = unattached(Spec::Volume(request.spec.clone()));
        self.0.create(spec, request.name, request.mark).await
    }

    async fn update_volume(&self, request: Update<'_, VolumeSpec<ResourceId>>) -> Result<Resource> {
        // An update never attaches: what is attached stays so.
        let mut spec = request.spec.clone();
        if let Spec::Volume(now) = self.find(Kind::Volume, request.id).await?.spec {
            spec.attach = now.attach;
        }
        let spec = Spec::Volume(spec);
        self.0.update(request.id, spec, request.mark).await
    }

    async fn attach_volume(&self, id: &ResourceId, machine: &ResourceId) -> Result<()> {
        self.attach(id, Some(machine)).await
    }

    async fn detach_volume(&self, id: &ResourceId) -> Result<()> {
        self.attach(id, None).await
    }

    async fn delete_volume(&self, id: &ResourceId) -> Result<()> {
        self.0.delete(Kind::Volume, id).await
    }

    async fn create_bucket(&self, request: Create<'_, BucketSpec>) -> Result<Resource> {
        let spec = Spec::Bucket(request.spec.clone());
        self.0.create(spec, request.name, request.mark).await
    }

    async fn update_bucket(&self, request: Update<'_, BucketSpec>) -> Result<Resource> {
        let spec = Spec::Bucket(request.spec.clone());
        self.0.update(request.id, spec, request.mark).await
    }

    async fn delete_bucket(&self, id: &ResourceId) -> Result<()> {
        self.0.delete(Kind::Bucket, id).await
    }
}

noun!(Compute {
    Keypair(KeypairSpec): create_keypair update_keypair delete_keypair;
}
    async fn create_machines(&self, request: CreateMachines<'_>) -> Result<MachineBatch> {
        let mut batch = MachineBatch {
            created: Vec::with_capacity(request.names.len()),
            shortfall: None,
        };
        for name in request.names {
            let spec = Spec::Machine(request.spec.clone());
            match self.0.create(spec, name, request.mark).await {
                Ok(machine) => batch.created.push(machine),
                Err(error) if batch.created.is_empty() => return Err(error),
                Err(error) => {
                    batch.shortfall = Some(error);
                    break;
                }
            }
        }
        Ok(batch)
    }
    async fn update_machine(
        &self,
        request: Update<'_, MachineSpec<ResourceId>>,
    ) -> Result<Resource> {
        let spec = Spec::Machine(request.spec.clone());
        self.0.update(request.id, spec, request.mark).await
    }
    async fn start_machines(&self, _: &[ResourceId]) -> Result<()> {
        Ok(())
    }
    async fn stop_machines(&self, _: &[ResourceId], _: Shutdown) -> Result<()> {
        let what = "its machines cannot be switched off, only deleted";
        Err(Error::new(ErrorKind::Unsupported, what))
    }
    async fn delete_machines(&self, ids: &[ResourceId]) -> Result<()> {
        for id in ids {
            self.0.delete(Kind::Machine, id).await?;
        }
        Ok(())
    }
);

#[async_trait]
impl<T: Things> Observe for Uniform<T> {
    async fn list(&self, kind: Kind, filter: &Filter, _: Option<&PageToken>) -> Result<Page> {
        let mut items = self.0.list(kind).await?;
        if let Filter::Owner(owner) = filter {
            items.retain(|item| item.mark.as_ref().is_some_and(|mark| mark.owner == *owner));
        }
        Ok(Page { items, next: None })
    }

    async fn get(&self, kind: Kind, ids: &[ResourceId]) -> Result<Vec<Resource>> {
        let mut items = self.0.list(kind).await?;
        items.retain(|item| ids.contains(&item.id));
        Ok(items)
    }
}

#[async_trait]
impl<T: Things> Offers for Uniform<T> {
    async fn zones(&self) -> Result<Vec<Name>> {
        Ok(self.0.zones())
    }

    async fn list_offers(&self) -> Result<Vec<Offer>> {
        Ok(self.0.offers())
    }

    async fn free(&self) -> Result<Option<Pool>> {
        Ok(None)
    }

    async fn quotas(&self) -> Result<Vec<Quota>> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl<T: Things> Provider for Uniform<T> {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn site(&self) -> &Name {
        self.0.site()
    }
    fn capabilities(&self) -> &Capabilities {
        self.0.capabilities()
    }
    async fn identity(&self) -> Result<Identity> {
        Ok(self.0.identity())
    }
    async fn check_permissions(&self) -> Result<Vec<PermissionCheck>> {
        Ok(self.0.permissions())
    }
    fn observe(&self) -> &dyn Observe {
        self
    }
    fn network(&self) -> &dyn Network {
        self
    }
    fn compute(&self) -> &dyn Compute {
        self
    }
    fn storage(&self) -> &dyn Storage {
        self
    }
    fn images(&self) -> &dyn Images {
        self
    }
    fn offers(&self) -> &dyn Offers {
        self
    }
}
