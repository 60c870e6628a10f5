//! Creating, once: idempotency, unique names, and the thing itself.

use std::sync::Arc;

use strat_model::{
    Attributes, Digest, Idempotency, Kind, Mark, Resource, ResourceId, Result, Spec, Token,
};

use super::Cloud;
use crate::Profile;
use crate::error::Trouble;
use crate::world::{Birth, Thing, TokenRecord, Tx, after};

/// A create of one thing or of a batch, as the rules see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) mark: &'a Mark,
    pub(crate) token: &'a Token,
}

impl Cloud {
    /// Makes one thing of any kind but a machine.
    pub(crate) fn create(
        &self,
        tx: &mut Tx<'_>,
        asked: &Spec<ResourceId>,
        name: &str,
        request: Request<'_>,
    ) -> Result<Resource> {
        let kind = asked.kind();
        self.check_kind(kind)?;
        self.check_name(kind, name)?;
        self.check_tags(request.mark, asked.labels())?;
        let digest = digest_of(asked, &[name]);
        if let Some(record) = self.replay(tx, kind, &digest, request.token)? {
            let first = record
                .ids
                .first()
                .and_then(|id| tx.region().remembered(kind, id));
            if let Some(thing) = first {
                return Ok(self.report(tx, thing));
            }
        }
        if let Some(thing) = self.same_name(tx, asked, name, &digest, request)? {
            return Ok(self.report(tx, &thing));
        }
        let (spec, attributes) = self.check_new(tx, asked, name)?;
        let thing = tx.make(
            spec,
            attributes,
            self.birth(tx, kind, name, &digest, request),
        );
        Ok(self.report(tx, &thing))
    }

    /// Checks a new thing by its kind's own rules: what it will be, and what it gets.
    fn check_new(
        &self,
        tx: &Tx<'_>,
        asked: &Spec<ResourceId>,
        name: &str,
    ) -> Result<(Spec<ResourceId>, Attributes)> {
        self.check_limits(tx, asked)?;
        let mut spec = asked.clone();
        let mut attributes = Attributes::new();
        match &mut spec {
            Spec::Network(network) => self.check_network(network)?,
            Spec::Subnet(subnet) => self.check_subnet(tx, subnet)?,
            Spec::Firewall(firewall) => {
                self.need(tx, Kind::Network, &firewall.network)?;
                self.check_rules(tx, firewall)?;
            }
            Spec::Address(address) => {
                address.attach = None;
                let ip = tx.public_ip(tx.region().record.next_serial);
                attributes.extend(ip.map(|ip| ("ip".to_owned(), ip)));
            }
            Spec::Keypair(keypair) => self.check_keypair(keypair)?,
            Spec::Image(image) => self.check_image(image)?,
            Spec::Volume(volume) => {
                volume.attach = None;
                self.check_volume(tx, volume)?;
            }
            Spec::Bucket(_) => {
                self.check_bucket(tx, name)?;
                attributes.insert("url".to_owned(), self.bucket_url(name));
            }
            Spec::Machine(_) => {
                return Err(self.fail(Trouble::CannotDo, "machines are made in batches"));
            }
        }
        Ok((spec, attributes))
    }

    /// What a new thing of this cloud starts from.
    pub(super) fn birth<'a>(
        &self,
        tx: &Tx<'_>,
        kind: Kind,
        name: &'a str,
        digest: &'a str,
        request: Request<'a>,
    ) -> Birth<'a> {
        Birth {
            name,
            mark: Some(request.mark),
            token: Some(request.token),
            request: digest,
            delay_ms: self.delay(kind, self.times(tx).create_ms),
            remembered_ms: self.token_window_ms(),
            lag_ms: self.times(tx).consistency_ms,
        }
    }

    fn token_window_ms(&self) -> Option<u64> {
        match self.capabilities.idempotency {
            Idempotency::Token { window_ms } => Some(window_ms),
            Idempotency::Name => None,
        }
    }

    /// What the same token led to before, where this cloud remembers tokens.
    pub(super) fn replay(
        &self,
        tx: &Tx<'_>,
        kind: Kind,
        digest: &str,
        token: &Token,
    ) -> Result<Option<TokenRecord>> {
        let Some(record) = tx.region().token(kind, token, tx.now) else {
            return Ok(None);
        };
        if record.request == digest {
            return Ok(Some(record));
        }
        let message = format!("the token {token} was used for another {kind} before");
        Err(self.fail(Trouble::TokenReused, message))
    }

    /// Remembers what the token of a batch led to, where this cloud does. Of a single thing
    /// [`Cloud::birth`] says it.
    pub(super) fn remember(
        &self,
        tx: &mut Tx<'_>,
        kind: Kind,
        digest: &str,
        token: &Token,
        ids: Vec<ResourceId>,
        shortfall: Option<crate::world::Shortfall>,
    ) {
        if let Some(window_ms) = self.token_window_ms() {
            let record = TokenRecord {
                request: digest.to_owned(),
                kind,
                ids,
                expires: after(tx.now, window_ms),
                shortfall,
            };
            tx.remember(token, record);
        }
    }

    /// What has the name already: the same thing where names make a repetition harmless, an error
    /// where the cloud wants names unique.
    pub(super) fn same_name(
        &self,
        tx: &Tx<'_>,
        asked: &Spec<ResourceId>,
        name: &str,
        digest: &str,
        request: Request<'_>,
    ) -> Result<Option<Arc<Thing>>> {
        let kind = asked.kind();
        if !self.profile().unique_names(kind) {
            return Ok(None);
        }
        let mut named = tx.region().named(kind, name);
        let Some(thing) = named.find(|thing| self.shares_names(&thing.spec, asked)) else {
            return Ok(None);
        };
        if !thing.is_wanted() {
            let message = format!("the {kind} `{name}` is still being deleted");
            return Err(self.fail(Trouble::NotReady, message));
        }
        let ours = thing
            .mark
            .as_ref()
            .is_some_and(|m| m.owner == request.mark.owner);
        if self.capabilities.idempotency == Idempotency::Name && ours {
            if thing.request == digest || is_already(&thing.spec, asked) {
                return Ok(Some(Arc::clone(thing)));
            }
            if thing.token.as_ref() == Some(request.token) {
                let message = format!("`{name}` was made by this request with another spec");
                return Err(self.fail(Trouble::TokenReused, message));
            }
        }
        let message = format!("there is a {kind} `{name}` already: {}", thing.id);
        Err(self.fail(Trouble::NameTaken, message))
    }

    /// Whether two things of a kind are in one space of names.
    fn shares_names(&self, one: &Spec<ResourceId>, other: &Spec<ResourceId>) -> bool {
        match (one, other) {
            (Spec::Subnet(one), Spec::Subnet(other)) => one.network == other.network,
            (Spec::Firewall(one), Spec::Firewall(other)) if self.profile() == Profile::Aws => {
                one.network == other.network
            }
            _ => true,
        }
    }
}

/// The digest of what was asked for.
pub(super) fn digest_of(asked: &Spec<ResourceId>, names: &[&str]) -> String {
    let spec = asked.digest();
    let parts = std::iter::once(spec.as_str()).chain(names.iter().copied());
    Digest::of_parts(parts).short().to_owned()
}

/// Whether a thing is what is asked for, made so by whatever request. What an attachment is
/// counts for nothing, and of a machine nobody can tell: its user data is not kept.
fn is_already(is: &Spec<ResourceId>, asked: &Spec<ResourceId>) -> bool {
    let unattached = |spec: &Spec<ResourceId>| {
        let mut spec = spec.clone();
        match &mut spec {
            Spec::Volume(volume) => volume.attach = None,
            Spec::Address(address) => address.attach = None,
            _ => {}
        }
        spec
    };
    is.kind() != Kind::Machine && unattached(is) == unattached(asked)
}
