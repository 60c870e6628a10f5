//! Writing a topology's file: whole, or not at all.

use std::path::Path;

use stratiform::engine::files::{Rights, write_whole};

use crate::failure::Failure;

/// The mark at the beginning of some files that says in which order their bytes are.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Puts a text in the place of a file's. Its rights stay, a link stays a link, and a byte order mark
/// stays at its beginning. `before` is what it is thought to hold: a file that somebody changed since is
/// left as it is.
///
/// # Errors
/// If it cannot be written, or is not as it was.
pub(crate) fn write_file(path: &Path, before: Option<&str>, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(format!("`{}` cannot be written", path.display())).caused_by(&error)
    };
    let path = std::fs::canonicalize(path).map_err(failed)?;
    let old = std::fs::read_to_string(&path).map_err(failed)?;
    let (mark, old) = match old.strip_prefix(BYTE_ORDER_MARK) {
        Some(old) => (BYTE_ORDER_MARK, old),
        None => ("", old.as_str()),
    };
    if before.is_some_and(|before| before != old) {
        let changed = format!("`{}` was changed a moment ago", path.display());
        return Err(Failure::new(changed).help("run this again"));
    }
    let written = write_whole(&path, Rights::Kept, |file| {
        file.write_all(mark.as_bytes())?;
        file.write_all(text.as_bytes())
    });
    written.map_err(failed)
}
