//! Who a caller is: tokens that are given out, and whom they let in where a test asks for that.
//!
//! The signature of a token that a service account signed itself is not checked here: a test has
//! Google's own library do that.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::Gce;
use crate::refusal::Refusal;
use crate::server::{Answer, Received, body_of};
use crate::text;

/// What there is of identities.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    /// Who may call, by project; nobody is asked where it is empty.
    let_in: BTreeMap<String, BTreeSet<String>>,
    /// The tokens that were given out, and whose they are.
    given: BTreeMap<String, String>,
}

impl Identities {
    /// A new token of somebody.
    fn give(&mut self, principal: &str) -> String {
        let token = format!("ya29.double-{}", self.given.len());
        self.given.insert(token.clone(), principal.to_owned());
        token
    }

    /// Whose the token of a call is.
    fn who(&self, asked: &Received, now: Timestamp) -> Option<String> {
        let token = asked.authorization.as_deref()?.strip_prefix("Bearer ")?;
        let own = || signed_itself(token, now);
        self.given.get(token).cloned().or_else(own)
    }
}

/// The service account that signed a token itself, which counts for an hour at most.
/// <https://developers.google.com/identity/protocols/oauth2/service-account#jwt-auth>
fn signed_itself(token: &str, now: Timestamp) -> Option<String> {
    let parts: Vec<&str> = token.split('.').collect();
    let [head, claims, signature] = parts.as_slice() else {
        return None;
    };
    let read = |part: &str| -> Option<Value> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
    };
    let (head, claims) = (read(head)?, read(claims)?);
    let (from, until) = (claims["iat"].as_i64()?, claims["exp"].as_i64()?);
    let now = now.as_second();
    let is_now = from <= now && now < until && until - from <= 3_660;
    let is_for_all = claims["scope"]
        .as_str()
        .is_some_and(|scope| scope == "https://www.googleapis.com/auth/cloud-platform");
    let is_whole = head["alg"] == "RS256" && !signature.is_empty();
    let account = claims["iss"]
        .as_str()
        .filter(|_| claims["iss"] == claims["sub"])?;
    (is_now && is_for_all && is_whole).then(|| account.to_owned())
}

impl Gce {
    /// From now on calls about a project are answered for these alone: service accounts by their
    /// address, `user` for whoever has a refresh token, `subject` for whoever was sent by another
    /// provider of identities, `machine` for the machine's own.
    pub fn let_in(&self, project: &str, principals: &[&str]) {
        let all = principals.iter().map(|one| (*one).to_owned()).collect();
        self.world()
            .identities
            .let_in
            .insert(project.to_owned(), all);
    }

    /// Refuses a call whose caller is nobody who was let in.
    /// <https://cloud.google.com/apis/design/errors#http_mapping>
    pub(crate) fn check_caller(&self, asked: &Received) -> Result<(), Answer> {
        let world = self.world();
        let identities = &world.identities;
        if identities.let_in.is_empty() {
            return Ok(());
        }
        let Some(who) = identities.who(asked, world.now) else {
            let message = "Request had invalid authentication credentials. Expected OAuth 2 access \
                           token, login cookie or other valid authentication credential.";
            let mut refusal = Refusal::new(401, "authError", message);
            refusal.newer = Some(("UNAUTHENTICATED", json!([])));
            return Err(Answer::from(Err(refusal)));
        };
        let mut words = asked.path.split('/');
        let project = words
            .find(|word| *word == "projects")
            .and_then(|_| words.next());
        let project = project.map(|project| project.trim_end_matches(":testIamPermissions"));
        let all = project.and_then(|project| identities.let_in.get(project));
        match all.is_some_and(|all| !all.contains(&who)) {
            true => {
                let what = project.unwrap_or_default();
                let message =
                    format!("Required 'compute.projects.get' permission for 'projects/{what}'");
                Err(Answer::from(Err(Refusal::new(403, "forbidden", message))))
            }
            false => Ok(()),
        }
    }
}

/// The services that give out tokens.
pub(crate) fn answer(gce: &Gce, asked: &Received) -> Option<(String, Answer)> {
    let (id, answer) = match (asked.http.as_str(), asked.path.as_str()) {
        ("POST", "/token") => ("oauth2.token", of_refresh(gce, asked)),
        ("POST", "/v1/token") => ("sts.token", of_exchange(gce, asked)),
        ("GET", path) if path.starts_with(MACHINE) => {
            ("metadata.token", of_machine(gce, asked, path))
        }
        ("POST", path) => {
            let rest = path.strip_prefix("/v1/projects/-/serviceAccounts/")?;
            let account = rest.strip_suffix(":generateAccessToken")?;
            (
                "iamcredentials.generateAccessToken",
                of_account(gce, asked, account),
            )
        }
        _ => return None,
    };
    let answer = match answer {
        Ok(body) => Answer::json(200, &body),
        Err(refusal) => refusal,
    };
    Some((id.to_owned(), answer))
}

/// The error of the services that speak OAuth. <https://www.rfc-editor.org/rfc/rfc6749#section-5.2>
fn grant(error: &str, description: &str) -> Answer {
    Answer::json(
        400,
        &json!({ "error": error, "error_description": description }),
    )
}

fn form(asked: &Received) -> BTreeMap<String, String> {
    text::pairs(&String::from_utf8_lossy(&asked.body))
        .into_iter()
        .collect()
}

/// A user's token for a refresh token. <https://developers.google.com/identity/protocols/oauth2/web-server#offline>
fn of_refresh(gce: &Gce, asked: &Received) -> Result<Value, Answer> {
    let json = body_of(asked).ok().flatten();
    let form = form(asked);
    let said = |name: &str| match &json {
        Some(json) => json[name].as_str().map(str::to_owned),
        None => form.get(name).cloned(),
    };
    let has = |name: &str| said(name).is_some_and(|value| !value.is_empty());
    if said("grant_type").as_deref() != Some("refresh_token") {
        return Err(grant("unsupported_grant_type", "Invalid grant_type"));
    }
    if said("refresh_token").as_deref() != Some(crate::REFRESH) || !has("client_id") {
        return Err(grant("invalid_grant", "Token has been expired or revoked."));
    }
    let token = gce.world().identities.give("user");
    Ok(json!({ "access_token": token, "expires_in": 3_599, "token_type": "Bearer" }))
}

/// A token for one of another provider of identities. <https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token>
fn of_exchange(gce: &Gce, asked: &Received) -> Result<Value, Answer> {
    let form = form(asked);
    let is = |name: &str, value: &str| form.get(name).is_some_and(|said| said == value);
    let exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    let access = "urn:ietf:params:oauth:token-type:access_token";
    if !is("grant_type", exchange) || !is("requested_token_type", access) {
        return Err(grant(
            "invalid_request",
            "Invalid value for \"grant_type\".",
        ));
    }
    let pool = form.get("audience").map_or("", String::as_str);
    if !pool.starts_with("//iam.googleapis.com/") || !form.contains_key("subject_token_type") {
        return Err(grant(
            "invalid_target",
            "The target service indicated by the \"audience\" \
                                            parameters is invalid.",
        ));
    }
    if !is("subject_token", crate::SUBJECT) {
        return Err(grant("invalid_grant", "The subject token is not valid."));
    }
    let token = gce.world().identities.give("subject");
    Ok(json!({
        "access_token": token, "expires_in": 3_599, "token_type": "Bearer",
        "issued_token_type": access,
    }))
}

/// What begins the paths of a machine's own service account.
const MACHINE: &str = "/computeMetadata/v1/instance/service-accounts/default/";

/// The token of a machine's own service account. <https://cloud.google.com/compute/docs/access/authenticate-workloads>
fn of_machine(gce: &Gce, asked: &Received, path: &str) -> Result<Value, Answer> {
    if path != format!("{MACHINE}token") || asked.flavor.as_deref() != Some("Google") {
        return Err(Answer::json(403, &Value::Null));
    }
    let token = gce.world().identities.give("machine");
    Ok(json!({ "access_token": token, "expires_in": 3_599, "token_type": "Bearer" }))
}

/// A service account's token for whoever may act as it. <https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken>
fn of_account(gce: &Gce, asked: &Received, account: &str) -> Result<Value, Answer> {
    const NEEDED: &str = "iam.serviceAccounts.getAccessToken";
    let world = &mut *gce.world();
    let refuse = |code, reason, status, message: String| {
        let mut refusal = Refusal::new(code, reason, message);
        refusal.newer = Some((status, json!([])));
        Answer::from(Err(refusal))
    };
    if world.identities.who(asked, world.now).is_none() {
        let message = "Request had invalid authentication credentials.".to_owned();
        return Err(refuse(401, "authError", "UNAUTHENTICATED", message));
    }
    if !world.arranged.has(NEEDED) {
        let message = format!("Permission '{NEEDED}' denied on resource (or it may not exist).");
        return Err(refuse(403, "forbidden", "PERMISSION_DENIED", message));
    }
    let body = body_of(asked).ok().flatten().unwrap_or_default();
    if body["scope"].as_array().is_none_or(Vec::is_empty) {
        let message = "scope is required.".to_owned();
        return Err(refuse(400, "badRequest", "INVALID_ARGUMENT", message));
    }
    let until = world.now + jiff::SignedDuration::from_hours(1);
    let account = text::decode(account);
    let token = world.identities.give(&account);
    Ok(json!({ "accessToken": token, "expireTime": until.to_string() }))
}
