//! The account's limits on virtual CPUs.

use aws_sdk_servicequotas::types::ServiceQuota;
use strat_model::{ErrorKind, Quota, Result};

use crate::error::failed;
use crate::provider::{AwsProvider, filter};

/// "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", in virtual CPUs.
///
/// <https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html>
const STANDARD: &str = "L-1216C47A";

/// The first letters of the families that it counts.
const LETTERS: [char; 9] = ['a', 'c', 'd', 'h', 'i', 'm', 'r', 't', 'z'];

impl AwsProvider {
    /// The limit on standard instances and what runs of it, told as a limit on all: the families
    /// with limits of their own (graphics, memory of terabytes) are not what a neutral size asks
    /// for.
    ///
    /// Where the service is not to be had, or may not be asked, no limit is known.
    pub(super) async fn vcpu_quotas(&self) -> Result<Vec<Quota>> {
        let call = self.access.quotas.get_service_quota();
        let call = call.service_code("ec2").quota_code(STANDARD);
        let answer = match call
            .send()
            .await
            .map_err(failed("servicequotas:GetServiceQuota"))
        {
            Ok(answer) => answer,
            Err(error) => {
                return match error.kind() {
                    ErrorKind::Throttled | ErrorKind::Timeout | ErrorKind::Unauthenticated => {
                        Err(error)
                    }
                    _ => Ok(Vec::new()),
                };
            }
        };
        let Some(limit) = answer.quota().and_then(ServiceQuota::value) else {
            return Ok(Vec::new());
        };
        Ok(vec![Quota {
            family: None,
            cpu_limit: whole(limit),
            cpu_used: self.standard_cpus().await?,
        }])
    }

    /// The virtual CPUs of all standard instances that run, whosever they are.
    async fn standard_cpus(&self) -> Result<u64> {
        let mut pages = self
            .ec2()
            .describe_instances()
            .filters(filter("instance-state-name", ["pending", "running"]))
            .max_results(1000)
            .into_paginator()
            .items()
            .send();
        let mut used = 0;
        while let Some(reservation) = pages.next().await {
            let reservation = reservation.map_err(failed("ec2:DescribeInstances"))?;
            for instance in reservation.instances() {
                let kind = instance.instance_type().map_or("", |kind| kind.as_str());
                let cpu = instance.cpu_options().map_or(0, |cpu| {
                    cpu.core_count().unwrap_or(0) * cpu.threads_per_core().unwrap_or(1)
                });
                if kind.starts_with(LETTERS) {
                    used += u64::try_from(cpu).unwrap_or(0);
                }
            }
        }
        Ok(used)
    }
}

/// A quota's value as a whole number.
fn whole(value: f64) -> u64 {
    format!("{:.0}", value.clamp(0.0, 1e15))
        .parse()
        .unwrap_or(u64::MAX)
}
