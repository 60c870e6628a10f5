//! What lies beside a topology's files: modules, and files of values.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::{
    LoadError, MAX_MODULES, Overlay, Parts, SourceFile, Sources, VARIABLE_ENDINGS, files_of, read,
};
use crate::expand::source;
use crate::topology::{body_of, deep};

impl Sources {
    /// Reads the files of values that lie beside a topology and are read by themselves, the later of
    /// which wins: those that end in `.auto.vars.hcl`, `.auto.vars.yaml`, `.auto.vars.yml` or
    /// `.auto.vars.json`, in the order of their names, then those of the environment, such as
    /// `prod.vars.hcl`.
    ///
    /// # Errors
    /// If one cannot be read, or is too large.
    pub fn values_beside(path: &Path, env: Option<&str>) -> Result<Vec<SourceFile>, LoadError> {
        Self::values_over(path, env, &Overlay::default())
    }

    /// As [`Sources::values_beside`], with text that stands for what is on disk.
    ///
    /// # Errors
    /// As [`Sources::values_beside`].
    pub fn values_over(
        path: &Path,
        env: Option<&str>,
        over: &Overlay,
    ) -> Result<Vec<SourceFile>, LoadError> {
        let folder = match path.is_dir() {
            true => path,
            false => path.parent().unwrap_or_else(|| Path::new("")),
        };
        let listed = match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => folder,
        };
        let Ok(entries) = std::fs::read_dir(listed) else {
            // That nothing is there is told where the topology is read.
            return Ok(Vec::new());
        };
        let names = entries.flatten().filter(|entry| entry.path().is_file());
        let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let ends = |name: &str, stem: &str| {
            let endings = VARIABLE_ENDINGS.iter();
            endings
                .map(|ending| format!("{stem}{ending}"))
                .any(|ending| match stem {
                    ".auto" => {
                        name.to_ascii_lowercase().ends_with(&ending) && !name.starts_with('.')
                    }
                    _ => name == ending,
                })
        };
        let mut names: Vec<(bool, String)> = names
            .filter_map(|name| {
                let of_env = env.is_some_and(|env| ends(&name, env));
                (of_env || ends(&name, ".auto")).then_some((of_env, name))
            })
            .collect();
        names.sort();
        names
            .iter()
            .map(|(_, name)| read(&folder.join(name), over))
            .collect()
    }

    /// The same with the files of the modules that it uses, and of those that they use.
    pub(super) fn with_modules(self, over: &Overlay) -> Result<Self, LoadError> {
        let mut modules: Vec<(PathBuf, Vec<SourceFile>)> = Vec::new();
        let mut todo = folders_used(&self.base_dir, &self.files);
        while let Some(folder) = todo.pop() {
            // A folder that is not there is told of where it is named.
            let known = modules.iter().any(|(own, _)| *own == folder);
            if known || !folder.is_dir() {
                continue;
            }
            match files_of(&folder, over) {
                Err(LoadError::NoFiles { .. }) => {}
                files => {
                    let files = files?.into_iter().map(SourceFile::without_mark);
                    let files: Vec<SourceFile> = files.collect();
                    todo.extend(folders_used(&folder, &files));
                    modules.push((folder, files));
                }
            }
            if modules.len() > MAX_MODULES {
                return Err(LoadError::TooLarge {
                    path: self.base_dir.to_path_buf(),
                    limit: "a topology uses at most 256 modules",
                });
            }
        }
        if modules.is_empty() {
            return Ok(self);
        }
        modules.sort_by(|a, b| a.0.cmp(&b.0));
        let mut files = self.files.to_vec();
        let mut ranges = Vec::with_capacity(modules.len());
        for (folder, own) in modules {
            let start = files.len();
            files.extend(own);
            ranges.push((folder, start..files.len()));
        }
        Ok(Self {
            shown: files.iter().map(|_| OnceLock::new()).collect(),
            files: files.into(),
            parts: Arc::new(Parts {
                own: self.parts.own,
                modules: ranges,
            }),
            ..self
        })
    }

    /// The modules that the topology uses: each folder, and its files.
    pub fn modules(&self) -> impl Iterator<Item = (&Path, &[SourceFile])> {
        let modules = self.parts.modules.iter();
        modules.map(|(folder, range)| (&**folder, &self.files[range.clone()]))
    }
}

/// The folders of the modules that the files of a folder use.
fn folders_used(folder: &Path, files: &[SourceFile]) -> Vec<PathBuf> {
    // Nearly no file uses one, and parsing takes time.
    let files = files.iter().filter(|file| file.text.contains("module"));
    deep(|| {
        let bodies = files.map(|file| body_of(0, file).0);
        let blocks = bodies.flat_map(|body| body.blocks);
        let modules = blocks.filter(|block| &*block.keyword.text == "module");
        modules.filter_map(|block| source(&block, folder)).collect()
    })
}
