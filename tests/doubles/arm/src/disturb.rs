//! What of that which was arranged concerns a call.

use std::collections::BTreeSet;
use std::fmt;

use crate::arrange::{Arranged, StockOut};
use crate::id::Id;
use crate::operations::Effect;
use crate::refusal::Refusal;
use crate::server::Received;
use crate::world::{Fields, World};

/// Whether a call is one that is meant: `virtualMachines/write` means
/// `Microsoft.Compute/virtualMachines/write`, and `*` all.
fn is_meant(pattern: &str, id: &str) -> bool {
    let (pattern, id) = (pattern.to_lowercase(), id.to_lowercase());
    pattern == "*" || id == pattern || id.ends_with(&format!("/{pattern}"))
}

/// Whether an action is one of a role's: `*` stands for any text.
/// <https://learn.microsoft.com/azure/role-based-access-control/role-definitions#actions-format>
fn covers(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_lowercase(), action.to_lowercase());
    match pattern.split_once('*') {
        None => pattern == action,
        Some((start, end)) => {
            action.len() >= start.len() + end.len()
                && action.starts_with(start)
                && action.ends_with(end)
        }
    }
}

/// The first of a list that is meant and has some left.
fn take<'a, T>(all: &'a mut [(String, u32, T)], id: &str) -> Option<&'a T> {
    let found = all
        .iter_mut()
        .find(|(pattern, times, _)| *times > 0 && is_meant(pattern, id))?;
    found.1 -= 1;
    Some(&found.2)
}

/// A change that somebody makes just before a call.
pub(crate) struct Intrusion {
    pub(crate) call: String,
    pub(crate) id: Id,
    pub(crate) change: Box<dyn FnOnce(&mut Fields) + Send>,
}

impl fmt::Debug for Intrusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} before {}", self.id, self.call)
    }
}

impl World {
    /// Lets the next of those that were to come before such a call come.
    pub(crate) fn intrude(&mut self, call: &str) {
        let mut waiting = self.arranged.intrusions.iter();
        let Some(at) = waiting.position(|one| is_meant(&one.call, call)) else {
            return;
        };
        let intrusion = self.arranged.intrusions.remove(at);
        if let Some(thing) = self.get_mut(&intrusion.id) {
            (intrusion.change)(&mut thing.fields);
            thing.version += 1;
        }
    }
}

impl Arranged {
    pub(crate) fn polls(&self, id: &str) -> u32 {
        let found = self
            .polls
            .iter()
            .rev()
            .find(|(pattern, _)| is_meant(pattern, id));
        found.map_or(1, |(_, polls)| *polls)
    }

    /// The effect of an operation, or in its stead the failure that was arranged.
    pub(crate) fn spoil(&mut self, action: &str, target: &Id, effect: Effect) -> Effect {
        let Some(refusal) = take(&mut self.failures, action).cloned() else {
            return effect;
        };
        let target = target.clone();
        Box::new(move |world| {
            if let Some(thing) = world.get_mut(&target) {
                thing.set("provisioningState", serde_json::json!("Failed"));
            }
            Err(refusal)
        })
    }

    /// The refusal that was arranged for the next call.
    pub(crate) fn refusal(&mut self, id: &str) -> Option<Refusal> {
        take(&mut self.refusals, id).cloned()
    }

    /// Whether the answer to this call gets lost.
    pub(crate) fn loses(&mut self, id: &str) -> bool {
        take(&mut self.lost, id).is_some()
    }

    /// Whether the caller may do something.
    pub(crate) fn permits(&self, action: &str) -> bool {
        let granted = self.granted.as_ref();
        let is_granted = granted.is_none_or(|all| all.iter().any(|one| covers(one, action)));
        is_granted && !self.denied.iter().any(|one| covers(one, action))
    }

    /// The actions that the caller has, and those that are taken from them.
    pub(crate) fn permissions(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let all = BTreeSet::from(["*".to_owned()]);
        (self.granted.clone().unwrap_or(all), self.denied.clone())
    }

    pub(crate) fn is_disallowed(&self, kind: &str) -> bool {
        self.disallowed.iter().any(|one| is_meant(one, kind))
    }

    /// The limit that was arranged for a quota.
    pub(crate) fn quota(&self, location: &str, name: &str) -> Option<u64> {
        let mut all = self.quotas.iter();
        let found = all.find(|((place, of), _)| place == location && of.eq_ignore_ascii_case(name));
        found.map(|(_, limit)| *limit)
    }

    /// Takes a machine of those that are left of a size in a location or zone.
    pub(crate) fn take_stock(&mut self, size: &str, location: &str, zone: Option<&str>) -> bool {
        let zonal = zone.map(|zone| format!("{location}-{zone}"));
        for size in [size, "*"] {
            for place in [zonal.as_deref(), Some(location), Some("*")]
                .into_iter()
                .flatten()
            {
                let key = (size.to_lowercase(), place.to_owned());
                match self.stock.get_mut(&key) {
                    Some(0) => return false,
                    Some(left) => {
                        *left -= 1;
                        return true;
                    }
                    None => {}
                }
            }
        }
        true
    }

    /// Whether nothing is left of a size in a location or zone.
    pub(crate) fn is_out(&self, size: &str, location: &str, zone: Option<&str>) -> bool {
        let zonal = zone.map(|zone| format!("{location}-{zone}"));
        let places = [zonal.as_deref(), Some(location), Some("*")];
        let mut left = places.into_iter().flatten().flat_map(|place| {
            [size, "*"].map(|size| self.stock.get(&(size.to_lowercase(), place.to_owned())))
        });
        left.any(|left| left == Some(&0))
    }

    pub(crate) fn stock_out(&self) -> StockOut {
        self.out_as
    }

    /// Notes what the description does not take.
    pub(crate) fn violate(&mut self, asked: &Received, found: &[String]) {
        for one in found {
            self.violations
                .push(format!("{} {}: {one}", asked.http, asked.path));
        }
    }

    /// Notes where an answer is not as the description says.
    pub(crate) fn note_flaws(&mut self, id: &str, flaws: Vec<String>) {
        self.flaws
            .extend(flaws.into_iter().map(|flaw| format!("{id}: {flaw}")));
    }

    /// What is left until calls are throttled.
    /// <https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling>
    /// and <https://learn.microsoft.com/troubleshoot/azure/virtual-machines/troubleshooting-throttling-errors>
    pub(crate) fn remaining(&mut self, id: &str) -> Vec<(&'static str, String)> {
        self.answered += 1;
        let left = 11_999_u64.saturating_sub(self.answered);
        let name = match id.rsplit('/').next() {
            Some("write" | "action") => "x-ms-ratelimit-remaining-subscription-writes",
            Some("delete") => "x-ms-ratelimit-remaining-subscription-deletes",
            _ => "x-ms-ratelimit-remaining-subscription-reads",
        };
        let mut headers = vec![(name, left.to_string())];
        if let Some(kind) = id.strip_prefix("Microsoft.Compute/") {
            let class = match kind {
                "virtualMachines/write" => "PutVMSubscriptionMaximum",
                "virtualMachines/delete" => "DeleteVMSubscriptionMaximum",
                _ => "GetVMSubscriptionMaximum",
            };
            let value = format!("Microsoft.Compute/{class};{left}");
            headers.push(("x-ms-ratelimit-remaining-resource", value));
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_roles_and_tests_write() {
        assert!(is_meant(
            "virtualMachines/write",
            "Microsoft.Compute/virtualMachines/write"
        ));
        assert!(!is_meant(
            "Machines/write",
            "Microsoft.Compute/virtualMachines/write"
        ));
        assert!(covers(
            "Microsoft.Compute/*",
            "Microsoft.Compute/disks/read"
        ));
        assert!(covers("*/read", "Microsoft.Compute/disks/read"));
        assert!(!covers("*/read", "Microsoft.Compute/disks/write"));
    }
}
