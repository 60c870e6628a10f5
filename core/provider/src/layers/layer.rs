//! The hook round every call.

use std::fmt::{self, Debug};
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::BoxFuture;
use strat_model::Result;

use super::{Call, Flaws};

/// One layer: a hook round every call of a provider.
///
/// # Behavior
/// - Runs `next` once to let the call through, several times to repeat it, never to stop it.
/// - `Ok` only if a run of `next` gave `Ok`; the caller gets the answer of the last such run. What
///   a layer gives are the errors inside that answer, as the run gave them.
/// - May be dropped at any await: a layer holds nothing that its drop does not give back.
#[async_trait]
pub trait Layer: Debug + Send + Sync {
    /// Does the layer's work round one call.
    async fn around(&self, call: &Call<'_>, next: Next<'_>) -> Result<Flaws>;
}

/// What lies further in: the rest of the stack and the provider.
#[derive(Clone, Copy)]
pub struct Next<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) rest: &'a [Arc<dyn Layer>],
    pub(super) provider: &'a (dyn Fn() -> BoxFuture<'a, Result<Flaws>> + Sync),
}

impl<'a> Next<'a> {
    /// Makes the call, once. Every run is a call of its own.
    #[must_use]
    pub fn run(&self) -> BoxFuture<'a, Result<Flaws>> {
        match self.rest.split_first() {
            None => (self.provider)(),
            Some((layer, rest)) => layer.around(self.call, Next { rest, ..*self }),
        }
    }
}

impl Debug for Next<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next")
            .field("rest", &self.rest)
            .finish_non_exhaustive()
    }
}
