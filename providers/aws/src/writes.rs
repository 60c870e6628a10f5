//! Making, changing and deleting things: one arm for each kind that AWS has.

use std::collections::BTreeSet;

use async_trait::async_trait;
use strat_model::{Error, ErrorKind, Field, Kind, LiveFields, Resource, ResourceId, Result, Spec};
use strat_provider::{Create, CreateMachines, Outcome, Update, Writes};

use crate::error::{PROVIDER, refuse};
use crate::provider::AwsProvider;

#[async_trait]
impl Writes for AwsProvider {
    async fn create(&self, request: Create<'_>) -> Result<Resource> {
        self.explain(self.make(request).await).await
    }

    async fn update(&self, request: Update<'_>) -> Result<Resource> {
        self.explain(self.change(request).await).await
    }

    async fn delete(&self, kind: Kind, ids: &[ResourceId]) -> Result<Vec<Outcome>> {
        let ended = self.explain(self.end(kind, ids).await).await?;
        Ok(self.explain_each(ended).await)
    }
}

impl AwsProvider {
    async fn make(&self, request: Create<'_>) -> Result<Resource> {
        if let Spec::Machine(spec) = request.spec {
            let name = [request.name.to_owned()];
            let one = CreateMachines::one(request.of(spec), &name);
            return self.launch(one).await?.into_one();
        }
        match request.spec {
            Spec::Network(spec) => self.make_vpc(request.of(spec)).await,
            Spec::Subnet(spec) => self.make_subnet(request.of(spec)).await,
            Spec::Firewall(spec) => self.make_firewall(request.of(spec)).await,
            Spec::Address(spec) => self.make_address(request.of(spec)).await,
            Spec::Keypair(spec) => self.make_keypair(request.of(spec)).await,
            Spec::Volume(spec) => self.make_volume(request.of(spec)).await,
            Spec::Bucket(spec) => self.make_bucket(request.of(spec)).await,
            other => Err(no_such_kind(other.kind())),
        }
    }

    async fn change(&self, request: Update<'_>) -> Result<Resource> {
        check_fields(request.spec.kind(), request.fields)?;
        if let Spec::Machine(spec) = request.spec {
            return self.change_machine(request.of(spec)).await;
        }
        match request.spec {
            Spec::Network(spec) => self.change_vpc(request.of(spec)).await,
            Spec::Subnet(spec) => self.change_subnet(request.of(spec)).await,
            Spec::Firewall(spec) => self.change_firewall(request.of(spec)).await,
            Spec::Address(spec) => self.change_address(request.of(spec)).await,
            Spec::Keypair(spec) => self.change_keypair(request.of(spec)).await,
            Spec::Volume(spec) => self.change_volume(request.of(spec)).await,
            Spec::Bucket(spec) => self.change_bucket(request.of(spec)).await,
            other => Err(no_such_kind(other.kind())),
        }
    }

    /// Machines go in one call. AWS has none for several of any other kind.
    async fn end(&self, kind: Kind, ids: &[ResourceId]) -> Result<Vec<Outcome>> {
        if kind == Kind::Machine {
            return self.terminate(ids).await;
        }
        let one = |id| async move {
            match kind {
                Kind::Network => self.end_vpc(id).await,
                Kind::Subnet => self.end_subnet(id).await,
                Kind::Firewall => self.end_firewall(id).await,
                Kind::Address => self.end_address(id).await,
                Kind::Keypair => self.end_keypair(id).await,
                Kind::Volume => self.end_volume(id).await,
                Kind::Bucket => self.end_bucket(id).await,
                _ => Err(no_such_kind(kind)),
            }
        };
        Ok(Outcome::of_each(ids, one).await)
    }
}

/// Fails for a field that no update changes.
fn check_fields(kind: Kind, fields: &BTreeSet<Field>) -> Result<()> {
    let live = LiveFields::usual([kind])
        .with(Kind::Machine, Field::MachineType)
        .with(Kind::Machine, Field::Disks)
        .with(Kind::Volume, Field::Class);
    let checked = strat_provider::check_fields(&live, kind, fields);
    checked.map_err(|error| error.with_provider(PROVIDER))
}

fn no_such_kind(kind: Kind) -> Error {
    if kind != Kind::Image {
        return strat_provider::no_such_kind(kind);
    }
    let help = "name a public image, or import this one with the AWS tools and name its AMI as the \
                image";
    refuse(
        ErrorKind::Unsupported,
        "images are not made of files on AWS",
    )
    .with_help(help)
}
