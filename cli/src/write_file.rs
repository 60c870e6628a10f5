//! Writing a topology's file: whole, or not at all.

use std::io::Write as _;
use std::path::Path;

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
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let partial = path.with_file_name(name);
    let write = || {
        let mut file = std::fs::File::create(&partial)?;
        file.set_permissions(std::fs::metadata(&path)?.permissions())?;
        file.write_all(mark.as_bytes())?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&partial, &path)
    };
    write().map_err(|error| {
        // What is there of it is of no use to anybody.
        let _ = std::fs::remove_file(&partial);
        failed(error)
    })
}
