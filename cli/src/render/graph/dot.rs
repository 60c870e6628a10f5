//! The graph in Graphviz's language.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use stratiform::model::{Addr, LocalAddr, Name};
use stratiform::planner::{Dependency, Desired};

use super::{Graph, Node, needs};

/// The graph in Graphviz's language. An arrow leads from a thing to what it needs; what the plan changes is
/// coloured.
pub(crate) fn dot(graph: &Graph, desired: &Desired) -> String {
    let mut text = format!("digraph {} {{\n", quote(&graph.topology));
    text.push_str("  rankdir = LR;\n  node [shape = box, fontname = \"sans-serif\"];\n");
    let mut sites: BTreeMap<&Name, Vec<&Node>> = BTreeMap::new();
    for node in &graph.nodes {
        sites.entry(&node.addr.site).or_default().push(node);
    }
    for (site, nodes) in sites {
        let _ = writeln!(text, "  subgraph {} {{", quote(&format!("cluster_{site}")));
        let _ = writeln!(text, "    label = {};", quote(site.as_str()));
        for node in nodes {
            let label = quote(&label(node));
            let colour = node.action().map_or_else(String::new, |action| {
                format!(", color = \"{}\", penwidth = 2", colour(action))
            });
            let id = quote(&node.addr.to_string());
            let _ = writeln!(text, "    {id} [label = {label}{colour}];");
        }
        text.push_str("  }\n");
    }
    for (addr, entry) in &desired.entries {
        for need in needs(entry).iter().filter(|need| *need != addr) {
            let (from, to) = (quote(&addr.to_string()), quote(&need.to_string()));
            let _ = writeln!(text, "  {from} -> {to};");
        }
    }
    wholes(desired, &mut text);
    text.push_str("}\n");
    text
}

/// What a thing is called beside others of its site: `machines.web/rack1 x3`, and what becomes of it.
pub(super) fn label(node: &Node) -> String {
    let times = match node.count {
        0 | 1 => String::new(),
        count => format!(" x{count}"),
    };
    let zone = node.addr.zone.as_ref();
    let zone = zone.map_or_else(String::new, |zone| format!("/{zone}"));
    let action = node.action();
    let action = action.map_or_else(String::new, |action| format!(" ({action})"));
    format!("{}{zone}{times}{action}", node.addr.local)
}

/// The colour of an action, on white.
pub(super) fn colour(action: &str) -> &'static str {
    match action {
        "create" => "#1a7f37",
        "update" => "#9a6700",
        "replace" => "#bc4c00",
        "delete" => "#cf222e",
        _ => "#0969da",
    }
}

/// What others need as a whole stands between them and its parts, so that there are no more arrows
/// than things.
fn wholes(desired: &Desired, text: &mut String) {
    let needs = desired
        .entries
        .values()
        .flat_map(|entry| &*entry.depends_on);
    let wholes: BTreeSet<&LocalAddr> = needs
        .filter_map(|need| match need {
            Dependency::All(all) => Some(all),
            Dependency::One(_) => None,
        })
        .collect();
    let mut parts: BTreeMap<&LocalAddr, Vec<&Addr>> = BTreeMap::new();
    for addr in desired.entries.keys() {
        let block = LocalAddr::new(addr.local.noun, addr.local.name.clone());
        for all in [wholes.get(&block), wholes.get(&addr.local)] {
            let parts = all.map(|all| parts.entry(all).or_default());
            if let Some(parts) = parts.filter(|parts| parts.last() != Some(&addr)) {
                parts.push(addr);
            }
        }
    }
    for (all, parts) in parts {
        let from = quote(&all.to_string());
        let label = quote(&format!("all of {all}"));
        let _ = writeln!(text, "  {from} [label = {label}, shape = plaintext];");
        for part in parts {
            let _ = writeln!(text, "  {from} -> {};", quote(&part.to_string()));
        }
    }
}

fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
