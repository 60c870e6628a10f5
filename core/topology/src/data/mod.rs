//! YAML and JSON bodies. They have the shape of Terraform's JSON syntax: a block is a map of its
//! labels to bodies, a string is a template, and `"${…}"` alone is the expression itself.

mod places;

use std::ops::Range;
use std::sync::Arc;

use strat_model::{Diagnostic, Origin};

use crate::ast::{Attribute, Block, Body, Expr, ExprKind, Ident, Part};
use crate::hints;
use crate::json;
use crate::notation::Notation;
use crate::report::nearest;
use crate::schema::{self, BlockSchema};
use crate::span::Span;
use crate::syntax::{self, Places, Source};
use crate::value::{Value, text_of};
use crate::yaml::{self, Node, NodeKind};

/// The findings of one file at most, as for HCL.
const MAX_FINDINGS: usize = 100;

/// Parses a whole YAML or JSON file, of a topology or of `variables`: what can be read of it, and what
/// is wrong.
pub(crate) fn data_body(
    file: u32,
    name: &Arc<str>,
    text: &str,
    notation: Notation,
    variables: bool,
) -> (Body, Vec<Diagnostic>) {
    let node = match notation {
        Notation::Json => json::parse(text).map_err(|(range, why)| ("JSON", range, why)),
        _ => yaml::parse(text).map_err(|e| ("YAML", e.at..e.at + 1, e.message)),
    };
    let node = match node {
        Ok(node) => node,
        Err((what, range, why)) => {
            let origin = place(name, range, text);
            let message = format!("this is not valid {what}: {why}");
            let finding = Diagnostic::error("syntax", message).at(&origin, "here");
            return (Body::default(), vec![finding]);
        }
    };
    let mut data = Data {
        file,
        name: name.clone(),
        text,
        problems: Vec::new(),
        variables,
    };
    (data.file(&node), data.problems)
}

/// A place that begins and ends between characters of `text`.
fn place(name: &Arc<str>, range: Range<usize>, text: &str) -> Origin {
    let clamp = |at: usize| {
        let mut at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        u32::try_from(at).unwrap_or(u32::MAX)
    };
    Origin {
        file: name.clone(),
        start: clamp(range.start),
        end: clamp(range.end),
    }
}

struct Data<'a> {
    file: u32,
    name: Arc<str>,
    text: &'a str,
    problems: Vec<Diagnostic>,
    /// Whether this is a file of variables, whose keys are its own.
    variables: bool,
}

impl Data<'_> {
    fn span(&self, node: &Node) -> Span {
        let at = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span {
            file: self.file,
            start: at(node.range.start),
            end: at(node.range.end),
        }
    }

    fn problem(&mut self, node: &Node, message: String, help: &str) {
        if self.problems.len() >= MAX_FINDINGS {
            return;
        }
        let origin = place(&self.name, node.range.clone(), self.text);
        self.problems.push(
            Diagnostic::error("wrong_shape", message)
                .at(&origin, "not of that shape")
                .help(help),
        );
    }

    fn file(&mut self, node: &Node) -> Body {
        match &node.kind {
            NodeKind::Scalar { text, plain } if yaml::scalar(text, *plain) == Value::Null => {
                Body::default()
            }
            NodeKind::Map(pairs) if self.is_other_data(pairs) => {
                let origin = place(&self.name, pairs[0].0.range.clone(), self.text);
                self.problems.push(
                    Diagnostic::error("no_topology_file", "no block of a topology is in this file")
                        .at(&origin, "its first key")
                        .help("name the topology's own files `….strat.yaml` or `….strat.json`; then others in the folder are left alone"),
                );
                Body::default()
            }
            _ => {
                let known = |word: &str| schema::FILE.iter().find(|s| s.keyword == word).copied();
                self.body(node, &known, None)
            }
        }
    }

    /// Whether none of a file's keys is a kind of block, or looks like one.
    fn is_other_data(&self, pairs: &[(Node, Node)]) -> bool {
        let words = || schema::FILE.iter().map(|s| s.keyword);
        let own = |key: &Node| match &key.kind {
            NodeKind::Scalar { text, .. } => {
                text == "//" || nearest(text, words()).is_some() || hints::foreign(text).is_some()
            }
            _ => false,
        };
        !self.variables && !pairs.is_empty() && !pairs.iter().any(|(key, _)| own(key))
    }

    /// A map as the content of a block of this schema. What `blocks` does not know is an attribute,
    /// or at the top of a file, which has no schema, a block that is not known.
    fn body(
        &mut self,
        node: &Node,
        blocks: &dyn Fn(&str) -> Option<&'static BlockSchema>,
        schema: Option<&BlockSchema>,
    ) -> Body {
        let mut body = Body::default();
        let top = schema.is_none();
        let renames = schema.is_some_and(|schema| matches!(schema.keyword, "moved" | "removed"));
        let NodeKind::Map(pairs) = &node.kind else {
            let help = "write `name: value` pairs";
            self.problem(node, "a block is a map".to_owned(), help);
            return body;
        };
        for (key, value) in pairs {
            let Some(name) = self.word(key) else { continue };
            // A comment, as Terraform's JSON has it; and what tells editors of the schema.
            if &*name.text == "//" || (top && &*name.text == "$schema") {
                continue;
            }
            // `demand` of a burst is a text, or a map of names to blocks.
            let text = matches!(value.kind, NodeKind::Scalar { .. })
                && schema.is_some_and(|schema| schema.attribute(&name.text).is_some());
            match blocks(&name.text).filter(|_| !text) {
                Some(schema) => self.blocks(schema, name, value, &mut body),
                None if top && matches!(value.kind, NodeKind::Map(_)) => body.blocks.push(Block {
                    head: name.span,
                    keyword: name,
                    labels: Vec::new(),
                    body: Body::default(),
                }),
                None => {
                    let value = match &value.kind {
                        // What a rename names may not be there, so it is no expression.
                        NodeKind::Scalar { text, .. } if renames && !text.contains("${") => {
                            self.expression(value, text)
                        }
                        _ => self.attribute(&name, value),
                    };
                    body.attributes.push(Attribute { name, value });
                }
            }
        }
        body
    }

    fn word(&mut self, key: &Node) -> Option<Ident> {
        if let NodeKind::Scalar { text, .. } = &key.kind {
            return Some(Ident {
                text: Arc::from(text.as_str()),
                span: self.span(key),
            });
        }
        self.problem(key, "a key is a word".to_owned(), "write `name: value`");
        None
    }

    fn blocks(
        &mut self,
        schema: &'static BlockSchema,
        keyword: Ident,
        node: &Node,
        body: &mut Body,
    ) {
        if let NodeKind::List(items) = &node.kind {
            for item in items {
                self.blocks(schema, keyword.clone(), item, body);
            }
            return;
        }
        if schema.label.is_none() {
            let inner = self.inner(schema, node);
            body.blocks.push(Block {
                head: keyword.span,
                keyword,
                labels: Vec::new(),
                body: inner,
            });
            return;
        }
        let NodeKind::Map(pairs) = &node.kind else {
            let word = schema.keyword;
            let help = format!("write `{word}: {{ name: {{ … }} }}`");
            self.problem(node, format!("`{word}` is a map of names to blocks"), &help);
            return;
        };
        for (label, content) in pairs {
            let Some(label) = self.word(label) else {
                continue;
            };
            let empty = matches!(&content.kind, NodeKind::Scalar { text, plain }
                if yaml::scalar(text, *plain) == Value::Null);
            let inner = if empty {
                Body::default()
            } else {
                self.inner(schema, content)
            };
            body.blocks.push(Block {
                keyword: keyword.clone(),
                head: label.span,
                labels: vec![label],
                body: inner,
            });
        }
    }

    fn inner(&mut self, schema: &'static BlockSchema, node: &Node) -> Body {
        let known = |word: &str| schema.blocks.iter().find(|s| s.keyword == word).copied();
        self.body(node, &known, Some(schema))
    }

    fn attribute(&mut self, name: &Ident, node: &Node) -> Expr {
        match (&*name.text, &node.kind) {
            // A type is an expression of its own, and so are the references of `depends_on`.
            ("type", NodeKind::Scalar { text, .. }) if !text.contains("${") => {
                self.expression(node, text)
            }
            ("depends_on", NodeKind::List(items)) => {
                let items = items.iter().map(|item| match &item.kind {
                    NodeKind::Scalar { text, .. } if !text.contains("${") => {
                        self.expression(item, text)
                    }
                    _ => self.value(item),
                });
                let items = items.collect();
                Expr {
                    kind: ExprKind::List(items),
                    span: self.span(node),
                }
            }
            _ => self.value(node),
        }
    }

    fn value(&mut self, node: &Node) -> Expr {
        let span = self.span(node);
        let kind = match &node.kind {
            NodeKind::Scalar { text, plain } => match yaml::scalar(text, *plain) {
                Value::String(text) => return self.template(node, &text),
                value => ExprKind::Literal(value),
            },
            NodeKind::List(items) => {
                ExprKind::List(items.iter().map(|item| self.value(item)).collect())
            }
            NodeKind::Map(pairs) => ExprKind::Object(
                pairs
                    .iter()
                    .map(|(key, value)| (self.key(key), self.value(value)))
                    .collect(),
            ),
        };
        Expr { kind, span }
    }

    fn key(&mut self, key: &Node) -> Expr {
        match &key.kind {
            NodeKind::Scalar { text, plain } => {
                let text = text_of(&yaml::scalar(text, *plain))
                    .unwrap_or_else(|| Arc::from(text.as_str()));
                self.template(key, &text)
            }
            _ => self.value(key),
        }
    }

    /// A scalar's text, with its places in the file.
    fn source<'t>(&self, node: &Node, text: &'t str) -> Source<'t> {
        let written = self.text.get(node.range.clone()).unwrap_or_default();
        let places = match places::of(text, written, node.range.start) {
            Some(pieces) => Places::Pieces(pieces),
            None => Places::Within(self.span(node)),
        };
        Source::part(self.file, &self.name, text, places)
    }

    fn expression(&mut self, node: &Node, text: &str) -> Expr {
        let lowered = syntax::hcl_expression(self.source(node, text));
        lowered.unwrap_or_else(|problems| self.failed(node, problems))
    }

    fn template(&mut self, node: &Node, text: &str) -> Expr {
        let span = self.span(node);
        match syntax::template(self.source(node, text)) {
            Ok(mut parts) => match (parts.pop(), parts.is_empty()) {
                (None, _) => literal(Value::string(""), span),
                (Some(Part::Text(text)), true) => literal(Value::text(text), span),
                (Some(Part::Interpolation(inner)), true) => inner,
                (Some(last), _) => {
                    parts.push(last);
                    Expr {
                        kind: ExprKind::Template(parts),
                        span,
                    }
                }
            },
            Err(problems) => self.failed(node, problems),
        }
    }

    fn failed(&mut self, node: &Node, problems: Vec<Diagnostic>) -> Expr {
        if self.problems.len() < MAX_FINDINGS {
            self.problems.extend(problems);
        }
        literal(Value::Null, self.span(node))
    }
}

fn literal(value: Value, span: Span) -> Expr {
    Expr {
        kind: ExprKind::Literal(value),
        span,
    }
}
