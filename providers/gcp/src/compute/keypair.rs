//! Key pairs: entries of [the project's metadata](crate::metadata), since Google has no thing for them.
//!
//! The entry keeps the public key and the note. It lets nobody in by itself: a machine that names the
//! key pair gets the key in its own metadata, for the user that the site's `ssh_user` names.
//!
//! <https://cloud.google.com/compute/docs/connect/add-ssh-keys>

use serde::{Deserialize, Serialize};
use strat_model::{Field, KeypairSpec, Kind, Resource, ResourceId, Result, Spec};
use strat_provider::{Create, Update};

use crate::error::{gone, refuse};
use crate::metadata::{Entries, KEY};
use crate::notes::{Described as _, Note};
use crate::observe::{Found, Scan};
use crate::operations::Stamp;
use crate::provider::{GcpProvider, READY, Seen, made_by};

/// Where a note has the region that something global was made for.
const REGION: &str = "region";

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    public_key: String,
    #[serde(default)]
    note: Note,
}

impl Kept {
    fn write(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| {
            refuse(
                strat_model::ErrorKind::Internal,
                format!("no entry can be made: {error}"),
            )
        })
    }
}

fn entry(id: &str) -> String {
    format!("{KEY}{id}")
}

impl GcpProvider {
    pub(crate) async fn make_keypair(
        &self,
        request: Create<'_, KeypairSpec>,
        stamp: &Stamp,
    ) -> Result<Resource> {
        let (spec, key) = (request.spec, entry(request.name));
        let note = Note::of_new(request.name, request.mark, &spec.labels, &stamp.text())
            .with(REGION, self.settings.region.as_str());
        let kept = Kept {
            public_key: spec.public_key.clone(),
            note,
        };
        let text = kept.write()?;
        self.change_entries(Some(stamp), |before| {
            // Whatever has the name stays: whose it is is told below.
            if before.contains_key(&key) {
                return Ok(None);
            }
            let mut after = before.clone();
            after.insert(key.clone(), text.clone());
            Ok(Some(after))
        })
        .await?;
        let id = ResourceId::from(request.name);
        let there = self.get_keypair(&id).await?;
        made_by(
            stamp,
            there.ok_or_else(|| gone(Kind::Keypair, &id))?,
            request.mark,
        )
    }

    pub(crate) async fn change_keypair(
        &self,
        request: Update<'_, KeypairSpec>,
    ) -> Result<Resource> {
        let key = entry(request.id.as_str());
        let labels = request
            .fields
            .contains(&Field::Labels)
            .then_some(&request.spec.labels);
        self.change_entries(None, |before| {
            let text = before
                .get(&key)
                .ok_or_else(|| gone(Kind::Keypair, request.id))?;
            let mut kept = read(text);
            kept.note = kept.note.changed(request.mark, labels);
            let now = kept.write()?;
            let mut after = before.clone();
            Ok((after.insert(key.clone(), now.clone()) != Some(now)).then_some(after))
        })
        .await?;
        let seen = self.get_keypair(request.id).await?;
        seen.map(|seen| seen.resource)
            .ok_or_else(|| gone(Kind::Keypair, request.id))
    }

    pub(crate) async fn end_keypair(&self, id: &ResourceId) -> Result<()> {
        let key = entry(id.as_str());
        self.change_entries(None, |before| {
            let mut after = before.clone();
            Ok(after.remove(&key).map(|_| after))
        })
        .await
    }

    pub(crate) async fn get_keypair(&self, id: &ResourceId) -> Result<Option<Seen>> {
        let entries = self.entries().await?;
        let text = entries.get(&entry(id.as_str()));
        Ok(text.map(|text| report(id.as_str(), text)))
    }

    pub(crate) async fn scan_keypairs(&self, scan: Scan<'_>) -> Result<Found> {
        let entries: Entries = self.entries().await?;
        let keys = entries.iter();
        let keys = keys.filter_map(|(key, text)| Some((key.strip_prefix(KEY)?, text)));
        let wanted = |id: &str| match scan {
            Scan::Names(names) => names.iter().any(|name| name == id),
            Scan::List(_) | Scan::Addrs(_) => true,
        };
        let items = keys
            .filter(|(id, _)| wanted(id))
            .map(|(id, text)| report(id, text));
        Ok(Found {
            items: items.collect(),
            next: None,
        })
    }
}

/// What an entry says; one that somebody spoiled is a key of nobody.
fn read(text: &str) -> Kept {
    serde_json::from_str(text).unwrap_or_else(|_| Kept {
        public_key: text.to_owned(),
        note: Note::default(),
    })
}

fn report(name: &str, text: &str) -> Seen {
    let kept = read(text);
    let (id, mark) = (ResourceId::from(name), kept.note.mark());
    Seen {
        resource: Resource {
            witness: kept.note.witness(mark.as_ref(), &id, name),
            id,
            name: name.to_owned(),
            mark,
            state: READY,
            spec: Spec::Keypair(KeypairSpec {
                public_key: kept.public_key,
                labels: kept.note.labels,
            }),
            attributes: strat_model::Attributes::new(),
            created: None,
        },
        made: kept.note.made,
        region: kept.note.more.get(REGION).cloned(),
    }
}
