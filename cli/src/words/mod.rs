//! Words that people bring from other tools, and what is typed here instead.

mod commands;
mod options;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::failure::Failure;

/// What to type instead of a command line that means something in Terraform, OpenTofu or Pulumi;
/// `None` for any other mistake, which the parser tells itself.
pub(crate) fn answer(args: &[String], error: &clap::Error, cli: &Command) -> Option<Failure> {
    if !error.use_stderr() {
        return None;
    }
    if error.kind() == ErrorKind::InvalidSubcommand
        && let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand)
        && let Some(help) = commands::instead(word)
    {
        return Some(Failure::new(format!("there is no command `{word}`")).help(help));
    }
    let verb = subcommand(args, cli);
    let (option, help) = args.iter().skip(1).find_map(|arg| {
        let help = options::instead(arg, verb)?;
        Some((arg.split('=').next().unwrap_or(arg), help))
    })?;
    Some(Failure::new(format!("there is no option `{option}`")).help(help))
}

/// The command that a command line gives, if it is one.
fn subcommand<'c>(args: &[String], cli: &'c Command) -> Option<&'c Command> {
    args.iter().skip(1).find_map(|arg| {
        cli.get_subcommands()
            .find(|command| command.get_name() == arg)
    })
}

#[cfg(test)]
mod tests;
