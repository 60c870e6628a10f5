//! Text that stands for what is on disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The text of files that are open in an editor, saved or not, by path.
#[derive(Debug, Clone, Default)]
pub struct Overlay {
    files: BTreeMap<PathBuf, Arc<String>>,
}

impl Overlay {
    /// Has `text` stand for the file at `path`, which need not be there. The path is that of the folder
    /// that is loaded with the file's name behind it.
    pub fn insert(&mut self, path: PathBuf, text: Arc<String>) {
        self.files.insert(path, text);
    }

    /// The text that stands for a file.
    #[must_use]
    pub fn text(&self, path: &Path) -> Option<&Arc<String>> {
        self.files.get(path)
    }

    /// The files that would be directly in a folder and are not on disk.
    pub(super) fn new_files(&self, folder: &Path) -> Vec<PathBuf> {
        let files = self.files.keys();
        let files = files.filter(|path| path.parent() == Some(folder) && !path.is_file());
        files.cloned().collect()
    }
}
