//! Leases: a text under a key, compared and set. How a cloud's conditions work is a setting.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strat_model::{Digest, Error, ErrorKind, Result};
use strat_provider::{Kept, LeaseKey, LeaseVersion, Leases};

use crate::provider::SimProvider;

/// How a cloud's conditional writes work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaseRule {
    /// Each writing has a number of its own, as GCS's generations are.
    Counter,
    /// A version is a digest of the content, as S3's `ETag` is: the same content again is the same
    /// version again.
    Digest,
    /// Conditions are taken and ignored, as some servers do that speak S3.
    Ignored,
    /// There are no leases.
    None,
}

/// What is kept under a key, and what lists show in its place for a while yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LeaseRecord {
    number: u64,
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stale: Option<StaleLease>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct StaleLease {
    until: Timestamp,
    /// `None`: as if nothing were there.
    number: Option<u64>,
    text: String,
}

impl LeaseRule {
    fn version(self, number: u64, text: &str) -> LeaseVersion {
        LeaseVersion(match self {
            Self::Digest => Digest::of(text.as_bytes()).as_str().to_owned(),
            Self::Counter | Self::Ignored | Self::None => number.to_string(),
        })
    }
}

#[async_trait]
impl Leases for SimProvider {
    async fn places(&self) -> Result<Vec<String>> {
        // As of a cloud whose account is known: no call.
        Ok(vec![format!("sim/{}", self.key())])
    }

    async fn read(&self, key: &LeaseKey) -> Result<Option<Kept>> {
        let rule = self.lease_rule();
        SimProvider::read(self, "read_lease", |_, tx| {
            let Some(record) = tx.region().record.leases.get(key.as_str()) else {
                return Ok(None);
            };
            let stale = record.stale.as_ref().filter(|stale| tx.now < stale.until);
            let (number, text) = match stale {
                Some(stale) => match stale.number {
                    None => return Ok(None),
                    Some(number) => (number, &stale.text),
                },
                None => (record.number, &record.text),
            };
            Ok(Some(Kept {
                version: rule.version(number, text),
                text: text.clone(),
            }))
        })
        .await
    }

    async fn replace(
        &self,
        key: &LeaseKey,
        text: &str,
        seen: Option<&LeaseVersion>,
    ) -> Result<LeaseVersion> {
        let (rule, lag_ms) = (self.lease_rule(), self.behaviour().lease_lag_ms);
        self.write("replace_lease", |_, tx| {
            let before = tx.region().record.leases.get(key.as_str()).cloned();
            let version = before
                .as_ref()
                .map(|record| rule.version(record.number, &record.text));
            if version.as_ref() != seen && rule != LeaseRule::Ignored {
                let message = "at least one of the pre-conditions you specified did not hold";
                return Err(
                    Error::new(ErrorKind::Precondition, message).with_code("PreconditionFailed")
                );
            }
            let stale = tx.lag(lag_ms).map(|until| StaleLease {
                until,
                number: before.as_ref().map(|record| record.number),
                text: before
                    .as_ref()
                    .map_or_else(String::new, |record| record.text.clone()),
            });
            let record = LeaseRecord {
                number: before.map_or(1, |record| record.number + 1),
                text: text.to_owned(),
                stale,
            };
            let version = rule.version(record.number, text);
            tx.change_record(|region| {
                region.leases.insert(key.as_str().to_owned(), record);
            });
            Ok(version)
        })
        .await
    }

    async fn prove(&self, key: &LeaseKey, kept: &Kept) -> Result<bool> {
        if self.behaviour().leases.is_none() {
            // The cloud's own. What a setting says may be any server.
            return Ok(false);
        }
        for seen in [None, Some(LeaseVersion("never".to_owned()))] {
            match self.replace(key, &kept.text, seen.as_ref()).await {
                Err(error) if error.kind() == ErrorKind::Precondition => {}
                Err(error) => return Err(error),
                Ok(_) => {
                    let message = "this cloud takes conditions of writes and ignores them";
                    return Err(Error::new(ErrorKind::Unsupported, message));
                }
            }
        }
        Ok(true)
    }

    fn term(&self) -> Option<Duration> {
        self.behaviour().lease_term_ms.map(Duration::from_millis)
    }

    fn lag(&self) -> Duration {
        Duration::from_millis(self.behaviour().lease_lag_ms)
    }
}
