//! Microsoft's own credentials for Rust against the double's token endpoint.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{Secret, TokenCredential as _};
use azure_core::error::ErrorKind;
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::{
    AsyncRawResponse, Body, ClientOptions, HttpClient, Request, RetryOptions, Transport,
};
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};
use hyper::body::Bytes;
use strat_arm::{Arm, TENANT};

use crate::support::{GROUP, send, with_group};

/// The way of the credentials to the double.
#[derive(Debug)]
struct Way(Arm);

#[async_trait]
impl HttpClient for Way {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let Body::Bytes(body) = request.body() else {
            panic!("a call for a token is no stream");
        };
        let headers: Vec<(&str, &str)> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let method = request.method();
        let (http, path) = (method.as_ref(), request.url().path());
        let body = Bytes::from(body.to_vec());
        let answer = send(
            (&self.0.endpoint(), self.0.root_pem()),
            http,
            path,
            &headers,
            body,
        )
        .await;
        let lost = || azure_core::Error::with_message(ErrorKind::Io, "no answer".to_owned());
        let answer = answer.ok_or_else(lost)?;
        let content = ("content-type", answer.header("content-type").to_owned());
        let pairs =
            [content].map(|(name, value)| (HeaderName::from(name), HeaderValue::from(value)));
        let headers = Headers::from(HashMap::from(pairs));
        Ok(AsyncRawResponse::from_bytes(
            answer.status.into(),
            headers,
            answer.text,
        ))
    }
}

#[tokio::test]
async fn the_vendors_credentials_get_a_token_that_is_taken() {
    let arm = with_group().await;
    let credential = |secret: &str| {
        let mut cloud = CustomConfiguration::default();
        cloud.authority_host = arm.endpoint();
        let client_options = ClientOptions {
            retry: RetryOptions::none(),
            transport: Some(Transport::new(Arc::new(Way(arm.clone())))),
            cloud: Some(Arc::new(CloudConfiguration::Custom(cloud))),
            ..ClientOptions::default()
        };
        let options = ClientSecretCredentialOptions { client_options };
        let client = "99999999-aaaa-4bbb-8ccc-000000000001".to_owned();
        let secret = Secret::new(secret.to_owned());
        ClientSecretCredential::new(TENANT, client, secret, Some(options)).expect("credentials")
    };
    let scopes = ["https://management.azure.com/.default"];
    let given = credential("right").get_token(&scopes, None).await;
    let token = format!("Bearer {}", given.expect("a token").token.secret());
    let path = format!("{GROUP}?api-version=2025-04-01");
    let headers = [("authorization", token.as_str())];
    let answer = send(
        (&arm.endpoint(), arm.root_pem()),
        "GET",
        &path,
        &headers,
        Bytes::new(),
    )
    .await;
    assert_eq!(answer.expect("an answer").status, 200);
    let refused = credential("wrong").get_token(&scopes, None).await;
    let refused = refused.expect_err("a wrong secret");
    assert!(refused.to_string().contains("AADSTS7000215"), "{refused}");
}
