//! Emptying machines before they go.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::signals::in_one_line;

/// How long one question to a machine may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a machine said that was asked to empty itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drained {
    /// It is empty.
    Yes,
    /// It has work left.
    Working,
    /// It gave no answer that says either, and why.
    Unknown(String),
}

/// Who asks machines to empty themselves.
#[async_trait]
pub trait Hooks: fmt::Debug + Send + Sync {
    /// Asks once; asking again is harmless.
    async fn drain(&self, url: &str) -> Drained;
}

/// Asks by HTTP `POST`: a status of 202 says that there is work left, any other from 200 to 299 that
/// the machine is empty.
#[derive(Debug)]
pub struct NetHooks(reqwest::Client);

impl NetHooks {
    /// Asks with a client.
    #[must_use]
    pub fn new(http: reqwest::Client) -> Self {
        Self(http)
    }
}

#[async_trait]
impl Hooks for NetHooks {
    async fn drain(&self, url: &str) -> Drained {
        let asked = self.0.post(url).timeout(PATIENCE).send().await;
        match asked.map(|answer| answer.status()) {
            // RFC 9110, 15.3.3: taken, and not done yet.
            Ok(status) if status.as_u16() == 202 => Drained::Working,
            Ok(status) if status.is_success() => Drained::Yes,
            Ok(status) => Drained::Unknown(format!("HTTP status {}", status.as_u16())),
            Err(error) => Drained::Unknown(in_one_line(&error)),
        }
    }
}
