//! Text in encodings other than UTF-8, as base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::Encoding;

use super::{Args, FnResult, Function, pure};
use crate::value::Value;

pub(super) static TABLE: &[Function] = &[
    pure(
        "textdecodebase64",
        (2, 2),
        decode,
        "textdecodebase64(base64, encoding)",
        "The text of base64 in an encoding, such as `UTF-16LE`.",
        "textdecodebase64(\"SABpAA==\", \"UTF-16LE\") == \"Hi\"",
    ),
    pure(
        "textencodebase64",
        (2, 2),
        encode,
        "textencodebase64(text, encoding)",
        "The text in an encoding, such as `UTF-16LE`, as base64.",
        "textencodebase64(\"Hi\", \"UTF-16LE\") == \"SABpAA==\"",
    ),
];

/// An encoding by its name in IANA's registry.
enum Charset {
    /// Whether the more significant byte of two comes first, and whether a mark of that does.
    Utf16 {
        big_endian: bool,
        mark: bool,
    },
    /// One byte for each of the first so many signs.
    Bytes {
        signs: u32,
    },
    Table(&'static Encoding),
}

fn charset(args: &Args<'_>) -> FnResult<Charset> {
    let name = args.text(1)?;
    let utf16 = |big_endian, mark| Charset::Utf16 { big_endian, mark };
    Ok(match &*name.to_ascii_lowercase() {
        "utf-16" | "csutf16" => utf16(true, true),
        "utf-16be" | "csutf16be" => utf16(true, false),
        "utf-16le" | "csutf16le" => utf16(false, false),
        // What browsers take for these two is windows-1252, which has more signs.
        "us-ascii" | "ascii" | "iso646-us" | "ansi_x3.4-1968" => Charset::Bytes { signs: 0x80 },
        "iso-8859-1" | "iso_8859-1" | "latin1" | "l1" | "ibm819" | "cp819" => {
            Charset::Bytes { signs: 0x100 }
        }
        _ => match Encoding::for_label(name.as_bytes()) {
            Some(encoding) if encoding.output_encoding() == encoding => Charset::Table(encoding),
            _ => {
                return Args::error(
                    1,
                    "takes an encoding, such as `UTF-16LE`, `ISO-8859-1` or `windows-1252`",
                );
            }
        },
    })
}

fn encode(args: &Args<'_>) -> FnResult {
    let text = args.text(0)?;
    let missing = || Args::error(0, "has a sign that this encoding has not");
    let bytes: Vec<u8> = match charset(args)? {
        Charset::Utf16 { big_endian, mark } => {
            let units = mark
                .then_some(0xfeff)
                .into_iter()
                .chain(text.encode_utf16());
            units
                .flat_map(|unit: u16| match big_endian {
                    true => unit.to_be_bytes(),
                    false => unit.to_le_bytes(),
                })
                .collect()
        }
        Charset::Bytes { signs } => {
            let byte = |c: char| {
                u8::try_from(u32::from(c))
                    .ok()
                    .filter(|b| u32::from(*b) < signs)
            };
            match text.chars().map(byte).collect() {
                Some(bytes) => bytes,
                None => return missing(),
            }
        }
        Charset::Table(encoding) => match encoding.encode(&text) {
            (bytes, _, false) => bytes.into_owned(),
            _ => return missing(),
        },
    };
    Ok(Value::string(STANDARD.encode(bytes)))
}

fn decode(args: &Args<'_>) -> FnResult {
    let Ok(bytes) = STANDARD.decode(args.text(0)?.replace(['\r', '\n'], "")) else {
        return Args::error(0, "takes base64, and this is none");
    };
    let text = match charset(args)? {
        Charset::Utf16 { big_endian, mark } => utf16(&bytes, big_endian, mark),
        Charset::Bytes { signs } => {
            let sign = |byte: &u8| (u32::from(*byte) < signs).then(|| char::from(*byte));
            bytes.iter().map(sign).collect()
        }
        Charset::Table(encoding) => encoding
            .decode_without_bom_handling_and_without_replacement(&bytes)
            .map(std::borrow::Cow::into_owned),
    };
    match text {
        Some(text) => Ok(Value::string(text)),
        None => Args::error(0, "is no text in this encoding"),
    }
}

/// A mark at the start, where the encoding has one, tells which byte comes first.
fn utf16(bytes: &[u8], big_endian: bool, mark: bool) -> Option<String> {
    let (bytes, big_endian) = match bytes {
        [0xfe, 0xff, rest @ ..] if mark => (rest, true),
        [0xff, 0xfe, rest @ ..] if mark => (rest, false),
        _ => (bytes, big_endian),
    };
    if !bytes.len().is_multiple_of(2) {
        return None;
    }
    let pairs = bytes.chunks_exact(2).map(|pair| [pair[0], pair[1]]);
    let units: Vec<u16> = pairs
        .map(|pair| match big_endian {
            true => u16::from_be_bytes(pair),
            false => u16::from_le_bytes(pair),
        })
        .collect();
    String::from_utf16(&units).ok()
}
