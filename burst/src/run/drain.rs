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

/// What a spot machine says of whether its cloud takes it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// It does.
    Given,
    /// It does not.
    None,
    /// It gave no answer that says either, and why.
    Unknown(String),
}

/// Who asks machines: to empty themselves, and whether their clouds take them back.
#[async_trait]
pub trait Hooks: fmt::Debug + Send + Sync {
    /// Asks once; asking again is harmless.
    async fn drain(&self, hook: &Hook) -> Drained;

    /// Asks a spot machine, at an address of its own.
    async fn notice(&self, url: &str) -> Notice;
}

/// Reads what a machine passes on of what its cloud tells it, inside of it alone.
///
/// - AWS: `spot/instance-action` of the metadata is there once the machine is to be stopped or ended, and
///   answered with 404 before:
///   <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html>
/// - Google: `instance/preempted` is `TRUE` or `FALSE`:
///   <https://cloud.google.com/compute/docs/instances/create-use-preemptible>
/// - Azure: the scheduled events have one of the type `Preempt`:
///   <https://learn.microsoft.com/en-us/azure/virtual-machines/linux/scheduled-events>
fn notice_of(status: u16, body: &str) -> Notice {
    let body = body.trim();
    if let Ok(json) = serde_json::from_str::<serde_json::Value>(body)
        && let Some(events) = json.get("Events").and_then(|events| events.as_array())
    {
        let preempts = events.iter().any(|event| event["EventType"] == "Preempt");
        return if preempts {
            Notice::Given
        } else {
            Notice::None
        };
    }
    match status {
        404 | 204 => Notice::None,
        200 if body.eq_ignore_ascii_case("false") => Notice::None,
        200 => Notice::Given,
        status => Notice::Unknown(format!("HTTP status {status}")),
    }
}

/// The most that is read of what a machine says of that, in bytes.
const NOTICE_MAX: usize = 64 << 10;

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
    async fn notice(&self, url: &str) -> Notice {
        let asked = self.0.get(url).timeout(PATIENCE).send().await;
        let mut answer = match asked {
            Ok(answer) => answer,
            Err(error) => return Notice::Unknown(in_one_line(&error)),
        };
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= NOTICE_MAX => {
                    body.extend_from_slice(&chunk);
                }
                Ok(Some(_)) => return Notice::Unknown("it says too much".to_owned()),
                Ok(None) => return notice_of(status, &String::from_utf8_lossy(&body)),
                Err(error) => return Notice::Unknown(in_one_line(&error)),
            }
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_what_each_cloud_says() {
        let action = r#"{"action": "terminate", "time": "2026-11-30T08:22:00Z"}"#;
        let event = |kind: &str| format!(r#"{{"Events": [{{"EventType": "{kind}"}}]}}"#);
        for (status, body, given) in [
            (200, action, true),
            (404, "<html>404 - Not Found</html>", false),
            (204, "", false),
            (200, "TRUE\n", true),
            (200, "FALSE\n", false),
            (200, &event("Preempt"), true),
            (200, &event("Reboot"), false),
            (200, r#"{"Events": []}"#, false),
        ] {
            let said = notice_of(status, body);
            let expected = if given { Notice::Given } else { Notice::None };
            assert_eq!(said, expected, "{status} {body}");
        }
        assert!(matches!(notice_of(500, "TRUE"), Notice::Unknown(_)));
    }
}
