//! What the guide to the language says is so: its examples, and its table of functions.

use std::fmt::Write as _;

use strat_model::Diagnostic;
use strat_topology::{Evaluated, Inputs, SourceFile, Sources, Topology, functions};

const GUIDE: &str = include_str!("../../../../docs/language.md");
/// Where the files are that the examples read.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/hybrid-shop");

/// A fenced block: the words after the fence, its first line's number, and its text.
struct Example {
    words: Vec<&'static str>,
    line: usize,
    text: String,
}

fn examples() -> Vec<Example> {
    let mut all = Vec::new();
    let mut lines = GUIDE.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let Some(words) = line.strip_prefix("```") else {
            continue;
        };
        let text = lines.by_ref().map(|(_, line)| line);
        let text = text.take_while(|line| *line != "```");
        let text = text.fold(String::new(), |text, line| text + line + "\n");
        all.push(Example {
            words: words.split_whitespace().collect(),
            line: at + 2,
            text,
        });
    }
    all
}

fn evaluate(files: &[(&str, &str)]) -> Result<Evaluated, Vec<Diagnostic>> {
    let files = files
        .iter()
        .map(|(name, text)| SourceFile::new(*name, *text));
    Topology::parse(&Sources::from_files(FOLDER, files.collect()))?.evaluate(&Inputs::default())
}

/// Each stands beside the first, a whole topology, and those before it, unless it is complete.
#[test]
fn its_examples_are_what_they_say() {
    let examples = examples();
    let mut before: Vec<(String, &str)> = Vec::new();
    for Example { words, line, text } in &examples {
        let name = format!("line-{line}.{}", words[0]);
        let alone = words.get(1) == Some(&"complete");
        let beside = before.iter().filter(|_| !alone);
        let mut files: Vec<(&str, &str)> = beside.map(|(name, text)| (&**name, *text)).collect();
        files.push((&name, text));
        match (words.as_slice(), evaluate(&files)) {
            (["text"], _) => {}
            (["hcl", "wrong", code], Err(found)) => {
                let codes: Vec<&str> = found.iter().map(|d| d.code.as_str()).collect();
                assert_eq!(codes, [*code], "line {line}: {found:#?}");
            }
            (["hcl"] | ["hcl", "complete"], Ok(evaluated)) => {
                assert!(evaluated.warnings.is_empty(), "line {line}");
                // A second whole topology stands by itself.
                if !alone || before.is_empty() {
                    before.push((name, text));
                }
            }
            (["yaml" | "json", "complete"], Ok(_)) => {}
            (words, outcome) => panic!("line {line}: {words:?}: {:#?}", outcome.err()),
        }
    }
    assert!(before.len() >= 15, "{} examples were found", before.len());
}

#[test]
fn its_table_of_functions_is_complete() {
    let cell = |text: &str| text.replace('|', "\\|");
    let mut table = String::from("| function | gives | example |\n|---|---|---|\n");
    for function in functions() {
        let _ = writeln!(
            table,
            "| `{}` | {} | `{}` |",
            cell(function.signature),
            cell(function.doc),
            cell(function.example)
        );
    }
    let written = GUIDE
        .split_once("<!-- functions -->\n")
        .and_then(|(_, rest)| rest.split_once("<!-- end of functions -->"))
        .map(|(written, _)| written);
    assert!(
        written == Some(&table),
        "the table of functions in docs/language.md should be:\n{table}"
    );
}
