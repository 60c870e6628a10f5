//! Key pairs, images, addresses, volumes, buckets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use strat_model::{
    Addr, AddressSpec, AttachIntent, BucketSpec, Common, Diagnostic, ImageSpec, Internet,
    KeypairSpec, Kind, LocalAddr, Name, Resource, Spec, VolumeIntent, VolumeSpec,
};

use super::{NoPlace, Placer, Unplaced};
use crate::diff::is_noted_unattached;

/// Where something that can be attached goes: its site, zone, and the machine.
type Spot = (Name, Option<Name>, Option<Addr>);

impl<'a> Placer<'a> {
    /// Key pairs and images go wherever a machine that names them may run; to every site that has
    /// such things where none does.
    pub(super) fn keys_and_images(&mut self) {
        let mut sites: BTreeMap<&LocalAddr, BTreeSet<&Name>> = BTreeMap::new();
        for machine in &self.intent.machines {
            let image = machine.image.as_ref().err();
            for named in machine.keypair.iter().chain(image) {
                sites
                    .entry(named)
                    .or_default()
                    .extend(&machine.placement.sites);
            }
        }
        for keypair in &self.intent.keypairs {
            for site in self.sites_for(&sites, &keypair.common.addr, Kind::Keypair) {
                let spec = KeypairSpec {
                    public_key: keypair.public_key.clone(),
                    labels: keypair.common.labels.clone(),
                };
                self.add(
                    &keypair.common,
                    keypair.common.addr.at(&site),
                    Spec::Keypair(spec),
                );
            }
        }
        for image in &self.intent.images {
            for site in self.sites_for(&sites, &image.common.addr, Kind::Image) {
                let spec = ImageSpec {
                    source: image.source.clone(),
                    sha256: image.sha256.clone(),
                    labels: image.common.labels.clone(),
                };
                self.add(
                    &image.common,
                    image.common.addr.at(&site),
                    Spec::Image(spec),
                );
            }
        }
    }

    fn sites_for(
        &self,
        used: &BTreeMap<&LocalAddr, BTreeSet<&Name>>,
        addr: &LocalAddr,
        kind: Kind,
    ) -> Vec<Name> {
        let named = used.get(addr);
        let wanted = |site: &Name| match named {
            Some(sites) => sites.contains(site),
            None => self
                .facts(site)
                .is_some_and(|facts| facts.capabilities.kinds.contains(&kind)),
        };
        let known = self.facts.keys().filter(|site| wanted(site));
        known.cloned().collect()
    }

    /// Places addresses, volumes and buckets. Machines must be placed before.
    pub(super) fn storage(&mut self) {
        for address in &self.intent.addresses {
            if let Some((site, _, attach)) = self.spot(&address.common.addr, &address.target) {
                if let Some(machine) = &attach {
                    self.check_way_in(&address.common, machine);
                }
                let labels = address.common.labels.clone();
                let spec = Spec::Address(AddressSpec { attach, labels });
                self.add(&address.common, address.common.addr.at(&site), spec);
            }
        }
        for volume in &self.intent.volumes {
            let Some((site, zone, attach)) = self.spot(&volume.common.addr, &volume.target) else {
                continue;
            };
            let addr = volume.common.addr.at(&site);
            let Some(zone) = zone.or_else(|| self.unattached_zone(&addr)) else {
                continue;
            };
            if let Some(problem) = self.moves(volume, &addr, &zone) {
                self.refuse(problem);
                continue;
            }
            let spec = VolumeSpec {
                size: volume.size,
                class: volume.class,
                zone,
                attach,
                labels: volume.common.labels.clone(),
            };
            self.add(&volume.common, addr.clone(), Spec::Volume(spec));
            if let Some(problem) = self.shrinks(volume, &addr) {
                self.refuse(problem);
            }
        }
        for bucket in &self.intent.buckets {
            let withheld = self.withheld.contains_key(&bucket.common.addr);
            if !withheld && self.facts(&bucket.site).is_some() {
                let spec = BucketSpec {
                    versioning: bucket.versioning,
                    labels: bucket.common.labels.clone(),
                };
                self.add(
                    &bucket.common,
                    bucket.common.addr.at(&bucket.site),
                    Spec::Bucket(spec),
                );
            }
        }
    }

    /// An address leads nowhere in a subnet that has no way in.
    fn check_way_in(&mut self, address: &Common, machine: &Addr) {
        let goal = |addr: &Addr| self.entries.get(addr)?.goals.first().map(Arc::clone);
        let Some(Spec::Machine(spec)) = goal(machine).map(|goal| goal.spec.clone()) else {
            return;
        };
        let Some(Spec::Subnet(subnet)) = goal(&spec.subnet).map(|goal| goal.spec.clone()) else {
            return;
        };
        let Some(way @ (Internet::Outbound | Internet::None)) = subnet.internet else {
            return;
        };
        let local = &spec.subnet.local;
        let message = format!(
            "{} leads to {}, which is in a subnet that has no way in from the internet",
            address.addr, machine.local
        );
        let mut subnets = self.intent.subnets.iter();
        let own = subnets.find(|subnet| subnet.common.addr == *local);
        let finding = Diagnostic::error(NoPlace::NotPublic.as_str(), message)
            .at(address.origin("attach"), "nobody would reach it")
            .at(
                own.and_then(|own| own.common.origin("internet")),
                format!(
                    "{local} has the way \"{}\" at {}",
                    way.as_str(),
                    machine.site
                ),
            )
            .help(format!("write `internet = \"public\"` in `{local}`"));
        self.refuse(Unplaced::new(&address.addr, NoPlace::NotPublic, finding));
    }

    /// Where a thing goes; `None`, and withheld, where its site gave no answer or its machine has
    /// no place.
    fn spot(&mut self, addr: &LocalAddr, target: &AttachIntent) -> Option<Spot> {
        if self.withheld.contains_key(addr) {
            return None;
        }
        match target {
            AttachIntent::Site { site, zone } => {
                self.facts(site).map(|_| (site.clone(), zone.clone(), None))
            }
            AttachIntent::Machine(machine) => {
                if let Some((site, zone)) = self.placed(machine) {
                    let attach = machine.at(&site);
                    return Some((site, Some(zone), Some(attach)));
                }
                if self.withheld.contains_key(machine) {
                    self.withheld
                        .insert(addr.clone(), format!("{machine} is withheld").into());
                }
                None
            }
        }
    }

    /// A volume can grow, never shrink; making it anew would lose what is on it. One that somebody grew by
    /// hand is no mistake of the topology: the plan tells it as drift, and leaves its size alone.
    fn shrinks(&self, volume: &VolumeIntent, addr: &Addr) -> Option<Unplaced> {
        let found = self.index.at(addr).first()?;
        let Spec::Volume(is) = &found.spec else {
            return None;
        };
        if volume.size >= is.size {
            return None;
        }
        let goal = self.entries.get(addr)?.goals.first()?;
        let applied = found
            .mark
            .as_ref()
            .is_some_and(|mark| mark.spec == goal.digest());
        (!applied).then(|| {
            let message = format!("{addr} is {} and cannot shrink to {}", is.size, volume.size);
            let finding = Diagnostic::error(NoPlace::CannotShrink.as_str(), message)
                .at(volume.common.origin("size"), format!("there are {} now", is.size))
                .help("keep the size; or add a smaller volume of another name, move what is on this one, and take this one out");
            Unplaced::new(&volume.common.addr, NoPlace::CannotShrink, finding)
        })
    }

    /// A volume stays where it is: anywhere else it would be another one, without what is on it.
    fn moves(&self, volume: &VolumeIntent, addr: &Addr, zone: &Name) -> Option<Unplaced> {
        let local = &volume.common.addr;
        let (is, to) = match self.index.at(addr).first() {
            Some(found) => (format!("in {}", found.zone()?), format!("to {zone}")),
            None => {
                let place = self.index.places(local).first()?;
                (format!("at {}", place.site), format!("to {}", addr.site))
            }
        };
        let stays = self
            .index
            .at(addr)
            .first()
            .is_some_and(|found| found.zone() == Some(zone));
        let attribute = match volume.target {
            AttachIntent::Machine(_) => "attach",
            AttachIntent::Site { .. } if self.index.at(addr).is_empty() => "site",
            AttachIntent::Site { .. } => "zone",
        };
        (!stays).then(|| {
            let message = format!("{local} is {is} and cannot move {to}");
            let finding = Diagnostic::error(NoPlace::CannotMove.as_str(), message)
                .at(volume.common.origin(attribute), format!("it is {is} now"))
                .help("keep it where it is; or add a volume of another name there, copy what is on this one, and take this one out");
            Unplaced::new(local, NoPlace::CannotMove, finding)
        })
    }

    /// Whether a volume is, or is to be made, unattached and never was otherwise. What has lost its
    /// mark may have been attached once.
    pub(super) fn was_never_attached(&self, addr: &Addr, spec: &Spec<Addr>) -> bool {
        let Spec::Volume(volume) = spec else {
            return false;
        };
        volume.attach.is_none()
            && match self.index.at(addr).first() {
                None => !self.index.has_unmarked(),
                Some(Resource {
                    spec: Spec::Volume(is),
                    ..
                }) if is.attach.is_some() => false,
                Some(found) => is_noted_unattached(found),
            }
    }

    /// The zone of a volume that names none: where it is, else the site's first.
    fn unattached_zone(&self, addr: &Addr) -> Option<Name> {
        let seen = self.index.at(addr).first().and_then(|found| found.zone());
        let first = || self.facts(&addr.site)?.zones.first();
        seen.or_else(first).cloned()
    }
}
