//! Reading files.

use std::io::{self, Read};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::{FromFile, Function, FunctionDoc, Run};

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
    from_file(path, |file| digest::<Sha256>(file).map(|bytes| hex(&bytes)))
}

/// What a function makes of a file, or why it makes nothing.
pub(crate) fn from_file(path: &Path, run: FromFile) -> Result<String, String> {
    run(&mut opened(path)?).map_err(explain)
}

/// A file for reading. What is none, such as a device or a pipe, may have no end.
fn opened(path: &Path) -> Result<std::fs::File, String> {
    let metadata = std::fs::metadata(path).map_err(explain)?;
    if !metadata.is_file() && !metadata.is_dir() {
        return Err("it is a device or a pipe, not a file".to_owned());
    }
    std::fs::File::open(path).map_err(explain)
}

/// The digest of all that is read, a piece at a time.
pub(super) fn digest<D: Digest>(reader: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut hasher = D::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().to_vec()),
            n => hasher.update(&buffer[..n]),
        }
    }
}

/// Bytes in hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The content of a file, or why there is none.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    content(&mut opened(path)?).map_err(explain)
}

fn content(reader: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::other("it is larger than 16 MiB"));
    }
    Ok(bytes)
}

/// A function of a file's content.
pub(super) const fn reads(
    name: &'static str,
    run: FromFile,
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
    |file| content(file).map(|bytes| STANDARD.encode(bytes)),
    "filebase64(path)",
    "The content of a file as base64.",
    "filebase64(\"logo.png\")",
)];
