//! What a bucket's tags cannot hold as it is.

/// A tag's text as S3 allows it: letters, digits, spaces and a few signs. Anything else, such as the
/// brackets of an address, stands there as `=` and two hexadecimal digits for each byte of it.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>
#[must_use]
pub fn coded(text: &str) -> String {
    let mut coded = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_alphanumeric() || " +-._:/@".contains(c) {
            coded.push(c);
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                coded.push_str(&format!("={byte:02X}"));
            }
        }
    }
    coded
}

/// A tag's text as it was meant; as it stands, where nobody coded it.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = tail.get(..2).filter(|_| *first == b'=');
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_survives_a_tag() {
        for text in [
            "bucket.assets[\"a=b\"]@east",
            "東京",
            "Zürich",
            "Zürich Plattform",
            "",
            "=3D",
            "50%",
        ] {
            assert_eq!(plain(&coded(text)), text);
        }
        assert_eq!(coded("realm/shop"), "realm/shop");
        assert_eq!(coded("a[1]"), "a=5B1=5D");
        assert_eq!(plain("x=y"), "x=y");
    }
}
