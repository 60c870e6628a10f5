//! A new name, everywhere. What may be there already keeps its identity: a `moved` block says what it
//! was called.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use gen_lsp_types as lsp;
use stratiform::model::{Intent, LocalAddr, Name, Noun, Origin};
use stratiform::topology::editor::{Definition, Item, ItemKind, Outline};
use stratiform::topology::{Topology, is_formatted};

use crate::analysis::inputs;
use crate::convert::Places;
use crate::position::Lines;
use crate::requests::{Here, Refusal};
use crate::server::Session;
use crate::uri::uri_of;

/// The name at a place, if it can have another one.
pub(crate) fn prepare(here: &Here) -> Option<lsp::PrepareRenamePlaceholder> {
    let (definition, place) = here.view.names.at(&here.file(), here.byte)?;
    Some(lsp::PrepareRenamePlaceholder {
        range: Places::of(&here.view, here.encoding).range(place)?,
        placeholder: definition.name.to_string(),
    })
}

/// What gives a thing a new name everywhere.
pub(crate) fn rename(
    session: &Session,
    here: &Here,
    new: &str,
) -> Result<lsp::WorkspaceEdit, Refusal> {
    let names = &here.view.names;
    let found = names.at(&here.file(), here.byte);
    let (definition, _) = found.ok_or_else(|| Refusal::failed("nothing here has a name"))?;
    check_name(here, definition, new)?;
    let mut edits = Edits {
        here,
        places: Places::of(&here.view, here.encoding),
        by_file: BTreeMap::new(),
    };
    let references = names.references_to(definition).map(|one| &one.place);
    for place in references.chain([&definition.place]) {
        edits.replace(place, &definition.name, new)?;
    }
    let moves = moves(session, here, definition, new)?;
    if !moves.is_empty() {
        edits.write_moves(definition, &moves)?;
    }
    Ok(edits.finish())
}

fn check_name(here: &Here, definition: &Definition, new: &str) -> Result<(), Refusal> {
    let mut letters = new.chars();
    let begins = letters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    let is_word = begins && letters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if !is_word {
        return Err(Refusal::failed(format!(
            "`{new}` is no name: it begins with a letter, then come letters, digits, `_` and `-`"
        )));
    }
    let is_word_of_language = matches!(&*definition.root, "var" | "local" | "output" | "module");
    if !is_word_of_language {
        Name::new(new).map_err(|error| Refusal::failed(error.to_string()))?;
    }
    let mut others = here.view.names.named(&definition.folder, &definition.root);
    if others.any(|one| *one.name == *new) {
        let root = &definition.root;
        return Err(Refusal::failed(format!(
            "there is a `{root}.{new}` already"
        )));
    }
    Ok(())
}

/// What was renamed, as `moved` blocks have it: from, and to.
type Moves = BTreeSet<(String, String)>;

fn moves(
    session: &Session,
    here: &Here,
    definition: &Definition,
    new: &str,
) -> Result<Moves, Refusal> {
    let (root, old) = (&*definition.root, &*definition.name);
    match root {
        // Nothing real is called by these.
        "var" | "local" | "output" | "budget" | "check" => Ok(Moves::new()),
        "burst" => Err(Refusal::failed(
            "what a burst has decided and drained is recorded under its name; it is not renamed here",
        )),
        "site" if definition.is_repeated => Err(Refusal::failed(
            "the sites of a block with `for_each` are renamed one by one, with `moved` blocks",
        )),
        "site" => Ok(Moves::from([(
            format!("site.{old}"),
            format!("site.{new}"),
        )])),
        "topology" => {
            let intent = intent(session, here)?;
            if intent.owner.lineage.is_none() {
                return Err(Refusal::failed(
                    "a topology without a `lineage` cannot be renamed: its things could not be told \
                     from those of another topology",
                ));
            }
            Ok(Moves::from([(
                format!("topology.{old}"),
                format!("topology.{new}"),
            )]))
        }
        "module" if definition.folder != here.view.root => Err(Refusal::failed(
            "a module within a module is renamed by hand, with a `moved` block for each thing in it",
        )),
        "module" => {
            let intent = intent(session, here)?;
            let inner = |addr: &LocalAddr| {
                let rest = addr.name.as_str().strip_prefix(old)?.strip_prefix('.')?;
                Some(format!("{new}.{rest}"))
            };
            let addrs = intent.commons().map(|common| &common.addr);
            Ok(addrs.filter_map(|addr| pair(addr, &inner(addr)?)).collect())
        }
        _ if definition.is_looked_up || Noun::parse(root).is_none() => Ok(Moves::new()),
        _ => {
            let intent = intent(session, here)?;
            let own = intent
                .commons()
                .filter(|common| common.origins.block.as_ref() == Some(&definition.head));
            let moves = own.filter_map(|common| {
                let way = common.addr.name.as_str().strip_suffix(old)?;
                pair(&common.addr, &format!("{way}{new}"))
            });
            let moves: Moves = moves.collect();
            if moves.is_empty() && !definition.is_repeated {
                return Err(Refusal::failed(format!(
                    "`{root}.{old}` could not be evaluated, so what it is called in the world is not \
                     known; set right what is wrong with it, then rename it"
                )));
            }
            if moves.is_empty() {
                // It has no instance now; one that it had is still called so.
                return Ok(Moves::from([(
                    format!("{root}.{old}"),
                    format!("{root}.{new}"),
                )]));
            }
            Ok(moves)
        }
    }
}

/// A thing's address, without the key of its instance, and the one that it gets.
fn pair(addr: &LocalAddr, new: &str) -> Option<(String, String)> {
    let noun = addr.noun.as_str();
    let from = format!("{noun}.{}", addr.name);
    // A path of modules has as many letters as a name at most.
    Name::new(new).ok()?;
    Some((from, format!("{noun}.{new}")))
}

/// What the topology asks for, with the text as it is now.
fn intent(session: &Session, here: &Here) -> Result<Intent, Refusal> {
    let topology = Topology::parse(&here.view.sources).map_err(|findings| {
        let first = findings.first().map(|one| one.message.as_str());
        let first = first.unwrap_or_default();
        Refusal::failed(format!(
            "what is called by this name is not known while the text cannot be parsed: {first}"
        ))
    })?;
    let inputs = inputs(&session.settings, &here.view, &mut None);
    Ok(topology.check(&inputs).0.intent)
}

/// Changes of text, by file.
struct Edits<'h> {
    here: &'h Here,
    places: Places<'h>,
    by_file: BTreeMap<String, Vec<lsp::TextEdit>>,
}

impl<'h> Edits<'h> {
    fn push(&mut self, file: &str, range: lsp::Range, new_text: String) {
        let edit = lsp::TextEdit { range, new_text };
        self.by_file.entry(file.to_owned()).or_default().push(edit);
    }

    /// Replaces a name, which must be written out where it stands.
    fn replace(&mut self, place: &'h Origin, old: &str, new: &str) -> Result<(), Refusal> {
        let text = self.here.view.text(&place.file).unwrap_or_default();
        let written = text.get(place.start as usize..place.end as usize);
        let range = self.places.range(place);
        let (Some(range), true) = (range, written == Some(old)) else {
            let line = text.get(..place.start as usize).unwrap_or_default();
            let line = line.matches('\n').count() + 1;
            return Err(Refusal::failed(format!(
                "{}, line {line}: the name is not written out here, so it cannot be replaced",
                place.file
            )));
        };
        self.push(&place.file, range, new.to_owned());
        Ok(())
    }

    /// Writes a `moved` block for each, behind the block that is renamed, or at the end of the topology's
    /// first file where that block is elsewhere.
    fn write_moves(&mut self, definition: &Definition, moves: &Moves) -> Result<(), Refusal> {
        let view = &self.here.view;
        let own = view
            .sources
            .files()
            .iter()
            .filter(|file| is_formatted(&file.name));
        let mut moves: Vec<_> = moves.iter().collect();
        for file in own.clone() {
            let lines = Lines::of(&file.text, self.here.encoding);
            for item in Outline::of(&file.text).items {
                let Some((from, to)) = moved(&file.text, &item) else {
                    continue;
                };
                let Some(at) = moves.iter().position(|one| one.1 == from) else {
                    continue;
                };
                // It gets the name back that it had: of the two renames, the later one is left.
                if moves[at].0 != to {
                    let line = lines.position(item.range.start).line + 1;
                    return Err(Refusal::failed(format!(
                        "`{from}` was renamed to `{to}` ({}, line {line}): take that `moved` block out \
                         once it is applied everywhere, then rename",
                        file.name
                    )));
                }
                let text = block(moves.remove(at));
                self.push(&file.name, lines.range(item.range), text);
            }
        }
        if moves.is_empty() {
            return Ok(());
        }
        let beside = own.clone().find(|file| file.name == definition.head.file);
        let Some(file) = beside.or_else(|| own.clone().next()) else {
            return Err(Refusal::failed(
                "what may be there already is renamed with a `moved` block, which is written in HCL here: \
                 put a file that ends in `.hcl` beside the topology's, or rename by hand",
            ));
        };
        let mut at = file.text.len();
        if beside.is_some() {
            let start = definition.head.start as usize;
            let mut items = Outline::of(&file.text).items.into_iter();
            let end = items
                .find(|item| item.name.start == start)
                .map(|item| item.range.end);
            let end = end.unwrap_or(at);
            let line = file.text[end..].find(['\n', '\r']);
            at = line.map_or(at, |line| end + line);
        }
        let newline = if file.text.contains("\r\n") {
            "\r\n"
        } else {
            "\n"
        };
        let is_end = at == file.text.len();
        let ends_line = is_end && (file.text.is_empty() || file.text.ends_with('\n'));
        let blocks = moves.into_iter().map(block);
        let gap = if ends_line {
            newline
        } else {
            &newline.repeat(2)
        };
        let text: String = blocks
            .enumerate()
            .fold(String::new(), |text, (number, block)| {
                let gap = if number == 0 { gap } else { &newline.repeat(2) };
                text + gap + &block.replace('\n', newline)
            });
        let text = if ends_line { text + newline } else { text };
        let lines = Lines::of(&file.text, self.here.encoding);
        let range = lines.range(at..at);
        let name = file.name.to_string();
        self.push(&name, range, text);
        Ok(())
    }

    fn finish(self) -> lsp::WorkspaceEdit {
        let changes = self.by_file.into_iter();
        let changes: HashMap<lsp::Uri, Vec<lsp::TextEdit>> = changes
            .map(|(file, edits)| (uri_of(Path::new(&file)), edits))
            .collect();
        lsp::WorkspaceEdit {
            changes: Some(changes),
            ..Default::default()
        }
    }
}

/// A `moved` block in its canonical layout.
fn block((from, to): &(String, String)) -> String {
    format!("moved {{\n  from = {from}\n  to   = {to}\n}}")
}

/// What a `moved` block says.
fn moved(text: &str, item: &Item) -> Option<(String, String)> {
    if text.get(item.name.clone()) != Some("moved") {
        return None;
    }
    let value = |name: &str| {
        let mut inner = item.items.iter();
        let own = inner.find(|one| text.get(one.name.clone()) == Some(name))?;
        let ItemKind::Attribute(value) = &own.kind else {
            return None;
        };
        Some(text.get(value.clone())?.trim().to_owned())
    };
    Some((value("from")?, value("to")?))
}
