//! Calls of the resource manager, one request each, and waiting for what it does after it has answered.
//!
//! Most calls that change something answer at once and say where to look (`Azure-AsyncOperation`, or
//! `Location`), and most of what can go wrong, such as a stock-out, is told there alone. So a call here
//! ends with its operation. A wait that takes too long ends as a time-out, whose outcome is unknown.
//!
//! <https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations>

use std::time::Duration;

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, IF_MATCH, IF_NONE_MATCH};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use strat_model::{Error, ErrorKind, Result};

use crate::error::{
    Said, if_there, lacking, of_answer, refuse, retry_after, unanswered, with_headers,
};
use crate::names::Type;
use crate::provider::AzureProvider;

/// How long an operation is waited for.
const WAIT_MAX: Duration = Duration::from_secs(900);
/// The shortest and the longest pause between two looks, where the answer names none.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// The shortest pause that an answer may ask for.
const PAUSE_MIN: Duration = Duration::from_millis(5);
/// The longest list that is followed, in pages: a bound against one that never ends.
const PAGES_MAX: usize = 10_000;

const OPERATION: &str = "azure-asyncoperation";
const LOCATION: &str = "location";

/// One call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The permission that it needs.
    action: &'static str,
    method: Method,
    path: String,
    version: &'static str,
    query: Vec<(&'static str, String)>,
    condition: Option<(HeaderName, String)>,
    body: Option<Value>,
}

impl Call {
    /// A call of a path. `action` is the permission that it needs.
    pub(crate) fn new(
        action: &'static str,
        method: Method,
        path: impl Into<String>,
        version: &'static str,
    ) -> Self {
        Self {
            action,
            method,
            path: path.into(),
            version,
            query: Vec::new(),
            condition: None,
            body: None,
        }
    }

    /// The same, with one more part of its query.
    pub(crate) fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.query.push((key, value.into()));
        self
    }

    /// The same, with a body.
    pub(crate) fn carrying(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// The same, which fails with `Precondition` where the thing is there already.
    pub(crate) fn create_only(mut self) -> Self {
        self.condition = Some((IF_NONE_MATCH, "*".to_owned()));
        self
    }

    /// The same, which fails with `Precondition` where the thing is not as it was read any more. One
    /// that was read without an entity tag is written without a condition.
    pub(crate) fn if_still(mut self, etag: Option<&str>) -> Self {
        self.condition = etag.map(|etag| (IF_MATCH, etag.to_owned()));
        self
    }
}

/// An answer that is a success.
#[derive(Debug)]
pub(crate) struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    /// What it says.
    pub(crate) fn read<T: DeserializeOwned>(&self, action: &str) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let message = format!("the answer to the call for {action} could not be read: {error}");
            with_headers(refuse(ErrorKind::Transient, message), &self.headers)
        })
    }

    fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name)?.to_str().ok().map(str::to_owned)
    }
}

/// What an operation says of itself.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Operation {
    status: String,
    error: Option<Said>,
}

/// What a thing says of its being made.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Provisioned {
    properties: ProvisionedProperties,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ProvisionedProperties {
    provisioning_state: Option<String>,
}

/// One page of a list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    #[serde(default = "Vec::new")]
    value: Vec<T>,
    next_link: Option<String>,
}

/// Whether a word for a state is one that stays.
fn is_final(state: &str) -> bool {
    let last = ["succeeded", "failed", "canceled", "cancelled"];
    last.contains(&state.to_ascii_lowercase().as_str())
}

impl AzureProvider {
    /// One call, one request; an answer that is no success is an error by the table of all errors.
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer> {
        let text = format!("{}{}", self.access.endpoint, call.path);
        let mut url = reqwest::Url::parse(&text).map_err(|error| {
            refuse(
                ErrorKind::Invalid,
                format!("`{text}` is no address: {error}"),
            )
        })?;
        url.query_pairs_mut()
            .append_pair("api-version", call.version)
            .extend_pairs(call.query.iter().map(|(key, value)| (*key, value.as_str())));
        self.request(
            call.action,
            &call.method,
            url,
            call.condition.as_ref(),
            call.body.as_ref(),
        )
        .await
    }

    async fn request(
        &self,
        action: &str,
        method: &Method,
        url: reqwest::Url,
        condition: Option<&(HeaderName, String)>,
        body: Option<&Value>,
    ) -> Result<Answer> {
        let mut request = self.access.http.request(method.clone(), url);
        request = request.bearer_auth(self.access.token().await?);
        if let Some((header, value)) = condition {
            request = request.header(header, value);
        }
        request = match body {
            Some(body) => request.json(body),
            // A `POST` without a length is refused by some of Azure's front doors.
            None if *method == Method::POST => request.body(""),
            None => request,
        };
        let answer = request.send().await.map_err(|error| unanswered(&error))?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.bytes().await.map_err(|error| unanswered(&error))?;
        match (200..300).contains(&status) {
            true => Ok(Answer {
                status,
                headers,
                body: body.to_vec(),
            }),
            false => Err(of_answer(action, status, &headers, &body)),
        }
    }

    /// A call whose work is done when this is.
    pub(crate) async fn done(&self, call: &Call) -> Result<()> {
        let answer = self.send(call).await?;
        self.settle(call, answer).await
    }

    /// Waits until what a call has begun is done, and tells what it failed with.
    pub(crate) async fn settle(&self, call: &Call, answer: Answer) -> Result<()> {
        let (operation, location) = (answer.header(OPERATION), answer.header(LOCATION));
        let mut watch = Watch {
            until: self.clock.moment().elapsed + WAIT_MAX,
            pause: PAUSES.0,
        };
        if let Some(url) = operation {
            watch.rest(self, &answer.headers).await?;
            return self.follow_operation(call, &url, watch).await;
        }
        if let Some(url) = location.filter(|_| answer.status == 202) {
            watch.rest(self, &answer.headers).await?;
            return self.follow_location(call, &url, watch).await;
        }
        match call.method == Method::PUT || call.method == Method::PATCH {
            true => self.follow_thing(call, answer, watch).await,
            false => Ok(()),
        }
    }

    async fn follow_operation(&self, call: &Call, url: &str, mut watch: Watch) -> Result<()> {
        let url = self.own_address(call.action, url)?;
        loop {
            let answer = self
                .request(call.action, &Method::GET, url.clone(), None, None)
                .await?;
            let said: Operation = answer.read(call.action)?;
            if is_final(&said.status) {
                return outcome(call, said).map_err(|error| with_headers(error, &answer.headers));
            }
            watch.rest(self, &answer.headers).await?;
        }
    }

    async fn follow_location(&self, call: &Call, url: &str, mut watch: Watch) -> Result<()> {
        let url = self.own_address(call.action, url)?;
        loop {
            let looked = self
                .request(call.action, &Method::GET, url.clone(), None, None)
                .await;
            let answer = match looked {
                // What was deleted has nothing to show for itself.
                Err(error)
                    if error.kind() == ErrorKind::NotFound && call.method == Method::DELETE =>
                {
                    return Ok(());
                }
                looked => looked?,
            };
            if answer.status != 202 {
                return Ok(());
            }
            watch.rest(self, &answer.headers).await?;
        }
    }

    /// Where no address says how far it is, the thing itself does.
    async fn follow_thing(&self, call: &Call, answer: Answer, mut watch: Watch) -> Result<()> {
        let mut answer = answer;
        loop {
            let thing: Provisioned = serde_json::from_slice(&answer.body).unwrap_or_default();
            match thing.properties.provisioning_state {
                Some(state) if !is_final(&state) => {}
                Some(state) if !state.eq_ignore_ascii_case("succeeded") => {
                    let said = Operation {
                        status: state,
                        error: None,
                    };
                    return outcome(call, said);
                }
                _ => return Ok(()),
            }
            watch.rest(self, &answer.headers).await?;
            let look = Call::new(call.action, Method::GET, call.path.clone(), call.version);
            answer = self.send(&look).await?;
        }
    }

    /// An address that an answer names, which is to be the resource manager's own: our token goes with
    /// the call.
    fn own_address(&self, action: &str, url: &str) -> Result<reqwest::Url> {
        let own = reqwest::Url::parse(&self.access.endpoint).ok();
        let own = own
            .as_ref()
            .and_then(reqwest::Url::host_str)
            .unwrap_or_default();
        let url = reqwest::Url::parse(url).map_err(|_| lacking(action, "address to look at"))?;
        let host = url.host_str().unwrap_or_default();
        let is_own = host == own || host.ends_with(&format!(".{own}"));
        match is_own && url.scheme() == "https" {
            true => Ok(url),
            false => Err(refuse(
                ErrorKind::Internal,
                format!(
                    "the answer to the call for {action} leads to {host}, which is not Azure's"
                ),
            )),
        }
    }

    /// One thing, if it is there.
    pub(crate) async fn find_one<T: DeserializeOwned>(&self, call: &Call) -> Result<Option<T>> {
        match if_there(self.send(call).await)? {
            Some(answer) => answer.read(call.action).map(Some),
            None => Ok(None),
        }
    }

    /// A whole list, page after page.
    pub(crate) async fn list_of<T: DeserializeOwned>(&self, call: &Call) -> Result<Vec<T>> {
        let mut answer = self.send(call).await?;
        let mut items = Vec::new();
        for _ in 0..PAGES_MAX {
            let page: Page<T> = answer.read(call.action)?;
            items.extend(page.value);
            let Some(next) = page.next_link.filter(|next| !next.is_empty()) else {
                return Ok(items);
            };
            let url = self.own_address(call.action, &next)?;
            answer = self
                .request(call.action, &Method::GET, url, None, None)
                .await?;
        }
        let message = format!("the list of {} did not end", call.path);
        Err(refuse(ErrorKind::Internal, message))
    }

    /// The subscription's path.
    pub(crate) fn subscription(&self) -> String {
        format!("/subscriptions/{}", self.settings.subscription)
    }

    /// The path of a resource group.
    pub(crate) fn group_path(&self, group: &str) -> String {
        format!("{}/resourceGroups/{group}", self.subscription())
    }

    /// The path of a thing.
    pub(crate) fn path(&self, of: Type, at: &crate::names::Place) -> String {
        let group = self.group_path(&at.group);
        format!("{group}/providers/{}/{}", of.path, at.name)
    }

    /// The path of all things of a type in the subscription.
    pub(crate) fn all_of(&self, of: Type) -> String {
        format!("{}/providers/{}", self.subscription(), of.path)
    }
}

/// How an operation ended.
fn outcome(call: &Call, said: Operation) -> Result<()> {
    if said.status.eq_ignore_ascii_case("succeeded") {
        return Ok(());
    }
    let why = said.error.unwrap_or_else(|| {
        let message = format!("what {} had begun ended as {}", call.action, said.status);
        Said::new(&said.status, message)
    });
    Err(why.into_error(call.action, 0))
}

/// How long something is still looked at, and how often.
#[derive(Debug)]
struct Watch {
    until: Duration,
    pause: Duration,
}

impl Watch {
    /// Waits until the next look.
    async fn rest(&mut self, provider: &AzureProvider, headers: &HeaderMap) -> Result<(), Error> {
        if provider.clock.moment().elapsed >= self.until {
            let message = format!("Azure is still busy after {} s", WAIT_MAX.as_secs());
            return Err(refuse(ErrorKind::Timeout, message));
        }
        let pause = match retry_after(headers) {
            Some(asked) => asked.clamp(PAUSE_MIN, WAIT_MAX),
            None => {
                let pause = self.pause;
                self.pause = (pause * 2).min(PAUSES.1);
                pause
            }
        };
        provider.clock.sleep(pause).await;
        Ok(())
    }
}
