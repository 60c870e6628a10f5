//! `moved` blocks: what the topology calls otherwise than before.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use strat_model::{Diagnostic, Intent, Key, LocalAddr, Moves, Name, Noun, Owner};

use crate::ast::{Block, Expr, ExprKind};
use crate::eval::Evaluator;
use crate::report::{Failed, Outcome, suggest};
use crate::span::Span;
use crate::value::Value;

/// One side of a rename.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Named {
    Thing(LocalAddr),
    Site(Name),
    Topology(Name),
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Thing(addr) => write!(f, "{addr}"),
            Self::Site(name) => write!(f, "site.{name}"),
            Self::Topology(name) => write!(f, "topology.{name}"),
        }
    }
}

/// One rename, with its places.
struct Rename {
    from: (Named, Span),
    to: (Named, Span),
}

/// Reads all renames, and reports those that cannot be.
pub(super) fn moves(ev: &mut Evaluator<'_>, owner: Outcome<&Owner>, parts: &Intent) -> Moves {
    let program = ev.program;
    let mut renames = Vec::new();
    for block in &program.moved {
        let sides = (side(ev, block, "from"), side(ev, block, "to"));
        if let (Ok(from), Ok(to)) = sides {
            renames.push(Rename { from, to });
        }
    }
    if renames.is_empty() {
        return Moves::default();
    }
    let declared: BTreeSet<&LocalAddr> = parts.commons().map(|common| &common.addr).collect();
    let check = Check {
        owner: owner.ok(),
        declared,
        froms: renames.iter().map(|one| one.from.0.clone()).collect(),
    };
    for rename in &renames {
        if let Some(finding) = check.rename(ev, rename) {
            ev.report(finding);
        }
    }
    once(ev, &renames);
    let moves = collect(&renames);
    circles(ev, &renames);
    moves
}

fn collect(renames: &[Rename]) -> Moves {
    let mut moves = Moves::default();
    for rename in renames {
        match (&rename.from.0, &rename.to.0) {
            (Named::Thing(from), Named::Thing(to)) => {
                moves.things.push((from.clone(), to.clone()));
            }
            (Named::Site(from), Named::Site(to)) => {
                moves.sites.insert(from.clone(), to.clone());
            }
            (Named::Topology(from), Named::Topology(_)) => {
                moves.topologies.insert(from.clone());
            }
            _ => {}
        }
    }
    moves
}

/// What one side of a `moved` block names. It is no expression: what it names may not be there.
fn side(ev: &mut Evaluator<'_>, block: &Block, attribute: &str) -> Outcome<(Named, Span)> {
    let value = &block.body.attribute(attribute).ok_or(Failed)?.value;
    match named(value) {
        Some(named) => Ok((named, value.span)),
        None => Err(ev.fail(
            value.span,
            if &*block.keyword.text == "removed" {
                "bad_removed"
            } else {
                "bad_moved"
            },
            format!("`{attribute}` names no thing, site or topology"),
            "not a name",
            Some(
                "write `volume.data`, `volume.data[\"a\"]`, `site.east` or `topology.shop`"
                    .to_owned(),
            ),
        )),
    }
}

/// What `removed` blocks let go.
pub(super) fn removed(ev: &mut Evaluator<'_>) -> Vec<LocalAddr> {
    let program = ev.program;
    let mut removed = Vec::new();
    for block in &program.removed {
        let Ok((named, span)) = side(ev, block, "from") else {
            continue;
        };
        let Named::Thing(addr) = named else {
            let _: Failed = ev.fail(
                span,
                "bad_removed",
                format!("`{named}` is no thing"),
                "not a thing",
                Some(
                    "name a block that is not there any more: `removed { from = volume.old }`"
                        .to_owned(),
                ),
            );
            continue;
        };
        if let Some(thing) = program.thing(addr.noun, addr.name.as_str())
            && addr.key.is_none()
        {
            let there = ev.files.origin(program.things[thing].block.head);
            let here = ev.files.origin(span);
            let finding = Diagnostic::error(
                "removed_still_there",
                format!("`{addr}` is let go, and its block is still here"),
            );
            let finding = finding.at(&here, "let go here").at(&there, "still here");
            ev.report(finding.help("take its block out, or this one"));
            continue;
        }
        removed.push(addr);
    }
    removed
}

fn named(expr: &Expr) -> Option<Named> {
    let (base, key) = match &expr.kind {
        ExprKind::Index(base, key) => (&**base, Some(key_of(key)?)),
        _ => (expr, None),
    };
    // What is in a module has the way to it before its name: `machines.eu.web`.
    let mut words = Vec::new();
    let mut at = base;
    let root = loop {
        match &at.kind {
            ExprKind::Attr(inner) => {
                words.push(&*inner.1.text);
                at = &inner.0;
            }
            ExprKind::Name(root) => break root,
            _ => return None,
        }
    };
    words.reverse();
    let name = Name::new(words.join(".")).ok()?;
    match (&**root, &key) {
        ("site", None) => Some(Named::Site(name)),
        ("site", Some(Key::Name(key))) => Name::new(format!("{name}-{key}")).ok().map(Named::Site),
        ("site", Some(Key::Index(_))) => None,
        ("topology", None) => Some(Named::Topology(name)),
        (root, _) => Some(Named::Thing(LocalAddr {
            noun: Noun::parse(root)?,
            name,
            key,
        })),
    }
}

fn key_of(expr: &Expr) -> Option<Key> {
    match &expr.kind {
        ExprKind::Literal(Value::String(text)) => Some(Key::Name(text.to_string().into())),
        ExprKind::Literal(value) => {
            let index = value.to_int()?;
            u64::try_from(index).ok().map(Key::Index)
        }
        _ => None,
    }
}

/// What a rename is held against.
struct Check<'p> {
    owner: Option<&'p Owner>,
    declared: BTreeSet<&'p LocalAddr>,
    froms: BTreeSet<Named>,
}

impl Check<'_> {
    fn rename(&self, ev: &Evaluator<'_>, rename: &Rename) -> Option<Diagnostic> {
        let ((from, from_at), (to, to_at)) = (&rename.from, &rename.to);
        let (from_at, to_at) = (ev.files.origin(*from_at), ev.files.origin(*to_at));
        if let Some((message, help)) = incompatible(from, to) {
            let finding = Diagnostic::error("bad_moved", message);
            return Some(finding.at(&to_at, "cannot become this").help(help));
        }
        if from != to && self.is_there(ev, from, to) {
            let message = format!("`{from}` is still in the topology");
            let finding = Diagnostic::error("moved_still_there", message);
            let finding = finding.at(&from_at, "so nothing was renamed");
            return Some(finding.help(format!(
                "take the block `{from}` out, or this `moved`: one thing has one name"
            )));
        }
        if !self.froms.contains(to) && !self.leads_somewhere(ev, from, to) {
            let message = format!("there is no `{to}` in the topology");
            let finding = Diagnostic::error("unknown_reference", message);
            let mut finding = finding.at(&to_at, "nothing of this name");
            finding.help = self.near(ev, to);
            return Some(finding);
        }
        let pinned = self.owner.is_none_or(|owner| owner.lineage.is_some());
        if let (Named::Topology(_), false) = (to, pinned) {
            let message = "a topology without a `lineage` cannot be renamed".to_owned();
            let help = "give it one under its old name and apply that, so that its things can be \
                        told from those of another topology";
            let finding = Diagnostic::error("bad_moved", message);
            return Some(finding.at(&to_at, "has no lineage").help(help));
        }
        None
    }

    /// Whether what was renamed is there under its old name, too.
    fn is_there(&self, ev: &Evaluator<'_>, from: &Named, to: &Named) -> bool {
        match (from, to) {
            (Named::Thing(from), Named::Thing(to)) => {
                let whole = from.key.is_none() && to.key.is_none();
                let block = ev.program.thing(from.noun, from.name.as_str()).is_some();
                self.declared.contains(from) || (whole && block)
            }
            (Named::Site(from), _) => ev.program.sites.contains_key(from),
            (Named::Topology(from), _) => self.owner.is_some_and(|own| own.topology == *from),
            (Named::Thing(_), _) => false,
        }
    }

    /// Whether the topology has what something was renamed to.
    fn leads_somewhere(&self, ev: &Evaluator<'_>, from: &Named, to: &Named) -> bool {
        match (from, to) {
            (Named::Thing(from), Named::Thing(to)) => {
                let whole = from.key.is_none() && to.key.is_none();
                let block = ev.program.thing(to.noun, to.name.as_str()).is_some();
                // What is wrong with a block that could not be read is told there.
                let unread = block && !self.declared.iter().any(|addr| is_of(addr, to));
                self.declared.contains(to) || (whole && block) || unread
            }
            (_, Named::Site(to)) => ev.program.sites.contains_key(to),
            (_, Named::Topology(to)) => self.owner.is_none_or(|own| own.topology == *to),
            (_, Named::Thing(_)) => false,
        }
    }

    fn near(&self, ev: &Evaluator<'_>, to: &Named) -> Option<String> {
        let known: Vec<String> = match to {
            Named::Thing(to) => {
                let of_kind = |addr: &&&LocalAddr| addr.noun.kind() == to.noun.kind();
                let addrs = self.declared.iter().filter(of_kind);
                addrs.map(ToString::to_string).collect()
            }
            Named::Site(_) => ev
                .program
                .sites
                .keys()
                .map(|site| format!("site.{site}"))
                .collect(),
            Named::Topology(_) => {
                let own = self.owner.iter();
                own.map(|own| format!("topology.{}", own.topology))
                    .collect()
            }
        };
        suggest(
            &to.to_string(),
            "there are",
            known.iter().map(String::as_str),
        )
    }
}

/// Whether both are of one block.
fn is_of(addr: &LocalAddr, other: &LocalAddr) -> bool {
    (addr.noun, &addr.name) == (other.noun, &other.name)
}

/// Why one can never become the other, and what to do.
fn incompatible(from: &Named, to: &Named) -> Option<(String, &'static str)> {
    match (from, to) {
        (Named::Thing(from), Named::Thing(to)) => {
            let fleet = (from.noun, to.noun) == (Noun::Machines, Noun::Machine);
            let help = "its members have no names; adopt the one that it is to be by its id";
            if fleet {
                return Some((
                    format!("which member of the fleet `{from}` is `{to}`?"),
                    help,
                ));
            }
            let help = "a thing keeps its kind; only a machine may become one of a fleet";
            (from.noun.kind() != to.noun.kind())
                .then(|| (format!("`{from}` cannot become `{to}`"), help))
        }
        (Named::Site(_), Named::Site(_)) | (Named::Topology(_), Named::Topology(_)) => None,
        _ => Some((
            format!("`{from}` cannot become `{to}`"),
            "both sides name a thing, or a site, or the topology",
        )),
    }
}

/// Each is renamed once, and nothing is what two were; a fleet takes many machines.
fn once(ev: &mut Evaluator<'_>, renames: &[Rename]) {
    let mut froms: BTreeMap<&Named, Span> = BTreeMap::new();
    let mut tos: BTreeMap<&Named, Span> = BTreeMap::new();
    for rename in renames {
        let (from, to) = (&rename.from, &rename.to);
        let fleet = matches!(&to.0, Named::Thing(to) if to.noun == Noun::Machines);
        let former = matches!(&to.0, Named::Topology(_));
        let again = froms.insert(&from.0, from.1);
        let second = tos.insert(&to.0, to.1).filter(|_| !fleet && !former);
        let (message, here, there, help) = match (again, second) {
            (Some(first), _) => (
                format!("`{}` is renamed twice", from.0),
                from.1,
                first,
                "keep one of the two",
            ),
            (None, Some(first)) => (
                format!("two things are renamed to `{}`", to.0),
                to.1,
                first,
                "one name stands for one thing; give one of them another",
            ),
            (None, None) => continue,
        };
        let (here, there) = (ev.files.origin(here), ev.files.origin(there));
        let finding = Diagnostic::error("moved_twice", message);
        let finding = finding.at(&here, "the second").at(&there, "the first");
        ev.report(finding.help(help));
    }
}

/// Renames that lead back to where they began.
fn circles(ev: &mut Evaluator<'_>, renames: &[Rename]) {
    let next: BTreeMap<&Named, &Named> = renames
        .iter()
        .map(|rename| (&rename.from.0, &rename.to.0))
        .collect();
    let mut told: BTreeSet<&Named> = BTreeSet::new();
    for rename in renames {
        let start = &rename.from.0;
        let mut path = vec![start];
        let mut at = start;
        while let Some(to) = next.get(at).filter(|_| path.len() <= renames.len()) {
            at = to;
            path.push(at);
            if at == start {
                break;
            }
        }
        if at != start || path.len() < 2 || told.contains(start) {
            continue;
        }
        told.extend(&path);
        let names: Vec<_> = path.iter().map(|one| format!("`{one}`")).collect();
        let place = ev.files.origin(rename.from.1);
        let message = format!("renames go round: {}", names.join(" becomes "));
        let finding = Diagnostic::error("moved_circle", message).at(&place, "back to here");
        ev.report(finding.help("take one of them out"));
    }
}
