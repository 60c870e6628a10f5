//! Reading files of tests.

use std::collections::BTreeMap;

use strat_model::{Diagnostic, Origin};

use super::{TestBurst, TestFile, TestRun};
use crate::ast::{Attribute, Block, Body, Expr, ExprKind, Part};
use crate::report::nearest;
use crate::source::SourceFile;
use crate::span::{Files, Span};
use crate::syntax::hcl_body;
use crate::topology::deep;
use crate::value::text_of;

impl TestFile {
    /// Reads a file of tests.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(file: SourceFile) -> Result<Self, Vec<Diagnostic>> {
        deep(|| {
            let mut files = Files::default();
            let number = files.add(file.name.clone());
            let (body, problems) = hcl_body(number, &file.name, &file.text);
            let mut reader = Reader {
                files,
                file: &file,
                problems,
            };
            let runs = reader.runs(&body);
            match reader.problems.is_empty() {
                true => Ok(runs),
                false => Err(reader.problems),
            }
        })
        .map(|runs| Self { file, runs })
    }
}

/// The work of reading one file.
struct Reader<'f> {
    files: Files,
    file: &'f SourceFile,
    problems: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn runs(&mut self, body: &Body) -> Vec<TestRun> {
        for attribute in &body.attributes {
            self.unknown(attribute.name.span, &attribute.name.text, &[], "attribute");
        }
        let of_all: Vec<_> = body
            .blocks("variables")
            .map(|one| self.values(one))
            .collect();
        let mut runs: Vec<TestRun> = Vec::new();
        for block in &body.blocks {
            match &*block.keyword.text {
                "variables" => {}
                "run" => {
                    let run = self.run(block, &of_all);
                    if runs.iter().any(|other| other.name == run.name) {
                        let what = format!("there are two runs `{}`", run.name);
                        self.wrong("duplicate_run", what, block.head, "named again here");
                    }
                    runs.push(run);
                }
                other => self.unknown(block.head, other, &["run", "variables"], "block"),
            }
        }
        runs
    }

    fn run(&mut self, block: &Block, of_all: &[SourceFile]) -> TestRun {
        const WORDS: [&str; 3] = ["command", "disturb", "expect_failures"];
        let name = match &block.labels[..] {
            [name] if !name.text.is_empty() => name.text.to_string(),
            _ => {
                self.wrong(
                    "wrong_labels",
                    "a run has one name",
                    block.head,
                    "`run \"NAME\"`",
                );
                String::new()
            }
        };
        let mut values = of_all.to_vec();
        let mut bursts = Vec::new();
        for inner in &block.body.blocks {
            match &*inner.keyword.text {
                "variables" => values.push(self.values(inner)),
                "assert" => self.assert(inner),
                "burst" => bursts.push(self.burst(inner)),
                other => self.unknown(
                    inner.head,
                    other,
                    &["assert", "burst", "variables"],
                    "block",
                ),
            }
        }
        for attribute in &block.body.attributes {
            if !WORDS.contains(&&*attribute.name.text) {
                self.unknown(
                    attribute.name.span,
                    &attribute.name.text,
                    &WORDS,
                    "attribute",
                );
            }
        }
        let command = block.body.attribute("command");
        let applies = match command.map(|one| (one, word(&one.value))) {
            None => true,
            Some((_, Some(word))) if word == "apply" => true,
            Some((_, Some(word))) if word == "plan" => false,
            Some((one, _)) => {
                let what = "`command` is `plan` or `apply`";
                self.wrong("wrong_value", what, one.value.span, "neither of them");
                true
            }
        };
        let disturb = block.body.attribute("disturb").map(|one| self.texts(one));
        let expected = block.body.attribute("expect_failures");
        let expected = expected.map(|one| self.texts(one)).unwrap_or_default();
        TestRun {
            name,
            origin: self.files.origin(block.head),
            applies,
            values,
            disturb: disturb.unwrap_or_default(),
            expect_failures: expected.into_iter().map(|(text, _)| text).collect(),
            bursts,
        }
    }

    /// A burst and the values of its signals, each a number as it stands.
    fn burst(&mut self, block: &Block) -> TestBurst {
        let name = match &block.labels[..] {
            [name] => name.text.to_string(),
            _ => {
                let what = "a burst is named as the topology does";
                self.wrong("wrong_labels", what, block.head, "`burst \"NAME\"`");
                String::new()
            }
        };
        let mut values = BTreeMap::new();
        for attribute in &block.body.attributes {
            let number = word(&attribute.value).and_then(|text| text.parse().ok());
            match number {
                Some(number) => {
                    values.insert(attribute.name.text.to_string(), number);
                }
                None => {
                    let what = "what a signal says is a number";
                    self.wrong("wrong_type", what, attribute.value.span, "no number");
                }
            }
        }
        TestBurst {
            name,
            origin: self.files.origin(block.head),
            values,
        }
    }

    fn assert(&mut self, block: &Block) {
        const WORDS: [&str; 2] = ["condition", "error_message"];
        for attribute in &block.body.attributes {
            if !WORDS.contains(&&*attribute.name.text) {
                self.unknown(
                    attribute.name.span,
                    &attribute.name.text,
                    &WORDS,
                    "attribute",
                );
            }
        }
        for inner in &block.body.blocks {
            self.unknown(inner.head, &inner.keyword.text, &[], "block");
        }
        if block.body.attribute("condition").is_none() {
            let what = "an `assert` without a `condition` asserts nothing";
            self.wrong("missing_attribute", what, block.head, "no `condition`");
        }
    }

    /// A file of values with nothing but those of a block, each in its place.
    fn values(&mut self, block: &Block) -> SourceFile {
        for inner in &block.body.blocks {
            self.unknown(inner.head, &inner.keyword.text, &[], "block");
        }
        let kept: Vec<(usize, usize)> = block
            .body
            .attributes
            .iter()
            .map(|one| {
                let whole = one.name.span.to(one.value.span);
                (whole.start as usize, whole.end as usize)
            })
            .collect();
        let blank = |(at, letter): (usize, char)| match letter {
            '\n' | '\r' => letter.to_string(),
            _ if kept.iter().any(|(start, end)| (*start..*end).contains(&at)) => letter.to_string(),
            _ => " ".repeat(letter.len_utf8()),
        };
        let text: String = self.file.text.char_indices().map(blank).collect();
        SourceFile::new(self.file.name.clone(), text)
    }

    /// A list of texts that stand in the file as they are.
    fn texts(&mut self, attribute: &Attribute) -> Vec<(String, Origin)> {
        let ExprKind::List(items) = &attribute.value.kind else {
            let what = format!("`{}` is a list of texts", attribute.name.text);
            self.wrong("wrong_type", what, attribute.value.span, "no list");
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items {
            match word(item) {
                Some(text) => texts.push((text, self.files.origin(item.span))),
                None => {
                    let what = format!("`{}` is a list of texts", attribute.name.text);
                    self.wrong("wrong_type", what, item.span, "not a text as it stands");
                }
            }
        }
        texts
    }

    fn unknown(&mut self, span: Span, word: &str, known: &[&str], what: &str) {
        let near = nearest(word, known.iter().copied());
        let help = match (near, known) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, []) => "take it out".to_owned(),
            (None, known) => format!("here may stand: {}", known.join(", ")),
        };
        let finding = Diagnostic::error(
            &format!("unknown_{what}"),
            format!("a file of tests has no {what} `{word}` here"),
        );
        let place = self.files.origin(span);
        self.problems.push(finding.at(&place, "unknown").help(help));
    }

    fn wrong(&mut self, code: &str, message: impl Into<String>, span: Span, label: &str) {
        let place = self.files.origin(span);
        self.problems
            .push(Diagnostic::error(code, message).at(&place, label));
    }
}

/// A word or a text that stands as it is.
fn word(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Name(name) => Some(name.to_string()),
        ExprKind::Literal(value) => text_of(value).map(|text| text.to_string()),
        ExprKind::Template(parts) => {
            let texts = parts.iter().map(|part| match part {
                Part::Text(text) => Some(&**text),
                _ => None,
            });
            texts.collect()
        }
        _ => None,
    }
}
