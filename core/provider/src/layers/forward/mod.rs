//! The one forwarder.
//!
//! The traits have no default methods, so the compiler refuses a [`Layered`] that forgets one:
//! a method that is added to the contract cannot slip past the layers.

mod compute;
mod images;
mod network;
mod reads;
mod storage;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::future::BoxFuture;
use strat_model::{Capabilities, Error, ErrorKind, Kind, Name, Result};

use super::{Api, Call, Effect, Layer, Next, lock};
use crate::{
    Compute, Identity, Images, Network, Observe, Offers, PermissionCheck, Provider, Storage,
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

    fn read(&self, api: Api, operation: &'static str) -> Call<'_> {
        Call::new(
            self.inner.name(),
            self.inner.site(),
            api,
            operation,
            Effect::Read,
        )
    }

    fn write(&self, api: Api, operation: &'static str, kind: Kind) -> Call<'_> {
        Call::new(
            self.inner.name(),
            self.inner.site(),
            api,
            operation,
            Effect::Write,
        )
        .of_kind(kind)
    }

    /// Sends a call through the stack. `method` may run several times; the answer of the last run
    /// that gave one is kept here, so that layers need not know its type.
    async fn forward<'m, T: Send>(
        &self,
        call: Call<'_>,
        method: impl Fn() -> BoxFuture<'m, Result<T>> + Send + Sync,
    ) -> Result<T> {
        let answer = Mutex::new(None);
        let (slot, method) = (&answer, &method);
        let provider = move || -> BoxFuture<'_, Result<()>> {
            Box::pin(async move {
                let value = method().await?;
                *lock(slot) = Some(value);
                Ok(())
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
        answer.ok_or_else(|| {
            call.name_in(Error::new(
                ErrorKind::Internal,
                "a layer answered a call that it never made",
            ))
        })
    }
}

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

    async fn identity(&self) -> Result<Identity> {
        let call = self.read(Api::Identity, "identity");
        self.forward(call, || self.inner.identity()).await
    }

    async fn check_permissions(&self) -> Result<Vec<PermissionCheck>> {
        let call = self.read(Api::Identity, "check_permissions");
        self.forward(call, || self.inner.check_permissions()).await
    }

    fn observe(&self) -> &dyn Observe {
        self
    }

    fn network(&self) -> &dyn Network {
        self
    }

    fn compute(&self) -> &dyn Compute {
        self
    }

    fn storage(&self) -> &dyn Storage {
        self
    }

    fn images(&self) -> &dyn Images {
        self
    }

    fn offers(&self) -> &dyn Offers {
        self
    }
}
