//! The command line, with what the environment puts before it.

use std::ffi::OsString;

use clap::CommandFactory as _;

use crate::args::Cli;
use crate::environment;
use crate::failure::Failure;

/// Options that take a value and may stand before the command.
const WITH_VALUE: [&str; 3] = ["--color", "--env", "--trace-out"];

/// The words of a command line.
#[derive(Debug)]
pub(crate) struct Arguments {
    /// The program, the command, what the environment gives, what was typed.
    pub(crate) words: Vec<OsString>,
    /// Whether the environment gives any: what was typed wins then.
    pub(crate) has_defaults: bool,
}

/// The words that were typed, with those of `STRAT_ARGS` and `STRAT_ARGS_plan` behind the command.
///
/// # Errors
/// If one of those is not Unicode, or a quote in it does not end.
pub(crate) fn given() -> Result<Arguments, Failure> {
    with(std::env::args_os().collect(), environment::arguments)
}

fn with(
    mut words: Vec<OsString>,
    defaults: impl Fn(Option<&str>) -> Option<OsString>,
) -> Result<Arguments, Failure> {
    match words.get(1).and_then(|word| word.to_str()) {
        // As `git help plan`, which people type.
        Some("help") => {
            words.remove(1);
            words.push(OsString::from("--help"));
        }
        Some("version") if words.len() == 2 => words[1] = OsString::from("--version"),
        _ => {}
    }
    let Some(at) = command(&words) else {
        return Ok(Arguments {
            words,
            has_defaults: false,
        });
    };
    let command = words[at].to_string_lossy().into_owned();
    let mut more = split("STRAT_ARGS", defaults(None))?;
    let own = format!("STRAT_ARGS_{}", command.replace('-', "_"));
    more.extend(split(&own, defaults(Some(&command)))?);
    let has_defaults = !more.is_empty();
    words.splice(at + 1..=at, more);
    Ok(Arguments {
        words,
        has_defaults,
    })
}

/// Where in a command line its command is.
fn command(words: &[OsString]) -> Option<usize> {
    let mut at = 1;
    while let Some(word) = words.get(at).and_then(|word| word.to_str()) {
        if !word.starts_with('-') {
            let cli = Cli::command();
            return cli
                .get_subcommands()
                .any(|own| own.get_name() == word)
                .then_some(at);
        }
        at += if WITH_VALUE.contains(&word) { 2 } else { 1 };
    }
    None
}

/// A text as a shell would take it apart.
fn split(name: &str, text: Option<OsString>) -> Result<Vec<OsString>, Failure> {
    let Some(text) = text else {
        return Ok(Vec::new());
    };
    let words = text.to_str().and_then(shlex::split);
    let words = words.ok_or_else(|| {
        Failure::new(format!("the environment's {name} is no list of arguments"))
            .help("write it as in a shell, with every quote closed: `--parallelism 32`")
    })?;
    Ok(words.into_iter().map(OsString::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(typed: &[&str]) -> Result<Vec<String>, Failure> {
        let typed = typed.iter().map(OsString::from).collect();
        let defaults = |command: Option<&str>| match command {
            None => Some(OsString::from("--env prod")),
            Some("apply") => Some(OsString::from("--parallelism 4 --var 'a=b c'")),
            Some("plan") => Some(OsString::from("--var 'a")),
            Some(_) => None,
        };
        let given = with(typed, defaults)?.words.into_iter();
        Ok(given
            .map(|word| word.to_string_lossy().into_owned())
            .collect())
    }

    #[test]
    fn the_environment_stands_behind_the_command_and_before_the_rest() {
        let apply = words(&["strat", "--color", "never", "apply", "shop"]).expect("words");
        let expect = [
            "strat",
            "--color",
            "never",
            "apply",
            "--env",
            "prod",
            "--parallelism",
            "4",
            "--var",
            "a=b c",
            "shop",
        ];
        assert_eq!(apply, expect);
        assert_eq!(
            words(&["strat", "--version"]).expect("words"),
            ["strat", "--version"]
        );
        assert_eq!(words(&["strat", "help", "show"]).expect("words")[1], "show");
        assert_eq!(
            words(&["strat", "help"]).expect("words"),
            ["strat", "--help"]
        );
        assert_eq!(
            words(&["strat", "version"]).expect("words"),
            ["strat", "--version"]
        );
        // A word that is no command is told as such, without what was not typed.
        assert_eq!(words(&["strat", "shwo"]).expect("words"), ["strat", "shwo"]);
        let open = words(&["strat", "plan"]).expect_err("a quote is open");
        assert!(open.view.message.contains("STRAT_ARGS_plan"), "{open:?}");
    }
}
