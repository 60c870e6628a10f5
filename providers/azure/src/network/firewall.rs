//! Firewalls: application security groups, with [rules](super::rules) in the security group of their
//! network.

use reqwest::Method;
use serde_json::json;
use strat_model::{
    Attributes, ErrorKind, Field, FirewallSpec, Kind, Resource, ResourceId, Result, Spec,
};
use strat_provider::{Create, Stamp, Update};

use super::rules::{self, Rows, group_name};
use crate::arm::Call;
use crate::error::{gone, if_there, refuse};
use crate::names::{ASG, NSG, Place};
use crate::provider::{AzureProvider, Seen, state};
use crate::tags::{self, MADE, NETWORK, RULES_OF, Tags};
use crate::wire::{Nsg, Plain, Thing};

const READ: &str = "Microsoft.Network/applicationSecurityGroups/read";
const WRITE: &str = "Microsoft.Network/applicationSecurityGroups/write";
const DELETE: &str = "Microsoft.Network/applicationSecurityGroups/delete";
const READ_RULES: &str = "Microsoft.Network/networkSecurityGroups/read";
const WRITE_GROUP: &str = "Microsoft.Network/networkSecurityGroups/write";
const DELETE_GROUP: &str = "Microsoft.Network/networkSecurityGroups/delete";
const WRITE_RULE: &str = "Microsoft.Network/networkSecurityGroups/securityRules/write";
const DELETE_RULE: &str = "Microsoft.Network/networkSecurityGroups/securityRules/delete";

/// Where the rules of a network's firewalls are.
pub(crate) fn rules_of(network: &Place) -> Place {
    Place::new(&network.group, &group_name(&network.name))
}

impl AzureProvider {
    /// The group that carries the mark first, then the rules: what is there without them is a firewall
    /// of ours that lacks rules, and the next apply gives them.
    pub(crate) async fn make_firewall(
        &self,
        request: Create<'_, FirewallSpec<ResourceId>>,
        stamp: &Stamp,
    ) -> Result<Resource> {
        let spec = request.spec;
        let network = Place::of_id(&spec.network);
        let network = network.ok_or_else(|| gone(Kind::Network, &spec.network))?;
        let ground = self.ground(request.name, request.mark, &spec.labels, stamp);
        let (at, mut tags) = ground.await?;
        tags::set(&mut tags, NETWORK, spec.network.as_str());
        tags::check(&tags)?;
        let body = json!({ "location": self.settings.region, "tags": tags, "properties": {} });
        let put = Call::new(WRITE, Method::PUT, self.path(ASG, &at), ASG.version).carrying(body);
        let id = at.id();
        self.make((Kind::Firewall, &id), request.mark, stamp, &put)
            .await?;
        self.bring_rules(&network, &at, spec).await?;
        let seen = self.get_firewall(&id).await?;
        seen.map(|seen| seen.resource)
            .ok_or_else(|| gone(Kind::Firewall, &id))
    }

    pub(crate) async fn change_firewall(
        &self,
        request: Update<'_, FirewallSpec<ResourceId>>,
    ) -> Result<Resource> {
        let missing = || gone(Kind::Firewall, request.id);
        let at = Place::of_id(request.id).ok_or_else(missing)?;
        let group = self.read_asg(&at).await?.ok_or_else(missing)?;
        if request.fields.contains(&Field::Rules) {
            let noted = tags::get(&group.tags, NETWORK).map(ResourceId::from);
            let Some(network) = noted.as_ref().and_then(Place::of_id) else {
                let message = format!("nobody knows of which network {} is", request.id);
                let help = "let it go, and have a firewall made beside it";
                return Err(refuse(ErrorKind::Unsupported, message).with_help(help));
            };
            self.bring_rules(&network, &at, request.spec).await?;
        }
        let labels = request.fields.contains(&Field::Labels);
        let labels = labels.then_some(&request.spec.labels);
        self.retag((ASG, &at), &group.tags, request.mark, labels)
            .await?;
        let seen = self.get_firewall(request.id).await?;
        seen.map(|seen| seen.resource).ok_or_else(missing)
    }

    /// Makes the rules of a firewall what they are to be: writes first, then deletes.
    async fn bring_rules(
        &self,
        network: &Place,
        firewall: &Place,
        spec: &FirewallSpec<ResourceId>,
    ) -> Result<()> {
        let group = self.ensure_rules(network).await?;
        let _turn = self.turns.at(&group.id().to_string()).await;
        let is = self.read_rules(&group).await?.unwrap_or_default();
        let work = rules::work(&firewall.id(), &rules::rows(firewall, spec), &is)?;
        let path = |name: &str| format!("{}/securityRules/{name}", self.path(NSG, &group));
        let of_firewall =
            |id: &ResourceId| Place::of_id(id).map_or_else(String::new, |at| self.path(ASG, &at));
        for (name, row, priority) in &work.put {
            let put = Call::new(WRITE_RULE, Method::PUT, path(name), NSG.version);
            self.done(&put.carrying(row.write(*priority, of_firewall)))
                .await?;
        }
        if work.inward {
            let body = json!({ "properties": rules::inward()["properties"] });
            let put = Call::new(WRITE_RULE, Method::PUT, path(rules::INWARD), NSG.version);
            self.done(&put.carrying(body)).await?;
        }
        self.drop_rules(&group, &work.delete).await
    }

    async fn drop_rules(&self, group: &Place, names: &[String]) -> Result<()> {
        for name in names {
            let path = format!("{}/securityRules/{name}", self.path(NSG, group));
            let delete = Call::new(DELETE_RULE, Method::DELETE, path, NSG.version);
            if_there(self.done(&delete).await)?;
        }
        Ok(())
    }

    /// The security group of a network, which is made at its first use: with the network it would not be
    /// there in one call either.
    pub(crate) async fn ensure_rules(&self, network: &Place) -> Result<Place> {
        let group = rules_of(network);
        let _turn = self.turns.at(&group.id().to_string()).await;
        match self.read_nsg(&group).await? {
            Some(there)
                if tags::get(&there.tags, RULES_OF).as_deref() == Some(network.id().as_str()) =>
            {
                return Ok(group);
            }
            Some(_) => {
                let message = format!(
                    "there is a security group {} already, which is not ours",
                    group.id()
                );
                return Err(refuse(ErrorKind::AlreadyExists, message));
            }
            None => {}
        }
        let vnet = self.read_vnet(network).await?;
        let vnet = vnet.ok_or_else(|| gone(Kind::Network, &network.id()))?;
        let mut tags = Tags::new();
        tags::set(&mut tags, RULES_OF, network.id().as_str());
        let body = json!({
            "location": vnet.location,
            "tags": tags,
            "properties": { "securityRules": [rules::inward()] },
        });
        let put = Call::new(
            WRITE_GROUP,
            Method::PUT,
            self.path(NSG, &group),
            NSG.version,
        );
        self.done(&put.carrying(body)).await?;
        Ok(group)
    }

    /// Deletes the security group of a network that goes, unless a firewall's rules are in it.
    pub(crate) async fn end_rules(&self, network: &Place) -> Result<()> {
        let group = rules_of(network);
        let Some(there) = self.read_nsg(&group).await? else {
            return Ok(());
        };
        if tags::get(&there.tags, RULES_OF).as_deref() != Some(network.id().as_str()) {
            return Ok(());
        }
        let mut rules = there.properties.security_rules.iter();
        if let Some(rule) = rules.find(|rule| rule.name != rules::INWARD) {
            let message = format!("the rule {} is in the network {}", rule.name, network.id());
            return Err(refuse(ErrorKind::Conflict, message));
        }
        self.end(DELETE_GROUP, NSG, &group).await
    }

    async fn read_nsg(&self, at: &Place) -> Result<Option<Thing<Nsg>>> {
        let call = Call::new(READ_RULES, Method::GET, self.path(NSG, at), NSG.version);
        self.find_one(&call).await
    }

    async fn read_rules(&self, at: &Place) -> Result<Option<Rows>> {
        let group = self.read_nsg(at).await?;
        Ok(group.map(|group| rules::parse(&group.properties.security_rules)))
    }

    async fn read_asg(&self, at: &Place) -> Result<Option<Thing<Plain>>> {
        let call = Call::new(READ, Method::GET, self.path(ASG, at), ASG.version);
        self.find_one(&call).await
    }

    /// Who carries the firewall, and which other's rule names it, is looked at before anything of it is
    /// taken away. The group goes last: until then it is seen whose the rules are.
    pub(crate) async fn end_firewall(&self, id: &ResourceId) -> Result<()> {
        let Some(at) = Place::of_id(id) else {
            return Ok(());
        };
        let Some(group) = self.read_asg(&at).await? else {
            return Ok(());
        };
        if let Some(machine) = self.carrier_of(id).await? {
            let message = format!("the machine {machine} carries the firewall {id}");
            return Err(refuse(ErrorKind::Conflict, message));
        }
        let network = tags::get(&group.tags, NETWORK).map(ResourceId::from);
        if let Some(network) = network.as_ref().and_then(Place::of_id) {
            let rules = rules_of(&network);
            let _turn = self.turns.at(&rules.id().to_string()).await;
            let is = self.read_rules(&rules).await?.unwrap_or_default();
            if let Some((name, _)) = is.iter().find(|(_, (row, _))| row.names(id)) {
                let message = format!("the rule {name} names the firewall {id}");
                return Err(refuse(ErrorKind::Conflict, message));
            }
            self.drop_rules(&rules, &rules::own(id, &is)).await?;
        }
        self.end(DELETE, ASG, &at).await
    }

    pub(crate) async fn get_firewall(&self, id: &ResourceId) -> Result<Option<Seen>> {
        let Some(at) = Place::of_id(id) else {
            return Ok(None);
        };
        let Some(group) = self.read_asg(&at).await? else {
            return Ok(None);
        };
        let network = tags::get(&group.tags, NETWORK).map(ResourceId::from);
        let rows = match network.as_ref().and_then(Place::of_id) {
            Some(network) => self.read_rules(&rules_of(&network)).await?,
            None => None,
        };
        Ok(self.report_firewall(&group, rows.as_ref()))
    }

    /// Two lists: the groups, and the rules of all networks.
    pub(crate) async fn scan_firewalls(&self) -> Result<Vec<Seen>> {
        let call = Call::new(READ, Method::GET, self.all_of(ASG), ASG.version);
        let mut groups: Vec<Thing<Plain>> = self.list_of(&call).await?;
        groups.retain(|group| self.is_here(&group.location));
        let call = Call::new(READ_RULES, Method::GET, self.all_of(NSG), NSG.version);
        let all: Vec<Thing<Nsg>> = self.list_of(&call).await?;
        let rows = |network: &Place| {
            let at = rules_of(network);
            let group = all
                .iter()
                .find(|one| Place::of_path(&one.id).as_ref() == Some(&at));
            group.map(|group| rules::parse(&group.properties.security_rules))
        };
        let report = |group: &Thing<Plain>| {
            let network = tags::get(&group.tags, NETWORK).map(ResourceId::from);
            let rows = network
                .as_ref()
                .and_then(Place::of_id)
                .and_then(|at| rows(&at));
            self.report_firewall(group, rows.as_ref())
        };
        Ok(groups.iter().filter_map(report).collect())
    }

    fn report_firewall(&self, group: &Thing<Plain>, rows: Option<&Rows>) -> Option<Seen> {
        let at = Place::of_path(&group.id)?;
        let (id, mark) = (at.id(), tags::mark(&group.tags));
        let network = tags::get(&group.tags, NETWORK);
        // Of a group that somebody else made, nobody knows where its rules are.
        let rules = match (&network, rows) {
            (Some(_), rows) => rules::read(&at, rows.unwrap_or(&Rows::new())),
            (None, _) => std::collections::BTreeSet::new(),
        };
        Some(Seen {
            made: tags::get(&group.tags, MADE),
            resource: Resource {
                witness: tags::witness(&group.tags, mark.as_ref(), &id, &self.self_of(&id)),
                id,
                name: group.name.clone(),
                mark,
                state: state(group.properties.provisioning_state.as_deref()),
                spec: Spec::Firewall(FirewallSpec {
                    network: ResourceId::from(network.unwrap_or_default()),
                    rules,
                    labels: tags::labels(&group.tags),
                }),
                attributes: Attributes::new(),
                created: None,
            },
        })
    }
}
