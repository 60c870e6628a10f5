//! The files of policies in folders.

use std::path::{Path, PathBuf};

use stratiform::policy::PolicyError;
use stratiform::topology::{SourceFile, Sources};

/// How deep below a folder policies are looked for.
const DEPTH_MAX: usize = 16;

/// All `.rego` files of some folders and files, but for tests of policies (`_test.rego`).
///
/// # Errors
/// If one is not there or cannot be read, or a folder has no policy: who names it wants to be guarded.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Sources, PolicyError> {
    let mut files = Vec::new();
    for path in paths {
        let mut found = Vec::new();
        match path.is_dir() {
            true => below(path, DEPTH_MAX, &mut found)?,
            false => found.push(path.clone()),
        }
        if found.is_empty() {
            let what = format!("`{}` holds no policy", path.display());
            return Err(PolicyError::new(
                what,
                "a policy is a file whose name ends in `.rego`, but not in `_test.rego`",
            ));
        }
        found.sort();
        for path in found {
            files.push(SourceFile::read(&path).map_err(|error| unreadable(&path, &error))?);
        }
    }
    Ok(Sources::from_files("", files))
}

fn below(dir: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), PolicyError> {
    let entries = std::fs::read_dir(dir).map_err(|error| unreadable(dir, &error))?;
    for entry in entries {
        let path = entry.map_err(|error| unreadable(dir, &error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            if depth == 0 {
                let what = format!("`{}` is nested too deep", path.display());
                return Err(PolicyError::new(what, "move its policies further up"));
            }
            below(&path, depth - 1, found)?;
        } else if name.ends_with(".rego") && !name.ends_with("_test.rego") {
            found.push(path);
        }
    }
    Ok(())
}

fn unreadable(path: &Path, error: &dyn std::error::Error) -> PolicyError {
    let mut why = error.to_string();
    if let Some(source) = error.source() {
        why = format!("{why}: {source}");
    }
    PolicyError::new(
        format!("the policies `{}` cannot be read: {why}", path.display()),
        "name a folder of `.rego` files, or one such file",
    )
}
