//! Every command that a message, a help or a page names is one that can be given: each is parsed by
//! the command line's own parser.

use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::args::Cli;

/// What stands in a text in place of a value, and a value that it may have.
const PLACEHOLDERS: [(&str, &str); 5] = [
    ("adopt ADDR", "adopt machine.db@dc1"),
    ("release ADDR", "release machine.db@dc1"),
    ("ADDR", "machines.web"),
    ("PATH", "shop"),
    ("FILE", "plan.json"),
];

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("the workspace").to_path_buf()
}

/// The sources, pages and examples below a folder, without build output and hidden folders.
fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a readable folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy();
        if path.is_dir() {
            if !name.starts_with('.') && name != "target" {
                files(&path, found);
            }
        } else if [".rs", ".md", ".hcl"].iter().any(|end| name.ends_with(end)) {
            found.push(path);
        }
    }
}

/// The commands that a text names: in backticks, or on a line of their own in an example.
fn commands(text: &str, is_page: bool) -> Vec<String> {
    // A line that goes on ends with a backslash: in a text of the code, and in a shell's.
    let mut joined = String::new();
    for line in text.lines() {
        match line.strip_suffix('\\') {
            Some(line) if joined.ends_with(' ') || joined.ends_with('\n') || joined.is_empty() => {
                joined.push_str(line.trim_start());
            }
            Some(line) => joined.push_str(line),
            None => {
                let goes_on = !joined.is_empty() && !joined.ends_with('\n');
                joined.push_str(if goes_on { line.trim_start() } else { line });
                joined.push('\n');
            }
        }
    }
    let mut found = Vec::new();
    let mut fenced = false;
    for line in joined.lines() {
        let bare = line.trim_start().trim_start_matches("$ ");
        fenced ^= bare.starts_with("```");
        if bare.starts_with("strat ") && (fenced || !is_page) {
            // At the end of an attribute's text.
            found.push(bare.trim_end_matches("\")]").to_owned());
        } else {
            let spans = line.split('`').skip(1).step_by(2);
            found.extend(
                spans
                    .filter(|span| span.starts_with("strat "))
                    .map(str::to_owned),
            );
        }
    }
    found
}

/// Its words, as a shell would take them; only the first of several commands.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in command.chars() {
        let word = words.last_mut().expect("a word");
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') if word.is_empty() || word.ends_with('=') => quote = Some(c),
            (None, ' ') => words.push(String::new()),
            _ => word.push(c),
        }
    }
    let ends = |word: &String| matches!(word.as_str(), "#" | "|" | "&&" | "<" | ">" | ";" | "2>&1");
    let words = words.into_iter().take_while(|word| !ends(word));
    words.filter(|word| !word.is_empty()).collect()
}

/// What is wrong with a command, if it cannot be given.
fn wrong(command: &str) -> Option<String> {
    let command = PLACEHOLDERS
        .iter()
        .fold(command.to_owned(), |text, (from, to)| {
            text.replace(from, to)
        });
    let mut words = words(&command);
    // `strat {command}` is made of a word of the code, and `strat ALL = …` is a user's name.
    let is_verb = |word: &String| word.starts_with(|c: char| c.is_ascii_lowercase() || c == '-');
    if !words.get(1).is_some_and(is_verb) {
        return None;
    }
    words.retain(|word| !matches!(word.as_str(), "…" | "..."));
    for word in &mut words {
        if let (Some(from), Some(to)) = (word.find('{'), word.rfind('}')) {
            word.replace_range(from..=to, "machines.web");
        }
    }
    let error = Cli::command().try_get_matches_from(&words).err()?;
    let lacks_a_value = matches!(
        error.get(ContextKind::InvalidValue),
        Some(ContextValue::String(value)) if value.is_empty()
    );
    match error.kind() {
        // The command is named without all that it needs.
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::MissingRequiredArgument
        | ErrorKind::MissingSubcommand => None,
        ErrorKind::InvalidValue if lacks_a_value => None,
        _ => Some(
            error
                .to_string()
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned(),
        ),
    }
}

#[test]
fn every_command_that_is_named_can_be_given() {
    let mut paths = Vec::new();
    files(&root(), &mut paths);
    paths.sort();
    let (mut count, mut found) = (0, Vec::new());
    for path in paths {
        // This file names some that cannot be given.
        if path.ends_with("named_commands.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("text");
        let is_page = path.extension().is_some_and(|end| end == "md");
        for command in commands(&text, is_page) {
            count += 1;
            if let Some(why) = wrong(&command) {
                let path = path
                    .strip_prefix(root())
                    .unwrap_or(&path)
                    .display()
                    .to_string();
                found.push(format!("{path}: `{command}`: {why}"));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    assert!(count > 100, "only {count} commands were found");
}

#[test]
fn what_cannot_be_given_is_found() {
    for command in [
        "strat adpot bucket.b",
        "strat plan --explian ADDR",
        "strat plan --offline --out plan.json",
        "strat apply --parallelism many",
    ] {
        assert!(wrong(command).is_some(), "{command}");
    }
    for command in [
        "strat plan --out",
        "strat plan --json | jq .summary",
        "strat fmt - < shop.hcl",
        "strat apply --target 'machine.db[\"primary\"]'",
        "strat sim",
        "strat {command}",
    ] {
        assert_eq!(wrong(command), None, "{command}");
    }
}

/// Only the command line speaks of commands and options: a library's texts are read by programs that
/// have neither.
#[test]
fn a_library_speaks_of_no_command() {
    let mut found = Vec::new();
    for folder in ["core", "providers", "rehearsal", "lsp"] {
        let mut paths = Vec::new();
        files(&root().join(folder), &mut paths);
        for path in paths
            .iter()
            .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        {
            // What describes the forms that the command line writes, and the language's own help.
            let shown = path
                .strip_prefix(root())
                .unwrap_or(path)
                .display()
                .to_string();
            let describes = shown.contains("schema") || shown.contains("tests");
            if describes {
                continue;
            }
            let text = fs::read_to_string(path).expect("text");
            for (number, line) in text.lines().enumerate() {
                let code = !line.trim_start().starts_with("//");
                if code && line.contains("`strat ") {
                    found.push(format!("{shown}:{}: {}", number + 1, line.trim()));
                }
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
