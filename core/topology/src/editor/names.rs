//! What a topology defines and refers to, by name, with the places.
//!
//! Of a text that is broken somewhere, what the parser can read of it.

mod read;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use strat_model::Origin;

use crate::source::{SourceFile, Sources};
use crate::topology::deep;

use read::Reader;

/// What a topology and its modules define and refer to.
#[derive(Debug, Clone, Default)]
pub struct Names {
    definitions: Vec<Definition>,
    references: Vec<Reference>,
    links: Vec<FileLink>,
    by_name: FxHashMap<(PathBuf, Arc<str>, Arc<str>), usize>,
}

/// Something that has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// The first word of references to it: a noun such as `machine`, or `site`, `var`, `local`,
    /// `module`; `output`, `topology`, `budget`, `burst` and `check` have none but from outside.
    pub root: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// The folder whose files see it.
    pub folder: PathBuf,
    /// The place of its name, without quotes.
    pub place: Origin,
    /// The place of its block's keyword and labels; of a local, of its name.
    pub head: Origin,
    /// Whether others own it: it is looked up.
    pub is_looked_up: bool,
    /// Whether it is defined once and stands for several.
    pub is_repeated: bool,
    /// The module's folder, of a `module` block.
    pub module: Option<PathBuf>,
}

/// A name that stands for a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The first word.
    pub root: Arc<str>,
    /// The name.
    pub name: Arc<str>,
    /// The folder whose files see what it names.
    pub folder: PathBuf,
    /// The place of the name, without quotes.
    pub place: Origin,
}

/// A file that an expression names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLink {
    /// The place of the path, without quotes.
    pub place: Origin,
    /// The file.
    pub target: PathBuf,
}

impl Names {
    /// Reads a topology, its modules, and files of variables' values.
    #[must_use]
    pub fn of(sources: &Sources, values: &[SourceFile]) -> Self {
        deep(|| {
            let mut reader = Reader::new(sources.base_dir());
            for file in sources.files() {
                reader.file(sources.base_dir(), file);
            }
            for (folder, files) in sources.modules() {
                for file in files {
                    reader.file(folder, file);
                }
            }
            for file in values {
                reader.values(sources.base_dir(), file);
            }
            let mut names = reader.finish();
            for (at, one) in names.definitions.iter().enumerate() {
                let key = (one.folder.clone(), one.root.clone(), one.name.clone());
                names.by_name.entry(key).or_insert(at);
            }
            names
        })
    }

    /// Everything that is defined.
    #[must_use]
    pub fn definitions(&self) -> &[Definition] {
        &self.definitions
    }

    /// The files that expressions name.
    #[must_use]
    pub fn links(&self) -> &[FileLink] {
        &self.links
    }

    /// What references beginning with `root` may name in the files of a folder.
    pub fn named<'n>(
        &'n self,
        folder: &'n Path,
        root: &'n str,
    ) -> impl Iterator<Item = &'n Definition> {
        let all = self.definitions.iter();
        all.filter(move |one| &*one.root == root && one.folder == folder)
    }

    /// The definition at a byte of a file: of the name that is defined or referred to there, whose
    /// place is given too.
    #[must_use]
    pub fn at(&self, file: &str, byte: usize) -> Option<(&Definition, &Origin)> {
        let is_here = |place: &Origin| {
            &*place.file == file && (place.start as usize..=place.end as usize).contains(&byte)
        };
        let own = self.definitions.iter().find(|one| is_here(&one.place));
        if let Some(own) = own {
            return Some((own, &own.place));
        }
        let here = self.references.iter().find(|one| is_here(&one.place))?;
        let key = (here.folder.clone(), here.root.clone(), here.name.clone());
        let definition = self.definitions.get(*self.by_name.get(&key)?)?;
        Some((definition, &here.place))
    }

    /// The references to a definition, in the order of the files.
    pub fn references_to<'n>(
        &'n self,
        definition: &'n Definition,
    ) -> impl Iterator<Item = &'n Reference> {
        let is_it = |one: &&Reference| {
            (&one.root, &one.name) == (&definition.root, &definition.name)
                && one.folder == definition.folder
        };
        self.references.iter().filter(is_it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
topology \"shop\" {}
site \"east\" {
  provider = \"sim\"
}
variable \"size\" {}
locals {
  half = var.size / 2
}
network \"core\" {
  cidr  = \"10.0.0.0/16\"
  sites = [\"east\"]
}
subnet \"web\" {
  network = network.core
  newbits = local.half
  broken
}
output \"key\" {
  value = [for half in [1] : \"${half} ${file(\"ops.pub\")}\"]
}
";

    fn names() -> Names {
        let file = SourceFile::new("/t/a.hcl", TEXT);
        Names::of(&Sources::from_files("/t", vec![file]), &[])
    }

    fn places(names: &Names, word: &str) -> (String, Vec<usize>) {
        let byte = TEXT.find(word).expect("in the text") + word.len();
        let (one, _) = names.at("/t/a.hcl", byte).expect("a name");
        let found = names.references_to(one).map(|one| {
            let (start, end) = (one.place.start as usize, one.place.end as usize);
            assert_eq!(TEXT[start..end], *one.name);
            TEXT[..start].matches('\n').count() + 1
        });
        (format!("{}.{}", one.root, one.name), found.collect())
    }

    #[test]
    fn a_definition_knows_its_references() {
        let names = names();
        assert_eq!(
            places(&names, "network \"cor"),
            ("network.core".to_owned(), vec![14])
        );
        assert_eq!(
            places(&names, "sites = [\"e"),
            ("site.east".to_owned(), vec![11])
        );
        assert_eq!(places(&names, "var.si"), ("var.size".to_owned(), vec![7]));
        // The variable of a `for` is none of them.
        assert_eq!(places(&names, "  hal"), ("local.half".to_owned(), vec![15]));
        assert!(names.at("/t/a.hcl", 0).is_none());
    }

    #[test]
    fn files_that_are_read_are_links() {
        let names = names();
        let [link] = names.links() else {
            panic!("one link, not {:?}", names.links());
        };
        assert_eq!(link.target, Path::new("/t/ops.pub"));
        let place = link.place.start as usize..link.place.end as usize;
        assert_eq!(&TEXT[place], "ops.pub");
    }
}
