//! Emptying machines before they go.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use strat_model::Resource;
use strat_model::burst::Drain;

use crate::signals::{command, in_one_line};

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

/// How a machine is asked to empty itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hook {
    /// At this address.
    Http(String),
    /// By this program and its arguments.
    Command(String),
}

impl Hook {
    /// How a machine is asked, by a burst's settings: not at all, in some way, or in none that can be
    /// known, since it has no address.
    #[must_use]
    pub fn of(drain: &Drain, one: &Resource) -> Option<Option<Self>> {
        let ip = one.attributes.get("private_ip");
        let ip = ip.or_else(|| one.attributes.get("public_ip"));
        let filled = |text: &String| {
            let text = text.replace("{id}", one.id.as_str());
            match ip {
                Some(ip) => Some(text.replace("{ip}", ip)),
                None => (!text.contains("{ip}")).then_some(text),
            }
        };
        let http = drain.http.as_ref().map(|text| filled(text).map(Self::Http));
        let command = drain.command.as_ref();
        http.or_else(|| command.map(|text| filled(text).map(Self::Command)))
    }
}

/// Who asks machines to empty themselves.
#[async_trait]
pub trait Hooks: fmt::Debug + Send + Sync {
    /// Asks once; asking again is harmless.
    async fn drain(&self, hook: &Hook) -> Drained;
}

/// The exit code of a program that says: not yet (`EX_TEMPFAIL` of `sysexits.h`).
const NOT_YET: i32 = 75;

/// Asks by HTTP `POST`: a status of 202 says that there is work left, any other from 200 to 299 that
/// the machine is empty. Or by a program: it ends with 75 while there is work left, with 0 once the
/// machine is empty.
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
    async fn drain(&self, hook: &Hook) -> Drained {
        let url = match hook {
            Hook::Http(url) => url,
            Hook::Command(line) => {
                return match command::code(line, PATIENCE).await {
                    Ok(Some(0)) => Drained::Yes,
                    Ok(Some(NOT_YET)) => Drained::Working,
                    Ok(code) => Drained::Unknown(format!("it ended with {code:?}")),
                    Err(why) => Drained::Unknown(why),
                };
            }
        };
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
