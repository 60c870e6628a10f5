//! The account's limits on virtual CPUs: one for each group of families, and spot apart from on-demand.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Instance, InstanceLifecycleType};
use aws_sdk_servicequotas::types::ServiceQuota;
use futures::stream::{StreamExt as _, TryStreamExt as _};
use strat_model::{CapacityKind, ErrorKind, Quota, Result};

use crate::error::failed;
use crate::provider::{AwsProvider, filter};

/// How many limits are asked for at once.
const AT_ONCE: usize = 4;

/// What AWS counts together, and its codes for the limits on what runs on demand and as spot.
struct Group {
    name: &'static str,
    on_demand: &'static str,
    spot: Option<&'static str>,
}

const fn group(name: &'static str, on_demand: &'static str, spot: Option<&'static str>) -> Group {
    Group {
        name,
        on_demand,
        spot,
    }
}

/// The limit on standard instances, which every account has.
pub(crate) const STANDARD: &str = "L-1216C47A";

/// The groups, as Service Quotas lists them for EC2:
/// <https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html> and
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-spot-limits.html>. Macs are sold as dedicated
/// hosts alone, which are counted by hosts; none is among the offers.
#[rustfmt::skip]
const GROUPS: [Group; 10] = [
    group("standard",    STANDARD,     Some("L-34B43A08")),
    group("dl",          "L-6E869C2A", Some("L-85EED4F7")),
    group("f",           "L-74FC7D96", Some("L-88CF9481")),
    group("g",           "L-DB2E81BA", Some("L-3819A6DF")),
    group("high-memory", "L-43DA4232", None),
    group("hpc",         "L-F7808C92", None),
    group("inf",         "L-1945791B", Some("L-B5D1601B")),
    group("p",           "L-417A185B", Some("L-7212CCBC")),
    group("trn",         "L-2C3B7624", Some("L-6B0D517C")),
    group("x",           "L-7295265B", Some("L-E3A00192")),
];

/// What AWS counts a type with: `standard` for `m5.large`, `g` for `g4dn.xlarge` and `vt1.3xlarge`; with
/// `-spot` behind it for what is bought so. A family of no group that is known here stands for itself.
pub(super) fn family(machine_type: &str, capacity: CapacityKind) -> String {
    let family = machine_type.split('.').next().unwrap_or(machine_type);
    let mut letters = family.split(|letter: char| !letter.is_ascii_lowercase());
    let group = match letters.next().unwrap_or_default() {
        word @ ("dl" | "hpc" | "inf" | "mac" | "trn") => word,
        "u" => "high-memory",
        "vt" => "g",
        // All P5 have a limit of their own as spot, or share one, by what AWS's pages say at different times.
        "p" if family.starts_with("p5") && capacity == CapacityKind::Spot => family,
        letters => match letters.chars().next() {
            Some('a' | 'c' | 'd' | 'h' | 'i' | 'm' | 'r' | 't' | 'z') => "standard",
            Some('f') => "f",
            Some('g') => "g",
            Some('p') => "p",
            Some('x') => "x",
            _ => family,
        },
    };
    match capacity {
        CapacityKind::Spot => format!("{group}-spot"),
        CapacityKind::OnDemand | CapacityKind::Reserved | CapacityKind::Owned => group.to_owned(),
    }
}

impl AwsProvider {
    /// The limits of each group, and what runs of it.
    ///
    /// Where the service is not to be had, or may not be asked, no limit is known.
    pub(super) async fn vcpu_quotas(&self) -> Result<Vec<Quota>> {
        // Who has no answer for the one that every account has has none for the others.
        let Some(standard) = self.limit(STANDARD).await? else {
            return Ok(Vec::new());
        };
        let asked = codes(self.settings.spot).into_iter();
        let asked: Vec<_> = asked.map(|(name, code)| self.named(name, code)).collect();
        let asked = futures::stream::iter(asked).buffer_unordered(AT_ONCE);
        let limits: Vec<Option<(String, u64)>> = asked.try_collect().await?;
        let first = ("standard".to_owned(), standard);
        let limits: BTreeMap<String, u64> = limits.into_iter().flatten().chain([first]).collect();
        let used = self.running_cpus().await?;
        let quota = |(name, cpu_limit): (String, u64)| Quota {
            cpu_used: used.get(&name).copied().unwrap_or(0),
            family: Some(name),
            cpu_limit,
        };
        Ok(limits.into_iter().map(quota).collect())
    }

    async fn named(&self, name: String, code: &'static str) -> Result<Option<(String, u64)>> {
        let limit = self.limit(code).await?;
        Ok(limit.map(|limit| (name, limit)))
    }

    /// A limit, where it can be had.
    async fn limit(&self, code: &str) -> Result<Option<u64>> {
        let call = self.access.quotas.get_service_quota();
        let answer = call.service_code("ec2").quota_code(code).send().await;
        match answer.map_err(failed("servicequotas:GetServiceQuota")) {
            Ok(answer) => Ok(answer.quota().and_then(ServiceQuota::value).map(whole)),
            Err(error) => match error.kind() {
                ErrorKind::Throttled | ErrorKind::Timeout | ErrorKind::Unauthenticated => {
                    Err(error)
                }
                _ => Ok(None),
            },
        }
    }

    /// The virtual CPUs of all that runs, whosever it is, by what AWS counts together.
    async fn running_cpus(&self) -> Result<BTreeMap<String, u64>> {
        let mut pages = self
            .ec2()
            .describe_instances()
            .filters(filter("instance-state-name", ["pending", "running"]))
            .max_results(1000)
            .into_paginator()
            .items()
            .send();
        let mut used = BTreeMap::new();
        while let Some(reservation) = pages.next().await {
            let reservation = reservation.map_err(failed("ec2:DescribeInstances"))?;
            reservation
                .instances()
                .iter()
                .for_each(|instance| count(&mut used, instance));
        }
        Ok(used)
    }
}

/// The codes of all limits but the standard one, by what they count.
fn codes(spot: bool) -> Vec<(String, &'static str)> {
    let mut codes = Vec::new();
    for group in &GROUPS {
        if group.on_demand != STANDARD {
            codes.push((group.name.to_owned(), group.on_demand));
        }
        if let Some(code) = group.spot.filter(|_| spot) {
            codes.push((format!("{}-spot", group.name), code));
        }
    }
    codes
}

/// Counts an instance in.
fn count(used: &mut BTreeMap<String, u64>, instance: &Instance) {
    let capacity = match instance.instance_lifecycle() {
        Some(InstanceLifecycleType::Spot) => CapacityKind::Spot,
        _ => CapacityKind::OnDemand,
    };
    let kind = instance.instance_type().map_or("", |kind| kind.as_str());
    let cpu = instance.cpu_options().map_or(0, |cpu| {
        cpu.core_count().unwrap_or(0) * cpu.threads_per_core().unwrap_or(1)
    });
    *used.entry(family(kind, capacity)).or_default() += u64::try_from(cpu).unwrap_or(0);
}

/// A quota's value as a whole number.
fn whole(value: f64) -> u64 {
    format!("{:.0}", value.clamp(0.0, 1e15))
        .parse()
        .unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use aws_sdk_ec2::types::{CpuOptions, InstanceType};

    use super::*;

    #[test]
    fn a_type_is_counted_where_amazon_counts_it() {
        let check = |kind, expect| assert_eq!(family(kind, CapacityKind::OnDemand), expect);
        for standard in [
            "a1.large",
            "c7gn.large",
            "d3en.large",
            "h1.2xlarge",
            "i7ie.large",
            "im4gn.large",
            "is4gen.large",
            "m5.large",
            "r8g.large",
            "t3.micro",
            "z1d.large",
        ] {
            check(standard, "standard");
        }
        check("dl1.24xlarge", "dl");
        check("f2.6xlarge", "f");
        check("g4dn.xlarge", "g");
        check("gr6.4xlarge", "g");
        check("vt1.3xlarge", "g");
        check("hpc7g.4xlarge", "hpc");
        check("inf2.xlarge", "inf");
        check("mac2.metal", "mac");
        check("p5.48xlarge", "p");
        check("trn1.2xlarge", "trn");
        check("u-6tb1.112xlarge", "high-memory");
        check("u7i-12tb.224xlarge", "high-memory");
        check("x2idn.16xlarge", "x");
        check("q9.large", "q9");
        let spot = |kind| family(kind, CapacityKind::Spot);
        assert_eq!(spot("m5.large"), "standard-spot");
        assert_eq!(spot("p4d.24xlarge"), "p-spot");
        assert_eq!(
            spot("p5en.48xlarge"),
            "p5en-spot",
            "no limit is known of it"
        );
    }

    #[test]
    fn every_limit_has_a_code_of_its_own() {
        let codes = GROUPS
            .iter()
            .flat_map(|group| [Some(group.on_demand), group.spot]);
        let codes: Vec<&str> = codes.flatten().collect();
        assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
    }

    #[test]
    fn what_runs_as_spot_is_counted_apart() {
        let instance = |kind: &str, cores, spot: bool| {
            let cpu = CpuOptions::builder().core_count(cores).threads_per_core(2);
            let instance = Instance::builder().instance_type(InstanceType::from(kind));
            let instance = instance.cpu_options(cpu.build());
            let lifecycle = spot.then_some(InstanceLifecycleType::Spot);
            instance.set_instance_lifecycle(lifecycle).build()
        };
        let mut used = BTreeMap::new();
        for one in [
            instance("m5.large", 1, false),
            instance("t3.micro", 1, false),
            instance("m5.xlarge", 2, true),
            instance("inf2.xlarge", 2, false),
            instance("trn1.2xlarge", 4, false),
        ] {
            count(&mut used, &one);
        }
        let expect = [
            ("inf", 4),
            ("standard", 4),
            ("standard-spot", 4),
            ("trn", 8),
        ];
        let expect = expect.map(|(name, cpus)| (name.to_owned(), cpus));
        assert_eq!(used, BTreeMap::from(expect));
    }
}
