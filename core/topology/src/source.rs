//! The text of a topology: one file, or the files of a folder.

mod beside;
mod overlay;

use std::io::Read as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use strat_model::{Diagnostic, Origin};

use crate::cases::TEST_ENDING;
use crate::shown;

pub use overlay::Overlay;

/// The most bytes that one file may have.
const MAX_FILE_BYTES: u64 = 64 << 20;
/// The most bytes that all files of a topology may have together.
const MAX_TOTAL_BYTES: u64 = 128 << 20;
/// The most files that a topology may have.
const MAX_FILES: usize = 4096;
/// The most modules that a topology may use.
const MAX_MODULES: usize = 256;
/// The endings of files that are topologies wherever they lie.
const ENDINGS: [&str; 4] = [".hcl", ".strat.yaml", ".strat.yml", ".strat.json"];
/// The endings of files that are topologies only where there is none of the former: templates and
/// other data often lie beside a topology.
const PLAIN_ENDINGS: [&str; 3] = [".yaml", ".yml", ".json"];
/// The endings of files of variables, which lie beside a topology and are not part of it.
const VARIABLE_ENDINGS: [&str; 4] = [".vars.hcl", ".vars.yaml", ".vars.yml", ".vars.json"];

/// One file and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// As shown to people.
    pub name: Arc<str>,
    /// The whole text, without a byte order mark. It is as it was read: an `Arc<str>` would be a copy.
    pub text: Arc<String>,
    /// The first byte that is part of no character of UTF-8, if there is one; in the text another
    /// character stands for it.
    not_utf8: Option<usize>,
}

impl SourceFile {
    /// A file whose text is at hand.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: Arc::new(text.into()),
            not_utf8: None,
        }
    }

    /// A file whose content is at hand. That it is not UTF-8 is told where it is parsed, like every
    /// other mistake in it.
    #[must_use]
    pub fn from_bytes(name: impl Into<Arc<str>>, bytes: Vec<u8>) -> Self {
        let (text, not_utf8) = match String::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                (text, Some(at))
            }
        };
        Self {
            name: name.into(),
            text: Arc::new(text),
            not_utf8,
        }
    }

    /// Reads a file. That it is not UTF-8 is told where it is parsed, like every other mistake in it.
    ///
    /// # Errors
    /// If it cannot be read, or has more than 64 MiB.
    pub fn read(path: &Path) -> Result<Self, LoadError> {
        read(path, &Overlay::default())
    }

    /// The same without the byte order mark that it may begin with.
    fn without_mark(self) -> Self {
        let Some(text) = self.text.strip_prefix(BYTE_ORDER_MARK) else {
            return self;
        };
        Self {
            text: Arc::new(text.to_owned()),
            not_utf8: self.not_utf8.map(|at| at - BYTE_ORDER_MARK.len_utf8()),
            name: self.name,
        }
    }

    /// The finding for what is not UTF-8 in it, and the other findings without those that only say
    /// that what stands for it means nothing.
    pub(crate) fn with_not_utf8(&self, others: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let Some(at) = self.not_utf8 else {
            return others;
        };
        let at_of = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let start = at - (self.text.len() - without_byte_order_mark(&self.text).len());
        let origin = Origin {
            file: self.name.clone(),
            start: at_of(start),
            end: at_of(start + char::REPLACEMENT_CHARACTER.len_utf8()),
        };
        let (line, column) = self.place(start);
        let name = &self.name;
        let message = format!(
            "`{name}` is not UTF-8 text: at line {line}, column {column}, a byte is part of no character"
        );
        let finding = Diagnostic::error("not_utf8", message)
            .at(&origin, "not a character")
            .help("save the file as UTF-8");
        let text = without_byte_order_mark(&self.text);
        let stands_for_it = |finding: &Diagnostic| {
            let origin = finding.labels.first().map(|label| &label.origin);
            let range = origin.map(|origin| origin.start as usize..origin.end as usize);
            range.is_some_and(|range| {
                text.get(range)
                    .is_some_and(|text| text.contains(char::REPLACEMENT_CHARACTER))
            })
        };
        let others = others.into_iter().filter(|other| !stands_for_it(other));
        std::iter::once(finding).chain(others).collect()
    }

    /// The line and the column, both from 1 and in characters, of a byte of its text.
    fn place(&self, at: usize) -> (usize, usize) {
        let text = without_byte_order_mark(&self.text);
        line_and_column(text.get(..at).unwrap_or(text))
    }
}

/// The text of a topology.
#[derive(Debug, Clone)]
pub struct Sources {
    base_dir: Arc<Path>,
    /// The topology's own files, then those of its modules.
    files: Arc<[SourceFile]>,
    /// Whose the files are. One pointer, since errors hold this.
    parts: Arc<Parts>,
    /// The same as they may be shown, made when first asked for; `None` for what holds no secret.
    shown: Arc<[OnceLock<Option<String>>]>,
    /// Files of values: their places can be told, their text is never shown.
    values: Arc<[SourceFile]>,
}

/// Whose files are whose.
#[derive(Debug)]
struct Parts {
    /// How many are the topology's own.
    own: usize,
    /// The modules: each folder, and which of the files are its.
    modules: Vec<(PathBuf, Range<usize>)>,
}

/// Why a topology's text could not be had.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Nothing is there.
    #[error("`{}` does not exist", path.display())]
    Missing {
        /// What was asked for.
        path: PathBuf,
    },
    /// The folder holds no topology.
    #[error("`{}` has no topology files: none ends in `.hcl`, `.yaml`, `.yml` or `.json`", path.display())]
    NoFiles {
        /// The folder.
        path: PathBuf,
    },
    /// A file could not be read.
    #[error("`{}` cannot be read", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// More than a topology may be.
    #[error("`{}` is too large: {limit}", path.display())]
    TooLarge {
        /// The file or folder.
        path: PathBuf,
        /// The limit, in words.
        limit: &'static str,
    },
}

impl Sources {
    /// Reads a file, or the topology files of a folder, in the order of their names.
    ///
    /// Those are the files directly in it that are not hidden and end in `.hcl`, `.strat.yaml`,
    /// `.strat.yml` or `.strat.json`; if there are none, those that end in `.yaml`, `.yml` or
    /// `.json` and are no saved plans. Files of variables (`.vars.hcl` and the like) and of tests (`.test.hcl`) are left
    /// out.
    ///
    /// # Errors
    /// If there is nothing to read, or it cannot be read, or is too large.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        Self::load_over(path, &Overlay::default())
    }

    /// As [`Sources::load`], with text that stands for what is on disk.
    ///
    /// # Errors
    /// As [`Sources::load`].
    pub fn load_over(path: &Path, over: &Overlay) -> Result<Self, LoadError> {
        let unreadable = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::NotFound => LoadError::Missing {
                path: path.to_owned(),
            },
            _ => LoadError::Unreadable {
                path: path.to_owned(),
                source,
            },
        };
        let metadata = std::fs::metadata(path).map_err(unreadable)?;
        if !metadata.is_dir() {
            let base_dir = path.parent().unwrap_or_else(|| Path::new(""));
            return Self::from_files(base_dir, vec![read(path, over)?]).with_modules(over);
        }
        Self::from_files(path, files_of(path, over)?).with_modules(over)
    }

    /// Sources of text that is at hand. `base_dir` is what `file("…")` is relative to.
    #[must_use]
    pub fn from_files(base_dir: impl Into<PathBuf>, files: Vec<SourceFile>) -> Self {
        let files = files.into_iter().map(SourceFile::without_mark);
        let files: Arc<[SourceFile]> = files.collect();
        Self {
            base_dir: base_dir.into().into(),
            shown: files.iter().map(|_| OnceLock::new()).collect(),
            parts: Arc::new(Parts {
                own: files.len(),
                modules: Vec::new(),
            }),
            files,
            values: Arc::default(),
        }
    }

    /// The same with files of values, whose places findings may name.
    #[must_use]
    pub fn with_values(mut self, files: &[SourceFile]) -> Self {
        self.values = files.iter().cloned().collect();
        self
    }

    /// The text of a file that a finding names, as it may be shown: secrets in it are stars, byte for
    /// byte. A file of values has none.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let at = self.files.iter().position(|file| &*file.name == name)?;
        let (file, shown) = (&self.files[at], self.shown.get(at)?);
        let masked = shown.get_or_init(|| shown::masked(&file.name, &file.text));
        Some(masked.as_deref().unwrap_or(&file.text))
    }

    /// The line and the column, both from 1 and in characters, of a byte of a file, which may be one
    /// of values.
    #[must_use]
    pub fn line_and_column(&self, name: &str, at: usize) -> Option<(usize, usize)> {
        let mut files = self.files.iter().chain(self.values.iter());
        Some(files.find(|file| &*file.name == name)?.place(at))
    }

    /// The folder that `file("…")` is relative to.
    #[must_use]
    pub fn base_dir(&self) -> &Path {
        &self.base_dir
    }

    /// The files, in order, without those of modules.
    #[must_use]
    pub fn files(&self) -> &[SourceFile] {
        &self.files[..self.parts.own]
    }

    /// Whether the text is the same as another's, that of modules and of values included.
    #[must_use]
    pub fn is_same_text(&self, other: &Self) -> bool {
        self.files == other.files && self.values == other.values
    }
}

/// The topology files of a folder, in the order of their names.
fn files_of(folder: &Path, over: &Overlay) -> Result<Vec<SourceFile>, LoadError> {
    let paths = topology_files(folder, over)?;
    if paths.is_empty() {
        return Err(LoadError::NoFiles {
            path: folder.to_owned(),
        });
    }
    let mut files = Vec::with_capacity(paths.len());
    let mut total = 0;
    for path in &paths {
        let file = read(path, over)?;
        total += file.text.len() as u64;
        files.push(file);
    }
    if total > MAX_TOTAL_BYTES || paths.len() > MAX_FILES {
        return Err(LoadError::TooLarge {
            path: folder.to_owned(),
            limit: "a topology has at most 4096 files of 128 MiB together",
        });
    }
    Ok(files)
}

/// The line and the column behind a text.
pub(crate) fn line_and_column(before: &str) -> (usize, usize) {
    let line = before.rsplit('\n').next().unwrap_or_default();
    let lines = before.matches('\n').count();
    (lines + 1, line.chars().count() + 1)
}

fn topology_files(folder: &Path, over: &Overlay) -> Result<Vec<PathBuf>, LoadError> {
    let unreadable = |source| LoadError::Unreadable {
        path: folder.to_owned(),
        source,
    };
    let (mut paths, mut plain) = (Vec::new(), Vec::new());
    let mut all = over.new_files(folder);
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_file() {
            all.push(path);
        }
    }
    for path in all {
        let name = path.file_name().unwrap_or_default();
        let name = name.to_string_lossy().to_ascii_lowercase();
        let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        let is_beside = ends(&VARIABLE_ENDINGS) || ends(&[TEST_ENDING]);
        if name.starts_with('.') || is_beside {
            continue;
        }
        if ends(&ENDINGS) {
            paths.push(path);
        } else if ends(&PLAIN_ENDINGS) {
            plain.push(path);
        }
    }
    if paths.is_empty() {
        plain.retain(|path| !is_plan(path, over));
        paths = plain;
    }
    paths.sort();
    Ok(paths)
}

/// Whether a file is a saved plan, or what a command wrote as JSON: those say their version.
fn is_plan(path: &Path, over: &Overlay) -> bool {
    let json = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("json"));
    let text = || read(path, over).ok().map(|file| file.text);
    json && text()
        .filter(|text| text.contains("\"format_version\""))
        .and_then(|text| {
            serde_json::from_str::<serde_json::Value>(without_byte_order_mark(&text)).ok()
        })
        .is_some_and(|value| value.get("format_version").is_some())
}

const BYTE_ORDER_MARK: char = '\u{feff}';

/// A text without the byte order mark that it may begin with.
pub(crate) fn without_byte_order_mark(text: &str) -> &str {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

fn read(path: &Path, over: &Overlay) -> Result<SourceFile, LoadError> {
    if let Some(text) = over.text(path) {
        return Ok(SourceFile::new(path.to_string_lossy(), &**text));
    }
    let unreadable = |source| LoadError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_or(0, |file| file.len());
    // As long as it is, and a byte to see that it has ended.
    let mut bytes =
        Vec::with_capacity(usize::try_from(length.min(MAX_FILE_BYTES)).unwrap_or(0) + 1);
    file.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(LoadError::TooLarge {
            path: path.to_owned(),
            limit: "a file has at most 64 MiB",
        });
    }
    Ok(SourceFile::from_bytes(path.to_string_lossy(), bytes))
}
