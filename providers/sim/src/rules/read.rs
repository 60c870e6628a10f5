//! Lists, reads by id, limits.

use strat_model::{Error, ErrorKind, Kind, Quota, Resource, ResourceId, Result, Spec};
use strat_provider::{Filter, Page, PageToken, Sought};

use super::Cloud;
use crate::world::{Thing, Tx};

/// The page of a list that is on hosts that are taken out.
const HIDDEN: &str = "hidden";

impl Cloud {
    /// One page of a list, which may be behind. Where hosts are taken out, it breaks off after what
    /// is on the others.
    pub(crate) fn list(
        &self,
        tx: &Tx<'_>,
        kind: Kind,
        filter: &Filter,
        page: Option<&PageToken>,
    ) -> Result<Page> {
        if page.is_some_and(|page| page.0 == HIDDEN) {
            return Err(hidden(tx));
        }
        let size = self
            .site
            .behaviour
            .page_size
            .unwrap_or(self.profile().page_size());
        let owner = match filter {
            Filter::Owner(owner) => Some(owner.named()),
            Filter::All => None,
        };
        let owner = owner.as_ref();
        let after = page.map(|token| ResourceId::from(&token.0));
        let mut shown = tx
            .region()
            .after(kind, owner, after.as_ref())
            .filter(|thing| !is_hidden(tx, thing))
            .filter_map(|thing| self.report_listed(tx, thing))
            .filter(|resource| {
                owner.is_none_or(|owner| {
                    let mark = resource.mark.as_ref();
                    mark.is_some_and(|mark| mark.owner.is_namesake(owner))
                })
            });
        let items: Vec<_> = shown.by_ref().take(size).collect();
        let more = shown.next().is_some();
        let last = items.last().filter(|_| more);
        let next = last.map(|resource| PageToken(resource.id.to_string()));
        let some_hidden = !tx.region().record.trials.hidden_zones.is_empty();
        let next = next.or_else(|| some_hidden.then(|| PageToken(HIDDEN.to_owned())));
        Ok(Page { items, next })
    }

    /// The things of these ids, fresh.
    pub(crate) fn get(&self, tx: &Tx<'_>, kind: Kind, ids: &[ResourceId]) -> Result<Vec<Resource>> {
        self.check_many(ids)?;
        let things = ids.iter().filter_map(|id| tx.region().get(kind, id));
        if things.clone().any(|thing| is_hidden(tx, thing)) {
            return Err(hidden(tx));
        }
        let things = things.filter(|thing| !thing.is_nowhere(tx.now));
        Ok(things.map(|thing| self.report(tx, thing)).collect())
    }

    /// The things of these names and addresses, as a list shows them; buckets, which are read by their
    /// names, as they are.
    pub(crate) fn find(
        &self,
        tx: &Tx<'_>,
        kind: Kind,
        sought: Sought<'_>,
    ) -> Result<Vec<Resource>> {
        self.check_count(sought.len())?;
        if !tx.region().record.trials.hidden_zones.is_empty() {
            return Err(hidden(tx));
        }
        let region = tx.region();
        let named = sought.names.iter();
        let named = named.flat_map(|name| region.named(kind, name));
        let report = |thing| match kind {
            Kind::Bucket => Some(self.report(tx, thing)),
            _ => self.report_listed(tx, thing),
        };
        let mut found: Vec<_> = named.filter_map(|thing| report(thing)).collect();
        if !sought.addrs.is_empty() {
            let all = region.after(kind, None, None);
            let all = all.filter_map(|thing| self.report_listed(tx, thing));
            found.extend(all.filter(|one| sought.fits(one)));
        }
        found.sort_by(|a, b| a.id.cmp(&b.id));
        found.dedup_by(|a, b| a.id == b.id);
        Ok(found)
    }

    /// The account's limits and what is in use of them.
    pub(crate) fn quotas(&self, tx: &Tx<'_>) -> Vec<Quota> {
        let families = self.quota_families().into_iter();
        families
            .map(|family| Quota {
                family: family.map(str::to_owned),
                cpu_limit: self.quota(tx, family),
                cpu_used: tx.region().usage.cpu(family),
            })
            .collect()
    }
}

/// Whether a thing is on a host that is taken out.
pub(super) fn is_hidden(tx: &Tx<'_>, thing: &Thing) -> bool {
    let zone = match &thing.spec {
        Spec::Machine(machine) => &machine.zone,
        Spec::Volume(volume) => &volume.zone,
        _ => return false,
    };
    tx.region().record.trials.hidden_zones.contains(zone)
}

/// The error for what is on a host that is taken out.
pub(super) fn hidden(tx: &Tx<'_>) -> Error {
    let zones = tx.region().record.trials.hidden_zones.iter();
    let zones: Vec<_> = zones.map(ToString::to_string).collect();
    let message = format!("the hosts of {} are taken out", zones.join(", "));
    Error::new(ErrorKind::Precondition, message)
}
