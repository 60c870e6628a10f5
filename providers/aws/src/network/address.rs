//! Public addresses: Elastic IP addresses.

use aws_sdk_ec2::types::{Address, DomainType, ResourceType};
use strat_model::{
    AddressSpec, Attributes, Field, Kind, Resource, ResourceId, ResourceState, Result, Spec,
    Witness,
};
use strat_provider::{Create, Update};

use crate::error::{failed, gone, lacking, unless_gone};
use crate::observe::{Found, Scan};
use crate::provider::AwsProvider;
use crate::tags::{self, Tags};
use crate::tokens::stamp;

type Wanted = AddressSpec<ResourceId>;

/// An address as it is now.
struct Seen {
    resource: Resource,
    tags: Tags,
    association: Option<String>,
}

impl AwsProvider {
    pub(crate) async fn make_address(&self, request: Create<'_, Wanted>) -> Result<Resource> {
        let (token, labels) = (request.token, &request.spec.labels);
        let unattached = AddressSpec {
            attach: None,
            labels: labels.clone(),
        };
        let spec = Spec::Address(unattached);
        let stamp = stamp(token, request.name, &spec);
        let tags = tags::of_new(request.name, request.mark, labels, Some(&stamp))?;
        let as_id = |id: String| ResourceId::from(id);
        if let Some(made) = self.replay(&stamp, as_id, Kind::Address).await? {
            return Ok(made);
        }
        let call = self
            .ec2()
            .allocate_address()
            .domain(DomainType::Vpc)
            .tag_specifications(tags::specification(ResourceType::ElasticIp, &tags));
        let answer = call.send().await.map_err(failed("ec2:AllocateAddress"))?;
        let id = answer.allocation_id();
        let id = id.ok_or_else(|| lacking("ec2:AllocateAddress", "allocation id"))?;
        let ip = answer.public_ip().unwrap_or_default();
        self.tokens.made(&stamp, id).await;
        let made = Resource {
            id: ResourceId::from(id),
            name: request.name.to_owned(),
            mark: Some(request.mark.clone()),
            witness: Witness::Held,
            state: ResourceState::Ready,
            spec,
            attributes: Attributes::from([("ip".to_owned(), ip.to_owned())]),
            created: None,
        };
        self.recent.made(&made);
        Ok(made)
    }

    pub(crate) async fn change_address(&self, request: Update<'_, Wanted>) -> Result<Resource> {
        let found = self.describe_addresses(Scan::Ids(std::slice::from_ref(request.id)));
        let found = found.await?.into_iter().next();
        let mut seen = found.ok_or_else(|| gone(Kind::Address, request.id))?;
        let labels = request.fields.contains(&Field::Labels);
        let labels = labels.then_some(&request.spec.labels);
        let change = tags::change(&seen.tags, request.mark, labels)?;
        if request.fields.contains(&Field::Attach)
            && let Spec::Address(is) = &mut seen.resource.spec
            && is.attach != request.spec.attach
        {
            let wanted = request.spec.attach.as_ref();
            let association = seen.association.as_deref();
            self.lead(request.id, association, wanted).await?;
            is.attach = wanted.cloned();
        }
        self.retag(request.id.as_str(), &change).await?;
        seen.resource.remark(tags::mark(&change.after));
        *seen.resource.spec.labels_mut() = tags::labels(&change.after);
        Ok(seen.resource)
    }

    /// Leads an address to a machine, and away from any other in the same call; or to none.
    async fn lead(
        &self,
        id: &ResourceId,
        association: Option<&str>,
        machine: Option<&ResourceId>,
    ) -> Result<()> {
        match (machine, association) {
            (Some(machine), _) => {
                let call = self.ec2().associate_address().allocation_id(id.as_str());
                let call = call.instance_id(machine.as_str()).allow_reassociation(true);
                let led = call.send().await;
                led.map(drop).map_err(self.failed("ec2:AssociateAddress"))
            }
            (None, Some(association)) => {
                let call = self.ec2().disassociate_address();
                let left = call.association_id(association).send().await;
                unless_gone(left.map(drop).map_err(failed("ec2:DisassociateAddress")))
            }
            (None, None) => Ok(()),
        }
    }

    /// An address that leads somewhere cannot be released, so it is looked at first.
    pub(crate) async fn end_address(&self, id: &ResourceId) -> Result<()> {
        let found = self.describe_addresses(Scan::Ids(std::slice::from_ref(id)));
        let Some(seen) = found.await?.into_iter().next() else {
            return Ok(());
        };
        self.lead(id, seen.association.as_deref(), None).await?;
        let call = self.ec2().release_address().allocation_id(id.as_str());
        let ended = call.send().await.map_err(failed("ec2:ReleaseAddress"));
        unless_gone(ended.map(drop))?;
        self.recent.ended(Kind::Address, std::slice::from_ref(id));
        Ok(())
    }

    pub(crate) async fn scan_addresses(&self, scan: Scan<'_>) -> Result<Found> {
        let seen = self.describe_addresses(scan).await?;
        let items = seen.into_iter().map(|seen| seen.resource).collect();
        Ok(Found { items, next: None })
    }

    /// Addresses come on one page: an account has few.
    async fn describe_addresses(&self, scan: Scan<'_>) -> Result<Vec<Seen>> {
        let call = self.ec2().describe_addresses();
        let call = call.set_filters(Some(scan.filters("allocation-id")));
        let answer = call.send().await.map_err(failed("ec2:DescribeAddresses"))?;
        Ok(answer.addresses().iter().filter_map(report).collect())
    }
}

fn report(address: &Address) -> Option<Seen> {
    let tags = tags::read(address.tags());
    // That of a NAT gateway is a part of its network.
    if tags.contains_key(tags::PART_OF) {
        return None;
    }
    let filled = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let id = ResourceId::from(address.allocation_id()?);
    let mark = tags::mark(&tags);
    let resource = Resource {
        witness: Witness::by_mark(mark.as_ref(), &id),
        id,
        name: tags.get(tags::NAME).cloned().unwrap_or_default(),
        mark,
        state: ResourceState::Ready,
        spec: Spec::Address(AddressSpec {
            attach: filled(address.instance_id()).map(ResourceId::from),
            labels: tags::labels(&tags),
        }),
        attributes: Attributes::from([(
            "ip".to_owned(),
            address.public_ip().unwrap_or_default().to_owned(),
        )]),
        created: None,
    };
    Some(Seen {
        resource,
        tags,
        association: filled(address.association_id()),
    })
}
