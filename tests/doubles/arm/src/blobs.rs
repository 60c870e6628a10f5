//! Blobs, as far as leases by conditional writes and the question whether a container is empty need
//! them. An account is a part of the path, as in Microsoft's own emulator.
//!
//! <https://learn.microsoft.com/rest/api/storageservices/put-blob>, conditions:
//! <https://learn.microsoft.com/rest/api/storageservices/specifying-conditional-headers-for-blob-service-operations>,
//! codes of errors: <https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes>.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::id::Id;
use crate::refusal::Refusal;
use crate::rules;
use crate::server::{Answer, Received};
use crate::text::http_time;
use crate::token;
use crate::world::World;

/// A blob: its tag, its bytes, and when it was written.
#[derive(Debug, Clone)]
pub(crate) struct Blob {
    etag: String,
    bytes: Vec<u8>,
    written: String,
}

/// The blobs of each container, by the container's identifier in lower case.
pub(crate) type Containers = BTreeMap<String, BTreeMap<String, Blob>>;

/// What was called, and the answer.
pub(crate) fn answer(world: &mut World, asked: &Received, path: &str) -> (String, Answer) {
    let words: Vec<&str> = path.splitn(3, '/').collect();
    let (account, container) = (words[0], words.get(1).copied().unwrap_or_default());
    let name = words.get(2).copied().unwrap_or_default();
    let is_list = name.is_empty() && asked.query("comp") == Some("list");
    let verb = match (asked.http.as_str(), is_list) {
        (_, true) => "list".to_owned(),
        (http, false) => http.to_lowercase(),
    };
    let id = format!("blobs/{verb}");
    let result = world.arranged.refusal(&id).map_or(Ok(()), Err);
    let result = result.and_then(|()| token::check(world, asked.header("authorization")));
    let result = result.and_then(|()| {
        // <https://learn.microsoft.com/rest/api/storageservices/versioning-for-the-azure-storage-services>
        match asked
            .header("x-ms-version")
            .is_some_and(|version| version >= "2017-11-09")
        {
            true => Ok(()),
            false => Err(Refusal::new(
                400,
                "MissingRequiredHeader",
                "Calls with a bearer token need the header x-ms-version of 2017-11-09 or later.",
            )),
        }
    });
    let result = result.and_then(|()| {
        let key = key(world, account, container)?;
        match (verb.as_str(), name.is_empty()) {
            ("list", true) => list(world, asked, &key, container),
            ("put", false) => put(world, asked, &key, name),
            ("get" | "head", false) => get(world, asked, &key, name),
            ("delete", false) => delete(world, asked, &key, name),
            ("get" | "head", true) if asked.query("restype") == Some("container") => {
                Ok(Answer::json(200, &Value::Null))
            }
            _ => Err(Refusal::not_done(&format!("{} of blobs", asked.http))),
        }
    });
    (id, result.unwrap_or_else(|refusal| refused(&refusal)))
}

/// An error as the blob service tells it.
fn refused(refusal: &Refusal) -> Answer {
    let body = format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{}</Code><Message>{}\
         </Message></Error>",
        refusal.code,
        escaped(&refusal.message)
    );
    let mut headers = refusal.headers.clone();
    headers.push(("x-ms-error-code", refusal.code.clone()));
    Answer {
        status: refusal.status,
        content: "application/xml",
        headers,
        body: if refusal.status == 304 {
            Vec::new()
        } else {
            body.into_bytes()
        },
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The key of a container that is there.
fn key(world: &World, account: &str, container: &str) -> Result<String, Refusal> {
    let missing = || {
        let message = "The specified container does not exist.";
        Refusal::new(404, "ContainerNotFound", message)
    };
    let account = rules::account_of(world, account).ok_or_else(missing)?;
    let id: Id = account.child(&format!("blobServices/default/containers/{container}"));
    match world.containers.contains_key(&id.key()) {
        true => Ok(id.key()),
        false => Err(missing()),
    }
}

fn not_found() -> Refusal {
    Refusal::new(404, "BlobNotFound", "The specified blob does not exist.")
}

/// Holds the conditions of a request against a blob.
fn check(asked: &Received, blob: Option<&Blob>, is_read: bool) -> Result<(), Refusal> {
    let unmet = || {
        let message = "The condition specified using HTTP conditional header(s) is not met.";
        Refusal::new(412, "ConditionNotMet", message)
    };
    let etag = blob.map(|blob| blob.etag.as_str());
    if let Some(wanted) = asked.header("if-match")
        && !etag.is_some_and(|etag| wanted == "*" || wanted == etag)
    {
        return Err(unmet());
    }
    if let Some(unwanted) = asked.header("if-none-match")
        && etag.is_some_and(|etag| unwanted == "*" || unwanted == etag)
    {
        return Err(match (is_read, unwanted) {
            (true, _) => Refusal::new(304, "ConditionNotMet", ""),
            // A write that must be the first.
            (false, "*") => {
                let message = "The specified blob already exists.";
                Refusal::new(409, "BlobAlreadyExists", message)
            }
            (false, _) => unmet(),
        });
    }
    Ok(())
}

fn put(world: &mut World, asked: &Received, key: &str, name: &str) -> Result<Answer, Refusal> {
    if asked.header("x-ms-blob-type") != Some("BlockBlob") || asked.query("comp").is_some() {
        return Err(Refusal::not_done("what is no whole block blob"));
    }
    let ignores = world.arranged.ignores_conditions;
    let number = world.count();
    let now = http_time(world.now);
    let blobs = world.containers.entry(key.to_owned()).or_default();
    if !ignores {
        check(asked, blobs.get(name), false)?;
    }
    let blob = Blob {
        etag: format!("\"0x8DE{number:012X}\""),
        bytes: asked.body.to_vec(),
        written: now,
    };
    let headers = vec![
        ("etag", blob.etag.clone()),
        ("last-modified", blob.written.clone()),
    ];
    blobs.insert(name.to_owned(), blob);
    Ok(Answer::json(201, &Value::Null).with_headers(headers))
}

fn get(world: &World, asked: &Received, key: &str, name: &str) -> Result<Answer, Refusal> {
    let blob = world.containers.get(key).and_then(|blobs| blobs.get(name));
    check(asked, blob, true)?;
    let blob = blob.ok_or_else(not_found)?;
    Ok(Answer {
        status: 200,
        content: "application/octet-stream",
        headers: vec![
            ("etag", blob.etag.clone()),
            ("last-modified", blob.written.clone()),
            ("x-ms-blob-type", "BlockBlob".to_owned()),
        ],
        body: blob.bytes.clone(),
    })
}

fn delete(world: &mut World, asked: &Received, key: &str, name: &str) -> Result<Answer, Refusal> {
    let blobs = world.containers.entry(key.to_owned()).or_default();
    let blob = blobs.get(name).ok_or_else(not_found)?;
    check(asked, Some(blob), false)?;
    blobs.remove(name);
    Ok(Answer::json(202, &Value::Null))
}

/// <https://learn.microsoft.com/rest/api/storageservices/list-blobs>
fn list(world: &World, asked: &Received, key: &str, container: &str) -> Result<Answer, Refusal> {
    let prefix = asked.query("prefix").unwrap_or_default();
    let most = asked
        .query("maxresults")
        .and_then(|text| text.parse().ok())
        .unwrap_or(5_000_usize);
    let marker = asked.query("marker").unwrap_or_default();
    let blobs = world.containers.get(key).into_iter().flatten();
    let mut found = blobs.filter(|(name, _)| name.starts_with(prefix) && name.as_str() > marker);
    let (mut shown, mut last) = (String::new(), String::new());
    for (name, blob) in found.by_ref().take(most) {
        shown.push_str(&format!(
            "<Blob><Name>{}</Name><Properties><Last-Modified>{}</Last-Modified><Etag>{}</Etag>\
             <Content-Length>{}</Content-Length><BlobType>BlockBlob</BlobType></Properties></Blob>",
            escaped(name),
            blob.written,
            blob.etag.trim_matches('"'),
            blob.bytes.len()
        ));
        name.clone_into(&mut last);
    }
    let next = if found.next().is_some() {
        last
    } else {
        String::new()
    };
    let body = format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ContainerName=\"{container}\">\
         <Blobs>{shown}</Blobs><NextMarker>{}</NextMarker></EnumerationResults>",
        escaped(&next)
    );
    Ok(Answer {
        status: 200,
        content: "application/xml",
        headers: Vec::new(),
        body: body.into_bytes(),
    })
}
