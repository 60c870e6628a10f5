//! Text of URLs, times and fingerprints.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use jiff::{Timestamp, tz};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// A piece of a URL without its percent signs.
pub(crate) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3);
        let code = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], code) {
            (b'%', Some(code)) => {
                plain.push(code);
                at += 2;
            }
            (byte, _) => plain.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// The pairs of a query, in their order.
pub(crate) fn pairs(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let plain = |text: &str| decode(&text.replace('+', " "));
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (plain(name), plain(value))
        })
        .collect()
}

/// A fingerprint as Compute Engine has them: a digest of the contents, so equal contents have equal
/// ones. <https://cloud.google.com/compute/docs/labeling-resources#requirements>. Its alphabet is the
/// one for URLs: the format `byte` of <https://developers.google.com/discovery/v1/type-format>.
pub(crate) fn fingerprint(contents: &Value) -> String {
    let digest = Sha256::digest(contents.to_string());
    URL_SAFE.encode(&digest[..8])
}

/// A moment as Compute Engine writes it.
pub(crate) fn time(moment: Timestamp) -> String {
    let zone = tz::TimeZone::fixed(tz::offset(-7));
    let moment = moment.to_zoned(zone);
    moment.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

/// Whether a text is a UUID other than the one of zeros.
pub(crate) fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    let is_hex = text.chars().all(|c| c == '-' || c.is_ascii_hexdigit());
    is_hex && lengths.eq([8, 4, 4, 4, 12]) && text.chars().any(|c| !matches!(c, '0' | '-'))
}

/// Whether a text is of the format `byte`.
pub(crate) fn is_bytes(text: &str) -> bool {
    URL_SAFE.decode(text).is_ok()
}

/// The token of the page after a place in an order.
pub(crate) fn token(last: &str) -> String {
    URL_SAFE.encode(last)
}

/// The place that a token stands for.
pub(crate) fn from_token(token: &str) -> Option<String> {
    String::from_utf8(URL_SAFE.decode(token).ok()?).ok()
}
