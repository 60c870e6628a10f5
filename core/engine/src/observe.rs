//! Seeing what there is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::{join, join_all};
use jiff::Timestamp;
use strat_model::{
    Addr, Coverage, Error, ErrorKind, Inventory, Kind, Missed, MissedState, Moves, Name, Owner,
    Resource, ResourceId, ResourceState, SiteFacts, SiteInventory, Witness,
};
use strat_provider::{Clock, Filter, PageToken, Provider, ProviderExt as _, gather_facts};

use crate::{Event, EventSink, Journal, Sites};

/// The longest list that is followed, in pages: a bound against a cloud that never ends one.
const PAGES_MAX: usize = 100_000;

/// What all sites reported.
#[derive(Debug, Clone, Default)]
pub struct Observation {
    /// What there is.
    pub inventory: Inventory,
    /// What is known of each site; a site that gave no answer is missing.
    pub facts: BTreeMap<Name, SiteFacts>,
    /// What could not be seen, sorted by site and kind.
    pub problems: Vec<Problem>,
}

/// Something that could not be seen.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Where.
    pub site: Name,
    /// Which kind; `None` is the site's facts.
    pub kind: Option<Kind>,
    /// Why.
    pub error: Arc<Error>,
}

/// Looks at every kind at every site, all at once.
///
/// # Guarantees
///
/// - A list that failed, or broke off, is [`Coverage::Partial`] and a [`Problem`]; what it gave
///   before is kept. It is never an empty complete one.
/// - A site whose facts failed has no facts and a problem; the other sites are whole.
/// - Our own writes are seen. Within a site's consistency window after a write, the list may show
///   what was before: what the journal says was made then and the list lacks, what was changed, and
///   what was deleted and the list still has, is read again by id and put in place of what the list
///   said. What comes back without its mark is kept, without a mark.
///
/// # Caveats
///
/// - What is known and not there is read twice, the second time when a read cannot lag any more.
/// - What was renamed is read under its old names as well, and keeps the mark that it has.
/// - A create whose outcome is not known has no id to read by: [`settle`](crate::settle) first.
pub async fn observe(
    sites: &Sites,
    owner: &Owner,
    moves: &Moves,
    journal: &Journal,
    clock: &dyn Clock,
    events: &EventSink,
) -> Observation {
    let looks = sites.iter().map(|(name, provider)| {
        let look = Look {
            site: name,
            provider: &**provider,
            owner,
            moves,
            journal,
            now: clock.now(),
            clock,
            events,
        };
        async move { look.site().await }
    });
    let mut observation = Observation::default();
    for (site, seen) in sites.keys().zip(join_all(looks).await) {
        observation
            .inventory
            .sites
            .insert(site.clone(), seen.inventory);
        if let Some(facts) = seen.facts {
            observation.facts.insert(site.clone(), facts);
        }
        observation.problems.extend(seen.problems);
    }
    observation
}

struct SiteSeen {
    inventory: SiteInventory,
    facts: Option<SiteFacts>,
    problems: Vec<Problem>,
}

/// What there is of a kind at a site.
#[derive(Default)]
struct KindSeen {
    /// Sorted by id.
    resources: Vec<Resource>,
    missed: Vec<Missed>,
    /// What kept it from being all.
    failure: Option<Error>,
}

/// One site's part of an observation.
#[derive(Clone, Copy)]
struct Look<'a> {
    site: &'a Name,
    provider: &'a dyn Provider,
    owner: &'a Owner,
    moves: &'a Moves,
    journal: &'a Journal,
    now: Timestamp,
    clock: &'a dyn Clock,
    events: &'a EventSink,
}

impl Look<'_> {
    async fn site(self) -> SiteSeen {
        let kinds = Kind::ALL.map(|kind| async move { (kind, self.kind(kind).await) });
        let (facts, kinds) = join(gather_facts(self.provider), join_all(kinds)).await;
        let count = kinds.iter().map(|(_, seen)| seen.resources.len()).sum();
        let mut seen = SiteSeen {
            inventory: SiteInventory {
                observed_at: self.now,
                coverage: BTreeMap::new(),
                resources: Vec::with_capacity(count),
                missed: Vec::new(),
                left: self.journal.left_by_runs(self.owner, self.site),
                lookups: Vec::new(),
            },
            facts: None,
            problems: Vec::new(),
        };
        match facts {
            Ok(facts) => seen.facts = Some(facts),
            Err(error) => seen.problems.push(self.problem(None, error)),
        }
        for (kind, of_kind) in kinds {
            let coverage = match of_kind.failure {
                None => Coverage::Complete,
                Some(error) => {
                    let why = error.to_string();
                    seen.problems.push(self.problem(Some(kind), error));
                    Coverage::Partial { why }
                }
            };
            seen.inventory.coverage.insert(kind, coverage);
            // Kinds come in order and each is sorted by id, so the whole is sorted.
            seen.inventory.resources.extend(of_kind.resources);
            seen.inventory.missed.extend(of_kind.missed);
        }
        seen
    }

    fn problem(&self, kind: Option<Kind>, error: Error) -> Problem {
        Problem {
            site: self.site.clone(),
            kind,
            error: Arc::new(error),
        }
    }

    /// What there is of a kind, and what kept it from being all.
    async fn kind(&self, kind: Kind) -> KindSeen {
        let mut seen = KindSeen::default();
        if !self.provider.capabilities().kinds.contains(&kind) {
            return seen;
        }
        let found = &mut seen.resources;
        let listed = self.list(kind, found).await;
        sort(found);
        let known = self
            .journal
            .known_as(self.owner, self.moves, self.site, kind);
        let released = self.journal.released(self.owner, self.site, kind);
        let read = self.read_by_id(kind, &known, &released, found).await;
        self.vouch(&known, found);
        match read {
            Ok(()) => {
                seen.missed = self.missed(known, found);
                seen.missed.extend(self.let_go(released, found));
            }
            Err(error) => seen.failure = Some(error),
        }
        seen.failure = listed.err().or(seen.failure);
        self.events.send(Event::Observed {
            site: self.site.clone(),
            kind,
            count: seen.resources.len(),
            complete: seen.failure.is_none(),
        });
        seen
    }

    /// What is marked as the topology's, under whatever name.
    async fn list(&self, kind: Kind, found: &mut Vec<Resource>) -> Result<(), Error> {
        self.list_of(self.owner, kind, found).await?;
        for former in self.moves.former_owners(self.owner) {
            self.list_of(&former, kind, found).await?;
        }
        Ok(())
    }

    async fn list_of(
        &self,
        owner: &Owner,
        kind: Kind,
        found: &mut Vec<Resource>,
    ) -> Result<(), Error> {
        let filter = Filter::Owner(owner.clone());
        let mut next: Option<PageToken> = None;
        for _ in 0..PAGES_MAX {
            let page = self
                .provider
                .observe()
                .list(kind, &filter, next.as_ref())
                .await?;
            found.extend(page.items);
            if page.next.is_none() {
                return Ok(());
            }
            if page.next == next {
                break;
            }
            next = page.next;
        }
        Err(Error::new(
            ErrorKind::Internal,
            format!("the list of {kind} at {} does not end", self.site),
        ))
    }

    /// Reads by id what we lately wrote to, and what is known and not in the list, and puts that in
    /// place of what the list said of it.
    async fn read_by_id(
        &self,
        kind: Kind,
        known: &BTreeMap<ResourceId, Addr>,
        released: &BTreeMap<ResourceId, (Addr, u64)>,
        found: &mut Vec<Resource>,
    ) -> Result<(), Error> {
        let window = self.provider.capabilities().consistency_window_ms;
        let since = self.now.checked_sub(Duration::from_millis(window));
        let since = since.unwrap_or(Timestamp::MIN);
        let touched = self.journal.touched(self.owner, self.site, kind, since);
        let missing = touched
            .created
            .iter()
            .chain(known.keys())
            .chain(released.keys())
            .filter(|id| found.binary_search_by(|item| item.id.cmp(id)).is_err())
            .cloned();
        let ids: BTreeSet<ResourceId> = missing
            .chain(touched.changed)
            .chain(touched.deleted)
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        let ids: Vec<ResourceId> = ids.into_iter().collect();
        let mut fresh = self.provider.get_all(kind, &ids).await?;
        found.retain(|item| ids.binary_search(&item.id).is_err());
        let seen: BTreeSet<&ResourceId> = fresh.iter().map(|one| &one.id).collect();
        let absent = known
            .keys()
            .filter(|id| ids.binary_search(id).is_ok() && !seen.contains(id));
        let absent: Vec<ResourceId> = absent.cloned().collect();
        if !absent.is_empty() {
            // A read may lag, too: what is known is gone only once a read says so that cannot.
            self.clock.sleep(Duration::from_millis(window)).await;
            fresh.extend(self.provider.get_all(kind, &absent).await?);
        }
        found.extend(fresh);
        sort(found);
        Ok(())
    }
}

impl Look<'_> {
    /// Says of what the journal knows whether it is what its mark says: that is not kept where the
    /// mark is.
    fn vouch(&self, known: &BTreeMap<ResourceId, Addr>, found: &mut [Resource]) {
        for resource in found {
            let Some(mark) = resource.mark.as_ref() else {
                continue;
            };
            let Some(now) = self.moves.of_mark(self.owner, mark) else {
                continue;
            };
            match known.get(&resource.id) {
                Some(made) if *made != now => {
                    let why = format!("it is known to be {made}");
                    resource.witness = Witness::Refuted { why };
                }
                Some(_) => resource.witness = Witness::Held,
                None if !resource.witness.is_held() && self.made(&mark.addr, &resource.id) => {
                    resource.witness = Witness::Held;
                }
                None => {}
            }
        }
    }

    /// Whether the journal has the call that made a thing.
    fn made(&self, addr: &Addr, id: &ResourceId) -> bool {
        let former = self.moves.former_owners(self.owner);
        let mut owners = std::iter::once(self.owner).chain(&former);
        owners.any(|owner| self.journal.made(owner, addr, id))
    }

    /// What became of the known things that are not, or not as ours, among what was found, which is
    /// sorted by id.
    fn missed(&self, known: BTreeMap<ResourceId, Addr>, found: &[Resource]) -> Vec<Missed> {
        let missed = known.into_iter().filter_map(|(id, addr)| {
            let at = found.binary_search_by(|item| item.id.cmp(&id));
            let state = match at.ok().map(|at| &found[at]) {
                None => MissedState::Gone,
                Some(there) if there.is_over() => {
                    let why = there.attributes.get(Resource::STATE_REASON).cloned();
                    let state = MissedState::Gone;
                    return Some(Missed {
                        addr,
                        id,
                        state,
                        why,
                    });
                }
                Some(there) if there.state == ResourceState::Deleting => return None,
                Some(Resource { mark: None, .. }) => MissedState::Unmarked,
                Some(Resource {
                    mark: Some(mark), ..
                }) => match self.moves.of_mark(self.owner, mark) {
                    Some(now) if now == addr => return None,
                    Some(addr) => MissedState::Mismarked { addr },
                    None => MissedState::Foreign {
                        owner: mark.owner.clone(),
                    },
                },
            };
            Some(Missed {
                addr,
                id,
                state,
                why: None,
            })
        });
        missed.collect()
    }
}

impl Look<'_> {
    /// What was let go and is there still, without a mark of the topology's.
    fn let_go(
        &self,
        released: BTreeMap<ResourceId, (Addr, u64)>,
        found: &[Resource],
    ) -> Vec<Missed> {
        let there = released.into_iter().filter(|(id, _)| {
            let at = found.binary_search_by(|item| item.id.cmp(id));
            at.is_ok_and(|at| {
                let ours = found[at].mark.as_ref();
                let ours = ours.is_some_and(|mark| self.owner.owns(&mark.owner));
                !ours && found[at].state != ResourceState::Deleting
            })
        });
        let missed = there.map(|(id, (addr, generation))| Missed {
            addr: self.moves.addr(&addr),
            id,
            state: MissedState::Released {
                generation,
                beside: false,
            },
            why: None,
        });
        missed.collect()
    }
}

/// Sorts by id. Of what a list had twice, the later counts.
fn sort(found: &mut Vec<Resource>) {
    if found.is_sorted_by(|a, b| a.id < b.id) {
        return;
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found.dedup_by(|later, earlier| {
        let same = later.id == earlier.id;
        if same {
            std::mem::swap(later, earlier);
        }
        same
    });
}

#[cfg(test)]
mod tests {
    use strat_model::{Attributes, BucketSpec, Labels, ResourceState, Spec};

    use super::*;

    fn bucket(id: &str, name: &str) -> Resource {
        Resource {
            id: ResourceId::from(id),
            name: name.to_owned(),
            mark: None,
            witness: Witness::Lacking,
            state: ResourceState::Ready,
            spec: Spec::Bucket(BucketSpec {
                versioning: false,
                labels: Labels::new(),
            }),
            attributes: Attributes::new(),
            created: None,
        }
    }

    #[test]
    fn of_what_a_list_has_twice_the_later_counts() {
        let mut found = vec![
            bucket("c", "c"),
            bucket("a", "old"),
            bucket("b", "b"),
            bucket("a", "new"),
            bucket("a", "newest"),
        ];
        sort(&mut found);
        let found = found.iter().map(|item| (item.id.as_str(), &*item.name));
        assert_eq!(
            found.collect::<Vec<_>>(),
            [("a", "newest"), ("b", "b"), ("c", "c")]
        );
    }
}
