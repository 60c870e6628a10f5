//! Files' URIs (RFC 8089) and their paths.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use gen_lsp_types::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

/// What stands in a URI's path as a percent and two digits: all but RFC 3986's unreserved characters
/// and the slash.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// The path of a file's URI; `None` for what is no file of this machine.
pub(crate) fn path_of(uri: &Uri) -> Option<PathBuf> {
    let rest = uri.0.strip_prefix("file://")?;
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return None;
    }
    let bytes: Vec<u8> = percent_decode_str(path).collect();
    let path = Path::new(std::ffi::OsStr::from_bytes(&bytes));
    // A name of a file is compared with others: it has no detours.
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir => {}
            other => clean.push(other),
        }
    }
    Some(clean)
}

/// The URI of a path from the root.
pub(crate) fn uri_of(path: &Path) -> Uri {
    let path = percent_encode(path.as_os_str().as_bytes(), ENCODED);
    Uri(format!("file://{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_come_back() {
        for path in ["/a/b.hcl", "/with space/ä#?%.hcl", "/"] {
            let uri = uri_of(Path::new(path));
            assert!(
                uri.0.is_ascii() && !uri.0.contains([' ', '#', '?']),
                "{uri}"
            );
            assert_eq!(path_of(&uri).as_deref(), Some(Path::new(path)));
        }
    }

    #[test]
    fn what_is_no_file_has_no_path() {
        for uri in ["untitled:1", "http://a/b", "file://host/a", "file:a", ""] {
            assert_eq!(path_of(&Uri::from(uri)), None, "{uri}");
        }
        let detour = path_of(&Uri::from("file:///a/../b/./c.hcl"));
        assert_eq!(detour.as_deref(), Some(Path::new("/b/c.hcl")));
    }
}
