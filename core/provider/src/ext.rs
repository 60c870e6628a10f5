//! Conveniences over every provider: one call for a thing of any kind, whole lists, all facts, and
//! what stands for a facet that a provider does not have.

use std::collections::BTreeSet;

use async_trait::async_trait;
use futures::future::join5;
use strat_model::{
    Error, ErrorKind, Field, Kind, Mark, Name, Offer, Pool, PublicImages, Quota, Resource,
    ResourceId, Result, SiteFacts, Spec, Token,
};

use crate::provider::service_of;
use crate::{
    Attachment, Create, CreateMachines, Emptied, Filter, MachineBatch, Outcome, PermissionCheck,
    Provider, Shutdown, Sought, Update,
};

/// The longest list that is followed, in pages: a bound against a cloud that never ends one.
const PAGES_MAX: usize = 100_000;

/// The one zone of a site that sells nothing.
pub const ONLY_ZONE: &str = "main";

/// Conveniences that every provider has.
#[async_trait]
pub trait ProviderExt: Provider {
    /// Makes one thing of any kind.
    ///
    /// # Errors
    /// Those of [`Writes::create`](crate::Writes::create).
    async fn create(
        &self,
        spec: &Spec<ResourceId>,
        name: &str,
        mark: &Mark,
        token: &Token,
    ) -> Result<Resource> {
        let request = Create {
            spec,
            name,
            mark,
            token,
        };
        match (spec, self.machines()) {
            (Spec::Machine(spec), Some(machines)) => {
                let name = [name.to_owned()];
                let one = CreateMachines::one(request.of(spec), &name);
                machines.create_machines(one).await?.into_one()
            }
            _ => service_of(self, spec.kind()).create(request).await,
        }
    }

    /// Makes machines: in one call where the provider can, else one by one.
    ///
    /// # Errors
    /// Those of [`Machines::create_machines`](crate::Machines::create_machines).
    async fn create_machines(&self, request: CreateMachines<'_>) -> Result<MachineBatch> {
        if let Some(machines) = self.machines() {
            return machines.create_machines(request).await;
        }
        let spec = Spec::Machine(request.spec.clone());
        let mut batch = MachineBatch {
            created: Vec::with_capacity(request.names.len()),
            shortfall: None,
        };
        for name in request.names {
            let made = self.create(&spec, name, request.mark, request.token).await;
            match made {
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

    /// Changes one thing of any kind in place.
    ///
    /// # Errors
    /// Those of [`Writes::update`](crate::Writes::update).
    async fn update(
        &self,
        id: &ResourceId,
        spec: &Spec<ResourceId>,
        fields: &BTreeSet<Field>,
        mark: &Mark,
    ) -> Result<Resource> {
        let request = Update {
            id,
            spec,
            fields,
            mark: Some(mark),
        };
        service_of(self, spec.kind()).update(request).await
    }

    /// Takes the mark off a thing, which stays as it is.
    ///
    /// # Errors
    /// Those of [`Writes::update`](crate::Writes::update).
    async fn release(&self, id: &ResourceId, spec: &Spec<ResourceId>) -> Result<Resource> {
        let fields = BTreeSet::new();
        let request = Update {
            id,
            spec,
            fields: &fields,
            mark: None,
        };
        service_of(self, spec.kind()).update(request).await
    }

    /// Deletes things of one kind, in as few calls as the provider's bound allows. A call that
    /// fails as a whole fails each of its ids; the next is made all the same.
    async fn delete(&self, kind: Kind, ids: &[ResourceId]) -> Vec<Outcome> {
        let service = service_of(self, kind);
        let mut outcomes = Vec::with_capacity(ids.len());
        for ids in ids.chunks(ids_per_call(self)) {
            match service.delete(kind, ids).await {
                Ok(some) => outcomes.extend(some),
                Err(error) => outcomes.extend(Outcome::of_all(ids, &Err(error))),
            }
        }
        outcomes
    }

    /// The same, for who asks for all or none.
    ///
    /// # Errors
    /// The first of any thing; the others may be deleted.
    async fn delete_all(&self, kind: Kind, ids: &[ResourceId]) -> Result<()> {
        Outcome::all_done(self.delete(kind, ids).await)
    }

    /// Switches stopped machines on, in as few calls as the provider's bound allows.
    async fn start_machines(&self, ids: &[ResourceId]) -> Vec<Outcome> {
        let Some(machines) = self.machines() else {
            return Outcome::of_all(ids, &Err(lacks("does not start machines")));
        };
        let mut outcomes = Vec::with_capacity(ids.len());
        for ids in ids.chunks(ids_per_call(self)) {
            match machines.start_machines(ids).await {
                Ok(some) => outcomes.extend(some),
                Err(error) => outcomes.extend(Outcome::of_all(ids, &Err(error))),
            }
        }
        outcomes
    }

    /// Switches running machines off, in as few calls as the provider's bound allows.
    async fn stop_machines(&self, ids: &[ResourceId], how: Shutdown) -> Vec<Outcome> {
        let Some(machines) = self.machines() else {
            let what = "does not switch machines off, it only deletes them";
            return Outcome::of_all(ids, &Err(lacks(what)));
        };
        let mut outcomes = Vec::with_capacity(ids.len());
        for ids in ids.chunks(ids_per_call(self)) {
            match machines.stop_machines(ids, how).await {
                Ok(some) => outcomes.extend(some),
                Err(error) => outcomes.extend(Outcome::of_all(ids, &Err(error))),
            }
        }
        outcomes
    }

    /// Attaches a volume to a machine.
    ///
    /// # Errors
    /// Those of [`Attachment::attach_volume`]; `Unsupported` where the provider attaches none.
    async fn attach_volume(&self, id: &ResourceId, machine: &ResourceId) -> Result<()> {
        attachment_of(self)?.attach_volume(id, machine).await
    }

    /// Detaches a volume.
    ///
    /// # Errors
    /// Those of [`Attachment::detach_volume`]; `Unsupported` where the provider attaches none.
    async fn detach_volume(&self, id: &ResourceId) -> Result<()> {
        attachment_of(self)?.detach_volume(id).await
    }

    /// Takes some of what is in a bucket out of it.
    ///
    /// # Errors
    /// Those of [`Contents::empty_bucket`](crate::Contents::empty_bucket); `Unsupported` where the
    /// provider empties none.
    async fn empty_bucket(&self, id: &ResourceId) -> Result<Emptied> {
        match self.contents() {
            Some(contents) => contents.empty_bucket(id).await,
            None => Err(lacks("does not empty buckets")),
        }
    }

    /// A whole list, page after page.
    ///
    /// # Errors
    /// Those of [`Observe::list`](crate::Observe::list); `Internal` for a list that does not end.
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

    /// The things of these ids, fresh, in as few calls as the provider's bound allows.
    ///
    /// # Errors
    /// Those of [`Observe::get`](crate::Observe::get).
    async fn get_all(&self, kind: Kind, ids: &[ResourceId]) -> Result<Vec<Resource>> {
        let mut items = Vec::with_capacity(ids.len());
        for ids in ids.chunks(ids_per_call(self)) {
            items.extend(self.observe().get(kind, ids).await?);
        }
        Ok(items)
    }

    /// What stands under these names or addresses, whosever it is, in as few calls as the
    /// provider's bound allows; each thing once, sorted by id.
    ///
    /// # Errors
    /// Those of [`Observe::find`](crate::Observe::find).
    async fn find_all(&self, kind: Kind, sought: Sought<'_>) -> Result<Vec<Resource>> {
        let size = ids_per_call(self);
        let mut items = Vec::new();
        for names in sought.names.chunks(size) {
            let some = Sought { names, addrs: &[] };
            items.extend(self.observe().find(kind, some).await?);
        }
        for addrs in sought.addrs.chunks(size) {
            let some = Sought { names: &[], addrs };
            items.extend(self.observe().find(kind, some).await?);
        }
        items.sort_by(|a, b| a.id.cmp(&b.id));
        items.dedup_by(|a, b| a.id == b.id);
        Ok(items)
    }

    /// The zones in use, sorted; never empty.
    ///
    /// # Errors
    /// Those of [`Offers`](crate::Offers).
    async fn zones(&self) -> Result<Vec<Name>> {
        match self.offers() {
            Some(offers) => offers.zones().await,
            None => Ok(Name::new(ONLY_ZONE).into_iter().collect()),
        }
    }

    /// What is on sale.
    ///
    /// # Errors
    /// Those of [`Offers`](crate::Offers).
    async fn list_offers(&self) -> Result<Vec<Offer>> {
        match self.offers() {
            Some(offers) => offers.list_offers().await,
            None => Ok(Vec::new()),
        }
    }

    /// For owned hardware, what nobody uses now.
    ///
    /// # Errors
    /// Those of [`Offers`](crate::Offers).
    async fn free(&self) -> Result<Option<Pool>> {
        match self.offers() {
            Some(offers) => offers.free().await,
            None => Ok(None),
        }
    }

    /// The account's limits.
    ///
    /// # Errors
    /// Those of [`Offers`](crate::Offers).
    async fn quotas(&self) -> Result<Vec<Quota>> {
        match self.offers() {
            Some(offers) => offers.quotas().await,
            None => Ok(Vec::new()),
        }
    }

    /// The public images.
    ///
    /// # Errors
    /// Those of [`Images`](crate::Images).
    async fn public_images(&self) -> Result<PublicImages> {
        match self.images() {
            Some(images) => images.public_images().await,
            None => Ok(PublicImages::default()),
        }
    }

    /// What the identity in use may do; nothing, where the provider knows of no permission.
    ///
    /// # Errors
    /// Those of [`Permissions`](crate::Permissions).
    async fn check_permissions(&self) -> Result<Vec<PermissionCheck>> {
        match self.permissions() {
            Some(permissions) => permissions.check_permissions().await,
            None => Ok(Vec::new()),
        }
    }
}

impl<P: Provider + ?Sized> ProviderExt for P {}

fn ids_per_call(provider: &(impl Provider + ?Sized)) -> usize {
    provider.capabilities().ids_per_call.max(1) as usize
}

fn attachment_of(provider: &(impl Provider + ?Sized)) -> Result<&dyn Attachment> {
    let attachment = provider.attachment();
    attachment.ok_or_else(|| lacks("does not attach volumes"))
}

fn lacks(what: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("this provider {what}"))
}

/// All that is known of a site before anything is planned there.
///
/// # Errors
/// The error of the first of its calls, in the order below, that fails: all are waited for, so that
/// a site that is silent is told in the same words each time.
pub async fn gather_facts(provider: &dyn Provider) -> Result<SiteFacts> {
    let (zones, offers, free, quotas, images) = join5(
        provider.zones(),
        provider.list_offers(),
        provider.free(),
        provider.quotas(),
        provider.public_images(),
    )
    .await;
    let (zones, offers, free) = (zones?, offers?, free?);
    let (quotas, images) = (quotas?, images?);
    Ok(SiteFacts {
        capabilities: provider.capabilities().clone(),
        changes: provider.changes(),
        zones,
        offers,
        free,
        quotas,
        images,
    })
}
