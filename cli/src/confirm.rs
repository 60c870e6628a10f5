//! Asking a person.

use std::io::{BufRead as _, IsTerminal as _};

use crate::failure::Failure;
use crate::output::Output;
use crate::render::style::{BOLD, paint};

/// Refuses at once where nobody could be asked later.
///
/// # Errors
/// When stdin is no terminal.
pub(crate) fn possible(yes: bool, what: &str) -> Result<(), Failure> {
    if yes || std::io::stdin().is_terminal() {
        return Ok(());
    }
    Err(
        Failure::new(format!("{what} needs a yes, and stdin is no terminal"))
            .help("add --yes, or make a plan with `strat plan --out plan.json` and apply that"),
    )
}

/// Asks; only this very word is taken for a yes. Leases are renewed while the person thinks.
///
/// # Errors
/// When the answer is anything else.
pub(crate) async fn ask(output: &Output, question: &str, word: &str) -> Result<(), Failure> {
    output.note(&format!(
        "\n{} Only `{word}` is accepted: ",
        paint(BOLD, question)
    ));
    let read = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        std::io::stdin()
            .lock()
            .read_line(&mut answer)
            .map(|_| answer)
    });
    let answer = read.await.map_err(std::io::Error::other).flatten();
    let answer =
        answer.map_err(|error| Failure::new("no answer could be read").caused_by(&error))?;
    if answer.trim() == word {
        Ok(())
    } else {
        Err(Failure::new("not confirmed; nothing was changed"))
    }
}
