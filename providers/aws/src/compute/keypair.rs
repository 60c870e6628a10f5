//! Key pairs. A key pair's id here is its name: that is what an instance says of its own.

use aws_sdk_ec2::primitives::{Blob, DateTime};
use aws_sdk_ec2::types::{KeyPairInfo, ResourceType};
use jiff::Timestamp;
use strat_model::{
    Attributes, Field, KeypairSpec, Kind, Resource, ResourceId, ResourceState, Result, Spec,
    Witness,
};
use strat_provider::{Create, Update};

use crate::error::{failed, gone, unless_gone};
use crate::observe::{Found, Scan};
use crate::provider::AwsProvider;
use crate::tags::{self, Tags};
use crate::tokens::stamp;

/// A key pair as it is now, with the id that its tags hang on.
struct Seen {
    resource: Resource,
    tags: Tags,
    pair_id: String,
}

impl AwsProvider {
    pub(crate) async fn make_keypair(&self, request: Create<'_, KeypairSpec>) -> Result<Resource> {
        let (spec, token) = (request.spec, request.token);
        let stamp = stamp(token, request.name, &Spec::Keypair(spec.clone()));
        let tags = tags::of_new(request.name, request.mark, &spec.labels, Some(&stamp))?;
        let as_id = |_| ResourceId::from(request.name);
        if let Some(made) = self.replay(&stamp, as_id, Kind::Keypair).await? {
            return Ok(made);
        }
        let call = self
            .ec2()
            .import_key_pair()
            .key_name(request.name)
            .public_key_material(Blob::new(spec.public_key.as_bytes()))
            .tag_specifications(tags::specification(ResourceType::KeyPair, &tags));
        let answer = match call.send().await.map_err(failed("ec2:ImportKeyPair")) {
            Ok(answer) => answer,
            Err(error) => {
                let taken = self.after_taken(&stamp, as_id, Kind::Keypair, error);
                return taken.await;
            }
        };
        let pair_id = answer.key_pair_id().unwrap_or_default();
        self.tokens.made(&stamp, pair_id).await;
        let made = Resource {
            id: ResourceId::from(request.name),
            name: request.name.to_owned(),
            mark: Some(request.mark.clone()),
            witness: Witness::Held,
            state: ResourceState::Ready,
            spec: Spec::Keypair(spec.clone()),
            attributes: Attributes::new(),
            created: None,
        };
        self.recent.made(&made);
        Ok(made)
    }

    pub(crate) async fn change_keypair(
        &self,
        request: Update<'_, KeypairSpec>,
    ) -> Result<Resource> {
        let found = self.describe_keypairs(Scan::Ids(std::slice::from_ref(request.id)));
        let found = found.await?.into_iter().next();
        let mut seen = found.ok_or_else(|| gone(Kind::Keypair, request.id))?;
        let labels = request.fields.contains(&Field::Labels);
        let labels = labels.then_some(&request.spec.labels);
        let change = tags::change(&seen.tags, request.mark, labels)?;
        self.retag(&seen.pair_id, &change).await?;
        seen.resource.remark(tags::mark(&change.after));
        *seen.resource.spec.labels_mut() = tags::labels(&change.after);
        Ok(seen.resource)
    }

    pub(crate) async fn end_keypair(&self, id: &ResourceId) -> Result<()> {
        let call = self.ec2().delete_key_pair().key_name(id.as_str());
        let ended = call.send().await.map_err(failed("ec2:DeleteKeyPair"));
        unless_gone(ended.map(drop))?;
        self.recent.ended(Kind::Keypair, std::slice::from_ref(id));
        Ok(())
    }

    pub(crate) async fn scan_keypairs(&self, scan: Scan<'_>) -> Result<Found> {
        let seen = self.describe_keypairs(scan).await?;
        let items = seen.into_iter().map(|seen| seen.resource).collect();
        Ok(Found { items, next: None })
    }

    /// Key pairs come on one page, with their public keys.
    async fn describe_keypairs(&self, scan: Scan<'_>) -> Result<Vec<Seen>> {
        let call = self
            .ec2()
            .describe_key_pairs()
            .include_public_key(true)
            .set_filters(Some(scan.filters("key-name")));
        let answer = call.send().await.map_err(failed("ec2:DescribeKeyPairs"))?;
        Ok(answer.key_pairs().iter().filter_map(report).collect())
    }
}

fn report(pair: &KeyPairInfo) -> Option<Seen> {
    let tags = tags::read(pair.tags());
    let name = pair.key_name()?;
    // EC2 puts the name behind the key, as a comment.
    let key = pair
        .public_key()
        .unwrap_or_default()
        .split_whitespace()
        .take(2);
    let created = pair.create_time().map(DateTime::secs);
    let id = ResourceId::from(name);
    let mark = tags::mark(&tags);
    let resource = Resource {
        witness: Witness::by_mark(mark.as_ref(), &id),
        id,
        name: name.to_owned(),
        mark,
        state: ResourceState::Ready,
        spec: Spec::Keypair(KeypairSpec {
            public_key: key.collect::<Vec<_>>().join(" "),
            labels: tags::labels(&tags),
        }),
        attributes: Attributes::new(),
        created: created.and_then(|seconds| Timestamp::from_second(seconds).ok()),
    };
    Some(Seen {
        resource,
        tags,
        pair_id: pair.key_pair_id().unwrap_or(name).to_owned(),
    })
}
