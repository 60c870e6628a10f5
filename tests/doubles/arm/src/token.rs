//! The token endpoint, as far as `azure_identity` and the like need it, and the check of tokens.
//!
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>; codes of
//! errors: <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>.

use serde_json::{Value, json};

use crate::TENANT;
use crate::refusal::Refusal;
use crate::server::{Answer, Received};
use crate::text;
use crate::world::World;

/// A token for a client with its secret, or with an assertion of a federated identity.
pub(crate) fn answer(world: &mut World, asked: &Received) -> Option<Answer> {
    let words: Vec<&str> = asked
        .path
        .split('/')
        .filter(|word| !word.is_empty())
        .collect();
    let ["oauth2", "v2.0", "token"] = words.get(1..)? else {
        return None;
    };
    let form = String::from_utf8_lossy(&asked.body).into_owned();
    let form = text::pairs(&form);
    let field = |name: &str| {
        let pair = form.iter().find(|(key, _)| key == name);
        pair.map_or("", |(_, value)| value.as_str())
    };
    let refuse = |status, error: &str, code: u32, message: &str| {
        let description = format!("AADSTS{code}: {message}");
        let body = json!({
            "error": error, "error_description": description, "error_codes": [code],
        });
        Some(Answer::json(status, &body))
    };
    if !words[0].eq_ignore_ascii_case(TENANT) {
        let message = format!("Tenant '{}' not found.", words[0]);
        return refuse(400, "invalid_request", 90_002, &message);
    }
    let has_proof = !field("client_secret").is_empty() || !field("client_assertion").is_empty();
    if field("grant_type") != "client_credentials" || !has_proof {
        let message = "The request body must contain the following parameter: 'client_assertion' \
                       or 'client_secret'.";
        return refuse(401, "invalid_client", 7_000_218, message);
    }
    if field("client_secret") == "wrong" {
        return refuse(
            401,
            "invalid_client",
            7_000_215,
            "Invalid client secret provided.",
        );
    }
    let token = format!("token-{}", world.count());
    world.tokens.insert(token.clone());
    let body = json!({
        "token_type": "Bearer", "expires_in": 3_599, "ext_expires_in": 3_599,
        "access_token": token,
    });
    Some(Answer::json(200, &body))
}

/// Checks the token of a request.
/// <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors>
pub(crate) fn check(world: &World, authorization: Option<&str>) -> Result<(), Refusal> {
    let challenge = format!(
        "Bearer authorization_uri=\"{}/{TENANT}\", error=\"invalid_token\"",
        world.endpoint
    );
    let Some(authorization) = authorization else {
        let message = "Authentication failed. The 'Authorization' header is missing.";
        let refusal = Refusal::new(401, "AuthenticationFailed", message);
        return Err(refusal.with_header("www-authenticate", challenge));
    };
    let token = authorization.strip_prefix("Bearer ").unwrap_or_default();
    match world.tokens.contains(token) {
        true => Ok(()),
        false => {
            let refusal = Refusal::new(
                401,
                "InvalidAuthenticationToken",
                "The access token is invalid.",
            );
            Err(refusal.with_header("www-authenticate", challenge))
        }
    }
}

/// Who the double takes every caller for.
pub(crate) fn caller() -> Value {
    json!({ "client": "99999999-aaaa-4bbb-8ccc-000000000001", "object": "99999999-aaaa-4bbb-8ccc-000000000002" })
}
