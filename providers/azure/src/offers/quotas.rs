//! The subscription's limits on virtual CPUs in the region: all together (`cores`), and of each family.
//! Spot is counted apart (`lowPriorityCores`), which the model does not know of, and is left out.
//!
//! <https://learn.microsoft.com/azure/quotas/per-vm-quota-requests>

use reqwest::Method;
use serde::Deserialize;
use strat_model::{Quota, Result};

use crate::arm::Call;
use crate::names::VM;
use crate::provider::AzureProvider;

const READ: &str = "Microsoft.Compute/locations/usages/read";
/// All virtual CPUs of the region.
const ALL: &str = "cores";

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Usage {
    current_value: u64,
    limit: i64,
    name: UsageName,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct UsageName {
    value: String,
}

impl AzureProvider {
    pub(super) async fn cpu_quotas(&self) -> Result<Vec<Quota>> {
        let path = format!(
            "{}/providers/Microsoft.Compute/locations/{}/usages",
            self.subscription(),
            self.settings.region
        );
        let call = Call::new(READ, Method::GET, path, VM.version);
        let usages: Vec<Usage> = self.list_of(&call).await?;
        let mut quotas: Vec<Quota> = usages.iter().filter_map(read).collect();
        quotas.sort_by(|a, b| a.family.cmp(&b.family));
        Ok(quotas)
    }
}

/// A limit; one below nothing is none.
fn read(usage: &Usage) -> Option<Quota> {
    let family = match usage.name.value.as_str() {
        ALL => None,
        name if name.ends_with("Family") => Some(name.to_owned()),
        _ => return None,
    };
    Some(Quota {
        family,
        cpu_limit: u64::try_from(usage.limit).unwrap_or(u64::MAX),
        cpu_used: usage.current_value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_on_all_or_on_a_family() {
        let of = |name: &str, limit: i64| {
            let name = UsageName {
                value: name.to_owned(),
            };
            read(&Usage {
                current_value: 4,
                limit,
                name,
            })
        };
        assert_eq!(of("cores", 10).expect("a limit").family, None);
        let family = of("standardDSv5Family", -1).expect("a limit");
        assert_eq!(family.family.as_deref(), Some("standardDSv5Family"));
        assert_eq!(family.cpu_limit, u64::MAX);
        for other in ["lowPriorityCores", "virtualMachines", "availabilitySets"] {
            assert_eq!(of(other, 1), None, "{other}");
        }
    }
}
