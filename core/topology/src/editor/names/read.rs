//! From files to names.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use strat_model::{Noun, Origin};

use super::{Definition, FileLink, Names, Reference};
use crate::ast::{Block, Body, Expr, ExprKind, Ident, Part};
use crate::expand::{META, source};
use crate::functions;
use crate::json_schema::attribute_words;
use crate::notation::{self, Notation};
use crate::program::{Found, Walker};
use crate::schema::{BlockSchema, FILE};
use crate::source::{SourceFile, without_byte_order_mark};
use crate::span::{Files, Span};
use crate::topology::body_of;
use crate::value::Value;
use crate::{data, syntax};

/// Reads the files of a topology, one after the other.
pub(super) struct Reader<'s> {
    base: &'s Path,
    files: Files,
    names: Names,
}

/// A file that is read.
struct Here<'s> {
    folder: &'s Path,
    text: &'s str,
    /// The folders of the modules that its folder uses, by their names.
    modules: FxHashMap<Arc<str>, PathBuf>,
}

impl<'s> Reader<'s> {
    pub(super) fn new(base: &'s Path) -> Self {
        Self {
            base,
            files: Files::default(),
            names: Names::default(),
        }
    }

    /// What was read.
    pub(super) fn finish(self) -> Names {
        self.names
    }

    /// A file of the topology's folder, or of a module's.
    pub(super) fn file(&mut self, folder: &'s Path, file: &SourceFile) {
        let index = self.files.add(file.name.clone());
        let (body, _) = body_of(index, file);
        let modules = body.blocks("module").filter_map(|block| {
            let name = block.labels.first()?.text.clone();
            Some((name, source(block, folder)?))
        });
        let here = Here {
            folder,
            text: without_byte_order_mark(&file.text),
            modules: modules.collect(),
        };
        for block in &body.blocks {
            let keyword = &*block.keyword.text;
            if let Some(schema) = FILE.iter().find(|schema| schema.keyword == keyword) {
                self.block(&here, schema, block);
            }
        }
    }

    /// A file of values: its names are those of variables.
    pub(super) fn values(&mut self, folder: &'s Path, file: &SourceFile) {
        let index = self.files.add(file.name.clone());
        let text = without_byte_order_mark(&file.text);
        let (body, _) = match notation::of(&file.name) {
            Notation::Hcl => syntax::hcl_body(index, &file.name, text),
            other => data::data_body(index, &file.name, text, other, true),
        };
        let here = Here {
            folder,
            text,
            modules: FxHashMap::default(),
        };
        for attribute in &body.attributes {
            self.refer(&here, "var", folder, &attribute.name);
        }
    }

    fn block(&mut self, here: &Here<'_>, schema: &BlockSchema, block: &Block) {
        match schema.keyword {
            "locals" => {
                for local in &block.body.attributes {
                    self.define(here, "local", &local.name, local.name.span, None);
                }
            }
            // What they name need not be there.
            "moved" | "removed" => return,
            keyword => {
                let root = match keyword {
                    "variable" => "var",
                    other => other,
                };
                if let Some(label) = block.labels.first() {
                    self.define(here, root, label, block.head, Some(block));
                }
            }
        }
        if schema.keyword == "module" {
            self.module(here, block);
        }
        self.literals(here, schema, &block.body);
        let mut found = Vec::new();
        let mut take = |one: Found<'_>| found.push(Owned::of(one));
        let mut walker = Walker::new(&mut take);
        if schema.keyword == "variable" {
            walker.variable(block);
        } else {
            walker.body(&block.body);
        }
        for one in found.into_iter().flatten() {
            self.found(here, one);
        }
    }

    fn define(
        &mut self,
        here: &Here<'_>,
        root: &str,
        name: &Ident,
        head: Span,
        block: Option<&Block>,
    ) {
        let has =
            |attribute: &str| block.is_some_and(|one| one.body.attribute(attribute).is_some());
        let definition = Definition {
            root: Arc::from(root),
            name: name.text.clone(),
            folder: here.folder.to_owned(),
            place: self.bare(here, name.span),
            head: self.files.origin(head),
            is_looked_up: block.is_some_and(|one| one.body.blocks("lookup").next().is_some()),
            is_repeated: has("for_each") || has("count"),
            module: block
                .filter(|_| root == "module")
                .and_then(|one| source(one, here.folder)),
        };
        self.names.definitions.push(definition);
    }

    fn refer(&mut self, here: &Here<'_>, root: &str, folder: &Path, name: &Ident) {
        let reference = Reference {
            root: Arc::from(root),
            name: name.text.clone(),
            folder: folder.to_owned(),
            place: self.bare(here, name.span),
        };
        self.names.references.push(reference);
    }

    /// The place of a name without the quotes around it.
    fn bare(&self, here: &Here<'_>, span: Span) -> Origin {
        let mut origin = self.files.origin(span);
        let text = here.text.get(span.start as usize..span.end as usize);
        let quoted = |text: &str| text.len() >= 2 && text.starts_with(['"', '\'']);
        if text.is_some_and(quoted) {
            origin.start += 1;
            origin.end -= 1;
        }
        origin
    }

    /// What a module is given are its variables.
    fn module(&mut self, here: &Here<'_>, block: &Block) {
        let Some(folder) = source(block, here.folder) else {
            return;
        };
        for attribute in &block.body.attributes {
            let name = &*attribute.name.text;
            if !META.contains(&name) {
                self.refer(here, "var", &folder, &attribute.name);
            }
            if name == "source" {
                let place = self.bare(here, attribute.value.span);
                let target = folder.clone();
                self.names.links.push(FileLink { place, target });
            }
        }
    }

    /// Sites that are named as texts.
    fn literals(&mut self, here: &Here<'_>, schema: &BlockSchema, body: &Body) {
        for attribute in &body.attributes {
            let shape = attribute_words(schema.keyword, &attribute.name.text);
            if !shape.is_some_and(|(shape, _)| shape.names_sites()) {
                continue;
            }
            let mut texts: Vec<&Expr> = Vec::new();
            match &attribute.value.kind {
                ExprKind::List(items) => texts.extend(items),
                ExprKind::Object(pairs) => texts.extend(pairs.iter().map(|(key, _)| key)),
                _ => texts.push(&attribute.value),
            }
            for text in texts {
                if let ExprKind::Literal(Value::String(name)) = &text.kind {
                    let name = Ident {
                        text: Arc::from(&**name),
                        span: text.span,
                    };
                    self.refer(here, "site", here.folder, &name);
                }
            }
        }
        for nested in &body.blocks {
            let known = schema.blocks.iter();
            if let Some(known) = known
                .clone()
                .find(|one| one.keyword == &*nested.keyword.text)
            {
                self.literals(here, known, &nested.body);
            }
        }
    }

    fn found(&mut self, here: &Here<'_>, found: Owned) {
        match found {
            Owned::Reference(root, name) => self.refer(here, &root, here.folder, &name),
            Owned::ModuleOutput(module, name) => {
                if let Some(folder) = here.modules.get(&module) {
                    self.refer(here, "output", &folder.clone(), &name);
                }
            }
            Owned::File(path, span, in_module) => {
                let folder = if in_module { here.folder } else { self.base };
                let target = folder.join(path.trim_start_matches(|c| in_module && c == '/'));
                let place = self.bare(here, span);
                self.names.links.push(FileLink { place, target });
            }
        }
    }
}

/// What was found, without the tree that it is of.
enum Owned {
    Reference(Arc<str>, Ident),
    ModuleOutput(Arc<str>, Ident),
    /// A file: its path, the path's place, and whether it is from the module's folder.
    File(Arc<str>, Span, bool),
}

impl Owned {
    fn of(found: Found<'_>) -> Option<Self> {
        match found {
            Found::Word(..) => None,
            Found::Reference(root, _, name) => {
                let is_name = Noun::parse(root).is_some()
                    || matches!(root, "var" | "local" | "site" | "module");
                is_name.then(|| Self::Reference(Arc::from(root), name.clone()))
            }
            Found::ModuleOutput(module, name) => {
                Some(Self::ModuleOutput(module.text.clone(), name.clone()))
            }
            Found::Call(call) => {
                let path = call
                    .args
                    .first()
                    .filter(|_| functions::reads_file(&call.name.text))?;
                match &path.kind {
                    ExprKind::Literal(Value::String(text)) => {
                        Some(Self::File(Arc::from(&**text), path.span, false))
                    }
                    ExprKind::Template(parts) => match parts.as_slice() {
                        [Part::Interpolation(folder), Part::Text(rest)]
                            if is_module_path(folder) =>
                        {
                            Some(Self::File(rest.clone(), path.span, true))
                        }
                        _ => None,
                    },
                    _ => None,
                }
            }
        }
    }
}

/// Whether it is `path.module`.
fn is_module_path(expr: &Expr) -> bool {
    let ExprKind::Attr(inner) = &expr.kind else {
        return false;
    };
    matches!(&inner.0.kind, ExprKind::Name(root) if &**root == "path") && &*inner.1.text == "module"
}
