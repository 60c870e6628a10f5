//! The token endpoint, as far as `azure_identity` and the like need it, and the check of tokens.
//!
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>; codes of
//! errors: <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>.

use serde_json::{Value, json};

use crate::TENANT;
use crate::refusal::Refusal;
use crate::server::{Answer, Received};
use crate::text;
use crate::world::{Subscription, World};

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
    let tenant = words[0].to_lowercase();
    let mut known = world.subscriptions.values().map(Subscription::tenant);
    if tenant != TENANT && !known.any(|known| known == tenant) {
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
    world.tokens.insert(token.clone(), Some(tenant));
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
    match world.tokens.contains_key(token) {
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

/// Checks that a token is one of the tenant that a subscription is in; in the words of
/// <https://github.com/Azure/azure-sdk-for-net/issues/49391>.
pub(crate) fn check_tenant(
    world: &World,
    authorization: Option<&str>,
    subscription: &Subscription,
) -> Result<(), Refusal> {
    let token = authorization.and_then(|text| text.strip_prefix("Bearer "));
    let issuer = token.and_then(|token| world.tokens.get(token)?.as_deref());
    let wanted = subscription.tenant();
    match issuer {
        Some(issuer) if issuer != wanted => {
            let message = format!(
                "The access token is from the wrong issuer 'https://sts.windows.net/{issuer}/'. It \
                 must match the tenant 'https://sts.windows.net/{wanted}/' associated with this \
                 subscription. Please use the authority (URL) 'https://login.windows.net/{wanted}' to \
                 get the token."
            );
            Err(Refusal::new(
                401,
                "InvalidAuthenticationTokenTenant",
                message,
            ))
        }
        _ => Ok(()),
    }
}

/// The fields of a form, but for those that prove who asks.
pub(crate) fn form(body: &[u8]) -> Value {
    let form = String::from_utf8_lossy(body).into_owned();
    let pairs = text::pairs(&form).into_iter();
    let told = pairs.filter(|(name, _)| name != "client_secret" && name != "client_assertion");
    told.map(|(name, value)| (name, Value::from(value)))
        .collect()
}

/// Who the double takes every caller for.
pub(crate) fn caller() -> Value {
    json!({ "client": "99999999-aaaa-4bbb-8ccc-000000000001", "object": "99999999-aaaa-4bbb-8ccc-000000000002" })
}
