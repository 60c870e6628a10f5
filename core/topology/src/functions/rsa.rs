//! `rsadecrypt`: RSA with the padding of PKCS #1 v1.5.
//!
//! It runs on the computer of whoever holds the key, once, and answers nobody, so there is no clock
//! that a stranger could read a key from.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use num_bigint::BigUint;

use super::{Args, FnResult};
use crate::value::Value;

/// What of a private key decrypts.
struct Key {
    modulus: BigUint,
    exponent: BigUint,
}

pub(super) fn decrypt(args: &Args<'_>) -> FnResult {
    let Ok(cipher) = STANDARD.decode(args.text(0)?.replace(['\r', '\n'], "")) else {
        return Args::error(0, "takes base64, and this is none");
    };
    let Some(key) = key(&args.text(1)?) else {
        return Args::error(
            1,
            "takes the private key of RSA in PEM, without a passphrase: PKCS #1, PKCS #8 or OpenSSH",
        );
    };
    // The time grows by the cube of the key's length.
    let words = usize::try_from(key.modulus.bits() / 64).unwrap_or(usize::MAX);
    args.spend(words.saturating_pow(3))?;
    let Some(text) = key.decrypt(&cipher) else {
        return Args::error(0, "was not encrypted for this key");
    };
    match String::from_utf8(text) {
        Ok(text) => Ok(Value::string(text)),
        Err(_) => Args::error(0, "decrypts to something that is not UTF-8 text"),
    }
}

impl Key {
    /// RFC 8017, section 7.2.2.
    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        let size = usize::try_from(self.modulus.bits().div_ceil(8)).ok()?;
        let cipher_number = BigUint::from_bytes_be(cipher);
        if cipher.len() != size || cipher_number >= self.modulus {
            return None;
        }
        let message = cipher_number.modpow(&self.exponent, &self.modulus);
        // A leading nought is not in the number: 00 02, then padding, 00, and the text.
        let bytes = message.to_bytes_be();
        let padded = bytes.strip_prefix(&[2])?;
        if bytes.len() + 1 != size {
            return None;
        }
        let end = padded.iter().position(|byte| *byte == 0)?;
        (end >= 8).then(|| padded[end + 1..].to_vec())
    }
}

/// The key of a PEM file.
fn key(text: &str) -> Option<Key> {
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once("-----END ")?;
    let body: String = body.split_whitespace().collect();
    let bytes = STANDARD.decode(body).ok()?;
    match label {
        "RSA PRIVATE KEY" => pkcs1(&bytes),
        "PRIVATE KEY" => pkcs8(&bytes),
        "OPENSSH PRIVATE KEY" => openssh(&bytes),
        _ => None,
    }
}

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;
/// The object identifier of RSA, 1.2.840.113549.1.1.1.
const RSA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// Takes the next DER value of a tag: its content.
fn der<'a>(rest: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (found, after) = rest.split_first()?;
    let (first, mut after) = after.split_first()?;
    let length = if *first < 0x80 {
        usize::from(*first)
    } else {
        let (size, content) = after.split_at_checked(usize::from(first & 0x7f))?;
        after = content;
        if size.len() > 4 {
            return None;
        }
        size.iter()
            .fold(0, |length, byte| length << 8 | usize::from(*byte))
    };
    let (content, after) = after.split_at_checked(length)?;
    *rest = after;
    (*found == tag).then_some(content)
}

/// RFC 8017, appendix A.1.2.
fn pkcs1(bytes: &[u8]) -> Option<Key> {
    let mut fields = der(&mut &*bytes, SEQUENCE)?;
    let mut integer = || der(&mut fields, INTEGER).map(BigUint::from_bytes_be);
    let _version = integer()?;
    let modulus = integer()?;
    let _public = integer()?;
    let exponent = integer()?;
    Some(Key { modulus, exponent })
}

/// RFC 5958, section 2.
fn pkcs8(bytes: &[u8]) -> Option<Key> {
    let mut fields = der(&mut &*bytes, SEQUENCE)?;
    let _version = der(&mut fields, INTEGER)?;
    let mut algorithm = der(&mut fields, SEQUENCE)?;
    if der(&mut algorithm, 0x06)? != RSA {
        return None;
    }
    pkcs1(der(&mut fields, OCTET_STRING)?)
}

/// OpenSSH's own form, by its file `PROTOCOL.key`.
fn openssh(bytes: &[u8]) -> Option<Key> {
    let mut rest = bytes.strip_prefix(b"openssh-key-v1\0")?;
    let cipher = field(&mut rest)?;
    let _derivation = field(&mut rest)?;
    let _options = field(&mut rest)?;
    let (count, after) = rest.split_at_checked(4)?;
    rest = after;
    if cipher != b"none" || count != [0, 0, 0, 1] {
        return None;
    }
    let _public = field(&mut rest)?;
    let mut private = field(&mut rest)?.get(8..)?;
    if field(&mut private)? != b"ssh-rsa" {
        return None;
    }
    let modulus = BigUint::from_bytes_be(field(&mut private)?);
    let _public = field(&mut private)?;
    let exponent = BigUint::from_bytes_be(field(&mut private)?);
    Some(Key { modulus, exponent })
}

/// Takes bytes that their length stands before.
fn field<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (content, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(content)
}
