//! Addresses that answer with a number.

use serde_json::Value;

use super::{ANSWER_MAX, Secret, in_one_line, number_of};

/// The number at an address: plain, or in JSON where a pointer (RFC 6901) stands after `#`.
pub(super) async fn number(
    http: &reqwest::Client,
    address: &str,
    token: Option<&Secret>,
) -> Result<f64, String> {
    let (address, pointer) = match address.split_once('#') {
        Some((address, pointer)) => (address, Some(pointer)),
        None => (address, None),
    };
    let mut asked = http.get(address);
    if let Some(token) = token {
        asked = asked.bearer_auth(token.reveal());
    }
    let mut answer = asked.send().await.map_err(|error| in_one_line(&error))?;
    let status = answer.status();
    if !status.is_success() {
        return Err(format!("HTTP status {}", status.as_u16()));
    }
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(|error| in_one_line(&error))? {
        body.extend_from_slice(&part);
        if body.len() > ANSWER_MAX {
            return Err("the answer is longer than 1 MiB".to_owned());
        }
    }
    of_body(&body, pointer)
}

fn of_body(body: &[u8], pointer: Option<&str>) -> Result<f64, String> {
    let Some(pointer) = pointer else {
        return number_of(&String::from_utf8_lossy(body));
    };
    let json: Value =
        serde_json::from_slice(body).map_err(|error| format!("the answer is no JSON: {error}"))?;
    match json.pointer(pointer) {
        Some(Value::Number(number)) => number
            .as_f64()
            .ok_or_else(|| format!("`{pointer}` is too large a number")),
        Some(Value::String(text)) => number_of(text),
        Some(_) => Err(format!("`{pointer}` of the answer is no number")),
        None => Err(format!("the answer has no `{pointer}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_plain_or_at_a_pointer_and_nothing_else() {
        let json = br#"{"queue": {"ready": 12.5, "text": "7", "none": null}}"#;
        assert_eq!(of_body(b" 42.5\n", None), Ok(42.5));
        assert!(of_body(b"NaN", None).expect("a float").is_nan());
        assert_eq!(of_body(json, Some("/queue/ready")), Ok(12.5));
        assert_eq!(of_body(json, Some("/queue/text")), Ok(7.0));
        for (body, pointer, says) in [
            (&b""[..], None, "no number"),
            (b"<html>", None, "`<html>` is no number"),
            (json, Some("/queue/none"), "is no number"),
            (json, Some("/queue/other"), "has no `/queue/other`"),
            (b"12", Some("/a"), "has no `/a`"),
            (b"oops", Some("/a"), "is no JSON"),
        ] {
            let why = of_body(body, pointer).expect_err("no number");
            assert!(why.contains(says), "{why}");
        }
    }
}
