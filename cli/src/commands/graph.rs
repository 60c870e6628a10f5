//! `strat graph`

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use clap::Args;
use stratiform::PlanOptions;
use stratiform::model::{Addr, LocalAddr, Name};
use stratiform::planner::{Dependency, Desired};

use crate::args::TopologyArgs;
use crate::context::{Context, Exit};
use crate::failure::Failure;

/// Draw what depends on what, as a Graphviz graph with a box for each site.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat graph | dot -Tsvg > topology.svg")]
pub(crate) struct Graph {
    #[command(flatten)]
    topology: TopologyArgs,
}

impl Graph {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let workspace = context.load(&self.topology)?;
        let planned = context.block_on(async {
            let (session, _events) = context.connect(workspace).await?;
            let planned = session.plan(&PlanOptions::default()).await;
            planned.map_err(|error| context.failure(&error))
        })?;
        context.tell_problems(&planned.observation.problems);
        context.output.data(&dot(&planned.desired))?;
        Ok(Exit::Done)
    }
}

/// The graph in Graphviz's language. An arrow leads from a thing to what it needs.
fn dot(desired: &Desired) -> String {
    let mut text = format!("digraph {} {{\n", quote(&desired.owner.named().to_string()));
    text.push_str("  rankdir = LR;\n  node [shape = box, fontname = \"sans-serif\"];\n");
    let mut sites: BTreeMap<&Name, Vec<&Addr>> = BTreeMap::new();
    for addr in desired.entries.keys() {
        sites.entry(&addr.site).or_default().push(addr);
    }
    for (site, addrs) in sites {
        let _ = writeln!(text, "  subgraph {} {{", quote(&format!("cluster_{site}")));
        let _ = writeln!(text, "    label = {};", quote(site.as_str()));
        for addr in addrs {
            let count = desired
                .entries
                .get(addr)
                .map_or(1, stratiform::planner::Entry::count);
            let times = if count > 1 {
                format!(" x{count}")
            } else {
                String::new()
            };
            let zone = addr
                .zone
                .as_ref()
                .map_or_else(String::new, |zone| format!("/{zone}"));
            let label = quote(&format!("{}{zone}{times}", addr.local));
            let _ = writeln!(text, "    {} [label = {label}];", quote(&addr.to_string()));
        }
        text.push_str("  }\n");
    }
    for (addr, entry) in &desired.entries {
        let mut needs: BTreeSet<Dependency> = entry.depends_on.iter().cloned().collect();
        for goal in &entry.goals {
            goal.spec.for_each_ref(|need| {
                needs.insert(Dependency::One(need.clone()));
            });
        }
        for need in needs.iter().filter(|need| *need != addr) {
            let (from, to) = (quote(&addr.to_string()), quote(&need.to_string()));
            let _ = writeln!(text, "  {from} -> {to};");
        }
    }
    wholes(desired, &mut text);
    text.push_str("}\n");
    text
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
