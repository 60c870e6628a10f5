//! Subnets of one zone.
//!
//! A public subnet routes by its VPC's main route table, another one by one of ours: see
//! [`super::tables`]. Whether its machines get public addresses is said at their launch, not by the subnet.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{ResourceType, Subnet, SubnetState};
use strat_model::{
    Attributes, ErrorKind, Field, Internet, Kind, Name, Resource, ResourceId, ResourceState,
    Result, Spec, SubnetSpec, Witness,
};
use strat_provider::{Create, Update};

use crate::error::{failed, gone, lacking, refuse, unless_gone};
use crate::observe::{Found, PAGE_MAX, Scan};
use crate::provider::{AwsProvider, filter};
use crate::tags::{self, Tags};
use crate::tokens::stamp;

type Wanted = SubnetSpec<ResourceId>;

impl AwsProvider {
    pub(crate) async fn make_subnet(&self, request: Create<'_, Wanted>) -> Result<Resource> {
        let (spec, token) = (request.spec, request.token);
        let stamp = stamp(token, request.name, &Spec::Subnet(spec.clone()));
        let tags = tags::of_new(request.name, request.mark, &spec.labels, Some(&stamp))?;
        let Some(zone) = &spec.zone else {
            return Err(refuse(ErrorKind::Invalid, "a subnet on AWS is in one zone"));
        };
        let as_id = |id: String| ResourceId::from(id);
        if let Some(made) = self.replay(&stamp, as_id, Kind::Subnet).await? {
            return self.led(made, spec, zone).await;
        }
        let call = self
            .ec2()
            .create_subnet()
            .vpc_id(spec.network.as_str())
            .cidr_block(spec.cidr.to_string())
            .availability_zone(zone.as_str())
            .tag_specifications(tags::specification(ResourceType::Subnet, &tags));
        let answer = match call.send().await.map_err(self.failed("ec2:CreateSubnet")) {
            Ok(answer) => answer,
            Err(error) => {
                let taken = self.after_taken(&stamp, as_id, Kind::Subnet, error);
                return self.led(taken.await?, spec, zone).await;
            }
        };
        let subnet = answer.subnet().and_then(report);
        let mut made = subnet
            .ok_or_else(|| lacking("ec2:CreateSubnet", "subnet"))?
            .0;
        // The answer's own tags may lag.
        made.name = request.name.to_owned();
        made.mark = Some(request.mark.clone());
        made.witness = Witness::Held;
        made.spec.labels_mut().clone_from(&spec.labels);
        self.tokens.made(&stamp, made.id.as_str()).await;
        self.recent.made(&made);
        self.led(made, spec, zone).await
    }

    /// A subnet once it has the way to the internet that is asked for.
    async fn led(&self, mut made: Resource, asked: &Wanted, zone: &Name) -> Result<Resource> {
        let Some(way) = asked.internet else {
            return Ok(made);
        };
        if let Spec::Subnet(is) = &mut made.spec
            && is.internet != Some(way)
        {
            // A new one routes by the main table, which is the public one.
            if way != Internet::Public || is.internet.is_some() {
                self.lead_subnet(&made.id, &asked.network, (way, zone))
                    .await?;
            }
            is.internet = Some(way);
        }
        self.recent.made(&made);
        Ok(made)
    }

    pub(crate) async fn change_subnet(&self, request: Update<'_, Wanted>) -> Result<Resource> {
        let found = self.describe_subnets(Scan::Ids(std::slice::from_ref(request.id)));
        let found = found.await?.0.into_iter().next();
        let (mut subnet, tags) = found.ok_or_else(|| gone(Kind::Subnet, request.id))?;
        let labels = request.fields.contains(&Field::Labels);
        let labels = labels.then_some(&request.spec.labels);
        let change = tags::change(&tags, request.mark, labels)?;
        let is_led = [Field::Setup, Field::Internet];
        if is_led.iter().any(|field| request.fields.contains(field))
            && let Spec::Subnet(is) = &mut subnet.spec
        {
            // One that asks for no way routes by the main table, as it was made.
            let way = request.spec.internet.unwrap_or(Internet::Public);
            let zone = is.zone.clone();
            let zone = zone.ok_or_else(|| lacking("ec2:DescribeSubnets", "zone"))?;
            let network = is.network.clone();
            self.lead_subnet(request.id, &network, (way, &zone)).await?;
            is.internet = Some(way);
            subnet = subnet.set_up();
        }
        self.retag(request.id.as_str(), &change).await?;
        subnet.remark(tags::mark(&change.after));
        *subnet.spec.labels_mut() = tags::labels(&change.after);
        Ok(subnet)
    }

    /// The last subnet that goes out takes the way out with it. That is taken away first: as long as the
    /// subnet is there, a repetition knows of it.
    pub(crate) async fn end_subnet(&self, id: &ResourceId) -> Result<()> {
        let found = self.describe_subnets(Scan::Ids(std::slice::from_ref(id)));
        let found = found.await?.0.into_iter().next();
        let _turn = self.ways.lock().await;
        if let Some(Spec::Subnet(is)) = found.map(|(subnet, _)| subnet.spec)
            && matches!(is.internet, Some(Internet::Outbound | Internet::None))
            && self.machines_in(id).await.is_empty()
        {
            self.end_unused(&is.network, Some(id)).await?;
        }
        let call = self.ec2().delete_subnet().subnet_id(id.as_str());
        let ended = call.send().await.map_err(failed("ec2:DeleteSubnet"));
        if let Err(error) = unless_gone(ended.map(drop)) {
            return Err(self.naming_subnets(error, id).await);
        }
        self.recent.ended(Kind::Subnet, std::slice::from_ref(id));
        Ok(())
    }

    pub(crate) async fn scan_subnets(&self, scan: Scan<'_>) -> Result<Found> {
        let (found, next) = self.describe_subnets(scan).await?;
        let items = found.into_iter().map(|(subnet, _)| subnet).collect();
        Ok(Found { items, next })
    }

    async fn describe_subnets(
        &self,
        scan: Scan<'_>,
    ) -> Result<(Vec<(Resource, Tags)>, Option<String>)> {
        let call = self
            .ec2()
            .describe_subnets()
            .set_filters(Some(scan.filters("subnet-id")))
            .set_next_token(scan.token())
            .max_results(PAGE_MAX);
        let answer = call.send().await.map_err(failed("ec2:DescribeSubnets"))?;
        let mut found: Vec<_> = answer.subnets().iter().filter_map(report).collect();
        let networks = found.iter().filter_map(|(subnet, _)| match &subnet.spec {
            Spec::Subnet(spec) => Some(spec.network.to_string()),
            _ => None,
        });
        let networks: BTreeSet<String> = networks.collect();
        if !networks.is_empty() {
            let networks: Vec<&str> = networks.iter().map(String::as_str).collect();
            let routes = self.routes_in(&networks).await?;
            found.iter_mut().for_each(|(subnet, _)| routes.tell(subnet));
        }
        Ok((found, answer.next_token().map(str::to_owned)))
    }

    /// The subnets in a network.
    pub(super) async fn subnets_in(&self, network: &ResourceId) -> Result<Vec<Subnet>> {
        let call = self.ec2().describe_subnets();
        let call = call.filters(filter("vpc-id", [network.as_str()]));
        let answer = call.send().await.map_err(failed("ec2:DescribeSubnets"))?;
        Ok(answer.subnets.unwrap_or_default())
    }
}

fn report(subnet: &Subnet) -> Option<(Resource, Tags)> {
    let tags = tags::read(subnet.tags());
    // That of a NAT gateway is a part of its network.
    if tags.contains_key(tags::PART_OF) {
        return None;
    }
    let id = ResourceId::from(subnet.subnet_id()?);
    let mark = tags::mark(&tags);
    let resource = Resource {
        witness: Witness::by_mark(mark.as_ref(), &id),
        id,
        name: tags.get(tags::NAME).cloned().unwrap_or_default(),
        mark,
        state: match subnet.state() {
            Some(SubnetState::Pending) => ResourceState::Pending,
            Some(SubnetState::Failed | SubnetState::FailedInsufficientCapacity) => {
                ResourceState::Failed
            }
            _ => ResourceState::Ready,
        },
        spec: Spec::Subnet(SubnetSpec {
            network: ResourceId::from(subnet.vpc_id()?),
            cidr: subnet.cidr_block()?.parse().ok()?,
            zone: Name::new(subnet.availability_zone()?).ok(),
            internet: None,
            labels: tags::labels(&tags),
        }),
        attributes: Attributes::new(),
        created: None,
    };
    Some((resource, tags))
}
