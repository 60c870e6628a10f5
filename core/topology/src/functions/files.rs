//! Reading files.

use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::{Function, FunctionDoc, Run};

/// The most bytes that a function reads of one file.
const MAX_BYTES: u64 = 16 << 20;

#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape that `map_err` wants"
)]
fn explain(error: std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "it does not exist".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        std::io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => error.to_string(),
    }
}

/// The SHA-256 of a file of any size, in hex, or why there is none.
pub(crate) fn digest_file(path: &Path) -> Result<String, String> {
    let mut file = std::fs::File::open(path).map_err(explain)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = file.read(&mut buffer).map_err(explain)?;
        if n == 0 {
            break;
        }
        hasher.update(&buffer[..n]);
    }
    let hex = hasher
        .finalize()
        .iter()
        .fold(String::new(), |mut hex, byte| {
            use std::fmt::Write as _;
            let _ = write!(hex, "{byte:02x}");
            hex
        });
    Ok(hex)
}

/// The content of a file, or why there is none.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let file = std::fs::File::open(path).map_err(explain)?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(explain)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err("it is larger than 16 MiB".to_owned());
    }
    Ok(bytes)
}

/// A function of a file's content.
pub(super) const fn reads(
    name: &'static str,
    run: fn(&[u8]) -> String,
    signature: &'static str,
    doc: &'static str,
    example: &'static str,
) -> Function {
    Function {
        doc: FunctionDoc {
            name,
            signature,
            doc,
            example,
        },
        min: 1,
        max: 1,
        run: Run::File(run),
    }
}

pub(super) static TABLE: &[Function] = &[reads(
    "filebase64",
    |bytes| STANDARD.encode(bytes),
    "filebase64(path)",
    "The content of a file as base64.",
    "filebase64(\"logo.png\")",
)];
