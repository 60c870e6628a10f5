//! What is on sale, and the subscription's limits.
//!
//! - Sizes: one list of the region's, with their zones and with what is not open to the subscription.
//! - Prices: the catalogue's dated snapshot; where a site asks for it, Microsoft's list of retail prices,
//!   which has those of spot, too.
//! - Limits: the region's, on virtual CPUs together and of each family.

mod live;
mod quotas;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use reqwest::Method;
use serde::Deserialize;
use strat_catalogue::{Cloud, Snapshot};
use strat_model::{Bytes, CapacityKind, Name, Offer, Pool, Quota, Result};
use strat_provider::Offers;

pub(crate) use live::RetailPrices;

use crate::arm::Call;
use crate::names::{SKUS, zone_of};
use crate::provider::AzureProvider;

/// The permission that looking at sizes takes.
const READ: &str = "Microsoft.Compute/skus/read";

/// A size of machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) cpu: u32,
    pub(crate) memory: Bytes,
    pub(crate) arch: String,
    pub(crate) gpus: u32,
    /// What quotas count together.
    pub(crate) family: String,
    /// Whether it comes with a disk of its host.
    pub(crate) temporary_disk: bool,
    /// Whether it can be had as spot.
    pub(crate) spot: bool,
    /// Whether today's images run on it: those of the second generation.
    pub(crate) runs_images: bool,
    /// Where it is on sale: zones, or the region itself.
    pub(crate) zones: BTreeSet<Name>,
}

/// The sizes of a region, by name, once they were asked for.
#[derive(Debug, Default)]
pub(crate) struct Sizes(Mutex<Option<Arc<BTreeMap<String, Size>>>>);

impl Sizes {
    /// A size, if it is known.
    pub(crate) fn one(&self, name: &str) -> Option<Size> {
        self.known()?.get(name).cloned()
    }

    fn known(&self) -> Option<Arc<BTreeMap<String, Size>>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn learn(&self, sizes: BTreeMap<String, Size>) -> Arc<BTreeMap<String, Size>> {
        let sizes = Arc::new(sizes);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some(Arc::clone(&sizes));
        sizes
    }
}

/// A size as Azure tells it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Sku {
    resource_type: String,
    name: String,
    family: Option<String>,
    location_info: Option<Vec<LocationInfo>>,
    capabilities: Option<Vec<Capability>>,
    restrictions: Option<Vec<Restriction>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LocationInfo {
    location: String,
    zones: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Capability {
    name: String,
    value: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Restriction {
    #[serde(rename = "type")]
    sort: String,
    restriction_info: RestrictionInfo,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RestrictionInfo {
    zones: Option<Vec<String>>,
}

impl Sku {
    fn says(&self, name: &str) -> Option<&str> {
        let mut all = self.capabilities.iter().flatten();
        let found = all.find(|one| one.name.eq_ignore_ascii_case(name));
        found.map(|one| one.value.as_str())
    }

    fn count(&self, name: &str) -> u32 {
        self.says(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or_default()
    }

    fn is(&self, name: &str) -> bool {
        self.says(name)
            .is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    /// Where it can be had by this subscription.
    fn zones(&self, region: &str) -> Result<BTreeSet<Name>> {
        let here = |info: &&LocationInfo| info.location.eq_ignore_ascii_case(region);
        let Some(info) = self.location_info.iter().flatten().find(here) else {
            return Ok(BTreeSet::new());
        };
        let restrictions = || self.restrictions.iter().flatten();
        if restrictions().any(|one| one.sort.eq_ignore_ascii_case("Location")) {
            return Ok(BTreeSet::new());
        }
        let numbers = info.zones.as_deref().unwrap_or_default();
        if numbers.is_empty() {
            return Ok(BTreeSet::from([zone_of(region, &[])?]));
        }
        let shut: BTreeSet<&String> = restrictions()
            .flat_map(|one| one.restriction_info.zones.iter().flatten())
            .collect();
        let open = numbers.iter().filter(|number| !shut.contains(number));
        open.map(|number| zone_of(region, std::slice::from_ref(number)))
            .collect()
    }

    fn size(&self, region: &str) -> Result<Size> {
        // A size with some of its processors switched off says how many are left.
        let cpu = match self.count("vCPUsAvailable") {
            0 => self.count("vCPUs"),
            left => left,
        };
        Ok(Size {
            cpu,
            memory: Bytes(mebibytes(self.says("MemoryGB").unwrap_or_default()) << 20),
            arch: match self.says("CpuArchitectureType") {
                Some("Arm64") => "aarch64".to_owned(),
                _ => "x86_64".to_owned(),
            },
            gpus: self.count("GPUs"),
            family: self.family.clone().unwrap_or_else(|| self.name.clone()),
            temporary_disk: self.count("MaxResourceVolumeMB") > 0,
            spot: self.is("LowPriorityCapable"),
            runs_images: self
                .says("HyperVGenerations")
                .is_none_or(|all| all.contains("V2")),
            zones: self.zones(region)?,
        })
    }
}

/// So many GiB, with decimals, as MiB.
fn mebibytes(gib: &str) -> u64 {
    let (whole, part) = gib.split_once('.').unwrap_or((gib, ""));
    let whole: u64 = whole.parse().unwrap_or_default();
    let thousandths: String = part.chars().chain("000".chars()).take(3).collect();
    whole * 1024 + thousandths.parse::<u64>().unwrap_or_default() * 1024 / 1000
}

impl AzureProvider {
    /// All sizes of the region.
    pub(crate) async fn sizes(&self) -> Result<Arc<BTreeMap<String, Size>>> {
        if let Some(known) = self.sizes.known() {
            return Ok(known);
        }
        let path = format!("{}/providers/Microsoft.Compute/skus", self.subscription());
        let call = Call::new(READ, Method::GET, path, SKUS);
        let call = call.with("$filter", format!("location eq '{}'", self.settings.region));
        let skus: Vec<Sku> = self.list_of(&call).await?;
        let machines = skus
            .iter()
            .filter(|sku| sku.resource_type == "virtualMachines");
        let sizes = machines.map(|sku| Ok((sku.name.clone(), sku.size(&self.settings.region)?)));
        Ok(self.sizes.learn(sizes.collect::<Result<_>>()?))
    }

    /// A size. One that Azure sells no more has no CPUs.
    pub(crate) async fn size_of(&self, name: &str) -> Result<Size> {
        Ok(self.sizes().await?.get(name).cloned().unwrap_or_default())
    }
}

#[async_trait]
impl Offers for AzureProvider {
    /// The region itself, where it has no zones.
    async fn zones(&self) -> Result<Vec<Name>> {
        if !self.settings.zones.is_empty() {
            let zones: BTreeSet<&Name> = self.settings.zones.iter().collect();
            return Ok(zones.into_iter().cloned().collect());
        }
        let sizes = self.sizes().await?;
        let all: BTreeSet<Name> = sizes
            .values()
            .flat_map(|size| size.zones.iter().cloned())
            .collect();
        let whole = zone_of(&self.settings.region, &[])?;
        let zones: Vec<Name> = all.iter().filter(|zone| **zone != whole).cloned().collect();
        Ok(if zones.is_empty() { vec![whole] } else { zones })
    }

    async fn list_offers(&self) -> Result<Vec<Offer>> {
        let zones = self.zones().await?;
        let sizes = self.sizes().await?;
        let snapshot = Snapshot::of(Cloud::Azure);
        let prices = snapshot.prices(&self.settings.region);
        let live = self.live_prices().await?;
        let mut offers = Vec::new();
        let sold = sizes
            .iter()
            .filter(|(_, size)| size.cpu > 0 && size.runs_images);
        for (machine_type, size) in sold {
            for zone in zones.iter().filter(|zone| size.zones.contains(*zone)) {
                let offer = |capacity, price_hour| Offer {
                    zone: zone.clone(),
                    family: size.family.clone(),
                    machine_type: machine_type.clone(),
                    cpu: size.cpu,
                    memory: size.memory,
                    arch: size.arch.clone(),
                    gpus: size.gpus,
                    gpu: None,
                    burstable: Cloud::Azure.is_burstable(machine_type),
                    capacity,
                    price_hour,
                };
                let listed = live.and_then(|live| live.on_demand.get(machine_type));
                let price = listed.or_else(|| prices.get(machine_type.as_str()));
                offers.push(offer(CapacityKind::OnDemand, price.copied()));
                if self.settings.spot && size.spot {
                    let price = live.and_then(|live| live.spot.get(machine_type));
                    offers.push(offer(CapacityKind::Spot, price.copied()));
                }
            }
        }
        offers.sort_by(|a, b| {
            let key = |one: &Offer| (one.zone.clone(), one.machine_type.clone(), one.capacity);
            key(a).cmp(&key(b))
        });
        Ok(offers)
    }

    async fn free(&self) -> Result<Option<Pool>> {
        Ok(None)
    }

    async fn quotas(&self) -> Result<Vec<Quota>> {
        self.cpu_quotas().await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sku(value: serde_json::Value) -> Sku {
        serde_json::from_value(value).expect("a size")
    }

    #[test]
    fn a_size_is_read_with_where_it_may_be_had() {
        let mut one = json!({
            "resourceType": "virtualMachines", "name": "Standard_D2s_v5",
            "family": "standardDSv5Family",
            "locationInfo": [{ "location": "WestEurope", "zones": ["3", "1", "2"] }],
            "capabilities": [
                { "name": "vCPUs", "value": "2" }, { "name": "MemoryGB", "value": "3.5" },
                { "name": "LowPriorityCapable", "value": "True" },
                { "name": "MaxResourceVolumeMB", "value": "0" },
                { "name": "HyperVGenerations", "value": "V1,V2" },
            ],
            "restrictions": [{
                "type": "Zone", "reasonCode": "NotAvailableForSubscription",
                "restrictionInfo": { "zones": ["2"] },
            }],
        });
        let size = sku(one.clone()).size("westeurope").expect("a size");
        assert_eq!((size.cpu, size.memory), (2, Bytes(3584 << 20)));
        assert!(size.spot && !size.temporary_disk && size.runs_images);
        let zones: Vec<&str> = size.zones.iter().map(Name::as_str).collect();
        assert_eq!(zones, ["westeurope-1", "westeurope-3"]);
        one["restrictions"] = json!([{ "type": "Location" }]);
        assert!(
            sku(one.clone())
                .size("westeurope")
                .expect("a size")
                .zones
                .is_empty()
        );
        one["restrictions"] = json!([]);
        one["locationInfo"] = json!([{ "location": "westeurope", "zones": [] }]);
        let whole = sku(one).size("westeurope").expect("a size").zones;
        assert_eq!(
            whole.iter().map(Name::as_str).collect::<Vec<_>>(),
            ["westeurope"]
        );
    }

    #[test]
    fn memory_has_decimals() {
        let read = ["0.5", "1.75", "224", "", "3.500"].map(mebibytes);
        assert_eq!(read, [512, 1792, 229_376, 0, 3584]);
    }
}
