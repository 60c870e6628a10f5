//! Firewalls: security groups.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{IpPermission, ResourceType, SecurityGroup};
use strat_model::{
    Attributes, Direction, Field, FirewallRule, FirewallSpec, Kind, Resource, ResourceId,
    ResourceState, Result, Spec, Witness,
};
use strat_provider::{Create, Update};

use super::rules::{self, Rows};
use crate::error::{failed, gone, lacking, unless_gone};
use crate::observe::{Found, PAGE_MAX, Scan};
use crate::provider::{AwsProvider, filter};
use crate::tags::{self, Tags};
use crate::tokens::stamp;

type Wanted = FirewallSpec<ResourceId>;

/// A group as it is now.
struct Seen {
    resource: Resource,
    tags: Tags,
    rows: Rows,
}

impl AwsProvider {
    pub(crate) async fn make_firewall(&self, request: Create<'_, Wanted>) -> Result<Resource> {
        let (spec, token) = (request.spec, request.token);
        let stamp = stamp(token, request.name, &Spec::Firewall(spec.clone()));
        let tags = tags::of_new(request.name, request.mark, &spec.labels, Some(&stamp))?;
        let wanted = rules::rows_of(&spec.rules);
        let as_id = |id: String| ResourceId::from(id);
        if let Some(made) = self.replay(&stamp, as_id, Kind::Firewall).await? {
            return self.finish_firewall(made, &wanted, &spec.rules).await;
        }
        let call = self
            .ec2()
            .create_security_group()
            .group_name(group_name(request.name))
            .description(request.name)
            .vpc_id(spec.network.as_str())
            .tag_specifications(tags::specification(ResourceType::SecurityGroup, &tags));
        let answer = match call
            .send()
            .await
            .map_err(self.failed("ec2:CreateSecurityGroup"))
        {
            Ok(answer) => answer,
            Err(error) => {
                let taken = self.after_taken(&stamp, as_id, Kind::Firewall, error);
                return self
                    .finish_firewall(taken.await?, &wanted, &spec.rules)
                    .await;
            }
        };
        let id = answer
            .group_id()
            .ok_or_else(|| lacking("ec2:CreateSecurityGroup", "id"))?;
        self.tokens.made(&stamp, id).await;
        let made = Resource {
            id: ResourceId::from(id),
            name: request.name.to_owned(),
            mark: Some(request.mark.clone()),
            witness: Witness::Held,
            state: ResourceState::Ready,
            spec: Spec::Firewall(spec.clone()),
            attributes: Attributes::new(),
            created: None,
        };
        self.recent.made(&made);
        let born = rules::rows_of(&BTreeSet::new());
        self.bring(&made.id, &born, &wanted).await?;
        Ok(made)
    }

    /// Brings the rules of a group that a repeated create found.
    async fn finish_firewall(
        &self,
        made: Resource,
        wanted: &Rows,
        rules: &BTreeSet<FirewallRule<ResourceId>>,
    ) -> Result<Resource> {
        let Spec::Firewall(is) = &made.spec else {
            return Ok(made);
        };
        if is.rules == *rules {
            return Ok(made);
        }
        let found = self.describe_groups(Scan::Ids(std::slice::from_ref(&made.id)));
        let found = found.await?.0.into_iter().next();
        let mut seen = found.ok_or_else(|| gone(Kind::Firewall, &made.id))?;
        self.bring(&made.id, &seen.rows, wanted).await?;
        if let Spec::Firewall(is) = &mut seen.resource.spec {
            is.rules.clone_from(rules);
        }
        Ok(seen.resource)
    }

    pub(crate) async fn change_firewall(&self, request: Update<'_, Wanted>) -> Result<Resource> {
        let found = self.describe_groups(Scan::Ids(std::slice::from_ref(request.id)));
        let found = found.await?.0.into_iter().next();
        let mut seen = found.ok_or_else(|| gone(Kind::Firewall, request.id))?;
        let labels = request.fields.contains(&Field::Labels);
        let labels = labels.then_some(&request.spec.labels);
        let change = tags::change(&seen.tags, request.mark, labels)?;
        if request.fields.contains(&Field::Rules) {
            let wanted = rules::rows_of(&request.spec.rules);
            self.bring(request.id, &seen.rows, &wanted).await?;
            if let Spec::Firewall(is) = &mut seen.resource.spec {
                is.rules.clone_from(&request.spec.rules);
            }
        }
        self.retag(request.id.as_str(), &change).await?;
        seen.resource.remark(tags::mark(&change.after));
        *seen.resource.spec.labels_mut() = tags::labels(&change.after);
        Ok(seen.resource)
    }

    /// Brings rows from what they are to what is wanted: first those to add, so that nobody who is
    /// to be admitted is shut out meanwhile, then descriptions, then those to take away.
    async fn bring(&self, id: &ResourceId, is: &Rows, wanted: &Rows) -> Result<()> {
        for direction in [Direction::Ingress, Direction::Egress] {
            let own = |row: &rules::Row| row.direction == direction;
            let asked = || wanted.iter().filter(|(row, _)| own(row));
            let present = is.iter().filter(|(row, _)| own(row));
            let add = rules::write(asked().filter(|(row, _)| !is.contains_key(row)));
            let differs =
                |row: &rules::Row, words: &String| is.get(row).is_some_and(|is| *is != *words);
            let rename = rules::write(asked().filter(|(row, words)| differs(row, words)));
            let drop = rules::write(present.filter(|(row, _)| !wanted.contains_key(row)));
            if !add.is_empty() {
                self.admit(id, direction, add).await?;
            }
            if !rename.is_empty() {
                self.describe_rows(id, direction, rename).await?;
            }
            if !drop.is_empty() {
                unless_gone(self.shut(id, direction, drop).await)?;
            }
        }
        Ok(())
    }

    async fn admit(
        &self,
        id: &ResourceId,
        direction: Direction,
        rows: Vec<IpPermission>,
    ) -> Result<()> {
        let (ec2, id, rows) = (self.ec2(), id.as_str(), Some(rows));
        match direction {
            Direction::Ingress => {
                let call = ec2.authorize_security_group_ingress().group_id(id);
                let done = call.set_ip_permissions(rows).send().await;
                done.map(drop)
                    .map_err(self.failed("ec2:AuthorizeSecurityGroupIngress"))
            }
            Direction::Egress => {
                let call = ec2.authorize_security_group_egress().group_id(id);
                let done = call.set_ip_permissions(rows).send().await;
                done.map(drop)
                    .map_err(self.failed("ec2:AuthorizeSecurityGroupEgress"))
            }
        }
    }

    async fn describe_rows(
        &self,
        id: &ResourceId,
        direction: Direction,
        rows: Vec<IpPermission>,
    ) -> Result<()> {
        let (ec2, id, rows) = (self.ec2(), id.as_str(), Some(rows));
        match direction {
            Direction::Ingress => {
                let call = ec2
                    .update_security_group_rule_descriptions_ingress()
                    .group_id(id);
                let done = call.set_ip_permissions(rows).send().await;
                let action = "ec2:UpdateSecurityGroupRuleDescriptionsIngress";
                done.map(drop).map_err(failed(action))
            }
            Direction::Egress => {
                let call = ec2
                    .update_security_group_rule_descriptions_egress()
                    .group_id(id);
                let done = call.set_ip_permissions(rows).send().await;
                let action = "ec2:UpdateSecurityGroupRuleDescriptionsEgress";
                done.map(drop).map_err(failed(action))
            }
        }
    }

    async fn shut(
        &self,
        id: &ResourceId,
        direction: Direction,
        rows: Vec<IpPermission>,
    ) -> Result<()> {
        let (ec2, id, rows) = (self.ec2(), id.as_str(), Some(rows));
        match direction {
            Direction::Ingress => {
                let call = ec2.revoke_security_group_ingress().group_id(id);
                let done = call.set_ip_permissions(rows).send().await;
                done.map(drop)
                    .map_err(failed("ec2:RevokeSecurityGroupIngress"))
            }
            Direction::Egress => {
                let call = ec2.revoke_security_group_egress().group_id(id);
                let done = call.set_ip_permissions(rows).send().await;
                done.map(drop)
                    .map_err(failed("ec2:RevokeSecurityGroupEgress"))
            }
        }
    }

    pub(crate) async fn end_firewall(&self, id: &ResourceId) -> Result<()> {
        let call = self.ec2().delete_security_group().group_id(id.as_str());
        let ended = call.send().await.map_err(failed("ec2:DeleteSecurityGroup"));
        if let Err(error) = unless_gone(ended.map(drop)) {
            return Err(self.naming_groups(error, id).await);
        }
        self.recent.ended(Kind::Firewall, std::slice::from_ref(id));
        Ok(())
    }

    pub(crate) async fn scan_firewalls(&self, scan: Scan<'_>) -> Result<Found> {
        let (seen, next) = self.describe_groups(scan).await?;
        let items = seen.into_iter().map(|seen| seen.resource).collect();
        Ok(Found { items, next })
    }

    /// Groups come with their rules. The default groups of networks are no firewalls of anybody's.
    async fn describe_groups(&self, scan: Scan<'_>) -> Result<(Vec<Seen>, Option<String>)> {
        let call = self
            .ec2()
            .describe_security_groups()
            .set_filters(Some(scan.filters("group-id")))
            .set_next_token(scan.token())
            .max_results(PAGE_MAX);
        let answer = call.send().await;
        let answer = answer.map_err(failed("ec2:DescribeSecurityGroups"))?;
        let groups = answer.security_groups().iter();
        let own = groups.filter(|group| group.group_name() != Some("default"));
        let seen = own.filter_map(report).collect();
        Ok((seen, answer.next_token().map(str::to_owned)))
    }

    /// The groups in a network, its default one included.
    pub(crate) async fn groups_in(&self, network: &ResourceId) -> Result<Vec<SecurityGroup>> {
        let call = self.ec2().describe_security_groups();
        let call = call.filters(filter("vpc-id", [network.as_str()]));
        let answer = call.send().await;
        let answer = answer.map_err(failed("ec2:DescribeSecurityGroups"))?;
        Ok(answer.security_groups.unwrap_or_default())
    }
}

/// A group's name cannot begin like a group's id.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html>
fn group_name(name: &str) -> String {
    if name.starts_with("sg-") {
        format!("fw-{name}")
    } else {
        name.to_owned()
    }
}

fn report(group: &SecurityGroup) -> Option<Seen> {
    let tags = tags::read(group.tags());
    let mut rows = rules::read(Direction::Ingress, group.ip_permissions());
    rows.extend(rules::read(
        Direction::Egress,
        group.ip_permissions_egress(),
    ));
    let name = tags
        .get(tags::NAME)
        .map(String::as_str)
        .or(group.group_name());
    let id = ResourceId::from(group.group_id()?);
    let mark = tags::mark(&tags);
    let resource = Resource {
        witness: Witness::by_mark(mark.as_ref(), &id),
        id,
        name: name.unwrap_or_default().to_owned(),
        mark,
        state: ResourceState::Ready,
        spec: Spec::Firewall(FirewallSpec {
            network: ResourceId::from(group.vpc_id().unwrap_or_default()),
            rules: rules::rules_of(&rows),
            labels: tags::labels(&tags),
        }),
        attributes: Attributes::new(),
        created: None,
    };
    Some(Seen {
        resource,
        tags,
        rows,
    })
}
