//! The tool to beat, on the twin of our topology.

use std::io;
use std::path::Path;

use crate::command::{find, run};
use crate::shape;
use crate::table::{Series, Table};

/// Plan, apply and plan again; `None` where the tool is not there. Nothing is downloaded: the
/// provider of `terraform_data` is built in.
pub(crate) fn separate(count: u32, table: &mut Table) -> io::Result<Option<Series>> {
    let program = Path::new("terraform");
    if !find("terraform") {
        return Ok(None);
    }
    let dir = tempfile::tempdir()?;
    let dir = dir.path();
    shape::twin(dir, count)?;
    run(program, &["init", "-input=false"], dir, &[0])?;
    let mut series = Series {
        what: format!("{count} terraform_data"),
        count,
        commands: Vec::new(),
    };
    let commands: [(&'static str, &[&str]); 3] = [
        ("plan", &["plan", "-input=false"]),
        ("apply", &["apply", "-input=false", "-auto-approve"]),
        (
            "no-change plan",
            &["plan", "-input=false", "-detailed-exitcode"],
        ),
    ];
    for (command, args) in commands {
        let used = run(program, args, dir, &[0])?;
        table.row(&series.what, command, &used);
        series.commands.push((command, used));
    }
    Ok(Some(series))
}
