//! What there is in the world.

use clap::Args;
use serde_json::json;
use strat_sim::{Narrow, Pace, RegionView, SimControl, Trials};
use stratiform::model::{Kind, Resource};

use super::find;
use crate::context::{Context, Exit};
use crate::failure::Failure;
use crate::render::table::table;

/// Show the regions, what is in them, and what they suffer.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// Write it as JSON.
    #[arg(long)]
    json: bool,
}

/// List the things of the world, foreign ones included.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Only at this site.
    #[arg(long, value_name = "SITE")]
    site: Option<String>,

    /// Only of this kind.
    #[arg(long, value_name = "KIND", value_parser = parse_kind)]
    kind: Option<Kind>,

    /// Write it as JSON.
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(super) fn run(&self, control: &SimControl, context: &Context) -> Result<Exit, Failure> {
        let views = control.regions().map_err(|error| find::failed(&error))?;
        if self.json {
            context.output.json(&json!({ "regions": views }))?;
            return Ok(Exit::Done);
        }
        let headings = ["region", "sites", "zones", "things", "suffers"];
        context
            .output
            .data(&table(&headings, views.iter().map(row), None))?;
        Ok(Exit::Done)
    }
}

fn row(view: &RegionView) -> Vec<String> {
    let join = |words: Vec<String>| words.join(", ");
    vec![
        view.region.to_string(),
        join(view.sites.iter().map(ToString::to_string).collect()),
        join(view.zones.iter().map(ToString::to_string).collect()),
        join(
            view.things
                .iter()
                .map(|(kind, n)| format!("{n} {kind}"))
                .collect(),
        ),
        join(suffers(&view.trials)),
    ]
}

fn suffers(trials: &Trials) -> Vec<String> {
    let mut words = Vec::new();
    if trials.lost {
        words.push("the region is down".to_owned());
    }
    words.extend(
        trials
            .lost_zones
            .iter()
            .map(|zone| format!("{zone} is down")),
    );
    let hidden = trials.hidden_zones.iter();
    words.extend(hidden.map(|zone| format!("the hosts of {zone} are out")));
    words.extend(trials.stock.iter().map(|stock| {
        format!(
            "at most {} {} in {}",
            stock.limit, stock.machine_type, stock.zone
        )
    }));
    words.extend(
        trials
            .quotas
            .iter()
            .map(|(family, cpu)| format!("quota {family}: {cpu} cpu")),
    );
    words.extend(trials.rate_per_second.map(|rate| format!("{rate} calls/s")));
    words.extend(
        trials
            .lost_answers
            .map(|share| format!("{share} of answers lost")),
    );
    words.extend(slow(trials.pace));
    words.extend(narrow(trials.limits));
    if !trials.faults.is_empty() {
        words.push(format!("{} faults waiting", trials.faults.len()));
    }
    words
}

fn slow(pace: Pace) -> impl Iterator<Item = String> {
    let all = [
        ("calls take", pace.latency_ms),
        ("new machines take", pace.create_ms),
        ("deleted machines take", pace.delete_ms),
        ("lists are behind by", pace.consistency_ms),
    ];
    let slow = all.into_iter();
    slow.filter_map(|(what, ms)| Some(format!("{what} {} ms", ms?)))
}

fn narrow(limits: Narrow) -> impl Iterator<Item = String> {
    let sizes = [("user data", limits.user_data), ("disks", limits.disk_size)];
    let sizes = sizes.into_iter();
    let sizes = sizes.filter_map(|(what, most)| Some(format!("{what} of at most {}", most?)));
    let counts = [
        ("disks", limits.disks),
        ("firewalls", limits.firewalls),
        ("rules", limits.rules),
    ];
    let counts = counts.into_iter();
    sizes.chain(counts.filter_map(|(what, most)| Some(format!("at most {} {what}", most?))))
}

impl List {
    pub(super) fn run(&self, control: &SimControl, context: &Context) -> Result<Exit, Failure> {
        let failed = |error| find::failed(&error);
        let regions = match &self.site {
            Some(site) => vec![find::region(control, site)?],
            None => {
                let views = control.regions().map_err(failed)?;
                views.into_iter().map(|view| view.region).collect()
            }
        };
        let mut things = Vec::new();
        for region in regions {
            let found = control.resources(&region, self.kind).map_err(failed)?;
            things.extend(found.into_iter().map(|thing| (region.clone(), thing)));
        }
        if self.json {
            let things: Vec<_> = things
                .iter()
                .map(|(region, thing)| json!({ "region": region, "resource": thing }))
                .collect();
            context.output.json(&json!({ "things": things }))?;
            return Ok(Exit::Done);
        }
        let rows = things
            .iter()
            .map(|(region, thing)| thing_row(&region.to_string(), thing));
        let headings = ["region", "kind", "id", "name", "state", "address"];
        context.output.data(&table(&headings, rows, None))?;
        Ok(Exit::Done)
    }
}

fn thing_row(region: &str, thing: &Resource) -> Vec<String> {
    let addr = thing
        .mark
        .as_ref()
        .map_or_else(|| "(unmarked)".to_owned(), |mark| mark.addr.to_string());
    vec![
        region.to_owned(),
        thing.kind().to_string(),
        thing.id.to_string(),
        thing.name.clone(),
        thing.state.as_str().to_owned(),
        addr,
    ]
}

/// A kind's word.
pub(super) fn parse_kind(word: &str) -> Result<Kind, String> {
    Kind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == word)
        .ok_or_else(|| {
            let all: Vec<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
            format!("there are: {}", all.join(", "))
        })
}
