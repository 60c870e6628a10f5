//! What the double refuses that a good client never sends, what it notes, and what can be arranged.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use hyper::body::Bytes;
use serde_json::{Value, json};
use strat_arm::{Arm, Options, TENANT, TOKEN};

use crate::support::{GROUP, SUBSCRIPTION, ask, at, peers, send, with_group};

/// A network with one subnet.
pub(crate) fn network() -> Value {
    json!({
        "location": "westeurope",
        "properties": {
            "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] },
            "subnets": [{ "name": "a", "properties": { "addressPrefix": "10.0.0.0/24" } }],
        },
    })
}

#[tokio::test]
async fn what_the_types_do_not_know_is_refused_with_its_path_and_noted() {
    let arm = with_group().await;
    let with = |path: &str, value: Value| {
        let mut body = network();
        match path {
            "" => body["colour"] = value,
            path => body["properties"][path] = value,
        }
        body
    };
    let cases = [
        (
            with("", json!("red")),
            "body.colour: azure.mgmt.network.VirtualNetwork has no such field",
        ),
        (with("hue", json!(1)), "body.properties.hue: "),
        (
            with("provisioningState", json!("Succeeded")),
            "body.properties.provisioningState: only the service sets it",
        ),
        (
            with("enableDdosProtection", json!("no")),
            "body.properties.enableDdosProtection: \"no\" is no truth",
        ),
        (
            with("flowTimeoutInMinutes", json!(4.5)),
            "body.properties.flowTimeoutInMinutes: 4.5 is no whole number",
        ),
        (
            with(
                "subnets",
                json!([{ "properties": { "addressPrefix": 10 } }]),
            ),
            "body.properties.subnets[0].properties.addressPrefix: 10 is no text",
        ),
        (
            with("privateEndpointVNetPolicies", json!("Sometimes")),
            "body.properties.privateEndpointVNetPolicies: \"Sometimes\" is none of Disabled, Basic",
        ),
    ];
    let path = at("Microsoft.Network/virtualNetworks/n");
    for (body, wanted) in &cases {
        let answer = ask(&arm, "PUT", &path, Some(body.clone())).await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, "InvalidRequestContent"),
            "{wanted}"
        );
        assert!(
            answer.text.replace("\\\"", "\"").contains(wanted),
            "{wanted} in {}",
            answer.text
        );
    }
    let strange = format!("{path}&colour=red");
    let answer = ask(&arm, "GET", &strange, None).await;
    assert!(
        answer.text.contains("query.colour: it is no parameter"),
        "{}",
        answer.text
    );
    let answer = ask(&arm, "POST", &path, Some(json!({}))).await;
    assert!(
        answer.text.contains("have no POST of this path"),
        "{}",
        answer.text
    );
    assert_eq!(arm.violations().len(), cases.len() + 2);
    assert!(arm.ids("virtualNetworks").is_empty(), "nothing was made");
    assert_eq!(ask(&arm, "PUT", &path, Some(network())).await.status, 201);
}

#[tokio::test]
async fn versions_that_are_not_known_are_refused_as_arm_refuses_them() {
    let arm = with_group().await;
    let network = format!("{GROUP}/providers/Microsoft.Network/virtualNetworks");
    for (path, code, word) in [
        (
            network.clone(),
            "MissingApiVersionParameter",
            "required for all requests",
        ),
        (
            format!("{network}?api-version=2020-13-01"),
            "NoRegisteredProviderFound",
            "'virtualNetworks'",
        ),
        (
            format!("{GROUP}?api-version=2020-13-01"),
            "InvalidApiVersionParameter",
            "2025-04-01",
        ),
        (
            format!("{GROUP}/providers/Microsoft.Web/sites/a?api-version=2024-04-01"),
            "InvalidResourceType",
            "sites",
        ),
    ] {
        let answer = ask(&arm, "GET", &path, None).await;
        assert_eq!(answer.code(), code, "{path}");
        assert!(answer.text.contains(word), "{}", answer.text);
    }
    assert_eq!(arm.violations().len(), 4);
}

#[tokio::test]
async fn a_network_without_subnets_keeps_them_since_a_version() {
    let arm = with_group().await;
    let path = |version: &str| {
        format!("{GROUP}/providers/Microsoft.Network/virtualNetworks/n?api-version={version}")
    };
    ask(&arm, "PUT", &path("2026-03-01"), Some(network())).await;
    let mut bare = network();
    bare["properties"] = json!({ "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] } });
    let kept = ask(&arm, "PUT", &path("2023-09-01"), Some(bare.clone())).await;
    assert_eq!(kept.body["properties"]["subnets"][0]["name"], "a");
    let gone = ask(&arm, "PUT", &path("2023-05-01"), Some(bare)).await;
    assert_eq!(gone.body["properties"]["subnets"], json!([]));
}

#[tokio::test]
async fn tokens_are_asked_for_and_given() {
    let arm = with_group().await;
    let (endpoint, root) = (arm.endpoint(), arm.root_pem().to_owned());
    let plain = async |headers: &[(&str, &str)], path: &str| {
        let answer = send((&endpoint, &root), "GET", path, headers, Bytes::new()).await;
        answer.expect("an answer")
    };
    let path = format!("{GROUP}?api-version=2025-04-01");
    let answer = plain(&[], &path).await;
    assert_eq!(
        (answer.status, answer.code()),
        (401, "AuthenticationFailed")
    );
    assert!(answer.header("www-authenticate").contains(TENANT));
    let answer = plain(&[("authorization", "Bearer stolen")], &path).await;
    assert_eq!(answer.code(), "InvalidAuthenticationToken");
    let form = async |text: &str| {
        let path = format!("/{TENANT}/oauth2/v2.0/token");
        let body = Bytes::from(text.to_owned());
        send((&endpoint, &root), "POST", &path, &[], body)
            .await
            .expect("an answer")
    };
    let wrong = form("grant_type=client_credentials&client_secret=wrong").await;
    assert!(wrong.text.contains("AADSTS7000215"), "{}", wrong.text);
    let given = form("grant_type=client_credentials&client_secret=right").await;
    let token = format!(
        "Bearer {}",
        given.body["access_token"].as_str().expect("a token")
    );
    assert_eq!(plain(&[("authorization", &token)], &path).await.status, 200);
}

/// A machine's body, whose interface comes with it.
pub(crate) fn machine() -> Value {
    let subnet = format!("{GROUP}/providers/Microsoft.Network/virtualNetworks/n/subnets/a");
    json!({
        "location": "westeurope",
        "properties": {
            "hardwareProfile": { "vmSize": "Standard_B2s" },
            "storageProfile": {
                "imageReference": {
                    "publisher": "Debian", "offer": "debian-12", "sku": "12-gen2",
                    "version": "latest",
                },
                "osDisk": { "createOption": "FromImage", "deleteOption": "Delete" },
            },
            "osProfile": {
                "computerName": "v", "adminUsername": "us",
                "linuxConfiguration": {
                    "disablePasswordAuthentication": true,
                    "ssh": { "publicKeys": [{
                        "path": "/home/us/.ssh/authorized_keys", "keyData": "ssh-ed25519 AAAA us",
                    }] },
                },
            },
            "networkProfile": {
                "networkApiVersion": "2022-11-01",
                "networkInterfaceConfigurations": [{ "name": "own", "properties": {
                    "primary": true, "deleteOption": "Delete",
                    "ipConfigurations": [{ "name": "one", "properties": {
                        "subnet": { "id": subnet },
                    } }],
                } }],
            },
        },
    })
}

#[tokio::test]
async fn what_cannot_be_made_whole_leaves_nothing_but_a_failed_machine() {
    let arm = with_group().await;
    ask(
        &arm,
        "PUT",
        &at("Microsoft.Network/virtualNetworks/n"),
        Some(network()),
    )
    .await;
    let path = at("Microsoft.Compute/virtualMachines/v");
    arm.set_quota("westeurope", "cores", 1);
    let refused = ask(&arm, "PUT", &path, Some(machine())).await;
    assert_eq!(
        (refused.status, refused.code()),
        (409, "OperationNotAllowed")
    );
    for word in ["virtualMachines", "networkInterfaces", "disks"] {
        assert!(arm.ids(word).is_empty(), "{word}");
    }
    arm.set_quota("westeurope", "cores", 100);
    arm.set_polls("virtualMachines/write", 2);
    arm.leave_stock("Standard_B2s", "westeurope", 0);
    let begun = ask(&arm, "PUT", &path, Some(machine())).await;
    assert_eq!(begun.status, 201, "{}", begun.text);
    assert_eq!(begun.body["properties"]["provisioningState"], "Creating");
    let status = begun
        .header("azure-asyncoperation")
        .trim_start_matches(&arm.endpoint())
        .to_owned();
    assert_eq!(begun.header("retry-after"), "0");
    assert_eq!(
        ask(&arm, "GET", &status, None).await.body["status"],
        "InProgress"
    );
    let failed = ask(&arm, "GET", &status, None).await.body;
    assert_eq!(
        (&failed["status"], &failed["error"]["code"]),
        (&json!("Failed"), &json!("AllocationFailed"))
    );
    let seen = ask(&arm, "GET", &format!("{path}&$expand=instanceView"), None)
        .await
        .body;
    let statuses = &seen["properties"]["instanceView"]["statuses"];
    assert_eq!(
        statuses[0]["code"],
        "ProvisioningState/failed/AllocationFailed"
    );
    assert_eq!(statuses[1], Value::Null, "it never ran");
    assert_eq!(arm.ids("networkInterfaces").len(), 1);
    ask(&arm, "DELETE", &path, None).await;
    ask(&arm, "GET", &path, None).await;
    for word in ["virtualMachines", "networkInterfaces", "disks"] {
        assert!(arm.ids(word).is_empty(), "{word}");
    }
    assert!(
        arm.violations().is_empty() && arm.flaws().is_empty(),
        "{:#?}",
        arm.flaws()
    );
}

#[tokio::test]
async fn a_missing_description_is_told_with_what_makes_it() {
    let options = Options::new(SUBSCRIPTION).with_description("/nonexistent/description.json");
    let why = Arm::start(&options).await.expect_err("no description");
    assert!(why.contains("run scripts/peers/azure once"), "{why}");
}

#[tokio::test]
async fn the_command_writes_its_root_tells_its_endpoint_and_ends_with_its_input() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("arm-command-root.pem");
    let mut child = Command::new(env!("CARGO_BIN_EXE_strat-arm"))
        .args(["--root".as_ref(), root.as_os_str()])
        .args([
            "--description".as_ref(),
            peers().join("description.json").as_os_str(),
        ])
        .args(["--subscription", SUBSCRIPTION])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let input = child.stdin.take();
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let endpoint = lines.next().expect("a line").expect("text");
    let pem = std::fs::read_to_string(&root).expect("the root was written");
    let path = format!("/subscriptions/{SUBSCRIPTION}/locations?api-version=2022-12-01");
    let token = format!("Bearer {TOKEN}");
    let headers = [("authorization", token.as_str())];
    let answer = send((&endpoint, &pem), "GET", &path, &headers, Bytes::new()).await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.text.contains("westeurope"));
    drop(input);
    let status = child.wait().expect("it ends");
    assert!(status.success(), "{status}");
}
