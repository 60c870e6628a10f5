//! Lists, reads by id, limits.

use strat_model::{Kind, Quota, Resource, ResourceId, Result};
use strat_provider::{Filter, Page, PageToken, Sought};

use super::Cloud;
use crate::world::Tx;

impl Cloud {
    /// One page of a list, which may be behind.
    pub(crate) fn list(
        &self,
        tx: &Tx<'_>,
        kind: Kind,
        filter: &Filter,
        page: Option<&PageToken>,
    ) -> Page {
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
        Page { items, next }
    }

    /// The things of these ids, fresh.
    pub(crate) fn get(&self, tx: &Tx<'_>, kind: Kind, ids: &[ResourceId]) -> Result<Vec<Resource>> {
        self.check_many(ids)?;
        let things = ids.iter().filter_map(|id| tx.region().get(kind, id));
        Ok(things.map(|thing| self.report(tx, thing)).collect())
    }

    /// The things of these names and addresses, as a list shows them.
    pub(crate) fn find(
        &self,
        tx: &Tx<'_>,
        kind: Kind,
        sought: Sought<'_>,
    ) -> Result<Vec<Resource>> {
        self.check_count(sought.len())?;
        let region = tx.region();
        let named = sought.names.iter();
        let named = named.flat_map(|name| region.named(kind, name));
        let mut found: Vec<_> = named
            .filter_map(|thing| self.report_listed(tx, thing))
            .collect();
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
