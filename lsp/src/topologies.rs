//! The topologies that open files are part of, as their text is now.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use stratiform::model::Name;
use stratiform::topology::editor::Names;
use stratiform::topology::{Overlay, SourceFile, Sources};
use stratiform::{KnownOffers, Workspace};

use crate::documents::Documents;

/// How many folders above a module's are looked at for the topology that uses it.
const LEVELS_MAX: usize = 8;

/// A topology's text, and what it defines.
#[derive(Debug)]
pub(crate) struct View {
    /// Its folder.
    pub(crate) root: PathBuf,
    pub(crate) sources: Sources,
    /// Files of variables' values that are read with it.
    pub(crate) values: Vec<SourceFile>,
    pub(crate) names: Names,
}

impl View {
    pub(crate) fn load(
        root: &Path,
        env: Option<&Name>,
        overlay: &Overlay,
        open: &[PathBuf],
    ) -> Self {
        let sources = Sources::load_over(root, overlay).unwrap_or_else(|_| {
            // A folder that is not there yet, or holds no topology: what is open in it.
            let here = open.iter().filter(|path| path.parent() == Some(root));
            let files = here.filter_map(|path| {
                let text = overlay.text(path)?;
                Some(SourceFile::new(path.to_string_lossy(), &***text))
            });
            Sources::from_files(root, files.collect())
        });
        let env = env.map(Name::as_str);
        let values = Sources::values_over(root, env, overlay).unwrap_or_default();
        let names = Names::of(&sources, &values);
        Self {
            root: root.to_owned(),
            sources,
            values,
            names,
        }
    }

    /// The text of one of its files.
    pub(crate) fn text(&self, file: &str) -> Option<&str> {
        let modules = self.sources.modules().flat_map(|(_, files)| files);
        let mut files = self
            .sources
            .files()
            .iter()
            .chain(modules)
            .chain(&self.values);
        let file = files.find(|one| &*one.name == file)?;
        Some(&file.text)
    }

    /// Whether it has a block that says whose it is.
    pub(crate) fn has_topology(&self) -> bool {
        let mut all = self.names.definitions().iter();
        all.any(|one| &*one.root == "topology" && one.folder == self.root)
    }

    /// Whether it can only be a module: it has neither sites nor a block that says whose it is.
    pub(crate) fn is_module(&self) -> bool {
        let mut sites = self.names.named(&self.root, "site");
        !self.has_topology() && sites.next().is_none()
    }
}

/// What was found of a topology when it was examined.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// What it defined when all of its text could be parsed.
    pub(crate) names: Option<Arc<View>>,
    /// It, as far as it could be evaluated.
    pub(crate) workspace: Option<Box<Workspace>>,
    /// What its sites sell; `None` until somebody asks.
    pub(crate) offers: Option<BTreeMap<Name, KnownOffers>>,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Topologies {
    /// The folders that the client works in; a topology is looked for in no other.
    pub(crate) workspace_folders: Vec<PathBuf>,
    /// The topology's folder, by the folder of a file.
    roots: BTreeMap<PathBuf, PathBuf>,
    views: BTreeMap<PathBuf, Arc<View>>,
    known: BTreeMap<PathBuf, Known>,
}

impl Topologies {
    /// The folder of the topology that a file is part of.
    pub(crate) fn root_of(
        &mut self,
        path: &Path,
        env: Option<&Name>,
        documents: &Documents,
    ) -> Option<PathBuf> {
        let folder = path.parent()?;
        if let Some(root) = self.roots.get(folder) {
            return Some(root.clone());
        }
        let root = self.find_root(folder, env, documents);
        self.roots.insert(folder.to_owned(), root.clone());
        Some(root)
    }

    fn find_root(&self, folder: &Path, env: Option<&Name>, documents: &Documents) -> PathBuf {
        let overlay = documents.overlay();
        let open: Vec<PathBuf> = documents.paths().map(Path::to_owned).collect();
        if View::load(folder, env, &overlay, &open).has_topology() {
            return folder.to_owned();
        }
        let is_within = |above: &&Path| {
            let mut folders = self.workspace_folders.iter();
            folders.any(|workspace| above.starts_with(workspace))
        };
        let above = folder.ancestors().skip(1).take(LEVELS_MAX);
        for above in above.take_while(is_within) {
            let Ok(sources) = Sources::load_over(above, &overlay) else {
                continue;
            };
            let mut modules = sources.modules();
            if modules.any(|(module, _)| module == folder) {
                return above.to_owned();
            }
        }
        folder.to_owned()
    }

    /// The topology at a root, with the text as it is now.
    pub(crate) fn view(
        &mut self,
        root: &Path,
        env: Option<&Name>,
        documents: &Documents,
    ) -> Arc<View> {
        if let Some(view) = self.views.get(root) {
            return Arc::clone(view);
        }
        let open: Vec<PathBuf> = documents.paths().map(Path::to_owned).collect();
        let view = Arc::new(View::load(root, env, &documents.overlay(), &open));
        self.views.insert(root.to_owned(), Arc::clone(&view));
        view
    }

    /// Some text has changed.
    pub(crate) fn forget_text(&mut self) {
        self.views.clear();
    }

    /// Files may have come or gone.
    pub(crate) fn forget_files(&mut self) {
        self.views.clear();
        self.roots.clear();
    }

    /// What was found of the topology at a root when it was last examined.
    pub(crate) fn known(&mut self, root: &Path) -> &mut Known {
        self.known.entry(root.to_owned()).or_default()
    }
}
