//! `strat`, on topologies of growing size.

use std::io;
use std::path::Path;

use crate::command::{Used, best, run};
use crate::shape;
use crate::table::{Series, Table};

/// How often a command that changes nothing is repeated; the fastest run counts.
const TIMES: u32 = 3;

/// Plan, apply and plan again of separate blocks with references between them.
pub(crate) fn separate(strat: &Path, count: u32, table: &mut Table) -> io::Result<Series> {
    let what = format!("{count} resources in blocks");
    whole(strat, what, count, shape::separate, table)
}

/// The plan alone of as many blocks as nobody writes by hand.
pub(crate) fn blocks(strat: &Path, count: u32, table: &mut Table) -> io::Result<Series> {
    let what = format!("{count} resources in blocks");
    plan(strat, what, count, shape::separate, table)
}

/// The same of two blocks with a count.
pub(crate) fn instances(strat: &Path, count: u32, table: &mut Table) -> io::Result<Series> {
    let what = format!("{count} resources by count");
    whole(strat, what, count, shape::instances, table)
}

/// The same of machines in fleets.
pub(crate) fn fleet(strat: &Path, count: u32, table: &mut Table) -> io::Result<Series> {
    let what = format!("{count} machines in fleets");
    whole(strat, what, count, shape::fleets, table)
}

/// The plan alone of machines in fleets.
pub(crate) fn fleet_plan(strat: &Path, count: u32, table: &mut Table) -> io::Result<Series> {
    let what = format!("{count} machines in fleets");
    plan(strat, what, count, shape::fleets, table)
}

type Shape = fn(&Path, u32) -> io::Result<()>;

/// Measures one command and prints it.
fn step(
    table: &Table,
    series: &mut Series,
    command: &'static str,
    used: io::Result<Used>,
) -> io::Result<()> {
    let used = used?;
    table.row(&series.what, command, &used);
    series.commands.push((command, used));
    Ok(())
}

fn plan(
    strat: &Path,
    what: String,
    count: u32,
    shape: Shape,
    table: &mut Table,
) -> io::Result<Series> {
    let dir = tempfile::tempdir()?;
    shape(dir.path(), count)?;
    let mut series = Series {
        what,
        count,
        commands: Vec::new(),
    };
    let plan = || run(strat, &["plan"], dir.path(), &[0]);
    step(table, &mut series, "plan", best(TIMES, plan))?;
    table.keep(series.clone());
    Ok(series)
}

fn whole(
    strat: &Path,
    what: String,
    count: u32,
    shape: Shape,
    table: &mut Table,
) -> io::Result<Series> {
    let dir = tempfile::tempdir()?;
    let dir = dir.path();
    shape(dir, count)?;
    let mut series = Series {
        what,
        count,
        commands: Vec::new(),
    };
    let plan = || run(strat, &["plan"], dir, &[0]);
    step(table, &mut series, "plan", best(TIMES, plan))?;
    let apply = run(strat, &["apply", "--yes"], dir, &[0]);
    step(table, &mut series, "apply", apply)?;
    let again = || run(strat, &["plan", "--detailed-exitcode"], dir, &[0]);
    step(table, &mut series, "no-change plan", best(TIMES, again))?;
    table.keep(series.clone());
    Ok(series)
}
