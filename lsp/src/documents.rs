//! The files that are open, as the client has them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gen_lsp_types::TextDocumentContentChangeEvent as Change;
use stratiform::topology::Overlay;

use crate::position::{Encoding, Lines};

/// A file that is open.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    /// The client's number of this state of the text.
    pub(crate) version: i32,
    pub(crate) text: Arc<String>,
}

/// The files that are open, by path.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    open: BTreeMap<PathBuf, Document>,
}

impl Documents {
    pub(crate) fn get(&self, path: &Path) -> Option<&Document> {
        self.open.get(path)
    }

    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.open.keys().map(PathBuf::as_path)
    }

    pub(crate) fn open(&mut self, path: PathBuf, version: i32, text: String) {
        let text = Arc::new(text);
        self.open.insert(path, Document { version, text });
    }

    pub(crate) fn close(&mut self, path: &Path) {
        self.open.remove(path);
    }

    /// Makes changes, each of the text that the one before it left. Whether the file is open.
    pub(crate) fn change(
        &mut self,
        path: &Path,
        version: i32,
        changes: Vec<Change>,
        encoding: Encoding,
    ) -> bool {
        let Some(document) = self.open.get_mut(path) else {
            return false;
        };
        document.version = version;
        let text = Arc::make_mut(&mut document.text);
        for change in changes {
            match change {
                Change::TextDocumentContentChangePartial(part) => {
                    let bytes = Lines::of(text, encoding).bytes(part.range);
                    text.replace_range(bytes, &part.text);
                }
                Change::TextDocumentContentChangeWholeDocument(whole) => *text = whole.text,
            }
        }
        true
    }

    /// The text of all of them, in place of what is on disk.
    pub(crate) fn overlay(&self) -> Overlay {
        let mut overlay = Overlay::default();
        for (path, document) in &self.open {
            overlay.insert(path.clone(), Arc::clone(&document.text));
        }
        overlay
    }
}
