//! Key pairs: public keys that Azure keeps. A machine is given the key itself, so one that is deleted
//! later takes nothing from it.

use reqwest::Method;
use serde_json::json;
use strat_model::{
    Attributes, Field, KeypairSpec, Kind, Resource, ResourceId, ResourceState, Result, Spec,
};
use strat_provider::{Create, Stamp, Update};

use crate::arm::Call;
use crate::error::gone;
use crate::names::{KEY, Place};
use crate::provider::{AzureProvider, Seen};
use crate::tags::{self, MADE};
use crate::wire::{Key, Thing};

const READ: &str = "Microsoft.Compute/sshPublicKeys/read";
const WRITE: &str = "Microsoft.Compute/sshPublicKeys/write";
const DELETE: &str = "Microsoft.Compute/sshPublicKeys/delete";

impl AzureProvider {
    pub(crate) async fn make_keypair(
        &self,
        request: Create<'_, KeypairSpec>,
        stamp: &Stamp,
    ) -> Result<Resource> {
        let spec = request.spec;
        let ground = self.ground(request.name, request.mark, &spec.labels, stamp);
        let (at, tags) = ground.await?;
        let body = json!({
            "location": self.settings.region,
            "tags": tags,
            "properties": { "publicKey": spec.public_key },
        });
        let put = Call::new(WRITE, Method::PUT, self.path(KEY, &at), KEY.version).carrying(body);
        self.make((Kind::Keypair, &at.id()), request.mark, stamp, &put)
            .await
    }

    pub(crate) async fn change_keypair(
        &self,
        request: Update<'_, KeypairSpec>,
    ) -> Result<Resource> {
        let missing = || gone(Kind::Keypair, request.id);
        let at = Place::of_id(request.id).ok_or_else(missing)?;
        let key = self.read_key(&at).await?.ok_or_else(missing)?;
        let labels = request.fields.contains(&Field::Labels);
        let labels = labels.then_some(&request.spec.labels);
        self.retag((KEY, &at), &key.tags, request.mark, labels)
            .await?;
        let seen = self.get_keypair(request.id).await?;
        seen.map(|seen| seen.resource).ok_or_else(missing)
    }

    pub(crate) async fn end_keypair(&self, id: &ResourceId) -> Result<()> {
        match Place::of_id(id) {
            Some(at) => self.end(DELETE, KEY, &at).await,
            None => Ok(()),
        }
    }

    async fn read_key(&self, at: &Place) -> Result<Option<Thing<Key>>> {
        let call = Call::new(READ, Method::GET, self.path(KEY, at), KEY.version);
        self.find_one(&call).await
    }

    pub(crate) async fn get_keypair(&self, id: &ResourceId) -> Result<Option<Seen>> {
        let Some(at) = Place::of_id(id) else {
            return Ok(None);
        };
        let key = self.read_key(&at).await?;
        Ok(key.and_then(|key| self.report_keypair(&key)))
    }

    pub(crate) async fn scan_keypairs(&self) -> Result<Vec<Seen>> {
        let call = Call::new(READ, Method::GET, self.all_of(KEY), KEY.version);
        let mut all: Vec<Thing<Key>> = self.list_of(&call).await?;
        all.retain(|one| self.is_here(&one.location));
        Ok(all
            .iter()
            .filter_map(|key| self.report_keypair(key))
            .collect())
    }

    fn report_keypair(&self, key: &Thing<Key>) -> Option<Seen> {
        let id = Place::of_path(&key.id)?.id();
        let mark = tags::mark(&key.tags);
        Some(Seen {
            made: tags::get(&key.tags, MADE),
            resource: Resource {
                witness: tags::witness(&key.tags, mark.as_ref(), &id, &self.self_of(&id)),
                id,
                name: key.name.clone(),
                mark,
                state: ResourceState::Ready,
                spec: Spec::Keypair(KeypairSpec {
                    public_key: key.properties.public_key.clone().unwrap_or_default(),
                    labels: tags::labels(&key.tags),
                }),
                attributes: Attributes::new(),
                created: None,
            },
        })
    }
}
