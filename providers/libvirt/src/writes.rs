//! Making, changing and deleting things: one arm for each kind that a host has.

use async_trait::async_trait;
use strat_model::{Kind, Resource, ResourceId, Result, Spec};
use strat_provider::{Create, CreateMachines, Machines, Outcome, Update, Writes};

use crate::error::told;
use crate::provider::{LibvirtProvider, OwnedCreate, OwnedUpdate};
use crate::site::{Site, no_such_kind};

#[async_trait]
impl Writes for LibvirtProvider {
    async fn create(&self, request: Create<'_>) -> Result<Resource> {
        let operation = request.spec.kind().operations().create;
        macro_rules! run {
            ($method:ident, $spec:expr) => {{
                let request = OwnedCreate::of(request.of($spec));
                self.run(operation, move |site| site.$method(&request))
                    .await
            }};
        }
        if let Spec::Machine(spec) = request.spec {
            let name = [request.name.to_owned()];
            let one = CreateMachines::one(request.of(spec), &name);
            return self.create_machines(one).await?.into_one();
        }
        match request.spec {
            Spec::Network(spec) => run!(create_network, spec),
            Spec::Subnet(spec) => run!(create_subnet, spec),
            Spec::Firewall(spec) => run!(create_firewall, spec),
            Spec::Keypair(spec) => run!(create_keypair, spec),
            Spec::Image(spec) => run!(create_image, spec),
            Spec::Volume(spec) => run!(create_volume, spec),
            Spec::Bucket(spec) => match self.buckets() {
                Some(buckets) => told(operation, buckets.create(request.of(spec)).await),
                None => Err(no_such_kind(Kind::Bucket)),
            },
            other => Err(no_such_kind(other.kind())),
        }
    }

    async fn update(&self, request: Update<'_>) -> Result<Resource> {
        let operation = request.spec.kind().operations().update;
        macro_rules! run {
            ($method:ident, $spec:expr) => {{
                let request = OwnedUpdate::of(request.of($spec));
                self.run(operation, move |site| site.$method(&request))
                    .await
            }};
        }
        if let Spec::Machine(spec) = request.spec {
            return run!(update_machine, spec);
        }
        match request.spec {
            Spec::Network(spec) => run!(update_network, spec),
            Spec::Subnet(spec) => run!(update_subnet, spec),
            Spec::Firewall(spec) => run!(update_firewall, spec),
            Spec::Keypair(spec) => run!(update_keypair, spec),
            Spec::Image(spec) => run!(update_image, spec),
            Spec::Volume(spec) => run!(update_volume, spec),
            Spec::Bucket(spec) => match self.buckets() {
                Some(buckets) => told(operation, buckets.update(request.of(spec)).await),
                None => Err(no_such_kind(Kind::Bucket)),
            },
            other => Err(no_such_kind(other.kind())),
        }
    }

    async fn delete(&self, kind: Kind, ids: &[ResourceId]) -> Result<Vec<Outcome>> {
        let operation = kind.operations().delete;
        if let Some(buckets) = self.buckets().filter(|_| kind == Kind::Bucket) {
            let one = |id| async move { told(operation, buckets.delete(id).await) };
            return Ok(Outcome::of_each(ids, one).await);
        }
        let owned = ids.to_vec();
        self.run(operation, move |site| site.delete(kind, &owned))
            .await
    }
}

impl Site {
    /// Deletes things of a kind. What a host never has is not there.
    fn delete(&self, kind: Kind, ids: &[ResourceId]) -> Result<Vec<Outcome>> {
        if kind == Kind::Machine {
            return self.delete_machines(ids);
        }
        let one = |id: &ResourceId| {
            let result = match kind {
                Kind::Network => self.delete_network(id),
                Kind::Subnet => self.delete_subnet(id),
                Kind::Firewall => self.delete_firewall(id),
                Kind::Keypair => self.delete_keypair(id),
                Kind::Image => self.delete_image(id),
                Kind::Volume => self.delete_volume(id),
                _ => Ok(()),
            };
            Outcome {
                id: id.clone(),
                result,
            }
        };
        Ok(ids.iter().map(one).collect())
    }
}
