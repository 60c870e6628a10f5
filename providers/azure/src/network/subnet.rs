//! Subnets: parts of a network, which have no tags. What a subnet's mark and labels are is noted in tags
//! of its network, by the subnet's name: the note is written before the subnet is made, so none is ever
//! there without it.

use reqwest::Method;
use serde_json::json;
use strat_model::{
    Attributes, ErrorKind, Field, Kind, Mark, Resource, ResourceId, Result, Spec, SubnetSpec,
    Witness,
};
use strat_provider::{Create, Note, Stamp, Update};

use crate::arm::Call;
use crate::error::{PROVIDER, gone, if_there, refuse};
use crate::names::{InNetwork, Place, VNET};
use crate::provider::{AzureProvider, Seen, made_by, state};
use crate::tags::{self, SELF, SUBNET, Tags};
use crate::wire::{Subnet, Thing, Vnet};

const READ: &str = "Microsoft.Network/virtualNetworks/subnets/read";
const WRITE: &str = "Microsoft.Network/virtualNetworks/subnets/write";
const DELETE: &str = "Microsoft.Network/virtualNetworks/subnets/delete";

/// The longest note: eight tags.
const NOTE_MAX: usize = 2048;

/// The note of a subnet, and the word that it stands under.
fn note_of(tags: &Tags, subnet: &str) -> (String, Note) {
    let word = format!("{SUBNET}{}", subnet.to_ascii_lowercase());
    let note = Note::read(tags::get(tags, &word).as_deref());
    (word, note)
}

impl AzureProvider {
    pub(crate) async fn make_subnet(
        &self,
        request: Create<'_, SubnetSpec<ResourceId>>,
        stamp: &Stamp,
    ) -> Result<Resource> {
        let spec = request.spec;
        if spec.zone.is_some() {
            let message = "a subnet on Azure spans its region, not a zone";
            return Err(refuse(ErrorKind::Invalid, message));
        }
        let missing = || gone(Kind::Network, &spec.network);
        let network = Place::of_id(&spec.network).ok_or_else(missing)?;
        let at = InNetwork::new(&network, request.name);
        let _turn = self.turns.at(&network.id().to_string()).await;
        let vnet = self.read_vnet(&network).await?.ok_or_else(missing)?;
        let is = |subnet: &&Thing<Subnet>| subnet.name.eq_ignore_ascii_case(request.name);
        if let Some(subnet) = vnet.properties.subnets.iter().find(is)
            && let Some(there) = self.report_subnet(&vnet, subnet)
        {
            return made_by(stamp, there, request.mark);
        }
        let note = Note::of_new(request.name, request.mark, &spec.labels, &stamp.text());
        let note = note.with(SELF, self.self_of(&at.id()));
        let noted = self
            .note_subnet(&network, &vnet.tags, &at.name, Some(&note))
            .await?;
        let body = json!({ "properties": { "addressPrefix": spec.cidr.to_string() } });
        let put = Call::new(WRITE, Method::PUT, self.subnet_path(&at), VNET.version);
        if let Err(error) = self.done(&put.carrying(body)).await {
            // What was refused leaves no note behind; what may have been made keeps it.
            if !error.kind().is_retryable() {
                self.note_subnet(&network, &noted, &at.name, None).await?;
            }
            return Err(error);
        }
        let seen = self.get_subnet(&at.id()).await?;
        let seen = seen.ok_or_else(|| gone(Kind::Subnet, &at.id()))?;
        made_by(stamp, seen, request.mark)
    }

    /// Writes the note of a subnet, or takes it off; gives back the network's tags as they are then.
    async fn note_subnet(
        &self,
        network: &Place,
        before: &Tags,
        subnet: &str,
        note: Option<&Note>,
    ) -> Result<Tags> {
        let (word, _) = note_of(before, subnet);
        let mut after = before.clone();
        tags::take_off(&mut after, &word);
        if let Some(note) = note {
            let text = note.text(NOTE_MAX);
            let text = text.map_err(|error| error.with_provider(PROVIDER))?;
            tags::set(&mut after, &word, &text);
        }
        tags::check(&after)?;
        self.write_tags(&self.path(VNET, network), before, &after)
            .await?;
        Ok(after)
    }

    pub(crate) async fn change_subnet(
        &self,
        request: Update<'_, SubnetSpec<ResourceId>>,
    ) -> Result<Resource> {
        let missing = || gone(Kind::Subnet, request.id);
        let at = InNetwork::of_id(request.id).ok_or_else(missing)?;
        let _turn = self.turns.at(&at.network.id().to_string()).await;
        let vnet = self.read_vnet(&at.network).await?.ok_or_else(missing)?;
        let is = |subnet: &Thing<Subnet>| subnet.name.eq_ignore_ascii_case(&at.name);
        if !vnet.properties.subnets.iter().any(is) {
            return Err(missing());
        }
        let (_, before) = note_of(&vnet.tags, &at.name);
        let labels = request.fields.contains(&Field::Labels);
        let labels = labels.then_some(&request.spec.labels);
        let note = before.changed(request.mark, labels);
        self.note_subnet(&at.network, &vnet.tags, &at.name, Some(&note))
            .await?;
        let seen = self.get_subnet(request.id).await?;
        seen.map(|seen| seen.resource).ok_or_else(missing)
    }

    /// The subnet goes first: were its note, it would be nobody's for a moment.
    pub(crate) async fn end_subnet(&self, id: &ResourceId) -> Result<()> {
        let Some(at) = InNetwork::of_id(id) else {
            return Ok(());
        };
        let _turn = self.turns.at(&at.network.id().to_string()).await;
        let delete = Call::new(DELETE, Method::DELETE, self.subnet_path(&at), VNET.version);
        if_there(self.done(&delete).await)?;
        match self.read_vnet(&at.network).await? {
            Some(vnet) => {
                let noted = self.note_subnet(&at.network, &vnet.tags, &at.name, None);
                noted.await.map(|_| ())
            }
            None => Ok(()),
        }
    }

    pub(crate) fn subnet_path(&self, at: &InNetwork) -> String {
        format!("{}/subnets/{}", self.path(VNET, &at.network), at.name)
    }

    /// A subnet by its id, whosever: for what only refers to it.
    pub(crate) async fn has_subnet(&self, at: &InNetwork) -> Result<bool> {
        let call = Call::new(READ, Method::GET, self.subnet_path(at), VNET.version);
        Ok(self.find_one::<Thing<Subnet>>(&call).await?.is_some())
    }

    pub(crate) async fn get_subnet(&self, id: &ResourceId) -> Result<Option<Seen>> {
        let Some(at) = InNetwork::of_id(id) else {
            return Ok(None);
        };
        let Some(vnet) = self.read_vnet(&at.network).await? else {
            return Ok(None);
        };
        let mut subnets = vnet.properties.subnets.iter();
        let subnet = subnets.find(|subnet| subnet.name.eq_ignore_ascii_case(&at.name));
        Ok(subnet.and_then(|subnet| self.report_subnet(&vnet, subnet)))
    }

    pub(crate) async fn scan_subnets(&self) -> Result<Vec<Seen>> {
        let all = self.list_vnets().await?;
        let of = |vnet: &Thing<Vnet>| -> Vec<Seen> {
            let subnets = vnet.properties.subnets.iter();
            subnets
                .filter_map(|subnet| self.report_subnet(vnet, subnet))
                .collect()
        };
        Ok(all.iter().flat_map(of).collect())
    }

    fn report_subnet(&self, vnet: &Thing<Vnet>, subnet: &Thing<Subnet>) -> Option<Seen> {
        let network = Place::of_path(&vnet.id)?;
        let id = InNetwork::new(&network, &subnet.name).id();
        let (_, note) = note_of(&vnet.tags, &subnet.name);
        let mark: Option<Mark> = note.mark();
        let witness = Witness::judge(mark.as_ref(), &id, |_| {
            match note.more.get(SELF).map(String::as_str) {
                Some(is) if is == self.self_of(&id) => Witness::Held,
                Some(_) => Witness::Refuted {
                    why: "its mark was written for a subnet of another network".to_owned(),
                },
                None => Witness::Lacking,
            }
        });
        let properties = &subnet.properties;
        let range = properties.address_prefix.as_ref();
        let range = range.or_else(|| properties.address_prefixes.first())?;
        Some(Seen {
            made: note.made.clone(),
            resource: Resource {
                witness,
                id,
                name: subnet.name.clone(),
                mark,
                state: state(properties.provisioning_state.as_deref()),
                spec: Spec::Subnet(SubnetSpec {
                    network: network.id(),
                    cidr: range.parse().ok()?,
                    zone: None,
                    internet: None,
                    labels: note.labels,
                }),
                attributes: Attributes::new(),
                created: None,
            },
        })
    }
}
