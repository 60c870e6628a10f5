//! The folder beside a topology where its journal and lease are.

use std::path::{Path, PathBuf};

use strat_model::Name;

use crate::Error;

/// `.stratiform` beside a topology. It may be deleted at any time but during a run: the clouds are
/// the state. It is made at the first write, with a `.gitignore` that keeps all of it out of git.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateDir(PathBuf);

impl StateDir {
    /// The folder's name.
    pub const NAME: &'static str = ".stratiform";

    /// A folder of any name, such as one for a try that is to leave no trace.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder beside the topology in `base_dir`.
    #[must_use]
    pub fn beside(base_dir: &Path) -> Self {
        Self(base_dir.join(Self::NAME))
    }

    /// The folder beside the topology at `path`, a file or a folder, which need not be readable.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        if path.is_dir() {
            return Self::beside(path);
        }
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        Self::beside(parent.unwrap_or_else(|| Path::new(".")))
    }

    /// That of an environment, in this one: each has a journal and a lease of its own.
    #[must_use]
    pub fn of_env(self, env: Option<&Name>) -> Self {
        match env {
            Some(env) => Self(self.0.join("env").join(env.as_str())),
            None => self,
        }
    }

    /// Where it is, or would be.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn create(&self) -> Result<(), Error> {
        std::fs::create_dir_all(&self.0).map_err(Error::file(&self.0, "written"))?;
        let ignore = self.0.join(".gitignore");
        if std::fs::symlink_metadata(&ignore).is_ok() {
            return Ok(());
        }
        strat_engine::files::replace(&ignore, b"*\n").map_err(Error::file(&ignore, "written"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_has_one_of_its_own() {
        let name = Name::new("prod").expect("a name");
        let path = StateDir::at("x").of_env(Some(&name)).path().to_owned();
        assert_eq!(path, Path::new("x/env/prod"));
        assert_eq!(StateDir::at("x").of_env(None), StateDir::at("x"));
    }

    #[test]
    fn it_keeps_itself_out_of_git() {
        let dir = tempfile::tempdir().expect("a folder");
        let state = StateDir::beside(dir.path());
        assert!(!state.path().exists());
        state.create().expect("first");
        state.create().expect("again");
        let ignore = std::fs::read_to_string(state.path().join(".gitignore")).expect("text");
        assert_eq!(ignore, "*\n");
    }
}
