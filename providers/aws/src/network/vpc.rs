//! Networks: a VPC, its internet gateway, and the default route of its main route table.
//!
//! The three are one thing here. A VPC whose main table has no default route that works is told (see
//! [`super::setup`]), and an update completes the network. So a create that was interrupted is finished by
//! whichever comes first: the repeated create, or the next apply.
//!
//! The default security group, which a machine without a firewall gets, admits its own members as
//! AWS makes it; here it admits nobody. The default VPC is never touched.

use aws_sdk_ec2::types::{ResourceType, RouteTable, Vpc, VpcState};
use strat_model::{
    Attributes, ErrorKind, Field, Kind, Mark, NetworkSpec, Resource, ResourceId, ResourceState,
    Result, Spec, Witness,
};
use strat_provider::{Create, Update};

use super::egress::is_nat_subnet;
use super::setup;
use super::way::Way;
use crate::error::{failed, gone, lacking, refuse, unless_gone};
use crate::observe::{Found, PAGE_MAX, Scan};
use crate::provider::{AwsProvider, filter};
use crate::tags::{self, OWNER, Tags};
use crate::tokens::stamp;

/// Where the default route leads from.
pub(super) const ANYWHERE: &str = "0.0.0.0/0";

impl AwsProvider {
    pub(crate) async fn make_vpc(&self, request: Create<'_, NetworkSpec>) -> Result<Resource> {
        let (spec, token) = (request.spec, request.token);
        let stamp = stamp(token, request.name, &Spec::Network(spec.clone()));
        let tags = tags::of_new(request.name, request.mark, &spec.labels, Some(&stamp))?;
        let as_id = |id: String| ResourceId::from(id);
        let mut gateway_tags = tags.clone();
        gateway_tags.remove(tags::TOKEN);
        if let Some(mut made) = self.replay(&stamp, as_id, Kind::Network).await? {
            if setup::is_half(&made) {
                self.close_default_group(&made.id).await?;
                self.complete(&made.id, &gateway_tags).await?;
                made = made.set_up();
            }
            return Ok(made);
        }
        let call = self
            .ec2()
            .create_vpc()
            .cidr_block(spec.cidr.to_string())
            .tag_specifications(tags::specification(ResourceType::Vpc, &tags));
        let answer = call.send().await.map_err(failed("ec2:CreateVpc"))?;
        let vpc = answer
            .vpc()
            .ok_or_else(|| lacking("ec2:CreateVpc", "VPC"))?;
        let (mut made, _) = report(vpc).ok_or_else(|| lacking("ec2:CreateVpc", "id"))?;
        made.name = request.name.to_owned();
        made.mark = Some(request.mark.clone());
        made.witness = Witness::Held;
        made.spec.labels_mut().clone_from(&spec.labels);
        self.tokens.made(&stamp, made.id.as_str()).await;
        self.recent.made(&made);
        self.close_default_group(&made.id).await?;
        let gateway = self.make_gateway(&made.id, &gateway_tags).await?;
        self.route(&made.id, &gateway).await?;
        Ok(made)
    }

    pub(crate) async fn change_vpc(&self, request: Update<'_, NetworkSpec>) -> Result<Resource> {
        let found = self.describe_vpcs(Scan::Ids(std::slice::from_ref(request.id)));
        let found = found.await?.0.into_iter().next();
        let (mut network, tags) = found.ok_or_else(|| gone(Kind::Network, request.id))?;
        let labels = request.fields.contains(&Field::Labels);
        let labels = labels.then_some(&request.spec.labels);
        let change = tags::change(&tags, request.mark, labels)?;
        let is_made = setup::is_made(&network, &tags);
        if network.mark.is_none() || setup::is_half(&network) {
            let mut gateway_tags = change.after.clone();
            gateway_tags.remove(tags::TOKEN);
            if tags.contains_key(tags::TOKEN) {
                self.close_default_group(request.id).await?;
            }
            self.complete(request.id, &gateway_tags).await?;
        }
        if request.fields.contains(&Field::Setup) {
            if is_made {
                self.close_default_group(request.id).await?;
            }
            self.resolve(&network).await?;
            self.end_left_over(request.id).await?;
            network = network.set_up();
        }
        let mut parts = vec![request.id.to_string()];
        if !change.is_empty() {
            let gateways = self.gateways_of(request.id).await?.into_iter();
            parts.extend(gateways.filter(|one| one.is_ours).map(|one| one.id));
        }
        self.retag_all(&parts, &change).await?;
        network.remark(tags::mark(&change.after));
        *network.spec.labels_mut() = tags::labels(&change.after);
        Ok(network)
    }

    /// Nothing is taken apart before it is known that nothing is in it.
    pub(crate) async fn end_vpc(&self, id: &ResourceId) -> Result<()> {
        let subnets = self.subnets_in(id).await?;
        let groups = self.groups_in(id).await?;
        let others = groups.iter().filter(|g| g.group_name() != Some("default"));
        let others = others.filter_map(|group| group.group_id());
        let inside = subnets.iter().filter(|one| !is_nat_subnet(one, id));
        let inside = inside.filter_map(|subnet| subnet.subnet_id());
        let inside: Vec<&str> = inside.chain(others).take(3).collect();
        if !inside.is_empty() {
            let message = format!("the network {id} is not empty: {}", inside.join(", "));
            let error = refuse(ErrorKind::Conflict, message);
            return Err(error.with_code("DependencyViolation"));
        }
        self.end_parts(id).await?;
        for gateway in self.gateways_of(id).await? {
            if gateway.is_ours {
                self.end_gateway(&gateway.id, id).await?;
            }
        }
        let call = self.ec2().delete_vpc().vpc_id(id.as_str());
        let ended = call.send().await.map_err(failed("ec2:DeleteVpc"));
        unless_gone(ended.map(drop))?;
        self.recent.ended(Kind::Network, std::slice::from_ref(id));
        Ok(())
    }

    pub(crate) async fn scan_networks(&self, scan: Scan<'_>) -> Result<Found> {
        let (found, next) = self.describe_vpcs(scan).await?;
        let items = found.into_iter().map(|(network, _)| network).collect();
        Ok(Found { items, next })
    }

    /// A page of VPCs, and what of them is not as it was made.
    async fn describe_vpcs(
        &self,
        scan: Scan<'_>,
    ) -> Result<(Vec<(Resource, Tags)>, Option<String>)> {
        let call = self
            .ec2()
            .describe_vpcs()
            .set_filters(Some(scan.filters("vpc-id")))
            .set_next_token(scan.token())
            .max_results(PAGE_MAX);
        let answer = call.send().await.map_err(failed("ec2:DescribeVpcs"))?;
        let mut found: Vec<_> = answer.vpcs().iter().filter_map(report).collect();
        self.tell_networks(&mut found).await?;
        Ok((found, answer.next_token().map(str::to_owned)))
    }

    /// Adds what a network lacks. Where somebody else leads its default route, it lacks nothing.
    async fn complete(&self, network: &ResourceId, tags: &Tags) -> Result<()> {
        let way = self.main_table(network).await?.1;
        if !matches!(way, Way::None | Way::Broken) {
            return Ok(());
        }
        let gateways = self.gateways_of(network).await?;
        let gateway = match gateways.into_iter().next() {
            Some(gateway) => gateway.id,
            None => match self.loose_gateway(tags).await? {
                Some(gateway) => self.attach_gateway(gateway, network).await?,
                None => self.make_gateway(network, tags).await?,
            },
        };
        self.route(network, &gateway).await
    }

    async fn make_gateway(&self, network: &ResourceId, tags: &Tags) -> Result<String> {
        let tags = tags::specification(ResourceType::InternetGateway, tags);
        let call = self
            .ec2()
            .create_internet_gateway()
            .tag_specifications(tags);
        let answer = call.send().await;
        let answer = answer.map_err(failed("ec2:CreateInternetGateway"))?;
        let id = answer
            .internet_gateway()
            .and_then(|g| g.internet_gateway_id());
        let id = id.ok_or_else(|| lacking("ec2:CreateInternetGateway", "id"))?;
        self.attach_gateway(id.to_owned(), network).await
    }

    async fn attach_gateway(&self, gateway: String, network: &ResourceId) -> Result<String> {
        let call = self.ec2().attach_internet_gateway();
        let call = call.internet_gateway_id(&gateway).vpc_id(network.as_str());
        let attached = call.send().await;
        attached.map_err(self.failed("ec2:AttachInternetGateway"))?;
        Ok(gateway)
    }

    /// The main route table of a network, and where its default route leads.
    async fn main_table(&self, network: &ResourceId) -> Result<(String, Way)> {
        let call = self
            .ec2()
            .describe_route_tables()
            .filters(filter("vpc-id", [network.as_str()]))
            .filters(filter("association.main", ["true"]));
        let answer = call
            .send()
            .await
            .map_err(failed("ec2:DescribeRouteTables"))?;
        let table = answer.route_tables().first();
        let id = table.and_then(RouteTable::route_table_id);
        let (Some(table), Some(id)) = (table, id) else {
            let what = format!("the main route table of {network} is not there yet");
            return Err(refuse(ErrorKind::Transient, what));
        };
        Ok((id.to_owned(), Way::of(table)))
    }

    /// Leads the main table's default route to the gateway, unless it leads somewhere already: to replace
    /// that, such as a NAT gateway of somebody's, is nobody's to do here.
    async fn route(&self, network: &ResourceId, gateway: &str) -> Result<()> {
        let (table, way) = self.main_table(network).await?;
        let call = self.ec2().create_route().route_table_id(&table);
        let call = call.destination_cidr_block(ANYWHERE).gateway_id(gateway);
        let refused = match way {
            Way::Works | Way::Elsewhere(_) | Way::Gone(_) => return Ok(()),
            Way::Broken => None,
            Way::None => match call.send().await.map_err(self.failed("ec2:CreateRoute")) {
                Ok(_) => return Ok(()),
                Err(error) => Some(error),
            },
        };
        match refused {
            // Somebody was faster: what they made is looked at like any other.
            Some(error) if error.kind() == ErrorKind::AlreadyExists => {
                match self.main_table(network).await?.1 {
                    Way::Works | Way::Elsewhere(_) | Way::Gone(_) => Ok(()),
                    Way::None | Way::Broken => Err(error),
                }
            }
            Some(error) => Err(error),
            None => {
                let call = self.ec2().replace_route().route_table_id(table);
                let call = call.destination_cidr_block(ANYWHERE).gateway_id(gateway);
                let replaced = call.send().await;
                replaced.map(drop).map_err(self.failed("ec2:ReplaceRoute"))
            }
        }
    }

    pub(super) async fn gateways_of(&self, network: &ResourceId) -> Result<Vec<Gateway>> {
        let call = self.ec2().describe_internet_gateways();
        let call = call.filters(filter("attachment.vpc-id", [network.as_str()]));
        let answer = call.send().await;
        let answer = answer.map_err(failed("ec2:DescribeInternetGateways"))?;
        let gateways = answer.internet_gateways().iter().filter_map(|gateway| {
            Some(Gateway {
                id: gateway.internet_gateway_id()?.to_owned(),
                is_ours: tags::mark(&tags::read(gateway.tags())).is_some(),
            })
        });
        Ok(gateways.collect())
    }

    /// A gateway of this mark that an interrupted create left unattached.
    async fn loose_gateway(&self, tags: &Tags) -> Result<Option<String>> {
        let Some(Mark { owner, addr, .. }) = tags::mark(tags) else {
            return Ok(None);
        };
        let call = self
            .ec2()
            .describe_internet_gateways()
            .filters(filter(format!("tag:{OWNER}"), [owner.named().to_string()]))
            .filters(filter("tag:stratiform:addr", [addr.to_string()]));
        let answer = call.send().await;
        let answer = answer.map_err(failed("ec2:DescribeInternetGateways"))?;
        let mut gateways = answer.internet_gateways().iter();
        let loose = gateways.find(|gateway| gateway.attachments().is_empty());
        Ok(loose
            .and_then(|gateway| gateway.internet_gateway_id())
            .map(str::to_owned))
    }

    async fn end_gateway(&self, gateway: &str, network: &ResourceId) -> Result<()> {
        let call = self.ec2().detach_internet_gateway();
        let call = call.internet_gateway_id(gateway).vpc_id(network.as_str());
        let detached = call.send().await;
        unless_gone(
            detached
                .map(drop)
                .map_err(failed("ec2:DetachInternetGateway")),
        )?;
        let call = self.ec2().delete_internet_gateway();
        let ended = call.internet_gateway_id(gateway).send().await;
        unless_gone(ended.map(drop).map_err(failed("ec2:DeleteInternetGateway")))
    }
}

/// An internet gateway that is attached to a network.
pub(super) struct Gateway {
    id: String,
    is_ours: bool,
}

fn report(vpc: &Vpc) -> Option<(Resource, Tags)> {
    let tags = tags::read(vpc.tags());
    let mark = tags::mark(&tags);
    let id = ResourceId::from(vpc.vpc_id()?);
    let resource = Resource {
        witness: Witness::by_mark(mark.as_ref(), &id),
        id,
        name: tags.get(tags::NAME).cloned().unwrap_or_default(),
        mark,
        state: match vpc.state() {
            Some(VpcState::Pending) => ResourceState::Pending,
            _ => ResourceState::Ready,
        },
        spec: Spec::Network(NetworkSpec {
            cidr: vpc.cidr_block()?.parse().ok()?,
            labels: tags::labels(&tags),
        }),
        attributes: Attributes::new(),
        created: None,
    };
    Some((resource, tags))
}
