//! The one forwarder.
//!
//! Where the inner provider has a facet, the outer one's facet is itself, so no call passes by the
//! layers. Clippy refuses an implementation here that leaves a method to the trait's default
//! (`missing_trait_methods`, which sees through `async_trait`), and a test counts the methods.

mod facets;
mod leases;
mod reads;
mod writes;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::future::BoxFuture;
use strat_model::{Capabilities, Changes, Error, ErrorKind, Kind, Name, Result};

use super::flaws::{Flaws, Partial, Whole};
use super::outcome::{may_have_happened, unknown_after};
use super::{Api, Call, Effect, Layer, Next, lock};
use crate::{
    Attachment, Contents, Identity, Images, Leases, Machines, Observe, Offers, Permissions,
    Provider, Writes,
};

/// A provider inside a stack of layers.
#[derive(Debug)]
pub struct Layered {
    inner: Arc<dyn Provider>,
    stack: Vec<Arc<dyn Layer>>,
}

impl Layered {
    /// Puts `stack`, outermost first, round `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn Provider>, stack: Vec<Arc<dyn Layer>>) -> Self {
        Self { inner, stack }
    }

    fn call(&self, api: Api, operation: &'static str, effect: Effect) -> Call<'_> {
        Call::new(self.inner.name(), self.inner.site(), api, operation, effect)
    }

    fn read(&self, api: Api, operation: &'static str) -> Call<'_> {
        self.call(api, operation, Effect::Read)
    }

    fn write(&self, kind: Kind, operation: &'static str) -> Call<'_> {
        self.call(Api::of(kind), operation, Effect::Write)
            .of_kind(kind)
    }

    /// Sends a call through the stack whose answer is whole or an error.
    async fn forward<'m, T: Send>(
        &self,
        call: Call<'_>,
        method: impl Fn() -> BoxFuture<'m, Result<T>> + Send + Sync,
    ) -> Result<T> {
        let method = &method;
        let whole = move || -> BoxFuture<'_, Result<Whole<T>>> {
            Box::pin(async move { method().await.map(Whole) })
        };
        self.forward_partial(call, whole).await.map(|whole| whole.0)
    }

    /// Sends a call through the stack. `method` may run several times; the answer of the last run
    /// that gave one is kept here, so that layers need not know its type. Of the errors inside it
    /// they are told.
    async fn forward_partial<'m, T: Partial + Send>(
        &self,
        call: Call<'_>,
        method: impl Fn() -> BoxFuture<'m, Result<T>> + Send + Sync,
    ) -> Result<T> {
        let answer = Mutex::new(None);
        let (slot, method) = (&answer, &method);
        let provider = move || -> BoxFuture<'_, Result<Flaws>> {
            Box::pin(async move {
                let value = method().await?;
                let flaws = value.flaws();
                *lock(slot) = Some(value);
                Ok(flaws)
            })
        };
        let next = Next {
            call: &call,
            rest: &self.stack,
            provider: &provider,
        };
        let result = next.run().await;
        let answer = lock(&answer).take();
        result.map_err(|error| call.name_in(error))?;
        let answer = answer.ok_or_else(|| {
            call.name_in(Error::new(
                ErrorKind::Internal,
                "a layer answered a call that it never made",
            ))
        })?;
        Ok(answer.map_errors(|error| told(&call, error)))
    }
}

/// An error inside an answer, as the caller is told it: with the call's name, and as "outcome
/// unknown" where the thing may have been done all the same.
fn told(call: &Call<'_>, error: Error) -> Error {
    let error = call.name_in(error);
    let open = may_have_happened(error.kind()) || call.has_lost_answer();
    if call.effect == Effect::Write && open {
        unknown_after(call.attempt(), error)
    } else {
        error
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Provider for Layered {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn site(&self) -> &Name {
        self.inner.site()
    }

    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    fn changes(&self) -> Changes {
        self.inner.changes()
    }

    fn meter(&self) -> String {
        self.inner.meter()
    }

    async fn identity(&self) -> Result<Identity> {
        let call = self.read(Api::Identity, "identity");
        self.forward(call, || self.inner.identity()).await
    }

    fn observe(&self) -> &dyn Observe {
        self
    }

    fn network(&self) -> &dyn Writes {
        self
    }

    fn compute(&self) -> &dyn Writes {
        self
    }

    fn storage(&self) -> &dyn Writes {
        self
    }

    fn machines(&self) -> Option<&dyn Machines> {
        self.inner.machines().map(|_| self as _)
    }

    fn attachment(&self) -> Option<&dyn Attachment> {
        self.inner.attachment().map(|_| self as _)
    }

    fn contents(&self) -> Option<&dyn Contents> {
        self.inner.contents().map(|_| self as _)
    }

    fn images(&self) -> Option<&dyn Images> {
        self.inner.images().map(|_| self as _)
    }

    fn offers(&self) -> Option<&dyn Offers> {
        self.inner.offers().map(|_| self as _)
    }

    fn permissions(&self) -> Option<&dyn Permissions> {
        self.inner.permissions().map(|_| self as _)
    }

    fn leases(&self) -> Option<&dyn Leases> {
        self.inner.leases().map(|_| self as &dyn Leases)
    }
}
