//! The project's limits on virtual CPUs.
//!
//! Google counts the virtual CPUs of the older families together (`CPUS`), those of each newer family
//! alone (`N2_CPUS`), and in some projects all of all regions (`CPUS_ALL_REGIONS`).
//!
//! <https://cloud.google.com/compute/resource-usage#cpu_quota>

use google_cloud_compute_v1::model::Quota as Limit;
use strat_model::{Quota, Result};

use crate::error::failed;
use crate::provider::GcpProvider;

/// The families that count together.
const TOGETHER: [&str; 4] = ["custom", "e2", "f1", "g1"];
/// What those are called as a family: the eldest that counts so.
const GENERAL: &str = "n1";

/// What quotas count together: `n2` of `n2-standard-4`, and `n1` of all that count as `CPUS`.
pub(super) fn family(machine_type: &str) -> String {
    let family = machine_type.split('-').next().unwrap_or(machine_type);
    let general = TOGETHER.contains(&family);
    (if general { GENERAL } else { family }).to_owned()
}

/// The family that a limit is about: `Some(None)` for all.
fn about(metric: &str) -> Option<Option<String>> {
    match metric {
        "CPUS" => Some(Some(GENERAL.to_owned())),
        "CPUS_ALL_REGIONS" => Some(None),
        "PREEMPTIBLE_CPUS" | "RESERVED_CPUS" => None,
        metric => {
            let family = metric.strip_suffix("_CPUS")?;
            let plain = family
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
            plain.then(|| Some(family.to_ascii_lowercase()))
        }
    }
}

impl GcpProvider {
    pub(super) async fn cpu_quotas(&self) -> Result<Vec<Quota>> {
        let call = self
            .access
            .regions
            .get()
            .set_project(&self.settings.project);
        let region = call.set_region(&self.settings.region).send().await;
        let region = region.map_err(failed("compute.regions.get"))?;
        let call = self
            .access
            .projects
            .get()
            .set_project(&self.settings.project);
        let project = call.send().await.map_err(failed("compute.projects.get"))?;
        let limits = region.quotas.iter().chain(&project.quotas);
        let mut quotas: Vec<Quota> = limits.filter_map(read).collect();
        quotas.sort_by(|a, b| a.family.cmp(&b.family));
        Ok(quotas)
    }
}

fn read(limit: &Limit) -> Option<Quota> {
    let metric = limit.metric.as_ref()?.name()?;
    Some(Quota {
        family: about(metric)?,
        cpu_limit: whole(limit.limit?),
        cpu_used: whole(limit.usage.unwrap_or_default()),
    })
}

/// A quota's value as a whole number. A negative one is without bound.
fn whole(value: f64) -> u64 {
    if value < 0.0 {
        return u64::MAX;
    }
    let text = format!("{:.0}", value.min(1e15));
    text.parse().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_about_families() {
        let check = |metric, expect: Option<Option<&str>>| {
            assert_eq!(
                about(metric),
                expect.map(|f| f.map(str::to_owned)),
                "{metric}"
            );
        };
        check("CPUS", Some(Some("n1")));
        check("N2_CPUS", Some(Some("n2")));
        check("C2D_CPUS", Some(Some("c2d")));
        check("CPUS_ALL_REGIONS", Some(None));
        for other in [
            "PREEMPTIBLE_CPUS",
            "COMMITTED_N2_CPUS",
            "DISKS_TOTAL_GB",
            "CPUS_PER_VM",
        ] {
            check(other, None);
        }
        assert_eq!(family("e2-custom-4-8192"), "n1");
        assert_eq!(family("n2d-standard-4"), "n2d");
    }

    #[test]
    fn values_are_whole() {
        assert_eq!(
            (whole(24.0), whole(-1.0), whole(1e18)),
            (24, u64::MAX, 1_000_000_000_000_000)
        );
    }
}
