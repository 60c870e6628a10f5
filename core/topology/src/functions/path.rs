//! Functions of paths. They look at the text alone, but for `fileset`, which lists a folder.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use regex::Regex;

use super::{Args, FnResult, Function, pure};
use crate::value::Value;

/// The most files and folders that `fileset` looks at.
const MAX_ENTRIES: u64 = 100_000;

pub(super) static TABLE: &[Function] = &[
    pure(
        "basename",
        (1, 1),
        basename,
        "basename(path)",
        "The last part of a path.",
        "basename(\"keys/ops.pub\") == \"ops.pub\"",
    ),
    pure(
        "dirname",
        (1, 1),
        dirname,
        "dirname(path)",
        "A path without its last part.",
        "dirname(\"keys/ops.pub\") == \"keys\"",
    ),
    pure(
        "pathexpand",
        (1, 1),
        |args| Ok(Value::string(expanded(&args.text(0)?))),
        "pathexpand(path)",
        "A path with the user's own folder for a `~` at its start.",
        "pathexpand(\"keys/ops.pub\") == \"keys/ops.pub\"",
    ),
];

/// The path with its `~`, if it begins with one, as the user's own folder.
pub(crate) fn expanded(path: &str) -> String {
    let rest = match path.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => rest,
        _ => return path.to_owned(),
    };
    match std::env::home_dir() {
        Some(home) => format!("{}{rest}", home.display()),
        None => path.to_owned(),
    }
}

/// A path as short as it can be said, without looking at any file: Go's `filepath.Clean`.
pub(crate) fn cleaned(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match clean.components().next_back() {
                Some(Component::Normal(_)) => {
                    clean.pop();
                }
                Some(Component::RootDir) => {}
                _ => clean.push(".."),
            },
            other => clean.push(other),
        }
    }
    if clean.as_os_str().is_empty() {
        clean.push(".");
    }
    clean
}

fn basename(args: &Args<'_>) -> FnResult {
    let path = args.text(0)?;
    let trimmed = path.trim_end_matches('/');
    Ok(Value::string(match trimmed.rsplit('/').next() {
        Some("") | None if path.starts_with('/') => "/",
        Some("") | None => ".",
        Some(last) => last,
    }))
}

fn dirname(args: &Args<'_>) -> FnResult {
    let path = args.text(0)?;
    let folder = path.rfind('/').map_or("", |at| &path[..=at]);
    let clean = cleaned(Path::new(folder));
    Ok(Value::string(clean.to_string_lossy()))
}

/// The files below a folder whose path from there matches a pattern, sorted. Folders that are links
/// are not entered, so that no circle of them is. Counts what was looked at in `seen`.
pub(crate) fn file_set(folder: &Path, pattern: &str, seen: &mut u64) -> Result<Vec<Value>, String> {
    let pattern = cleaned(Path::new(pattern));
    let pattern = pattern.to_string_lossy();
    let matcher = Regex::new(&format!("^{}$", glob(&pattern)?))
        .map_err(|_| "takes a pattern such as `\"*.pub\"`, and this is none".to_owned())?;
    // Without `**` nothing deeper than the pattern can match.
    let depth = if pattern.contains("**") {
        usize::MAX
    } else {
        pattern.matches('/').count()
    };
    let mut found = BTreeSet::new();
    let mut folders = vec![(folder.to_owned(), String::new(), 0)];
    while let Some((folder, prefix, level)) = folders.pop() {
        // A folder that cannot be read has no files for us.
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            *seen += 1;
            if *seen > MAX_ENTRIES {
                return Err(format!("looks at no more than {MAX_ENTRIES} files"));
            }
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let path = format!("{prefix}{name}");
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder && level < depth {
                folders.push((entry.path(), format!("{path}/"), level + 1));
            } else if matcher.is_match(&path) && entry.path().is_file() {
                found.insert(path);
            }
        }
    }
    Ok(found.into_iter().map(Value::string).collect())
}

/// A pattern of a shell as a regular expression: `*`, `?`, `[a-z]`, `{a,b}`, and `**` for any folders.
fn glob(pattern: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut signs = pattern.chars().peekable();
    let mut braces = 0;
    while let Some(c) = signs.next() {
        match c {
            '*' if signs.next_if_eq(&'*').is_some() => {
                if signs.next_if_eq(&'/').is_some() {
                    out.push_str("(?:[^/]+/)*");
                } else {
                    out.push_str(".*");
                }
            }
            '*' => out.push_str("[^/]*"),
            '?' => out.push_str("[^/]"),
            '[' => {
                out.push('[');
                if signs.next_if(|c| matches!(c, '^' | '!')).is_some() {
                    out.push('^');
                }
                loop {
                    match signs.next() {
                        Some(']') => break,
                        Some('-') => out.push('-'),
                        Some(c) => out.push_str(&regex::escape(&c.to_string())),
                        None => return Err("has a `[` without its `]`".to_owned()),
                    }
                }
                out.push(']');
            }
            '{' => {
                braces += 1;
                out.push_str("(?:");
            }
            '}' if braces > 0 => {
                braces -= 1;
                out.push(')');
            }
            ',' if braces > 0 => out.push('|'),
            '\\' => out.push_str(&regex::escape(&signs.next().unwrap_or('\\').to_string())),
            c => out.push_str(&regex::escape(&c.to_string())),
        }
    }
    if braces > 0 {
        return Err("has a `{` without its `}`".to_owned());
    }
    Ok(out)
}
