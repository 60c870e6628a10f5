//! The short way to a provider of one's own.

mod nouns;

use std::fmt::Debug;

use async_trait::async_trait;
use strat_model::{
    Bytes, Capabilities, Error, ErrorKind, Field, Idempotency, Kind, Mark, MarkStore, Name, Offer,
    Resource, ResourceId, Result, Sizing, Spec, SubnetScope,
};
use strat_provider::{Identity, PermissionCheck};

/// A store of things that are all made, changed, listed and deleted in the same way: a folder, a
/// database, a house's own service. [`Uniform`] makes a whole provider of it.
///
/// What [the provider's contract](strat_provider) asks for holds here too: creating a thing of a
/// name that is there gives what is there, deleting what is not there is `Ok`, and the mark is
/// kept with the thing from the first call on.
#[async_trait]
pub trait Things: Debug + Send + Sync {
    /// The provider's name.
    fn name(&self) -> &'static str;
    /// The site's name.
    fn site(&self) -> &Name;
    /// What it can do; [`uniform_capabilities`] to begin with.
    fn capabilities(&self) -> &Capabilities;

    /// Makes a thing and marks it, in one step.
    async fn create(&self, spec: Spec<ResourceId>, name: &str, mark: &Mark) -> Result<Resource>;
    /// Brings a thing to `spec` and `mark`.
    async fn update(
        &self,
        id: &ResourceId,
        spec: Spec<ResourceId>,
        mark: &Mark,
    ) -> Result<Resource>;
    /// Deletes a thing.
    async fn delete(&self, kind: Kind, id: &ResourceId) -> Result<()>;
    /// Everything of a kind, marked or not.
    async fn list(&self, kind: Kind) -> Result<Vec<Resource>>;

    /// The zones; never empty.
    fn zones(&self) -> Vec<Name> {
        Name::new("main").into_iter().collect()
    }
    /// The machine types on sale.
    fn offers(&self) -> Vec<Offer> {
        Vec::new()
    }
    /// Who we are.
    fn identity(&self) -> Identity {
        Identity {
            account: self.site().to_string(),
            principal: "local".to_owned(),
        }
    }
    /// Which permissions whoever we are has, found out without any effect; sorted. Nothing, where
    /// the store asks for none.
    fn permissions(&self) -> Vec<PermissionCheck> {
        Vec::new()
    }
}

/// The capabilities of a store of these kinds that keeps marks beside its things and can change
/// every field that can be changed anywhere.
#[must_use]
pub fn uniform_capabilities(kinds: impl IntoIterator<Item = Kind>) -> Capabilities {
    let kinds: std::collections::BTreeSet<Kind> = kinds.into_iter().collect();
    let mutable = [
        Field::Labels,
        Field::Rules,
        Field::Attach,
        Field::Size,
        Field::Versioning,
        Field::Firewalls,
    ];
    Capabilities {
        subnets: SubnetScope::Regional,
        sizing: Sizing::Catalogue,
        idempotency: Idempotency::Name,
        marks: MarkStore::Metadata,
        in_place: kinds.iter().map(|kind| (*kind, mutable.into())).collect(),
        unreadable: [].into(),
        create_batch: 1,
        delete_batch: 100,
        delete_shuts_down: false,
        consistency_window_ms: 0,
        user_data_max: Bytes(16 << 10),
        kinds,
    }
}

/// A provider over [`Things`].
#[derive(Debug)]
pub struct Uniform<T>(T);

impl<T: Things> Uniform<T> {
    /// A provider over a store.
    #[must_use]
    pub const fn new(things: T) -> Self {
        Self(things)
    }

    async fn find(&self, kind: Kind, id: &ResourceId) -> Result<Resource> {
        let all = self.0.list(kind).await?;
        all.into_iter()
            .find(|thing| thing.id == *id)
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("there is no {kind} {id}")))
    }

    /// Attaches a volume, or lets it go.
    async fn attach(&self, id: &ResourceId, machine: Option<&ResourceId>) -> Result<()> {
        let volume = self.find(Kind::Volume, id).await?;
        let Spec::Volume(mut spec) = volume.spec else {
            return Err(Error::new(
                ErrorKind::Internal,
                format!("{id} is no volume"),
            ));
        };
        if spec.attach.as_ref() == machine {
            return Ok(());
        }
        if spec.attach.is_some() && machine.is_some() {
            let message = format!("{id} is attached to another machine");
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        let Some(mark) = volume.mark else {
            return Err(Error::new(
                ErrorKind::Forbidden,
                format!("{id} is not ours"),
            ));
        };
        spec.attach = machine.cloned();
        self.0
            .update(id, Spec::Volume(spec), &mark)
            .await
            .map(|_| ())
    }
}
