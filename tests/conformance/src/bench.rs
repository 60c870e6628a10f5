//! The workbench of a behaviour: marks, names, tokens, and waiting.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use strat_model::{
    Addr, Digest, Error, ErrorKind, Field, Kind, Mark, MarkOrigin, Owner, Resource, ResourceId,
    ResourceState, Result, Spec, Token,
};
use strat_provider::{Clock, CreateMachines, Filter, MachineBatch, Outcome, Provider, ProviderExt};
use tokio::sync::OnceCell;

use crate::Harness;

/// A connected site and everything a behaviour needs to work there.
pub struct Bench<'a> {
    /// How the site is reached.
    pub harness: &'a dyn Harness,
    /// The connection.
    pub provider: Arc<dyn Provider>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The word that begins every name.
    pub run: String,
    pub(crate) ground: OnceCell<crate::specs::Ground>,
}

/// The first and the longest pause between two looks at something that is awaited.
const PAUSES_MS: (u64, u64) = (20, 5000);

impl<'a> Bench<'a> {
    /// Connects.
    pub async fn new(harness: &'a dyn Harness) -> Self {
        Self {
            harness,
            provider: harness.provider().await,
            clock: harness.clock(),
            run: harness.run_id(),
            ground: OnceCell::new(),
        }
    }

    /// Whether the site has things of a kind.
    #[must_use]
    pub fn has(&self, kind: Kind) -> bool {
        self.provider.capabilities().kinds.contains(&kind)
    }

    /// The kinds that the site has.
    #[must_use]
    pub fn kinds(&self) -> Vec<Kind> {
        self.provider.capabilities().kinds.iter().copied().collect()
    }

    /// The owner of what the behaviour makes.
    ///
    /// # Panics
    /// If the harness's run id is no name.
    #[must_use]
    pub fn owner(&self) -> Owner {
        self.run.parse().expect("the run id is a name")
    }

    /// The owner of a topology of the same name in another realm.
    ///
    /// # Panics
    /// If the harness's run id is no name.
    #[must_use]
    pub fn namesake(&self) -> Owner {
        format!("elsewhere/{}", self.run)
            .parse()
            .expect("the run id is a name")
    }

    /// The mark of the thing of a word, as an apply has it: it says which call made the thing.
    ///
    /// # Panics
    /// If the word is no name.
    #[must_use]
    pub fn mark(&self, kind: Kind, word: &str) -> Mark {
        Mark {
            owner: self.owner(),
            spec: Digest::of(word.as_bytes()).short().to_owned(),
            addr: self.addr(kind, word),
            generation: 1,
            origin: Some(MarkOrigin::Made(self.token(word))),
            protect: false,
            disposable: false,
            notes: strat_model::Shared::new(),
        }
    }

    /// The real name of the thing of a word.
    #[must_use]
    pub fn name(&self, word: &str) -> String {
        format!("{}-{word}", self.run)
    }

    /// A token for a word: the same for the same word within a run.
    #[must_use]
    pub fn token(&self, word: &str) -> Token {
        let addr = self.addr(Kind::Network, "token");
        Token::derive(&format!("{}:{word}", self.run), &addr, 1, 1, 0, word)
    }

    fn addr(&self, kind: Kind, word: &str) -> Addr {
        let addr = format!("{kind}.{word}@{}", self.provider.site());
        addr.parse().expect("the words of the suite are names")
    }

    /// Makes a thing, and waits until it is ready.
    ///
    /// # Panics
    /// If that fails or takes too long.
    pub async fn create(&self, spec: &Spec<ResourceId>, word: &str) -> Resource {
        let made = self.try_create(spec, word).await;
        let made = made.unwrap_or_else(|error| panic!("creating {word}: {error}"));
        self.ready(spec.kind(), &made.id).await
    }

    /// Makes a thing. `word` gives its name, its mark and its token.
    ///
    /// # Errors
    /// What the provider's create gives.
    pub async fn try_create(&self, spec: &Spec<ResourceId>, word: &str) -> Result<Resource> {
        let mark = self.mark(spec.kind(), word);
        let (name, token) = (self.name(word), self.token(word));
        self.provider.create(spec, &name, &mark, &token).await
    }

    /// Makes machines in one call. `word` gives their names, their mark and their token.
    ///
    /// # Errors
    /// What the provider's create gives.
    pub async fn create_batch(
        &self,
        spec: &strat_model::MachineSpec<ResourceId>,
        count: u32,
        word: &str,
    ) -> Result<MachineBatch> {
        let names: Vec<_> = (0..count)
            .map(|n| self.name(&format!("{word}-{n}")))
            .collect();
        let mark = self.mark(Kind::Machine, word);
        let token = self.token(word);
        let request = CreateMachines {
            spec,
            names: &names,
            mark: &mark,
            token: &token,
        };
        self.provider.create_machines(request).await
    }

    /// Changes fields of a thing, with a mark of the next generation.
    ///
    /// # Panics
    /// If that fails.
    pub async fn update(
        &self,
        thing: &Resource,
        spec: &Spec<ResourceId>,
        fields: &[Field],
    ) -> Resource {
        let updated = self.try_update(thing, spec, fields).await;
        updated.unwrap_or_else(|error| panic!("updating {}: {error}", thing.name))
    }

    /// Changes fields of a thing, with a mark of the next generation.
    ///
    /// # Errors
    /// What the provider's update gives.
    pub async fn try_update(
        &self,
        thing: &Resource,
        spec: &Spec<ResourceId>,
        fields: &[Field],
    ) -> Result<Resource> {
        let mut mark = thing
            .mark
            .clone()
            .unwrap_or_else(|| self.mark(spec.kind(), "adopted"));
        mark.generation += 1;
        let fields: BTreeSet<_> = fields.iter().copied().collect();
        self.provider.update(&thing.id, spec, &fields, &mark).await
    }

    /// A thing as it is now, if it is there.
    ///
    /// # Panics
    /// If it cannot be read.
    pub async fn look(&self, kind: Kind, id: &ResourceId) -> Option<Resource> {
        let found = self
            .provider
            .observe()
            .get(kind, std::slice::from_ref(id))
            .await;
        found
            .unwrap_or_else(|error| panic!("reading {kind} {id}: {error}"))
            .pop()
    }

    /// Waits until a thing is ready.
    ///
    /// # Panics
    /// If it vanishes, breaks or takes too long.
    pub async fn ready(&self, kind: Kind, id: &ResourceId) -> Resource {
        self.until(&format!("{kind} {id} is ready"), async || {
            let thing = self.look(kind, id).await;
            let thing = thing.unwrap_or_else(|| panic!("{kind} {id} is not there"));
            assert_ne!(thing.state, ResourceState::Failed, "{kind} {id} broke");
            (thing.state == ResourceState::Ready).then_some(thing)
        })
        .await
    }

    /// Waits until a thing is gone.
    ///
    /// # Panics
    /// If it takes too long.
    pub async fn gone(&self, kind: Kind, id: &ResourceId) {
        self.until(&format!("{kind} {id} is gone"), async || {
            let thing = self.look(kind, id).await;
            thing.is_none().then_some(())
        })
        .await;
    }

    /// Deletes a thing and waits until it is gone.
    ///
    /// # Panics
    /// If that fails or takes too long.
    pub async fn delete(&self, thing: &Resource) {
        let kind = thing.kind();
        self.try_delete(thing)
            .await
            .unwrap_or_else(|error| panic!("deleting {kind} {}: {error}", thing.id));
        self.gone(kind, &thing.id).await;
    }

    /// Deletes a thing.
    ///
    /// # Errors
    /// What the provider's delete gives.
    pub async fn try_delete(&self, thing: &Resource) -> Result<()> {
        let ids = std::slice::from_ref(&thing.id);
        self.provider.delete_all(thing.kind(), ids).await
    }

    /// Starts machines.
    ///
    /// # Errors
    /// The first that the provider gives.
    pub async fn start_all(&self, ids: &[ResourceId]) -> Result<()> {
        Outcome::all_done(self.provider.start_machines(ids).await)
    }

    /// Whether the provider says that this field of a kind is changed in place.
    pub async fn can_change(&self, kind: Kind, field: Field) -> bool {
        let spec = self.spec(kind).await;
        let to = spec.without_refs();
        let thing = Resource {
            id: ResourceId::from("some-id"),
            name: self.name("some"),
            mark: Some(self.mark(kind, "some")),
            witness: strat_model::Witness::Held,
            state: ResourceState::Ready,
            spec,
            attributes: strat_model::Attributes::new(),
            created: None,
        };
        let changes = self.provider.changes();
        changes
            .change(&thing, &to, &BTreeSet::from([field]))
            .is_in_place()
    }

    /// A whole list.
    ///
    /// # Panics
    /// If it cannot be read.
    pub async fn list(&self, kind: Kind, filter: &Filter) -> Vec<Resource> {
        let items = self.provider.list_all(kind, filter).await;
        items.unwrap_or_else(|error| panic!("listing {kind}: {error}"))
    }

    /// Waits until the owner's list of a kind is what `wanted` takes, and gives it back.
    ///
    /// # Panics
    /// If it takes too long.
    pub async fn listed(&self, kind: Kind, wanted: impl Fn(&[Resource]) -> bool) -> Vec<Resource> {
        let filter = Filter::Owner(self.owner());
        self.until(
            &format!("the list of {kind} is as it should be"),
            async || {
                let items = self.list(kind, &filter).await;
                wanted(&items).then_some(items)
            },
        )
        .await
    }

    /// Asks again and again until there is an answer.
    ///
    /// # Panics
    /// If the harness's patience ends first.
    pub async fn until<T>(&self, what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
        let deadline = self.clock.now().checked_add(self.harness.patience());
        let deadline = deadline.unwrap_or(jiff::Timestamp::MAX);
        let mut pause = PAUSES_MS.0;
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            assert!(self.clock.now() < deadline, "waited too long until {what}");
            self.clock.sleep(Duration::from_millis(pause)).await;
            pause = (pause * 2).min(PAUSES_MS.1);
        }
    }

    /// Lets as much time pass as lists may lag.
    pub async fn settle(&self) {
        let window = self.provider.capabilities().consistency_window_ms;
        self.clock.sleep(Duration::from_millis(window + 1)).await;
    }

    /// Deletes everything that any behaviour of this run may have made, what uses things first.
    ///
    /// # Panics
    /// If something will not go.
    pub async fn clear_up(&self) {
        self.settle().await;
        self.until("everything is cleared up", async || {
            let mut left = false;
            for kind in CLEARING {
                for owner in [self.owner(), self.namesake()] {
                    let things = self.list(kind, &Filter::Owner(owner)).await;
                    left |= !things.is_empty();
                    for thing in things {
                        self.remove(thing).await;
                    }
                }
            }
            (!left).then_some(())
        })
        .await;
    }

    /// Takes one step towards deleting a thing; what stands in the way now may be gone later.
    async fn remove(&self, thing: Resource) {
        if thing.state == ResourceState::Deleting {
            return;
        }
        let mut spec = thing.spec.clone();
        match &mut spec {
            Spec::Volume(volume) if volume.attach.is_some() => {
                let _ = self.provider.detach_volume(&thing.id).await;
            }
            Spec::Firewall(firewall) if !firewall.rules.is_empty() => {
                firewall.rules.clear();
                let _ = self.try_update(&thing, &spec, &[Field::Rules]).await;
            }
            _ => {}
        }
        let _ = self.try_delete(&thing).await;
    }
}

/// The order in which things can go.
const CLEARING: [Kind; 9] = [
    Kind::Bucket,
    Kind::Address,
    Kind::Machine,
    Kind::Volume,
    Kind::Image,
    Kind::Keypair,
    Kind::Firewall,
    Kind::Subnet,
    Kind::Network,
];

/// The error that there must be, of one of these kinds.
///
/// # Panics
/// If there is none, or one of another kind.
pub(crate) fn refused<T>(outcome: Result<T>, kinds: &[ErrorKind], what: &str) -> Error {
    match outcome {
        Ok(_) => panic!("{what} must fail, and did not"),
        Err(error) => {
            assert!(
                kinds.contains(&error.kind()),
                "{what} must fail as one of {kinds:?}: {error}"
            );
            error
        }
    }
}

/// What there must be.
///
/// # Panics
/// If there is an error instead.
pub(crate) fn done<T>(outcome: Result<T>, what: &str) -> T {
    outcome.unwrap_or_else(|error| panic!("{what}: {error}"))
}
