//! Sites with `for_each`: one for each item, called `NAME-KEY`.

use std::collections::BTreeMap;
use std::sync::Arc;

use strat_model::{Diagnostic, Name};

use super::{Given, Rewriter};
use crate::ast::{Block, Expr, ExprKind};
use crate::program::Program;
use crate::value::Value;

/// Whether a `site` block stands for several.
pub(super) fn is_repeated(block: &Block) -> bool {
    block.body.attribute("for_each").is_some()
}

/// Writes out every site with `for_each`.
pub(super) fn expand(program: &mut Program, given: Given<'_>, findings: &mut Vec<Diagnostic>) {
    let repeated: BTreeMap<Name, Block> = program
        .sites
        .extract_if(.., |_, block| is_repeated(block))
        .collect();
    let mut values = BTreeMap::new();
    {
        let mut ev = given.evaluator(program);
        for (name, block) in &repeated {
            if let Some(over) = block.body.attribute("for_each") {
                values.insert(name.clone(), ev.items_of(&over.value));
            }
        }
        findings.extend(ev.sink.finish());
    }
    for (name, block) in repeated {
        let Some(Ok(items)) = values.remove(&name) else {
            // Nothing more is said of what refers to it.
            program.site_groups.insert(name, None);
            continue;
        };
        let mut group = BTreeMap::new();
        for (key, is_set) in items {
            match one(program, &name, &block, &key, is_set) {
                Ok((site, block)) => {
                    group.insert(key, site.clone());
                    program.sites.insert(site, block);
                }
                Err(finding) => findings.push(finding),
            }
        }
        program.site_groups.insert(name, Some(group));
    }
}

/// The site of one item.
fn one(
    program: &Program,
    group: &Name,
    block: &Block,
    key: &Arc<str>,
    is_set: bool,
) -> Result<(Name, Block), Diagnostic> {
    let over = block.body.attribute("for_each");
    let place = program.origin(over.map_or(block.head, |over| over.value.span));
    let name = Name::new(format!("{group}-{key}")).map_err(|error| {
        Diagnostic::error("bad_name", error.to_string())
            .at(&place, "names a site")
            .help("a site of each item is called by the block's name and the item's key")
    })?;
    if let Some(other) = program.sites.get(&name) {
        let finding = Diagnostic::error(
            "duplicate_name",
            format!("the site `{name}` is declared twice"),
        );
        return Err(finding
            .at(&place, "one of these is called so")
            .at(&program.origin(other.head), "declared here")
            .help("give one of them another name"));
    }
    let mut own = block.clone();
    own.body.attributes.retain(|a| &*a.name.text != "for_each");
    let over = over.map(|over| over.value.clone());
    substitute_each(&mut own, key, over.filter(|_| !is_set).as_ref());
    if let Some(label) = own.labels.first_mut() {
        label.text = Arc::from(name.as_str());
    }
    Ok((name, own))
}

/// Writes `each.key` and `each.value` of one item into a block. `over` is the map that it is of.
pub(super) fn substitute_each(block: &mut Block, key: &Arc<str>, over: Option<&Expr>) {
    let literal = || ExprKind::Literal(Value::String(key.clone()));
    Rewriter::new(&mut |root, name| match (root, &*name.text) {
        ("each", "key") => Some(literal()),
        ("each", "value") => Some(match over {
            None => literal(),
            Some(over) => ExprKind::Index(
                Box::new(over.clone()),
                Box::new(Expr {
                    kind: literal(),
                    span: over.span,
                }),
            ),
        }),
        _ => None,
    })
    .body(&mut block.body);
}
