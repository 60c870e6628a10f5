//! Firewalls: documents, and the filters made of them on every host.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use strat_model::{
    Attributes, Departure, Direction, ErrorKind, Field, FirewallRule, FirewallSpec, Kind, Peer,
    Protocol, Resource, ResourceId, ResourceState, Result, Spec,
};

use super::filter::{self, Members, OwnAddresses};
use super::seen;
use crate::error::{Explain as _, fail, missing};
use crate::host::{Guest, Host, MachineBody};
use crate::provider::{OwnedCreate, OwnedUpdate};
use crate::setup;
use crate::site::{Site, check_fields};
use crate::thing::{Phase, Thing};
use crate::xml::Element;

/// What is kept of a firewall.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FirewallBody {
    /// The network's id.
    pub(crate) network: String,
    /// The rules.
    pub(crate) rules: BTreeSet<FirewallRule<ResourceId>>,
}

impl FirewallBody {
    fn names(&self, firewall: &str) -> bool {
        let peers = self.rules.iter().flat_map(|rule| &rule.peers);
        peers
            .filter_map(Peer::firewall)
            .any(|named| named.as_str() == firewall)
    }

    /// Whether a rule says what machines may reach.
    pub(crate) fn has_egress(&self) -> bool {
        self.rules
            .iter()
            .any(|rule| rule.direction == Direction::Egress)
    }
}

type Firewalls = BTreeMap<String, Thing<FirewallBody>>;

impl Site {
    pub(crate) fn create_firewall(
        &self,
        request: &OwnedCreate<FirewallSpec<ResourceId>>,
    ) -> Result<Resource> {
        let spec = Spec::Firewall(request.spec.clone());
        let digest = request.digest(&spec);
        let birth = request.birth(Kind::Firewall, &spec, &digest, self.now());
        let _definitions = self.lock_definitions();
        let known = self.firewall_things()?;
        let thing = match known.get(&request.name) {
            Some(thing) => {
                thing.check_repeated(birth)?;
                thing.clone()
            }
            None => {
                self.need_network(&request.spec.network)?;
                check_rules(&request.name, &request.spec, &known)?;
                let body = FirewallBody {
                    network: request.spec.network.to_string(),
                    rules: request.spec.rules.clone(),
                };
                Thing::new(birth, Phase::Made, body)
            }
        };
        self.put_firewall(&thing)?;
        Ok(firewall_of(&thing))
    }

    pub(crate) fn update_firewall(
        &self,
        request: &OwnedUpdate<FirewallSpec<ResourceId>>,
    ) -> Result<Resource> {
        check_fields(&self.live, Kind::Firewall, &request.fields)?;
        let _definitions = self.lock_definitions();
        let known = self.firewall_things()?;
        let Some(old) = known.get(request.id.as_str()) else {
            return Err(missing(format!("firewall {}", request.id)));
        };
        let mut thing = old.clone();
        thing.set_mark(request.mark.as_ref());
        if request.fields.contains(&Field::Labels) {
            thing.labels.clone_from(&request.spec.labels);
        }
        if request.fields.contains(&Field::Rules) {
            let spec = FirewallSpec {
                network: ResourceId::from(&thing.body.network),
                ..request.spec.clone()
            };
            check_rules(&thing.name, &spec, &known)?;
            thing.body.rules.clone_from(&request.spec.rules);
        }
        self.put_firewall(&thing)?;
        Ok(firewall_of(&thing))
    }

    /// Writes a firewall's document and filter on every host, and the filters of its machines.
    fn put_firewall(&self, thing: &Thing<FirewallBody>) -> Result<()> {
        self.each(|host| self.on_shelf(host, Kind::Firewall, |shelf| shelf.put(thing)))?;
        self.refresh_filters(&BTreeSet::from([thing.name.clone()]), &BTreeSet::new())
    }

    pub(crate) fn delete_firewall(&self, id: &ResourceId) -> Result<()> {
        let _definitions = self.lock_definitions();
        let known = self.firewall_things()?;
        if !known.contains_key(id.as_str()) {
            return Ok(());
        }
        let naming = known
            .iter()
            .find(|(name, other)| *name != id.as_str() && other.body.names(id.as_str()));
        if let Some((name, _)) = naming {
            return Err(fail(
                ErrorKind::Conflict,
                format!("a rule of the firewall {name} names {id}"),
            ));
        }
        let carries = |guest: &Guest| {
            guest
                .body()
                .is_some_and(|body| body.firewalls.contains(id.as_str()))
        };
        if let Some((_, guest)) = self.guests()?.iter().find(|(_, guest)| carries(guest)) {
            return Err(fail(
                ErrorKind::Conflict,
                format!("the machine {} carries the firewall {id}", guest.name),
            ));
        }
        self.each(|host| {
            host.remove_filter(&filter::firewall_filter(id.as_str()))?;
            self.on_shelf(host, Kind::Firewall, |shelf| shelf.remove(id.as_str()))
        })?;
        Ok(())
    }

    /// All firewalls, with the rules that libvirt's filters come to.
    pub(crate) fn list_firewalls(&self) -> Result<Vec<Resource>> {
        let known = self.firewall_things()?;
        if known.is_empty() {
            return Ok(Vec::new());
        }
        let guests = self.guests()?;
        let whole = guests.iter().filter(|(_, guest)| guest.is_whole());
        let settled = members_of(whole.clone());
        let mut all = members_of(guests.iter());
        add_members(&mut all, &self.noted_machines()?);
        let mut firewalls: BTreeMap<&str, Resource> = known
            .iter()
            .map(|(name, thing)| (name.as_str(), firewall_of(thing)))
            .collect();
        let filters = self.each(|host| {
            let names = known.keys();
            let read = names.map(|name| host.filter_xml(&filter::firewall_filter(name)));
            read.collect::<Result<Vec<_>>>()
        })?;
        for (host, filters) in self.hosts.iter().zip(filters) {
            for ((name, thing), xml) in known.iter().zip(filters) {
                let Some(firewall) = firewalls.get_mut(name.as_str()) else {
                    continue;
                };
                let carries = |(of, guest): &&(&Host, Guest)| {
                    let body = guest.body();
                    of.name() == host.name()
                        && body.is_some_and(|body| body.firewalls.contains(name))
                };
                match xml {
                    Some(xml) => tell(
                        firewall,
                        host,
                        &thing.body.rules,
                        &seen::seen(&thing.body.rules, &xml, &settled, &all),
                    ),
                    // A host that nothing of it is on may have joined later.
                    None if whole.clone().any(|one| carries(&one)) => {
                        firewall.depart(&setup::filter_on(host), &Departure::new("gone", "there"));
                    }
                    None => {}
                }
            }
        }
        Ok(firewalls.into_values().collect())
    }

    /// The documents of all firewalls, as they are on all hosts.
    pub(crate) fn firewall_things(&self) -> Result<Firewalls> {
        self.documents(Kind::Firewall)
    }

    /// Fails unless these firewalls are there and of that network.
    pub(crate) fn check_firewalls<'a>(
        &self,
        firewalls: impl Iterator<Item = &'a ResourceId>,
        network: &str,
    ) -> Result<()> {
        let mut firewalls = firewalls.peekable();
        if firewalls.peek().is_none() {
            return Ok(());
        }
        let known = self.firewall_things()?;
        for firewall in firewalls {
            check_firewall(firewall, network, &known)?;
        }
        Ok(())
    }

    /// Brings filters up to date: those of these firewalls, of all that name them (because the
    /// machines that carry them changed), and of all machines that carry them or are named here.
    /// Who calls holds the definitions.
    pub(crate) fn refresh_filters(
        &self,
        changed: &BTreeSet<String>,
        machines: &BTreeSet<String>,
    ) -> Result<()> {
        let known = self.firewall_things()?;
        let guests = self.guests()?;
        let mut members = members_of(guests.iter());
        add_members(&mut members, &self.noted_machines()?);
        let concerned = |name: &String, thing: &Thing<FirewallBody>| {
            changed.contains(name) || changed.iter().any(|changed| thing.body.names(changed))
        };
        let firewalls: Vec<_> = known
            .iter()
            .filter(|(name, thing)| concerned(name, thing))
            .map(|(name, thing)| filter::firewall_xml(name, &thing.body.rules, &members))
            .collect();
        self.each(|host| {
            for xml in &firewalls {
                host.define_filter(xml)?;
            }
            for (_, guest) in guests.iter().filter(|(of, _)| of.name() == host.name()) {
                let Some(body) = guest.body() else { continue };
                if machines.contains(&guest.name) || !body.firewalls.is_disjoint(changed) {
                    self.define_machine_filter(host, &guest.name, body, &known, &members)?;
                }
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Defines a machine's filter, and first those it refers to where a host lacks them.
    fn define_machine_filter(
        &self,
        host: &Host,
        machine: &str,
        body: &MachineBody,
        known: &Firewalls,
        members: &Members,
    ) -> Result<()> {
        let need = |name: &String| {
            let thing = known.get(name);
            thing.ok_or_else(|| missing(format!("firewall {name}")))
        };
        let carried: Vec<_> = body.firewalls.iter().map(need).collect::<Result<_>>()?;
        for (name, thing) in body.firewalls.iter().zip(&carried) {
            if !host.has_filter(&filter::firewall_filter(name))? {
                self.on_shelf(host, Kind::Firewall, |shelf| shelf.put(thing))?;
                host.define_filter(&filter::firewall_xml(name, &thing.body.rules, members))?;
            }
        }
        host.define_filter(&self.machine_filter_xml(machine, body, &carried))
    }

    /// A machine's filter as it is to be, with the firewalls that it carries.
    pub(crate) fn machine_filter_xml(
        &self,
        machine: &str,
        body: &MachineBody,
        carried: &[&Thing<FirewallBody>],
    ) -> Element {
        // A machine is let out what any of its firewalls lets out, and one without such a rule lets out all.
        let shuts = !carried.is_empty() && carried.iter().all(|one| one.body.has_egress());
        let own = body.ip.filter(|_| self.settings.anti_spoofing);
        let own = own.map(|ip| OwnAddresses { mac: &body.mac, ip });
        filter::machine_xml(machine, body.firewalls.iter(), shuts, own)
    }
}

impl Host {
    fn define_filter(&self, xml: &Element) -> Result<()> {
        let name = xml.get("name").unwrap_or_default();
        let defined = self.connect()?.define_nwfilter_xml(&xml.to_string());
        defined
            .on(self, || format!("defining the filter {name}"))
            .map(|_| ())
    }

    /// A filter as libvirt has it.
    pub(crate) fn filter_xml(&self, name: &str) -> Result<Option<Element>> {
        let doing = || format!("reading the filter {name}");
        let connection = self.connect()?;
        let Some(filter) = connection
            .lookup_nwfilter_by_name(name)
            .found(self, doing)?
        else {
            return Ok(None);
        };
        let text = filter.xml_desc().found(self, doing)?;
        text.map(|text| Element::parse(&text)).transpose()
    }

    fn has_filter(&self, name: &str) -> Result<bool> {
        let found = self
            .connect()?
            .lookup_nwfilter_by_name(name)
            .found(self, || format!("looking for the filter {name}"))?;
        Ok(found.is_some())
    }

    /// Deletes a filter. One that is not there is deleted already.
    pub(crate) fn remove_filter(&self, name: &str) -> Result<()> {
        let doing = || format!("deleting the filter {name}");
        if let Some(filter) = self
            .connect()?
            .lookup_nwfilter_by_name(name)
            .found(self, doing)?
        {
            filter.undefine().found(self, doing)?;
        }
        Ok(())
    }
}

/// The addresses of the machines that carry each firewall.
fn members_of<'g, 'h: 'g>(guests: impl Iterator<Item = &'g (&'h Host, Guest)>) -> Members {
    let mut members = Members::new();
    add_members(&mut members, guests.filter_map(|(_, guest)| guest.body()));
    members
}

fn add_members<'b>(members: &mut Members, bodies: impl IntoIterator<Item = &'b MachineBody>) {
    for body in bodies {
        for firewall in &body.firewalls {
            members.entry(firewall.clone()).or_default().extend(body.ip);
        }
    }
}

/// Says of a firewall what a host's filter comes to, where that is not what was asked for.
fn tell(
    firewall: &mut Resource,
    host: &Host,
    asked: &BTreeSet<FirewallRule<ResourceId>>,
    seen: &seen::Seen,
) {
    if let Spec::Firewall(spec) = &mut firewall.spec
        && spec.rules == *asked
    {
        spec.rules.clone_from(&seen.rules);
    }
    let told = [("with", &seen.more), ("without", &seen.lacks)];
    let told = told.into_iter().filter(|(_, rows)| !rows.is_empty());
    let told: Vec<_> = told
        .map(|(word, rows)| format!("{word} {}", rows.join(", ")))
        .collect();
    if !told.is_empty() {
        firewall.depart(
            &setup::filter_on(host),
            &Departure::new(told.join(" and "), "its rules alone"),
        );
    }
}

fn check_rules(own: &str, spec: &FirewallSpec<ResourceId>, known: &Firewalls) -> Result<()> {
    let invalid = |message: String| Err(fail(ErrorKind::Invalid, message));
    let mut names = BTreeSet::new();
    for rule in &spec.rules {
        if !names.insert((rule.direction, &rule.name)) {
            return invalid(format!("two rules are called `{}`", rule.name));
        }
        let has_ports = matches!(rule.protocol, Protocol::Tcp | Protocol::Udp);
        if !has_ports && !rule.ports.is_empty() {
            return invalid(format!("the protocol of rule `{}` has no ports", rule.name));
        }
        for peer in rule.peers.iter().filter_map(Peer::firewall) {
            if peer.as_str() != own {
                check_firewall(peer, spec.network.as_str(), known)?;
            }
        }
    }
    Ok(())
}

fn check_firewall(firewall: &ResourceId, network: &str, known: &Firewalls) -> Result<()> {
    match known.get(firewall.as_str()) {
        None => Err(missing(format!("firewall {firewall}"))),
        Some(thing) if thing.body.network != network => Err(fail(
            ErrorKind::Invalid,
            format!("the firewall {firewall} is in another network"),
        )),
        Some(_) => Ok(()),
    }
}

fn firewall_of(thing: &Thing<FirewallBody>) -> Resource {
    Resource {
        id: ResourceId::from(&thing.name),
        name: thing.name.clone(),
        mark: thing.mark(),
        witness: thing.witness(),
        state: ResourceState::Ready,
        spec: Spec::Firewall(FirewallSpec {
            network: ResourceId::from(&thing.body.network),
            rules: thing.body.rules.clone(),
            labels: thing.labels.clone(),
        }),
        attributes: Attributes::new(),
        created: Some(thing.created),
    }
}
