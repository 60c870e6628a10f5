//! The map as a page of its own: sites with their networks, subnets, zones and machines, who may talk to
//! whom, and what a plan changes. It loads nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use stratiform::model::{Kind, Name};

use super::site::site;
use super::{Graph, Node};
use crate::render::reach::{Flow, flows};
use crate::render::wrap::count;

/// What the page looks like.
const STYLE: &str = include_str!("page.css");
/// Shows whom a row of the table is about.
const SCRIPT: &str = include_str!("page.js");

/// The map as a page.
pub(crate) fn page(graph: &Graph) -> String {
    let flows = flows(&graph.admits);
    let title = escaped(&graph.topology);
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
    );
    head(&mut text, graph, &title);
    let mut by_site: BTreeMap<&Name, Vec<&Node>> = BTreeMap::new();
    for name in graph.sites.keys() {
        by_site.entry(name).or_default();
    }
    for node in &graph.nodes {
        by_site.entry(&node.addr.site).or_default().push(node);
    }
    text.push_str("<main class=\"sites\">\n");
    for (name, nodes) in by_site {
        site(&mut text, name, graph.sites.get(name), &nodes, &flows);
    }
    text.push_str("</main>\n");
    table(&mut text, &flows);
    let _ = writeln!(text, "<script>\n{SCRIPT}</script>\n</body>\n</html>");
    text
}

fn head(text: &mut String, graph: &Graph, title: &str) {
    let _ = writeln!(text, "<header>\n<h1>{title}</h1>");
    let nodes = graph.nodes.iter();
    let machines = nodes.filter(|node| node.kind == Kind::Machine);
    let machines: u32 = machines.map(|node| node.count).sum();
    let sites = count(graph.sites.len(), "site");
    let machines = count(machines as usize, "machine");
    let _ = writeln!(text, "<p class=\"sum\">{sites}, {machines}</p>");
    let mut changes: BTreeMap<&str, u32> = BTreeMap::new();
    for (action, count) in graph.nodes.iter().flat_map(|node| &node.changes) {
        *changes.entry(action).or_default() += count;
    }
    text.push_str("<ul class=\"legend\">");
    if changes.is_empty() {
        text.push_str("<li>nothing to change</li>");
    }
    for (action, count) in changes {
        let _ = write!(
            text,
            "<li class=\"{action}\"><b>{}</b> {count} to {action}</li>",
            sign(action)
        );
    }
    text.push_str("</ul>\n</header>\n");
}

/// The sign of an action, so that no colour is needed to tell.
pub(super) fn sign(action: &str) -> &'static str {
    match action {
        "create" => "+",
        "update" => "~",
        "replace" => "\u{b1}",
        "delete" => "\u{2212}",
        "adopt" => "\u{2190}",
        _ => "\u{2192}",
    }
}

fn table(text: &mut String, flows: &[Flow]) {
    text.push_str("<section class=\"flows\">\n<h2>Who may talk to whom</h2>\n");
    if flows.is_empty() {
        text.push_str("<p class=\"note\">No firewall admits anybody.</p>\n</section>\n");
        return;
    }
    text.push_str(
        "<p class=\"note\">What firewalls admit. Whether a route leads from one site to another is a \
         matter of the networks.</p>\n<ul>\n",
    );
    for flow in flows {
        let attribute = |names: &std::collections::BTreeSet<String>| {
            let names: Vec<String> = names.iter().map(|name| escaped(name)).collect();
            names.join(" ")
        };
        let chips = |names: &std::collections::BTreeSet<String>| {
            let chips = names.iter().map(|name| {
                let outside = if name.starts_with("machine") {
                    ""
                } else {
                    " out"
                };
                format!("<span class=\"who{outside}\">{}</span>", escaped(name))
            });
            chips.collect::<String>()
        };
        let rules: Vec<String> = flow.rules.iter().map(|rule| escaped(rule)).collect();
        let _ = writeln!(
            text,
            "<li tabindex=\"0\" data-from=\"{}\" data-to=\"{}\"><span class=\"from\">{}</span>\
             <span class=\"arrow\"><span class=\"ports\">{}</span></span>\
             <span class=\"to\">{}</span><span class=\"rule\">{}</span></li>",
            attribute(&flow.from),
            attribute(&flow.to),
            chips(&flow.from),
            escaped(&flow.ports),
            chips(&flow.to),
            rules.join(", "),
        );
    }
    text.push_str("</ul>\n</section>\n");
}

/// Text as it may stand in a page, and in an attribute of it.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            letter => safe.push(letter),
        }
    }
    safe
}
