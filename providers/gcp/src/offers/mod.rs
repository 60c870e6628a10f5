//! What is on sale, and the project's limits.
//!
//! - Sizes: the machine types of each zone in use, page by page, and the custom ones that the site names.
//!   Bare metal is left out.
//! - Prices: the catalogue's dated snapshot, and, of custom types, what the catalogue makes of it.
//! - Limits: the region's and the project's quotas of virtual CPUs.

mod quotas;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::future::try_join_all;
use google_cloud_compute_v1::model::MachineType;
use google_cloud_compute_v1::model::machine_type::Architecture;
use strat_catalogue::{Cloud, Snapshot, Wanted};
use strat_model::{Bytes, CapacityKind, ErrorKind, Money, Name, Offer, Pool, Quota, Result};
use strat_provider::Offers;

use crate::error::{failed, if_there, refuse};
use crate::names::last;
use crate::observe::PAGE_MAX;
use crate::provider::GcpProvider;

/// The size of a machine type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TypeSize {
    pub(crate) cpu: u32,
    pub(crate) memory: Bytes,
    pub(crate) arch: &'static str,
    pub(crate) gpus: u32,
    pub(crate) gpu: Option<String>,
    /// Whether it comes with disks of its host.
    pub(crate) host_disks: bool,
}

/// The sizes of machine types, by name: they never change.
#[derive(Debug, Default)]
pub(crate) struct TypeCache(Mutex<BTreeMap<String, Arc<TypeSize>>>);

impl TypeCache {
    /// The size of a type, if it is known.
    pub(crate) fn one(&self, machine_type: &str) -> Option<Arc<TypeSize>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(machine_type).cloned()
    }

    fn learn(&self, machine_type: &str, size: TypeSize) -> Arc<TypeSize> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let size = known
            .entry(machine_type.to_owned())
            .or_insert_with(|| Arc::new(size));
        Arc::clone(size)
    }
}

impl TypeSize {
    fn of(machine_type: &MachineType) -> Self {
        let whole =
            |count: Option<i32>| u32::try_from(count.unwrap_or_default()).unwrap_or_default();
        let mut accelerators = machine_type.accelerators.iter();
        let gpus = accelerators
            .clone()
            .map(|one| whole(one.guest_accelerator_count))
            .sum();
        Self {
            cpu: whole(machine_type.guest_cpus),
            memory: Bytes(u64::from(whole(machine_type.memory_mb)) << 20),
            arch: match &machine_type.architecture {
                Some(Architecture::Arm64) => "aarch64",
                _ => "x86_64",
            },
            gpus,
            gpu: accelerators.find_map(|one| one.guest_accelerator_type.clone()),
            host_disks: machine_type.bundled_local_ssds.is_some(),
        }
    }
}

impl GcpProvider {
    /// The size of a machine type in a zone, custom ones too: one call for each type that is met. One
    /// that Google sells no more has no size.
    pub(crate) async fn size_of(&self, zone: &str, machine_type: &str) -> Result<Arc<TypeSize>> {
        if let Some(known) = self.types.one(machine_type) {
            return Ok(known);
        }
        let call = self
            .access
            .machine_types
            .get()
            .set_project(&self.settings.project);
        let call = call.set_zone(zone).set_machine_type(machine_type);
        let answer = if_there(
            call.send()
                .await
                .map_err(failed("compute.machineTypes.get")),
        )?;
        let size = TypeSize::of(&answer.unwrap_or_default());
        Ok(self.types.learn(machine_type, size))
    }

    /// The machine types of a zone.
    async fn types_of(&self, zone: &Name) -> Result<Vec<(String, Arc<TypeSize>)>> {
        let (mut found, mut page) = (Vec::new(), None::<String>);
        loop {
            let call = self
                .access
                .machine_types
                .list()
                .set_project(&self.settings.project);
            let call = call
                .set_zone(zone.as_str())
                .set_max_results(PAGE_MAX)
                .set_or_clear_page_token(page.clone());
            let answer = call
                .send()
                .await
                .map_err(failed("compute.machineTypes.list"))?;
            for one in &answer.items {
                let (Some(name), None) = (one.name.as_deref(), &one.deprecated) else {
                    continue;
                };
                let size = self.types.learn(name, TypeSize::of(one));
                if !name.ends_with("-metal") && size.cpu > 0 {
                    found.push((name.to_owned(), size));
                }
            }
            let next = answer.next_page_token.filter(|next| !next.is_empty());
            if next.is_none() || next == page {
                return Ok(found);
            }
            page = next;
        }
    }

    /// The custom types of the site's settings that a zone has, by Google's own word: it lists none, and
    /// tells the size of each that is legal there.
    ///
    /// <https://cloud.google.com/compute/docs/instances/creating-instance-with-custom-machine-type>
    async fn custom_types_of(&self, zone: &Name) -> Result<Vec<(String, Arc<TypeSize>)>> {
        let named = self.settings.custom_types.iter();
        let found = try_join_all(named.map(|name| async move {
            let call = self.access.machine_types.get();
            let call = call
                .set_project(&self.settings.project)
                .set_zone(zone.as_str())
                .set_machine_type(name);
            let answer = call.send().await;
            match answer.map_err(failed("compute.machineTypes.get")) {
                Ok(found) => {
                    let size = self.types.learn(name, TypeSize::of(&found));
                    Ok(Some((name.clone(), size)))
                }
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Invalid) => {
                    Ok(None)
                }
                Err(error) => Err(error),
            }
        }));
        Ok(found.await?.into_iter().flatten().collect())
    }

    /// The types of zones as offers, bought in each way that the site permits; without prices.
    fn offers_of(&self, zones: &[Name], types: Vec<Vec<(String, Arc<TypeSize>)>>) -> Vec<Offer> {
        let spot = self.settings.spot.then_some(CapacityKind::Spot);
        let mut offers = Vec::new();
        for (zone, types) in zones.iter().zip(types) {
            for (machine_type, size) in types {
                let offer = |capacity| Offer {
                    zone: zone.clone(),
                    family: quotas::family(&machine_type),
                    machine_type: machine_type.clone(),
                    cpu: size.cpu,
                    memory: size.memory,
                    arch: size.arch.to_owned(),
                    gpus: size.gpus,
                    gpu: size.gpu.clone(),
                    burstable: Cloud::Gcp.is_burstable(&machine_type),
                    capacity,
                    price_hour: None,
                };
                let kinds = [CapacityKind::OnDemand].into_iter().chain(spot);
                offers.extend(kinds.map(offer));
            }
        }
        offers
    }

    /// The zones of the region.
    async fn region_zones(&self) -> Result<Vec<Name>> {
        let call = self
            .access
            .regions
            .get()
            .set_project(&self.settings.project);
        let answer = call.set_region(&self.settings.region).send().await;
        let region = answer.map_err(failed("compute.regions.get"))?;
        let names = region
            .zones
            .iter()
            .filter_map(|zone| Name::new(last(zone)).ok());
        let zones: BTreeSet<Name> = names.collect();
        if zones.is_empty() {
            let message = format!("the region {} has no zone for us", self.settings.region);
            return Err(refuse(ErrorKind::Invalid, message));
        }
        Ok(zones.into_iter().collect())
    }
}

#[async_trait]
impl Offers for GcpProvider {
    async fn zones(&self) -> Result<Vec<Name>> {
        if !self.settings.zones.is_empty() {
            let zones: BTreeSet<&Name> = self.settings.zones.iter().collect();
            return Ok(zones.into_iter().cloned().collect());
        }
        let zones = self.zones.get_or_try_init(|| self.region_zones()).await?;
        Ok(zones.clone())
    }

    async fn list_offers(&self) -> Result<Vec<Offer>> {
        let zones = self.zones().await?;
        let types = try_join_all(zones.iter().map(|zone| self.types_of(zone))).await?;
        let custom = try_join_all(zones.iter().map(|zone| self.custom_types_of(zone))).await?;
        for name in &self.settings.custom_types {
            if !custom.iter().flatten().any(|(known, _)| known == name) {
                let message = format!("no zone of {} has the type {name}", self.settings.region);
                let help = "which numbers of virtual CPUs and how much memory a family takes stands at \
                            https://cloud.google.com/compute/docs/general-purpose-machines";
                return Err(refuse(ErrorKind::Invalid, message).with_help(help));
            }
        }
        let mut offers = self.offers_of(&zones, types);
        let prices = Prices::of(&self.settings.region);
        for offer in &mut offers {
            offer.price_hour = prices.of_listed(offer);
        }
        let mut custom = self.offers_of(&zones, custom);
        price_custom(&mut custom, &offers);
        offers.extend(custom);
        offers.sort_by(|a, b| key(a).cmp(&key(b)));
        Ok(offers)
    }

    async fn free(&self) -> Result<Option<Pool>> {
        Ok(None)
    }

    async fn quotas(&self) -> Result<Vec<Quota>> {
        self.cpu_quotas().await
    }
}

/// The prices of a region that the snapshot has, by type.
struct Prices {
    on_demand: BTreeMap<&'static str, Money>,
    spot: BTreeMap<String, Money>,
}

impl Prices {
    fn of(region: &str) -> Self {
        let snapshot = Snapshot::of(Cloud::Gcp);
        let listings = snapshot.listings(Some(region)).into_iter();
        let offers = listings.map(|listing| listing.offer);
        let spot = offers.filter(|offer| offer.capacity == CapacityKind::Spot);
        Self {
            on_demand: snapshot.prices(region),
            spot: spot
                .filter_map(|offer| Some((offer.machine_type, offer.price_hour?)))
                .collect(),
        }
    }

    fn of_listed(&self, offer: &Offer) -> Option<Money> {
        let machine_type = offer.machine_type.as_str();
        match offer.capacity {
            CapacityKind::Spot => self.spot.get(machine_type).copied(),
            _ => self.on_demand.get(machine_type).copied(),
        }
    }
}

/// Gives custom types the prices that those of the listed types tell, as the catalogue works them out.
fn price_custom(custom: &mut [Offer], listed: &[Offer]) {
    let names: BTreeSet<String> = custom
        .iter()
        .map(|offer| offer.machine_type.clone())
        .collect();
    let wanted = names.iter().map(|name| Wanted::Type(name)).collect();
    let made = Cloud::Gcp.made_to_measure(listed, &wanted);
    for offer in custom {
        let same = made.iter().find(|made| key(made) == key(offer));
        offer.price_hour = same.and_then(|made| made.price_hour);
    }
}

fn key(offer: &Offer) -> (&Name, &str, CapacityKind) {
    (&offer.zone, &offer.machine_type, offer.capacity)
}
