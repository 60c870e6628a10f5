//! Key pairs: documents, which go into the seeds of new machines.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strat_model::{
    Attributes, ErrorKind, Field, KeypairSpec, Kind, Resource, ResourceId, ResourceState, Result,
    Spec,
};

use crate::error::{fail, missing};
use crate::provider::{OwnedCreate, OwnedUpdate};
use crate::site::{Site, check_fields};
use crate::thing::{Phase, Thing};

/// What is kept of a key pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeypairBody {
    pub(crate) public_key: String,
}

impl Site {
    pub(crate) fn create_keypair(&self, request: &OwnedCreate<KeypairSpec>) -> Result<Resource> {
        let spec = Spec::Keypair(request.spec.clone());
        let digest = request.digest(&spec);
        let birth = request.birth(Kind::Keypair, &spec, &digest, self.now());
        check_key(&request.spec.public_key)?;
        let thing = match self.keypair_things()?.remove(&request.name) {
            Some(thing) => {
                thing.check_repeated(birth)?;
                thing
            }
            None => Thing::new(
                birth,
                Phase::Made,
                KeypairBody {
                    public_key: request.spec.public_key.clone(),
                },
            ),
        };
        self.put_keypair(&thing)
    }

    pub(crate) fn update_keypair(&self, request: &OwnedUpdate<KeypairSpec>) -> Result<Resource> {
        check_fields(&self.live, Kind::Keypair, &request.fields)?;
        let mut thing = self.need_keypair(&request.id)?;
        thing.set_mark(request.mark.as_ref());
        if request.fields.contains(&Field::Labels) {
            thing.labels.clone_from(&request.spec.labels);
        }
        self.put_keypair(&thing)
    }

    fn put_keypair(&self, thing: &Thing<KeypairBody>) -> Result<Resource> {
        self.each(|host| self.on_shelf(host, Kind::Keypair, |shelf| shelf.put(thing)))?;
        Ok(keypair_of(thing))
    }

    pub(crate) fn delete_keypair(&self, id: &ResourceId) -> Result<()> {
        self.each(|host| self.on_shelf(host, Kind::Keypair, |shelf| shelf.remove(id.as_str())))?;
        Ok(())
    }

    pub(crate) fn list_keypairs(&self) -> Result<Vec<Resource>> {
        Ok(self.keypair_things()?.values().map(keypair_of).collect())
    }

    /// The key pair of an id.
    pub(super) fn need_keypair(&self, id: &ResourceId) -> Result<Thing<KeypairBody>> {
        self.keypair_things()?
            .remove(id.as_str())
            .ok_or_else(|| missing(format!("key pair {id}")))
    }

    fn keypair_things(&self) -> Result<BTreeMap<String, Thing<KeypairBody>>> {
        self.documents(Kind::Keypair)
    }
}

fn check_key(key: &str) -> Result<()> {
    let words: Vec<_> = key.split_whitespace().collect();
    let known = ["ssh-", "ecdsa-", "sk-"]
        .iter()
        .any(|prefix| key.starts_with(prefix));
    if known && words.len() == 2 {
        return Ok(());
    }
    let message = "the key is not in OpenSSH's one-line form without a comment";
    Err(fail(ErrorKind::Invalid, message))
}

fn keypair_of(thing: &Thing<KeypairBody>) -> Resource {
    Resource {
        id: ResourceId::from(&thing.name),
        name: thing.name.clone(),
        mark: thing.mark(),
        witness: thing.witness(),
        state: ResourceState::Ready,
        spec: Spec::Keypair(KeypairSpec {
            public_key: thing.body.public_key.clone(),
            labels: thing.labels.clone(),
        }),
        attributes: Attributes::new(),
        created: Some(thing.created),
    }
}
