//! Writes into a topology's files what sets it and its accounts apart: its lineage, and the account of
//! each site. All else stays as it is, comments and layout too.

mod data;
mod hcl;

use std::collections::BTreeMap;

use strat_model::{Lineage, Name};

use crate::notation::{self, Notation};
use crate::program::Program;
use crate::source::{SourceFile, Sources};
use crate::topology::{Topology, deep};

/// What is to be written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pins {
    /// The topology's lineage.
    pub lineage: Option<Lineage>,
    /// The account of each site.
    pub accounts: BTreeMap<Name, String>,
}

/// One line that was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pinned {
    /// The block: `topology.shop`, `site.east`.
    pub block: String,
    /// The attribute: `lineage` or `account`.
    pub attribute: &'static str,
    /// Its value.
    pub value: String,
}

/// A file with what was written into it.
#[derive(Debug, Clone)]
pub struct PinnedFile {
    /// The file, as it is to be.
    pub file: SourceFile,
    /// What was written.
    pub pinned: Vec<Pinned>,
}

/// Why something cannot be written into a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` of `{}` cannot be written into `{file}` without changing more", pinned.attribute, pinned.block)]
pub struct CannotPin {
    /// The file.
    pub file: String,
    /// What was to be written.
    pub pinned: Pinned,
}

/// The files of a topology with these pins in them: those that change. What a block says already stays.
///
/// # Errors
/// If a place for one of them is not found. The text of the files must be well-formed.
pub fn pin(sources: &Sources, pins: &Pins) -> Result<Vec<PinnedFile>, CannotPin> {
    let Ok(topology) = Topology::parse(sources) else {
        return Ok(Vec::new());
    };
    let wanted = missing(topology.program(), pins);
    let mut files = Vec::new();
    for file in sources.files() {
        let mut text = file.text.to_string();
        let mut pinned = Vec::new();
        for (name, one) in wanted.iter().filter(|(name, _)| **name == *file.name) {
            let cannot = || CannotPin {
                file: name.clone(),
                pinned: one.clone(),
            };
            let written = deep(|| write(&file.name, &text, one)).ok_or_else(cannot)?;
            text = written;
            pinned.push(one.clone());
        }
        if pinned.is_empty() {
            continue;
        }
        let file = SourceFile::new(file.name.clone(), text);
        // A look at what was written, before anybody keeps it.
        for one in &pinned {
            if !deep(|| says(&file, one)) {
                return Err(CannotPin {
                    file: file.name.to_string(),
                    pinned: one.clone(),
                });
            }
        }
        files.push(PinnedFile { file, pinned });
    }
    Ok(files)
}

/// What no block says yet, with the file in which it is to be said.
fn missing(program: &Program, pins: &Pins) -> Vec<(String, Pinned)> {
    let mut missing = Vec::new();
    let mut add = |block: &crate::ast::Block, attribute: &'static str, value: String| {
        if block.body.attribute(attribute).is_none() {
            let label = block.labels.first().map_or("", |label| &*label.text);
            let pinned = Pinned {
                block: format!("{}.{label}", block.keyword.text),
                attribute,
                value,
            };
            missing.push((program.files.name(block.head).to_string(), pinned));
        }
    };
    if let (Some(block), Some(lineage)) = (&program.topology, &pins.lineage) {
        add(block, "lineage", lineage.to_string());
    }
    for (site, account) in &pins.accounts {
        if let Some(block) = program.sites.get(site) {
            add(block, "account", account.clone());
        }
    }
    missing
}

/// A text with one more attribute.
fn write(name: &str, text: &str, pinned: &Pinned) -> Option<String> {
    match notation::of(name) {
        Notation::Hcl => hcl::write(text, pinned),
        Notation::Json => data::write(&crate::json::parse(text).ok()?, text, pinned, true),
        Notation::Yaml => data::write(&crate::yaml::parse(text).ok()?, text, pinned, false),
    }
}

/// Whether a file says what was pinned.
fn says(file: &SourceFile, pinned: &Pinned) -> bool {
    let sources = Sources::from_files("", vec![file.clone()]);
    let Ok(topology) = Topology::parse(&sources) else {
        return false;
    };
    let program = topology.program();
    let mut blocks = program.topology.iter().chain(program.sites.values());
    blocks.any(|block| {
        let label = block.labels.first().map_or("", |label| &*label.text);
        let value = block
            .body
            .attribute(pinned.attribute)
            .map(|one| &one.value.kind);
        let said = match value {
            Some(crate::ast::ExprKind::Literal(value)) => crate::value::text_of(value),
            _ => None,
        };
        format!("{}.{label}", block.keyword.text) == pinned.block
            && said.is_some_and(|said| *said == *pinned.value)
    })
}

/// The text with `more` at a byte.
fn insert(text: &str, at: usize, more: &str) -> Option<String> {
    let (before, after) = (text.get(..at)?, text.get(at..)?);
    Some(format!("{before}{more}{after}"))
}

/// A value in double quotes, as HCL, YAML and JSON read it.
fn quoted(value: &str) -> String {
    let quoted = serde_json::Value::from(value).to_string();
    // HCL's templates begin with these.
    quoted.replace("${", "$${").replace("%{", "%%{")
}

/// How a text ends its lines.
fn line_end(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}
