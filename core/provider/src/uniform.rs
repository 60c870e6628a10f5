//! The short way to a provider of one's own.

use std::collections::BTreeSet;
use std::fmt::Debug;

use async_trait::async_trait;
use strat_model::{
    AddressSpec, Bytes, Capabilities, Changes, Error, ErrorKind, Idempotency, Kind, LabelRules,
    Limits, LiveFields, Mark, MarkStore, Name, Offer, Pool, Quota, ReservedAddresses, Resource,
    ResourceId, Result, Sizing, Spec, SubnetScope, VolumeSpec,
};

use crate::{
    Attachment, Create, Filter, Identity, Observe, Offers, Outcome, Page, PageToken,
    PermissionCheck, Permissions, Provider, Sought, Update, Writes, no_such_kind,
};

/// A store of things that are all made, changed, listed and deleted in the same way: a folder, a
/// database, a house's own service. [`Uniform`] makes a whole provider of it.
///
/// What [the provider's contract](crate) asks for holds here too: deleting what is not there is
/// `Ok`, and the mark is kept with the thing from the first call on. A repeated create is answered
/// by [`Uniform`], from the list.
#[async_trait]
pub trait Things: Debug + Send + Sync {
    /// The provider's name.
    fn name(&self) -> &'static str;
    /// The site's name.
    fn site(&self) -> &Name;
    /// What it can do; [`uniform_capabilities`] to begin with.
    fn capabilities(&self) -> &Capabilities;

    /// Makes a thing and marks it, in one step. A moment ago there was none of this name; where
    /// another one may have come since, the answer is `AlreadyExists`, and never two or one lost.
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

    /// What it takes to change things; what is usual, to begin with.
    fn changes(&self) -> Changes {
        Changes::new(LiveFields::usual(self.capabilities().kinds.iter().copied()))
    }
    /// The zones; never empty.
    fn zones(&self) -> Vec<Name> {
        Name::new(crate::ONLY_ZONE).into_iter().collect()
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

/// The capabilities of a store of these kinds that keeps marks beside its things.
#[must_use]
pub fn uniform_capabilities(kinds: impl IntoIterator<Item = Kind>) -> Capabilities {
    Capabilities {
        subnets: SubnetScope::Regional,
        sizing: Sizing::Catalogue,
        idempotency: Idempotency::Name,
        marks: MarkStore::Metadata,
        labels: LabelRules::Any,
        unreadable: [].into(),
        create_batch: 1,
        ids_per_call: 100,
        delete_shuts_down: false,
        consistency_window_ms: 0,
        user_data_max: Bytes(16 << 10),
        public_ips: false,
        internet: strat_model::InternetWays::default(),
        reserved_addresses: ReservedAddresses::default(),
        limits: Limits::default(),
        kinds: kinds.into_iter().collect(),
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

    async fn one(&self, kind: Kind, id: &ResourceId) -> Result<Resource> {
        let all = self.0.list(kind).await?;
        all.into_iter()
            .find(|thing| thing.id == *id)
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("there is no {kind} {id}")))
    }

    /// Attaches a volume, or lets it go.
    async fn attach(&self, id: &ResourceId, machine: Option<&ResourceId>) -> Result<()> {
        let volume = self.one(Kind::Volume, id).await?;
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

/// What a create gives whose name is there: the thing, if it is the one that was asked for.
fn repeated(there: Resource, spec: &Spec<ResourceId>, mark: &Mark) -> Result<Resource> {
    let owner = there.mark.as_ref().map(|mark| &mark.owner);
    if owner != Some(&mark.owner) {
        let message = format!("there is a {} {} already", spec.kind(), there.name);
        return Err(Error::new(ErrorKind::AlreadyExists, message));
    }
    if unattached(there.spec.clone()) != *spec {
        let message = format!("{} was made otherwise", there.name);
        return Err(Error::new(ErrorKind::Precondition, message));
    }
    Ok(there)
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

#[async_trait]
impl<T: Things> Writes for Uniform<T> {
    async fn create(&self, request: Create<'_>) -> Result<Resource> {
        let spec = unattached(request.spec.clone());
        if !self.0.capabilities().kinds.contains(&spec.kind()) {
            return Err(no_such_kind(spec.kind()));
        }
        let all = self.0.list(spec.kind()).await?;
        match all.into_iter().find(|thing| thing.name == request.name) {
            Some(there) => repeated(there, &spec, request.mark),
            None => self.0.create(spec, request.name, request.mark).await,
        }
    }

    async fn update(&self, request: Update<'_>) -> Result<Resource> {
        let mut spec = request.spec.clone();
        let now = self.one(spec.kind(), request.id).await?;
        let takes = self.0.changes();
        let takes = takes.change(&now, &spec.without_refs(), request.fields);
        if !request.fields.is_empty() && !takes.is_in_place() {
            let what = format!("{} cannot be changed in place like this", request.id);
            return Err(Error::new(ErrorKind::Unsupported, what));
        }
        if let (Spec::Volume(spec), Spec::Volume(now)) = (&mut spec, now.spec) {
            // An update never attaches: what is attached stays so.
            spec.attach = now.attach;
        }
        let Some(mark) = request.mark else {
            let what = "this provider cannot take marks off";
            return Err(Error::new(ErrorKind::Unsupported, what));
        };
        self.0.update(request.id, spec, mark).await
    }

    async fn delete(&self, kind: Kind, ids: &[ResourceId]) -> Result<Vec<Outcome>> {
        Ok(Outcome::of_each(ids, |id| self.0.delete(kind, id)).await)
    }
}

#[async_trait]
impl<T: Things> Attachment for Uniform<T> {
    async fn attach_volume(&self, id: &ResourceId, machine: &ResourceId) -> Result<()> {
        self.attach(id, Some(machine)).await
    }

    async fn detach_volume(&self, id: &ResourceId) -> Result<()> {
        self.attach(id, None).await
    }
}

#[async_trait]
impl<T: Things> Observe for Uniform<T> {
    async fn list(&self, kind: Kind, filter: &Filter, _: Option<&PageToken>) -> Result<Page> {
        let mut items = self.0.list(kind).await?;
        if let Filter::Owner(owner) = filter {
            items.retain(|item| {
                item.mark
                    .as_ref()
                    .is_some_and(|mark| mark.owner.is_namesake(owner))
            });
        }
        Ok(Page { items, next: None })
    }

    async fn get(&self, kind: Kind, ids: &[ResourceId]) -> Result<Vec<Resource>> {
        let mut items = self.0.list(kind).await?;
        items.retain(|item| ids.contains(&item.id));
        Ok(items)
    }

    async fn find(&self, kind: Kind, sought: Sought<'_>) -> Result<Vec<Resource>> {
        let mut items = self.0.list(kind).await?;
        items.retain(|item| sought.fits(item));
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
impl<T: Things> Permissions for Uniform<T> {
    async fn check_permissions(&self) -> Result<Vec<PermissionCheck>> {
        Ok(self.0.permissions())
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
    fn changes(&self) -> Changes {
        self.0.changes()
    }
    async fn identity(&self) -> Result<Identity> {
        Ok(self.0.identity())
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
    fn attachment(&self) -> Option<&dyn Attachment> {
        let kinds: &BTreeSet<Kind> = &self.0.capabilities().kinds;
        let both = [Kind::Machine, Kind::Volume]
            .iter()
            .all(|kind| kinds.contains(kind));
        both.then_some(self as _)
    }
    fn offers(&self) -> Option<&dyn Offers> {
        Some(self)
    }
    fn permissions(&self) -> Option<&dyn Permissions> {
        Some(self)
    }
}
