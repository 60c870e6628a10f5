//! The graph in Mermaid's language, which Git forges draw in pages and comments.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use stratiform::model::{Name, Peer};

use super::dot::{colour, label};
use super::{Graph, Node};
use crate::render::reach::{block, ports};

const ACTIONS: [&str; 6] = ["create", "update", "replace", "delete", "adopt", "forget"];

/// The graph in Mermaid's language: an arrow leads from a thing to what it needs, a dashed one to whom a
/// firewall admits it.
pub(crate) fn mermaid(graph: &Graph) -> String {
    let mut text = "flowchart LR\n".to_owned();
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    let mut sites: BTreeMap<&Name, Vec<&Node>> = BTreeMap::new();
    for (number, node) in graph.nodes.iter().enumerate() {
        ids.insert(node.addr.to_string(), format!("n{number}"));
        sites.entry(&node.addr.site).or_default().push(node);
    }
    for (number, (site, nodes)) in sites.into_iter().enumerate() {
        let _ = writeln!(text, "  subgraph s{number}[{}]", quote(site.as_str()));
        for node in nodes {
            let id = ids.get(&node.addr.to_string());
            let id = id.map_or("", String::as_str);
            let class = node
                .action()
                .map_or_else(String::new, |action| format!(":::{action}"));
            let _ = writeln!(text, "    {id}[{}]{class}", quote(&label(node)));
        }
        text.push_str("  end\n");
    }
    for need in &graph.needs {
        let to = match ids.get(&need.to) {
            Some(to) => to.clone(),
            None => whole(&mut text, graph, &need.to, &mut ids),
        };
        let from = ids.get(&need.from.to_string()).map_or("", String::as_str);
        let _ = writeln!(text, "  {from} --> {to}");
    }
    for line in admitted(graph, &mut ids) {
        let _ = writeln!(text, "  {line}");
    }
    let used: BTreeSet<&str> = graph.nodes.iter().filter_map(Node::action).collect();
    for action in ACTIONS.into_iter().filter(|action| used.contains(action)) {
        let colour = colour(action);
        let _ = writeln!(text, "  classDef {action} stroke:{colour},stroke-width:3px");
    }
    text
}

/// All of a block as a node of its own, with arrows to what it comes to.
fn whole(
    text: &mut String,
    graph: &Graph,
    all: &str,
    ids: &mut BTreeMap<String, String>,
) -> String {
    let id = format!("w{}", ids.len());
    let _ = writeln!(text, "  {id}[{}]", quote(&format!("all of {all}")));
    let parts = graph.nodes.iter().filter(|node| {
        node.count > 0 && (block(&node.addr) == all || node.addr.local.to_string() == all)
    });
    for part in parts.filter_map(|node| ids.get(&node.addr.to_string())) {
        let _ = writeln!(text, "  {id} --> {part}");
    }
    ids.insert(all.to_owned(), id.clone());
    id
}

/// The arrows of who may talk to whom, and the nodes of who is none of the topology's.
fn admitted(graph: &Graph, ids: &mut BTreeMap<String, String>) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for admission in &graph.admits {
        let mut from: Vec<String> = admission.from.iter().map(ToString::to_string).collect();
        if from.is_empty() {
            let outside = match &admission.peer {
                Peer::Internet => "internet".to_owned(),
                Peer::Cidr(range) => range.to_string(),
                Peer::Firewall(_) => continue,
            };
            let id = format!("o{}", ids.len());
            let id = ids.entry(outside.clone()).or_insert(id);
            lines.insert(format!("{id}(({}))", quote(&outside)));
            from.push(outside);
        }
        let ports = quote(&ports(admission.protocol, &admission.ports));
        for from in &from {
            for to in &admission.to {
                if let (Some(from), Some(to)) = (ids.get(from), ids.get(&to.to_string())) {
                    lines.insert(format!("{from} -. {ports} .-> {to}"));
                }
            }
        }
    }
    lines
}

/// A label in quotes; what would end it is written by its name.
fn quote(text: &str) -> String {
    let text = text.replace('#', "#35;").replace('"', "#quot;");
    format!("\"{}\"", text.replace('<', "#lt;").replace('>', "#gt;"))
}
