//! Making, changing and deleting things: one arm for each kind that Google Cloud has.

use std::collections::BTreeSet;

use async_trait::async_trait;
use strat_model::{Error, ErrorKind, Field, Kind, LiveFields, Resource, ResourceId, Result, Spec};
use strat_provider::{Create, CreateMachines, Outcome, Update, Writes};

use crate::error::{PROVIDER, refuse};
use crate::operations::Stamp;
use crate::provider::GcpProvider;

#[async_trait]
impl Writes for GcpProvider {
    async fn create(&self, request: Create<'_>) -> Result<Resource> {
        if let Spec::Machine(spec) = request.spec {
            let name = [request.name.to_owned()];
            let one = CreateMachines::one(request.of(spec), &name);
            return self.launch(one).await?.into_one();
        }
        let stamp = Stamp::new(request.token, request.name, request.spec);
        match request.spec {
            Spec::Network(spec) => self.make_network(request.of(spec), &stamp).await,
            Spec::Subnet(spec) => self.make_subnet(request.of(spec), &stamp).await,
            Spec::Firewall(spec) => self.make_firewall(request.of(spec), &stamp).await,
            Spec::Address(spec) => self.make_address(request.of(spec), &stamp).await,
            Spec::Keypair(spec) => self.make_keypair(request.of(spec), &stamp).await,
            Spec::Volume(spec) => self.make_volume(request.of(spec), &stamp).await,
            Spec::Bucket(spec) => self.make_bucket(request.of(spec), &stamp).await,
            other => Err(no_such_kind(other.kind())),
        }
    }

    async fn update(&self, request: Update<'_>) -> Result<Resource> {
        check_fields(request.spec.kind(), request.fields)?;
        match request.spec {
            Spec::Network(spec) => self.change_network(request.of(spec)).await,
            Spec::Subnet(spec) => self.change_subnet(request.of(spec)).await,
            Spec::Firewall(spec) => self.change_firewall(request.of(spec)).await,
            Spec::Address(spec) => self.change_address(request.of(spec)).await,
            Spec::Keypair(spec) => self.change_keypair(request.of(spec)).await,
            Spec::Machine(spec) => self.change_machine(request.of(spec)).await,
            Spec::Volume(spec) => self.change_volume(request.of(spec)).await,
            Spec::Bucket(spec) => self.change_bucket(request.of(spec)).await,
            Spec::Image(_) => Err(no_such_kind(Kind::Image)),
        }
    }

    /// Google deletes one thing a call. Machines are told to go one after another, and none is waited
    /// for.
    async fn delete(&self, kind: Kind, ids: &[ResourceId]) -> Result<Vec<Outcome>> {
        let one = |id| async move {
            match kind {
                Kind::Network => self.end_network(id).await,
                Kind::Subnet => self.end_subnet(id).await,
                Kind::Firewall => self.end_firewall(id).await,
                Kind::Address => self.end_address(id).await,
                Kind::Keypair => self.end_keypair(id).await,
                Kind::Machine => self.end_machine(id).await,
                Kind::Volume => self.end_volume(id).await,
                Kind::Bucket => self.end_bucket(id).await,
                Kind::Image => Err(no_such_kind(kind)),
            }
        };
        Ok(Outcome::of_each(ids, one).await)
    }
}

/// Fails for a field that no update changes.
fn check_fields(kind: Kind, fields: &BTreeSet<Field>) -> Result<()> {
    let live = LiveFields::usual([kind])
        .with(Kind::Machine, Field::MachineType)
        .with(Kind::Machine, Field::Disks);
    let checked = strat_provider::check_fields(&live, kind, fields);
    checked.map_err(|error| error.with_provider(PROVIDER))
}

fn no_such_kind(kind: Kind) -> Error {
    if kind != Kind::Image {
        return strat_provider::no_such_kind(kind);
    }
    let help = "name a public image, or import this one with the gcloud tool and name its family in \
                `images` of the site";
    let message = "images are not made of files on Google Cloud";
    refuse(ErrorKind::Unsupported, message).with_help(help)
}
