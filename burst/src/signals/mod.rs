//! Where the numbers come from: Prometheus, an address that answers with a number, a command that
//! prints one.
//!
//! A query that starts with `http://` or `https://` is an address, with a JSON pointer after `#` where
//! the answer is JSON; one that starts with `exec ` is a program with its arguments; all others are for
//! Prometheus. Whatever goes wrong is a missing value with the reason beside it, and never zero.

pub(crate) mod command;
mod prometheus;
mod web;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use strat_burst_policy::{Reading, Sample};
use strat_model::burst::Signal;

pub use prometheus::{Prometheus, PrometheusError};

/// How long one query may take.
const DEADLINE: Duration = Duration::from_secs(10);
/// The most of an answer that is read, in bytes: a number is short.
const ANSWER_MAX: usize = 1 << 20;

/// What a query gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The value, and when it was measured.
    pub sample: Sample,
    /// Why there is none, for people.
    pub why: Option<String>,
}

impl Measured {
    /// A value.
    #[must_use]
    pub fn of(value: f64, at: Timestamp) -> Self {
        Self {
            sample: Sample {
                value: Reading::of(value),
                at,
            },
            why: None,
        }
    }

    /// None, and why.
    #[must_use]
    pub fn nothing(at: Timestamp, why: impl Into<String>) -> Self {
        Self {
            sample: Sample {
                value: Reading::Nothing,
                at,
            },
            why: Some(why.into()),
        }
    }
}

/// Who measures signals.
#[async_trait]
pub trait Measure: fmt::Debug + Send + Sync {
    /// The value of a signal now. What goes wrong is a missing value.
    async fn measure(&self, burst: &str, signal: &Signal, now: Timestamp) -> Measured;

    /// What a signal was, at so many steps until now, where that can still be asked for.
    async fn history(&self, signal: &Signal, step_s: u64, steps: usize, now: Timestamp) -> Past;
}

/// What a signal was.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Past {
    /// One value a step, oldest first; `None` where it is not known. Empty if nobody can be asked.
    pub values: Vec<Option<f64>>,
    /// What went wrong first, where something did.
    pub why: Option<String>,
}

/// A secret that is shown to nobody but the server that asks for it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A secret text; surrounding space is no part of it.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// The first line of a file.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(path: &Path) -> std::io::Result<Self> {
        let text = std::fs::read_to_string(path)?;
        Ok(Self::new(text.lines().next().unwrap_or_default()))
    }

    /// The text.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Measures over the network and by programs of this machine.
#[derive(Debug)]
pub struct Signals {
    prometheus: Option<Prometheus>,
    http: reqwest::Client,
    /// What addresses are asked with, by the signal's name.
    tokens: BTreeMap<String, Secret>,
}

impl Signals {
    /// Signals of a Prometheus, if there is one, and of whatever the queries name.
    #[must_use]
    pub fn new(
        prometheus: Option<Prometheus>,
        http: reqwest::Client,
        tokens: BTreeMap<String, Secret>,
    ) -> Self {
        Self {
            prometheus,
            http,
            tokens,
        }
    }
}

/// A client for what is asked over HTTP: it follows no redirect, since a token would go with it.
///
/// # Errors
/// If there is no client, in words.
pub fn http_client() -> Result<reqwest::Client, String> {
    // Another part of the program may have chosen already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(DEADLINE)
        .user_agent(concat!("strat-burst/", env!("CARGO_PKG_VERSION")));
    client.build().map_err(|error| in_one_line(&error))
}

#[async_trait]
impl Measure for Signals {
    async fn measure(&self, _burst: &str, signal: &Signal, now: Timestamp) -> Measured {
        let query = signal.query.trim();
        let asking = async {
            if let Some(line) = query.strip_prefix("exec ") {
                command::number(line, DEADLINE)
                    .await
                    .map(|value| (value, now))
            } else if query.starts_with("http://") || query.starts_with("https://") {
                let token = self.tokens.get(&signal.name);
                web::number(&self.http, query, token)
                    .await
                    .map(|value| (value, now))
            } else {
                match &self.prometheus {
                    Some(prometheus) => prometheus.value(query, now).await,
                    None => Err("no Prometheus is named to ask".to_owned()),
                }
            }
        };
        match tokio::time::timeout(DEADLINE + Duration::from_secs(1), asking).await {
            Ok(Ok((value, at))) => Measured::of(value, at),
            Ok(Err(why)) => Measured::nothing(now, why),
            Err(_) => Measured::nothing(now, format!("no answer in {} s", DEADLINE.as_secs())),
        }
    }

    async fn history(&self, signal: &Signal, step_s: u64, steps: usize, now: Timestamp) -> Past {
        let query = signal.query.trim();
        let other = query.contains("://") || query.starts_with("exec ");
        match &self.prometheus {
            Some(prometheus) if !other => prometheus.past(query, step_s, steps, now).await,
            Some(_) => Past::default(),
            None => Past {
                why: Some("no Prometheus is named to ask".to_owned()),
                ..Past::default()
            },
        }
    }
}

/// An error and what lies under it, in one line, without the address: that may hold a secret.
pub(crate) fn in_one_line(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = match error.downcast_ref::<reqwest::Error>() {
        Some(error) => what_of(error).to_owned(),
        None => error.to_string(),
    };
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        next = cause.source();
    }
    text
}

/// What went wrong with a request, without its address.
fn what_of(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else if error.is_builder() {
        "the address is none"
    } else if error.is_decode() {
        "the answer cannot be read"
    } else {
        "the request failed"
    }
}

/// A number that stands alone in a text.
fn number_of(text: &str) -> Result<f64, String> {
    let text = text.trim();
    // `f64` reads `NaN` and `inf` too; the policy tells those apart from what is missing.
    let excerpt: String = text.chars().take(40).collect();
    text.parse()
        .map_err(|_| format!("`{}` is no number", excerpt.escape_debug()))
}
