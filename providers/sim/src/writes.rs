//! Making, changing and deleting things: every call goes the way of all calls.

use async_trait::async_trait;
use strat_model::{Kind, Resource, ResourceId, Result, Spec};
use strat_provider::{Create, CreateMachines, Machines, Outcome, Update, Writes};

use crate::provider::SimProvider;
use crate::rules::{Change, Request};

#[async_trait]
impl Writes for SimProvider {
    async fn create(&self, request: Create<'_>) -> Result<Resource> {
        let Create {
            spec,
            name,
            mark,
            token,
        } = request;
        if let Spec::Machine(spec) = spec {
            let name = [name.to_owned()];
            let one = CreateMachines::one(request.of(spec), &name);
            return self.create_machines(one).await?.into_one();
        }
        self.write(spec.kind().operations().create, move |cloud, tx| {
            cloud.create(tx, spec, name, Request { mark, token })
        })
        .await
    }

    async fn update(&self, request: Update<'_>) -> Result<Resource> {
        let Update {
            id,
            spec,
            fields,
            mark,
        } = request;
        self.write(spec.kind().operations().update, move |cloud, tx| {
            cloud.update(tx, id, Change { spec, fields, mark })
        })
        .await
    }

    async fn delete(&self, kind: Kind, ids: &[ResourceId]) -> Result<Vec<Outcome>> {
        let operation = kind.operations().delete;
        if kind == Kind::Machine {
            return self
                .write(operation, |cloud, tx| cloud.delete_machines(tx, ids))
                .await;
        }
        // As in the clouds, each is a call of its own.
        let one = |id| self.write(operation, move |cloud, tx| cloud.delete(tx, kind, id));
        Ok(Outcome::of_each(ids, one).await)
    }
}
