//! Sites that are left out: what can be nowhere else is withheld.

use strat_model::{AttachIntent, Common, Kind, MachineIntent, Name};

use super::Placer;

impl<'a> Placer<'a> {
    /// Withholds what can only be at a site that is left out, and machines whose volume may be
    /// there: a volume is never made anew, because what is on it would be lost.
    pub(super) fn leave_out(&mut self) {
        if self.options.without.is_empty() {
            return;
        }
        let intent = self.intent;
        for machine in &intent.machines {
            if let Some(why) = self.left_out(machine) {
                self.withheld
                    .insert(machine.common.addr.clone(), why.into());
            }
        }
        let addresses = intent.addresses.iter().map(|a| (&a.common, &a.target));
        let volumes = intent.volumes.iter().map(|v| (&v.common, &v.target));
        for (common, target) in addresses.chain(volumes) {
            if let AttachIntent::Site { site, .. } = target {
                self.withhold_at(common, site);
            }
        }
        for bucket in &intent.buckets {
            self.withhold_at(&bucket.common, &bucket.site);
        }
    }

    /// Withholds what nobody can tell whose, or what, it is: else it would be made elsewhere. A machine
    /// whose volume is such is withheld with it, since it cannot do without.
    pub(super) fn leave_alone(&mut self) {
        for (addr, why) in self.index.all_held() {
            if !matches!(
                addr.kind(),
                Kind::Machine | Kind::Volume | Kind::Address | Kind::Bucket
            ) {
                continue;
            }
            self.withheld.insert(addr.local.clone(), why.clone());
            // Where it is nobody can tell, so rules that name its firewalls stay as they are.
            let machines = self.intent.machines.iter();
            let its = machines.filter(|machine| machine.common.addr == addr.local);
            self.unsure
                .extend(its.flat_map(|machine| machine.firewalls.iter().cloned()));
            let mut volumes = self.intent.volumes.iter();
            let volume = volumes.find(|volume| volume.common.addr == addr.local);
            if let Some(AttachIntent::Machine(machine)) = volume.map(|volume| &volume.target) {
                let why = format!("its volume {} is withheld", addr.local);
                self.withheld
                    .entry(machine.clone())
                    .or_insert_with(|| why.into());
            }
        }
    }

    fn withhold_at(&mut self, common: &Common, site: &Name) {
        if self.options.without.contains(site) {
            let why = format!("it is to be at {site}, which is left out");
            self.withheld.insert(common.addr.clone(), why.into());
        }
    }

    /// Why a machine or fleet is not placed elsewhere; `None` where it can be, or need not.
    fn left_out(&self, machine: &'a MachineIntent) -> Option<String> {
        let sites = self.labelled(machine);
        let (lost, left): (Vec<&Name>, Vec<&Name>) =
            sites.partition(|site| self.options.without.contains(*site));
        if lost.is_empty() {
            return None;
        }
        let names: Vec<_> = lost.iter().map(|site| site.as_str()).collect();
        let (names, verb) = (names.join(", "), if lost.len() == 1 { "is" } else { "are" });
        let zone = machine.placement.zone.as_ref();
        // A site without an answer may have the zone; that it gave none is said elsewhere.
        let possible = |site: &&&Name| match (zone, self.facts(site)) {
            (Some(zone), Some(facts)) => facts.zones.contains(zone),
            _ => true,
        };
        if !left.iter().any(|site| possible(&site)) {
            return Some(format!("it may only run at {names}, which {verb} left out"));
        }
        let addr = &machine.common.addr;
        if left
            .iter()
            .any(|site| !self.index.at(&addr.at(site)).is_empty())
        {
            return None;
        }
        let is_its = |target: &AttachIntent| *target == AttachIntent::Machine(addr.clone());
        let mut volumes = self.intent.volumes.iter().filter(|v| is_its(&v.target));
        let hidden = volumes.find(|volume| {
            let places = self.index.places(&volume.common.addr);
            places
                .iter()
                .all(|at| self.options.without.contains(&at.site))
        })?;
        Some(format!(
            "its volume {} may be at {names}, which {verb} left out, and is never made anew",
            hidden.common.addr
        ))
    }
}
