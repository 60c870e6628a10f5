//! Digests, of texts and of files, and what is made with them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::files::{digest, hex, reads};
use super::{Args, FnResult, Function, pure, rsa};
use crate::value::Value;

pub(super) static TABLE: &[Function] = &[
    pure(
        "base64sha256",
        (1, 1),
        |args| of_text::<Sha256>(args, base64_of),
        "base64sha256(text)",
        "The SHA-256 of a text, as base64.",
        "startswith(base64sha256(\"\"), \"47DEQpj8HBSa\")",
    ),
    pure(
        "base64sha512",
        (1, 1),
        |args| of_text::<Sha512>(args, base64_of),
        "base64sha512(text)",
        "The SHA-512 of a text, as base64.",
        "startswith(base64sha512(\"\"), \"z4PhNX7vuL3x\")",
    ),
    pure(
        "md5",
        (1, 1),
        |args| of_text::<Md5>(args, hex),
        "md5(text)",
        "The MD5 of a text, in hex.",
        "md5(\"a\") == \"0cc175b9c0f1b6a831c399e269772661\"",
    ),
    pure(
        "rsadecrypt",
        (2, 2),
        rsa::decrypt,
        "rsadecrypt(base64, key)",
        "The text that was encrypted for an RSA key, by PKCS #1 v1.5.",
        "rsadecrypt(filebase64(\"password.bin\"), file(\"id_rsa\"))",
    ),
    pure(
        "sha1",
        (1, 1),
        |args| of_text::<Sha1>(args, hex),
        "sha1(text)",
        "The SHA-1 of a text, in hex.",
        "sha1(\"a\") == \"86f7e437faa5a7fce15d1ddcb9eaeaea377667b8\"",
    ),
    pure(
        "sha256",
        (1, 1),
        |args| of_text::<Sha256>(args, hex),
        "sha256(text)",
        "The SHA-256 of a text, in hex.",
        "startswith(sha256(\"\"), \"e3b0c442\")",
    ),
    pure(
        "sha512",
        (1, 1),
        |args| of_text::<Sha512>(args, hex),
        "sha512(text)",
        "The SHA-512 of a text, in hex.",
        "startswith(sha512(\"\"), \"cf83e1357eef\")",
    ),
    pure(
        "uuidv5",
        (2, 2),
        uuid_v5,
        "uuidv5(namespace, name)",
        "The UUID of a name: of a namespace dns, url, oid or x500, or of a UUID.",
        "uuidv5(\"dns\", \"www.example.com\") == \"2ed6657d-e927-568b-95e1-2665a8aea6a2\"",
    ),
    reads(
        "filebase64sha256",
        |file| digest::<Sha256>(file).map(|bytes| base64_of(&bytes)),
        "filebase64sha256(path)",
        "The SHA-256 of a file's content, as base64.",
        "filebase64sha256(\"disk.qcow2\")",
    ),
    reads(
        "filebase64sha512",
        |file| digest::<Sha512>(file).map(|bytes| base64_of(&bytes)),
        "filebase64sha512(path)",
        "The SHA-512 of a file's content, as base64.",
        "filebase64sha512(\"disk.qcow2\")",
    ),
    reads(
        "filemd5",
        |file| digest::<Md5>(file).map(|bytes| hex(&bytes)),
        "filemd5(path)",
        "The MD5 of a file's content, in hex.",
        "filemd5(\"disk.qcow2\")",
    ),
    reads(
        "filesha1",
        |file| digest::<Sha1>(file).map(|bytes| hex(&bytes)),
        "filesha1(path)",
        "The SHA-1 of a file's content, in hex.",
        "filesha1(\"disk.qcow2\")",
    ),
    reads(
        "filesha256",
        |file| digest::<Sha256>(file).map(|bytes| hex(&bytes)),
        "filesha256(path)",
        "The SHA-256 of a file's content, in hex.",
        "filesha256(\"disk.qcow2\")",
    ),
    reads(
        "filesha512",
        |file| digest::<Sha512>(file).map(|bytes| hex(&bytes)),
        "filesha512(path)",
        "The SHA-512 of a file's content, in hex.",
        "filesha512(\"disk.qcow2\")",
    ),
];

fn base64_of(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn of_text<D: Digest>(args: &Args<'_>, written: fn(&[u8]) -> String) -> FnResult {
    Ok(Value::string(written(&D::digest(args.text(0)?.as_bytes()))))
}

/// The namespaces of RFC 9562, section 6.6.
const NAMESPACES: [(&str, u8); 4] = [("dns", 0x10), ("url", 0x11), ("oid", 0x12), ("x500", 0x14)];

/// By RFC 9562, section 5.5.
fn uuid_v5(args: &Args<'_>) -> FnResult {
    let namespace = args.text(0)?;
    let known = NAMESPACES.iter().find(|(name, _)| *name == &*namespace);
    let bytes = match known {
        Some((_, part)) => {
            Some(0x6ba7_b800_9dad_11d1_80b4_00c0_4fd4_30c8 | u128::from(*part) << 96)
        }
        None => uuid(&namespace),
    };
    let Some(bytes) = bytes else {
        return Args::error(0, "takes `dns`, `url`, `oid`, `x500` or a UUID");
    };
    let mut hasher = Sha1::new();
    hasher.update(bytes.to_be_bytes());
    hasher.update(args.text(1)?.as_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&hasher.finalize()[..16]);
    id[6] = id[6] & 0x0f | 0x50;
    id[8] = id[8] & 0x3f | 0x80;
    let text = hex(&id);
    Ok(Value::string(format!(
        "{}-{}-{}-{}-{}",
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..]
    )))
}

fn uuid(text: &str) -> Option<u128> {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths = groups.iter().map(|group| group.len());
    if !lengths.eq([8, 4, 4, 4, 12]) {
        return None;
    }
    u128::from_str_radix(&groups.concat(), 16).ok()
}
