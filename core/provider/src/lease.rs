//! Where a lease is kept: a register that is changed only by whoever saw what it held.

use std::fmt::{self, Debug};
use std::time::Duration;

use async_trait::async_trait;
use strat_model::{Digest, Result};

/// Under which a lease is kept, and the place that it guards.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseKey {
    digest: String,
    place: String,
}

impl LeaseKey {
    /// The key of the lease that guards what `owner` writes at `place`.
    #[must_use]
    pub fn of(owner: &str, place: &str) -> Self {
        let digest = Digest::of_parts(["lease", owner, place]);
        Self {
            digest: digest.as_str().chars().take(32).collect(),
            place: place.to_owned(),
        }
    }

    /// The key as text: 32 characters of `[0-9a-f]`, good in any store's names.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.digest
    }

    /// The place that it guards: one of [`Leases::places`].
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }
}

impl fmt::Display for LeaseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.digest)
    }
}

/// Sets one writing of a register apart from every other. Opaque: only its store reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseVersion(pub String);

/// What a register holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The text. Not always whole: a store may show a register before its text is written.
    pub text: String,
    /// Which writing it is of.
    pub version: LeaseVersion,
}

/// The most bytes that a text is long.
pub const LEASE_TEXT_MAX: usize = 4096;

/// A store of leases: for each key one small text, written on condition.
///
/// What the text says, who may take a lease and when, is the engine's: a store only compares and
/// sets. The four acts on a lease are one act here: taking it where nobody ever had it is
/// [`Leases::replace`] of nothing; renewing, releasing and taking over are `replace` of the version
/// that was seen. No text is ever written twice (each carries a nonce), so that a version made of
/// the content, such as an S3 `ETag`, never comes back.
#[async_trait]
pub trait Leases: Debug + Send + Sync {
    /// Where the writes land that are guarded by leases kept here, such as
    /// `aws/123456789012/eu-central-1`; several where each has a lease of its own, as hosts that may
    /// be a site together today and apart tomorrow. Sites that say the same share that lease.
    async fn places(&self) -> Result<Vec<String>>;

    /// What has to be made once before anything can be kept here, such as a bucket, in words for
    /// the plan; `None` where nothing is missing. One read.
    async fn missing(&self) -> Result<Option<String>> {
        Ok(None)
    }

    /// Makes what is [missing](Leases::missing). Made already is `Ok`.
    async fn make(&self) -> Result<()> {
        Ok(())
    }

    /// What is kept under a key; `None` where nothing ever was.
    ///
    /// # Behavior
    /// - May lag behind writes by [`Leases::lag`]; it never shows what nobody wrote.
    async fn read(&self, key: &LeaseKey) -> Result<Option<Kept>>;

    /// Keeps `text` under `key` if what is kept there is still of the version `seen`, or, with
    /// `None`, if nothing ever was. One atomic act, whoever else does the same.
    ///
    /// # Behavior
    /// - The condition is held against what is there, never against a copy that lags.
    /// - What is kept is never deleted, and an older version never counts as the newest again.
    ///
    /// # Errors
    /// `Precondition` if another version is there, and then nothing was changed; `NotFound` if what
    /// is [missing](Leases::missing) was not made.
    async fn replace(
        &self,
        key: &LeaseKey,
        text: &str,
        seen: Option<&LeaseVersion>,
    ) -> Result<LeaseVersion>;

    /// How long a holder may write after it renewed its lease, where the store says so.
    fn term(&self) -> Option<Duration> {
        None
    }

    /// How long a read may lag behind a write that was answered.
    fn lag(&self) -> Duration;

    /// Puts the store's conditions to the test with writes that must be refused, of the text that
    /// is kept anyway: where the store may be any server that speaks a protocol, some of which
    /// ignore conditions in silence. Called once for a key, by who has just taken the lease.
    ///
    /// Whether they were tested: `false` where the store is known to hold them.
    ///
    /// # Errors
    /// `Unsupported` if it does not, with the way out.
    async fn prove(&self, key: &LeaseKey, kept: &Kept) -> Result<bool>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_by_owner_and_place() {
        let keys = [
            ("shop", "aws/1/a"),
            ("shop", "aws/1/b"),
            ("shopa", "ws/1/a"),
        ];
        let keys = keys.map(|(owner, place)| LeaseKey::of(owner, place));
        assert!(keys[0] != keys[1] && keys[0] != keys[2]);
        for key in keys {
            let is_plain = key.as_str().bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(is_plain && key.as_str().len() == 32, "{key}");
        }
    }
}
