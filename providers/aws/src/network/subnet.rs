//! Subnets of one zone.
//!
//! A subnet routes by its VPC's main route table. Whether its machines get public addresses is
//! said at their launch, not by the subnet.

use aws_sdk_ec2::types::{ResourceType, Subnet, SubnetState};
use strat_model::{
    Attributes, Departure, ErrorKind, Field, Kind, Name, Resource, ResourceId, ResourceState,
    Result, Spec, SubnetSpec, Witness,
};
use strat_provider::{Create, Update};

use crate::error::{failed, gone, lacking, refuse, unless_gone};
use crate::observe::{Found, PAGE_MAX, Scan};
use crate::provider::{AwsProvider, filter};
use crate::setup::TABLE;
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
            return Ok(made);
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
                return taken.await;
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
        Ok(made)
    }

    pub(crate) async fn change_subnet(&self, request: Update<'_, Wanted>) -> Result<Resource> {
        let found = self.describe_subnets(Scan::Ids(std::slice::from_ref(request.id)));
        let found = found.await?.0.into_iter().next();
        let (mut subnet, tags) = found.ok_or_else(|| gone(Kind::Subnet, request.id))?;
        let labels = request.fields.contains(&Field::Labels);
        let labels = labels.then_some(&request.spec.labels);
        let change = tags::change(&tags, request.mark, labels)?;
        if request.fields.contains(&Field::Setup) {
            self.route_by_main(request.id).await?;
            subnet = subnet.set_up();
        }
        self.retag(request.id.as_str(), &change).await?;
        subnet.remark(tags::mark(&change.after));
        *subnet.spec.labels_mut() = tags::labels(&change.after);
        Ok(subnet)
    }

    pub(crate) async fn end_subnet(&self, id: &ResourceId) -> Result<()> {
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
        let ids = found.iter().filter(|(subnet, _)| subnet.mark.is_some());
        let ids: Vec<String> = ids.map(|(subnet, _)| subnet.id.to_string()).collect();
        for (subnet, table, _) in self.tables_of(&ids).await? {
            let mut own = found.iter_mut().map(|(own, _)| own);
            if let Some(own) = own.find(|own| own.id.as_str() == subnet) {
                let departure = Departure::new(table, "the main one of its network");
                own.depart(TABLE, &departure);
            }
        }
        Ok((found, answer.next_token().map(str::to_owned)))
    }

    /// The subnets that route by a table of their own, each with the table and what binds them.
    async fn tables_of(&self, ids: &[String]) -> Result<Vec<(String, String, String)>> {
        let mut tables = Vec::new();
        for ids in ids.chunks(crate::capabilities::IDS_PER_CALL as usize) {
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            let mut pages = self
                .ec2()
                .describe_route_tables()
                .filters(filter("association.subnet-id", ids.iter().copied()))
                .into_paginator()
                .items()
                .send();
            while let Some(table) = pages.next().await {
                let table = table.map_err(failed("ec2:DescribeRouteTables"))?;
                let bound = table.associations().iter().filter_map(|one| {
                    let subnet = one.subnet_id().filter(|subnet| ids.contains(subnet))?;
                    let (table, bond) = (one.route_table_id()?, one.route_table_association_id()?);
                    Some((subnet.to_owned(), table.to_owned(), bond.to_owned()))
                });
                tables.extend(bound);
            }
        }
        Ok(tables)
    }

    /// Has a subnet route by the main table of its network again.
    async fn route_by_main(&self, id: &ResourceId) -> Result<()> {
        for (_, _, bond) in self.tables_of(&[id.to_string()]).await? {
            let call = self.ec2().disassociate_route_table().association_id(bond);
            let ended = call.send().await;
            unless_gone(
                ended
                    .map(drop)
                    .map_err(failed("ec2:DisassociateRouteTable")),
            )?;
        }
        Ok(())
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
            labels: tags::labels(&tags),
        }),
        attributes: Attributes::new(),
        created: None,
    };
    Some((resource, tags))
}
