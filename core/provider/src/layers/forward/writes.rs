//! Making, changing and deleting.

use async_trait::async_trait;
use strat_model::{Kind, Resource, ResourceId, Result};

use super::Layered;
use crate::provider::service_of;
use crate::{Create, Outcome, Update, Writes};

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Writes for Layered {
    async fn create(&self, request: Create<'_>) -> Result<Resource> {
        let kind = request.spec.kind();
        let call = self
            .write(kind, kind.operations().create)
            .at(&request.mark.addr);
        self.forward(call, || service_of(&*self.inner, kind).create(request))
            .await
    }

    async fn update(&self, request: Update<'_>) -> Result<Resource> {
        let kind = request.spec.kind();
        let call = self.write(kind, kind.operations().update).on(request.id);
        let call = match request.mark {
            Some(mark) => call.at(&mark.addr),
            None => call,
        };
        self.forward(call, || service_of(&*self.inner, kind).update(request))
            .await
    }

    async fn delete(&self, kind: Kind, ids: &[ResourceId]) -> Result<Vec<Outcome>> {
        let call = self
            .write(kind, kind.operations().delete)
            .batch(ids.len())
            .on_only(ids);
        self.forward_partial(call, || service_of(&*self.inner, kind).delete(kind, ids))
            .await
    }
}
