//! Options of other tools, and options with one dash.

use clap::Command;

/// What to type instead of a word of the command line, if it is an option of another tool, or one of
/// ours with one dash.
pub(super) fn instead(arg: &str, verb: Option<&Command>) -> Option<String> {
    let name = arg.strip_prefix('-')?;
    let (long, name) = match name.strip_prefix('-') {
        Some(name) => (true, name),
        None => (false, name),
    };
    let name = name.split('=').next()?;
    if name.len() < 2 || name.starts_with('-') {
        return None;
    }
    if let Some(help) = foreign(name) {
        return Some(help.to_owned());
    }
    if long {
        return None;
    }
    let options = verb.into_iter().flat_map(Command::get_arguments);
    let ours = options
        .filter_map(clap::Arg::get_long)
        .any(|own| own == name);
    let global = matches!(
        name,
        "help" | "version" | "color" | "timings" | "trace-out" | "env"
    );
    (ours || global).then(|| format!("options have two dashes: `--{name}`"))
}

/// An option of another tool.
fn foreign(name: &str) -> Option<&'static str> {
    Some(match name {
        "auto-approve" => "it is `--yes`",
        "refresh-only" => "it is `strat drift`",
        "refresh" => {
            "every plan looks at the world anew; without asking it: `strat plan --offline`"
        }
        "lock" => "nobody writes without the lease; to wait for it: `--lock-timeout 5m`",
        "chdir" => "name the topology's folder: `strat plan PATH`",
        "state" | "state-out" | "backup" | "backend" | "backend-config" | "reconfigure"
        | "migrate-state" => "there is no state file and no backend; the clouds are the state",
        "upgrade" | "plugin-dir" => "providers are built in, nothing is downloaded",
        "no-color" => "it is `--color never`; NO_COLOR does it too",
        "compact-warnings" | "input" => "there is none, and none is needed; `--yes` asks nothing",
        "generate-config-out" => {
            "write the block yourself, then `strat adopt machine.db@dc1 ID`; the plan tells what differs"
        }
        "raw" => "the bare value of one output: `strat output --name NAME`",
        "recursive" => "name each folder: `strat fmt PATH`",
        "skip-preview" => "it is `--yes`",
        _ => return None,
    })
}
