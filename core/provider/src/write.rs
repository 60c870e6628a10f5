//! Making, changing and deleting things.

use std::collections::BTreeSet;
use std::fmt::Debug;

use async_trait::async_trait;
use strat_model::{
    Error, Field, Kind, LiveFields, Mark, Resource, ResourceId, Result, Spec, Token,
};

/// A create of one thing.
#[derive(Debug)]
pub struct Create<'a, S = Spec<ResourceId>> {
    /// What it is to be.
    pub spec: &'a S,
    /// Its name: deterministic, 1 to 63 characters of `[a-z0-9-]`, a letter first.
    pub name: &'a str,
    /// Its mark.
    pub mark: &'a Mark,
    /// What makes a repetition harmless.
    pub token: &'a Token,
}

impl<'a, S> Create<'a, S> {
    /// The same request with the spec of its kind.
    #[must_use]
    pub const fn of<T>(self, spec: &'a T) -> Create<'a, T> {
        Create {
            spec,
            name: self.name,
            mark: self.mark,
            token: self.token,
        }
    }
}

/// An update of one thing.
#[derive(Debug)]
pub struct Update<'a, S = Spec<ResourceId>> {
    /// Which thing.
    pub id: &'a ResourceId,
    /// What it is to be, whole.
    pub spec: &'a S,
    /// Which fields differ from what it is; all can be changed in place, as
    /// [`Provider::changes`](crate::Provider::changes) says.
    /// Empty: only the mark is written, which is also how a thing is adopted.
    pub fields: &'a BTreeSet<Field>,
    /// Its new mark. `None`: what it has of one is taken off, and it is nobody's from then on.
    pub mark: Option<&'a Mark>,
}

impl<'a, S> Update<'a, S> {
    /// The same request with the spec of its kind.
    #[must_use]
    pub const fn of<T>(self, spec: &'a T) -> Update<'a, T> {
        Update {
            id: self.id,
            spec,
            fields: self.fields,
            mark: self.mark,
        }
    }
}

// Not derived: a derive would ask for `S: Copy`, and only references to specs are copied here.
impl<S> Copy for Create<'_, S> {}
impl<S> Clone for Create<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<S> Copy for Update<'_, S> {}
impl<S> Clone for Update<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

/// What became of one thing of a call that was about several.
#[derive(Debug)]
pub struct Outcome {
    /// Which thing.
    pub id: ResourceId,
    /// Whether it was done.
    pub result: Result<()>,
}

impl Outcome {
    /// One outcome for each id, in order, by a call that does the same to each. One that fails
    /// does not keep the next from being tried.
    pub async fn of_each<'i, F: Future<Output = Result<()>>>(
        ids: &'i [ResourceId],
        call: impl Fn(&'i ResourceId) -> F,
    ) -> Vec<Self> {
        let mut outcomes = Vec::with_capacity(ids.len());
        for id in ids {
            let result = call(id).await;
            outcomes.push(Self {
                id: id.clone(),
                result,
            });
        }
        outcomes
    }

    /// One outcome for each id, in order, by a call that was about all of them at once.
    #[must_use]
    pub fn of_all(ids: &[ResourceId], result: &Result<()>) -> Vec<Self> {
        let one = |id: &ResourceId| Self {
            id: id.clone(),
            result: result.clone(),
        };
        ids.iter().map(one).collect()
    }

    /// The first error of some outcomes.
    ///
    /// # Errors
    /// That one. The others are lost, so this is for who asks for one thing, or for all or none.
    pub fn all_done(outcomes: Vec<Self>) -> Result<()> {
        outcomes
            .into_iter()
            .find_map(|outcome| outcome.result.err())
            .map_or(Ok(()), Err)
    }
}

/// Makes, changes and deletes the things of one service: network, compute or storage.
///
/// It takes specs of an open set of kinds. A provider has one arm for each kind that it knows, and
/// refuses every other as `Unsupported`; nobody asks for one that is not in
/// [`Capabilities::kinds`](strat_model::Capabilities::kinds), so a kind that is new to Stratiform
/// breaks no provider.
///
/// What every method promises is said at the head of the crate.
#[async_trait]
pub trait Writes: Debug + Send + Sync {
    /// Makes one thing.
    ///
    /// # Behavior
    /// - Repeated with the same token and spec it makes nothing new and answers with what is there.
    /// - A volume or address is made unattached whatever its spec says.
    /// - A machine is made as a batch of one; [`Machines`](crate::Machines) makes more.
    ///
    /// # Errors
    /// - `Precondition`: the token was used with another spec.
    /// - `AlreadyExists`: something that is not of this token has the name.
    /// - `NotFound` or `Conflict`: what it refers to is not there, or not fit for use.
    /// - `Invalid`, `Unsupported`: it can never be made so here.
    /// - `Capacity`, `Quota`: there are none left, or the account may have no more.
    async fn create(&self, request: Create<'_>) -> Result<Resource>;

    /// Changes one thing in place.
    ///
    /// # Behavior
    /// - Repeating it changes nothing further. The mark is always written, or taken off where there is
    ///   to be none; nothing else that the provider notes of what it made is left on it then.
    /// - An address with `Field::Attach` leads to the machine named, and to no other any more. A
    ///   volume is never attached or detached by an update.
    ///
    /// # Errors
    /// - `NotFound`: it is not there.
    /// - `Conflict`: something else changes it now.
    /// - `Unsupported`: a field cannot be changed in place.
    /// - `Invalid`: it can never be so, such as a volume that is to shrink.
    async fn update(&self, request: Update<'_>) -> Result<Resource>;

    /// Deletes things of one kind; at most
    /// [`Capabilities::ids_per_call`](strat_model::Capabilities::ids_per_call).
    ///
    /// # Behavior
    /// - Gives one outcome for each id, in their order. One that fails does not keep the others
    ///   from being deleted.
    /// - What is not there is deleted already.
    /// - A machine goes with its own disks; attached volumes and addresses are let go.
    ///
    /// # Errors
    /// The call fails as a whole only where nothing was deleted, or nobody knows whether anything
    /// was. Of one thing:
    /// - `Conflict`: something uses it, is in it or is attached to it.
    /// - `Forbidden`: the identity may not.
    async fn delete(&self, kind: Kind, ids: &[ResourceId]) -> Result<Vec<Outcome>>;
}

/// Fails for a field of a kind that no update changes.
///
/// # Errors
/// [`ErrorKind::Unsupported`](strat_model::ErrorKind::Unsupported) with the first of them.
pub fn check_fields(live: &LiveFields, kind: Kind, fields: &BTreeSet<Field>) -> Result<()> {
    let fixed = fields.iter().find(|field| !live.contains(kind, **field));
    fixed.map_or(Ok(()), |field| {
        let message = format!("the {field} of a {kind} cannot be changed in place");
        Err(Error::new(strat_model::ErrorKind::Unsupported, message))
    })
}

/// What is there, if it is there: that there is no such thing is no failure of a read.
///
/// # Errors
/// Any other.
pub fn if_there<T>(outcome: Result<T>) -> Result<Option<T>> {
    match outcome {
        Ok(there) => Ok(Some(there)),
        Err(error) if error.kind() == strat_model::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The error of a provider that does not have a kind.
#[must_use]
pub fn no_such_kind(kind: Kind) -> Error {
    let what = format!("this provider has no {}", kind.plural());
    Error::new(strat_model::ErrorKind::Unsupported, what)
}
