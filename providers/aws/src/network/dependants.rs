//! What keeps a subnet or a security group from being deleted. EC2 says only that something does.
//!
//! Looked for is what the least policy lets see: machines, and groups whose rules name the group. Of interfaces
//! of other services (load balancers, NAT gateways, functions) the error says that they may be it.

use aws_sdk_ec2::types::{Filter, Instance, Reservation, SecurityGroup};
use strat_model::{Error, ResourceId};

use crate::provider::{AwsProvider, filter};

/// How many are named.
const NAMED: usize = 3;

/// What EC2 says of what is in use.
const CODES: [&str; 2] = ["DependencyViolation", "InvalidGroup.InUse"];

impl AwsProvider {
    /// The failure of the deletion of a subnet, with what is in it.
    pub(super) async fn naming_subnets(&self, error: Error, id: &ResourceId) -> Error {
        if !is_in_use(&error) {
            return error;
        }
        named(error, &self.machines_in(id).await, "in it")
    }

    /// The machines in a subnet, where they may be looked at.
    pub(super) async fn machines_in(&self, subnet: &ResourceId) -> Vec<String> {
        self.machines_with(filter("subnet-id", [subnet.as_str()]))
            .await
    }

    /// The failure of the deletion of a security group, with what wears it or names it in its rules.
    pub(super) async fn naming_groups(&self, error: Error, id: &ResourceId) -> Error {
        if !is_in_use(&error) {
            return error;
        }
        let by = filter("instance.group-id", [id.as_str()]);
        let machines = self.machines_with(by).await;
        if !machines.is_empty() {
            return named(error, &machines, "behind it");
        }
        let mut groups = Vec::new();
        for by in ["ip-permission.group-id", "egress.ip-permission.group-id"] {
            let call = self.ec2().describe_security_groups();
            let call = call.filters(filter(by, [id.as_str()])).send().await;
            let found = call.map(|answer| answer.security_groups.unwrap_or_default());
            let found = found.unwrap_or_default().into_iter();
            let ids = found.filter_map(|group: SecurityGroup| group.group_id);
            groups.extend(ids.filter(|group| group != id.as_str()));
        }
        groups.sort_unstable();
        groups.dedup();
        named(error, &groups, "naming it in their rules")
    }

    /// The machines that a filter leaves, where they may be looked at: the failure is told either way.
    async fn machines_with(&self, by: Filter) -> Vec<String> {
        let alive = ["pending", "running", "stopping", "stopped", "shutting-down"];
        let call = self.ec2().describe_instances().filters(by);
        let call = call.filters(filter("instance-state-name", alive));
        let answer = call.send().await;
        let reservations = answer.map(|answer| answer.reservations.unwrap_or_default());
        let reservations = reservations.unwrap_or_default();
        let machines = reservations.iter().flat_map(Reservation::instances);
        let ids = machines.filter_map(Instance::instance_id);
        ids.map(str::to_owned).collect()
    }
}

fn is_in_use(error: &Error) -> bool {
    error.code().is_some_and(|code| CODES.contains(&code))
}

/// Names what was found.
fn named(error: Error, found: &[String], how: &str) -> Error {
    if found.is_empty() {
        return error.with_help(
            "no machine is in the way: an interface of another service may be, such as that of a load \
             balancer or a NAT gateway; the console lists them under network interfaces",
        );
    }
    let rest = found.len().saturating_sub(NAMED);
    let more = if rest > 0 {
        format!(" and {rest} more")
    } else {
        String::new()
    };
    let first = found[..found.len().min(NAMED)].join(", ");
    let message = format!("{}: {first}{more} {how}", error.message());
    error.wrapped(message)
}

#[cfg(test)]
mod tests {
    use strat_model::ErrorKind;

    use super::*;

    #[test]
    fn some_are_named_and_the_rest_counted() {
        let error = || {
            let error = Error::new(ErrorKind::Conflict, "it has dependencies");
            error.with_code("DependencyViolation")
        };
        let ids = |count: usize| (1..=count).map(|n| format!("i-{n}")).collect::<Vec<_>>();
        let told = |count| named(error(), &ids(count), "in it");
        assert_eq!(told(2).message(), "it has dependencies: i-1, i-2 in it");
        let many = "it has dependencies: i-1, i-2, i-3 and 2 more in it";
        assert_eq!(told(5).message(), many);
        assert_eq!(told(5).code(), Some("DependencyViolation"));
        assert!(
            told(0)
                .help()
                .is_some_and(|help| help.contains("load balancer"))
        );
        assert!(is_in_use(&error()));
    }
}
