//! From a place found to what is to be there.

use std::collections::BTreeSet;
use std::sync::Arc;

use strat_model::{
    Addr, Diagnostic, Field, ImageRef, MachineIntent, MachineSpec, Name, Shared, SiteFacts, Spec,
    SubnetScope,
};

use super::{Allotment, Share};
use crate::Goal;
use crate::place::asked::request;
use crate::place::network::subnet_addr;
use crate::place::{NoPlace, Placer, Unplaced};

impl<'a> Placer<'a> {
    /// Adds what an allotment comes to.
    pub(super) fn machine_entries(&mut self, allotment: Allotment<'a>) {
        let machine = allotment.machine;
        let why = allotment.moved;
        for shares in allotment.shares.chunk_by(|a, b| a.site == b.site) {
            let site = shares[0].site;
            let Some(facts) = self.facts(site) else {
                continue;
            };
            let mut goals = Vec::with_capacity(shares.len());
            for share in shares.iter().filter(|share| share.count > 0) {
                let arch = share.shape.arch.as_deref();
                if let Some(image) = self.image(machine, site, facts, arch) {
                    let goal = self.goal(machine, facts, share, image);
                    goals.push(Arc::new(goal));
                }
            }
            if !goals.is_empty() {
                let addr = machine.common.addr.at(site);
                self.add_goals(&machine.common, addr.clone(), goals);
                if let (Some(why), Some(entry)) = (&why, self.entries.get_mut(&addr)) {
                    entry.why = Some(why.clone());
                }
            }
        }
    }

    fn goal(
        &mut self,
        machine: &MachineIntent,
        facts: &SiteFacts,
        share: &Share<'_>,
        image: ImageRef<Addr>,
    ) -> Goal {
        let (site, shape) = (share.site, &share.shape);
        let subnet = subnet_at(machine, (site, share.zone), facts);
        for firewall in &machine.firewalls {
            self.carriers
                .entry(firewall.clone())
                .or_default()
                .insert(subnet.clone());
        }
        let firewalls = machine.firewalls.iter();
        let firewalls: Shared<BTreeSet<_>> = firewalls.map(|firewall| firewall.at(site)).collect();
        let public_ip = self.public_ip(machine, site, facts);
        let spec = Spec::Machine(MachineSpec {
            machine_type: shape.machine_type.clone(),
            cpu: shape.cpu,
            memory: shape.memory,
            capacity: shape.capacity,
            zone: share.zone.clone(),
            image,
            subnet,
            firewalls: firewalls.or_last(&mut self.last_firewalls),
            keypair: machine.keypair.as_ref().map(|keypair| keypair.at(site)),
            user_data: machine.user_data.clone(),
            disks: machine.disks.clone(),
            public_ip,
            labels: machine.common.labels.clone(),
        });
        let mut notes = self.notes(site, &spec);
        notes.insert(Field::Request, request(machine));
        notes.insert(Field::Image, image_note(machine));
        if let Some(data) = &machine.user_data {
            notes.insert(Field::UserData, data.digest.clone());
        }
        Goal {
            count: share.count,
            spec,
            notes: Shared::from(notes).or_last(&mut self.last_notes),
            price_hour: shape.price_hour,
        }
    }

    /// Whether a machine at a site is to have a public address of its own; `None` where the site settles
    /// that for all of its machines. A site without public addresses gives none to whoever asks.
    fn public_ip(
        &mut self,
        machine: &MachineIntent,
        site: &Name,
        facts: &SiteFacts,
    ) -> Option<bool> {
        let capabilities = &facts.capabilities;
        if capabilities.internet.machines_choose() {
            return Some(machine.public_ip.unwrap_or(false));
        }
        if machine.public_ip == Some(false) && capabilities.public_ips {
            let message = format!(
                "{} is to have no public address, and every machine at {site} gets one",
                machine.common.addr
            );
            let finding = Diagnostic::error(NoPlace::UnsupportedInternet.as_str(), message)
                .at(machine.common.origin("public_ip"), format!("not at {site}"))
                .help("say so for all machines of the site: `public_ips = false` in its block");
            let addr = &machine.common.addr;
            self.refuse(Unplaced::new(addr, NoPlace::UnsupportedInternet, finding));
        }
        None
    }

    fn image(
        &mut self,
        machine: &MachineIntent,
        site: &Name,
        facts: &SiteFacts,
        arch: Option<&str>,
    ) -> Option<ImageRef<Addr>> {
        let name = match &machine.image {
            Err(image) => return Some(ImageRef::Managed(image.at(site))),
            Ok(name) => name,
        };
        if let Some(id) = facts.images.get(name, arch) {
            return Some(ImageRef::Named {
                name: name.clone(),
                id: id.clone(),
            });
        }
        let others: Vec<_> = facts.images.archs(name).collect();
        let (message, help) = match arch {
            Some(arch) if !others.is_empty() => (
                format!("{site} has no image `{name}` for {arch}"),
                format!(
                    "it has that for {}; ask for such an `arch` or `machine_type`, or for another image",
                    others.join(", ")
                ),
            ),
            _ => {
                let known: Vec<_> = facts.images.names().collect();
                (
                    format!("{site} has no image `{name}`"),
                    format!("it has: {}", known.join(", ")),
                )
            }
        };
        let finding = Diagnostic::error(NoPlace::UnknownImage.as_str(), message)
            .at(
                machine.common.origin("image"),
                format!("not known at {site}"),
            )
            .help(help);
        let problem = Unplaced::new(&machine.common.addr, NoPlace::UnknownImage, finding);
        self.refuse(problem);
        None
    }

    /// What runs of a machine that is withheld still counts for firewalls that name its own.
    pub(super) fn carriers_that_run(&mut self, machine: &MachineIntent) {
        for place in self.index.places(&machine.common.addr) {
            for resource in self.index.at(place) {
                let Spec::Machine(spec) = &resource.spec else {
                    continue;
                };
                let Some(subnet) = self.index.addr_of(&place.site, &spec.subnet) else {
                    continue;
                };
                for firewall in &machine.firewalls {
                    self.carriers
                        .entry(firewall.clone())
                        .or_default()
                        .insert(subnet.clone());
                }
            }
        }
    }
}

/// The subnet where a machine in a zone of a site gets its address.
pub(super) fn subnet_at(
    machine: &MachineIntent,
    (site, zone): (&Name, &Name),
    facts: &SiteFacts,
) -> Addr {
    let zone = match facts.capabilities.subnets {
        SubnetScope::Zonal => Some(zone),
        SubnetScope::Regional => None,
    };
    subnet_addr(&machine.subnet, site, zone)
}

fn image_note(machine: &MachineIntent) -> String {
    match &machine.image {
        Ok(name) => name.clone(),
        Err(image) => image.to_string(),
    }
}
