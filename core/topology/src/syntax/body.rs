//! Files, blocks and attributes.

use super::parser::{Broken, Parsed, Parser};
use super::token::{Kind, Token};
use crate::ast::{Attribute, Block, Body, Expr, Ident};

impl Parser<'_> {
    /// A whole file.
    pub(super) fn file(&mut self) -> Body {
        self.body(None)
    }

    /// One expression and nothing else.
    pub(super) fn only_expression(&mut self) -> Parsed<Expr> {
        self.joined = true;
        let expr = self.expression()?;
        match self.kind() {
            Kind::End => Ok(expr),
            _ => Err(self.unexpected("the end")),
        }
    }

    /// What is in a block, up to its closing brace, or in a file. What is broken in it is told, and
    /// left out.
    fn body(&mut self, open: Option<Token>) -> Body {
        let mut body = Body::default();
        while !self.is_full() {
            let token = self.peek();
            match token.kind {
                Kind::Newline => {
                    self.take();
                }
                Kind::Ident => {
                    if self.item(&mut body).is_err() {
                        self.recover(token.start);
                    }
                }
                Kind::CloseBrace if open.is_some() => {
                    self.take();
                    break;
                }
                Kind::End => {
                    if let Some(open) = open.filter(|_| !self.ends_open) {
                        self.ends_open = true;
                        self.unclosed(open, "`}`");
                    }
                    break;
                }
                _ => {
                    self.no_item(token);
                    self.recover(token.start);
                }
            }
        }
        // They stay for as long as the topology, and there may be a hundred thousand of them.
        body.attributes.shrink_to_fit();
        body.blocks.shrink_to_fit();
        body
    }

    /// What stands where an attribute or a block should.
    fn no_item(&mut self, token: Token) {
        let text = self.text(token);
        let closes = matches!(
            token.kind,
            Kind::CloseBrace | Kind::CloseBracket | Kind::CloseParen
        );
        if closes {
            let message = format!("this `{text}` closes nothing");
            let help = "remove it, or add what it should close".to_owned();
            self.report(
                token.start..token.end,
                message,
                "nothing is open here",
                Some(help),
            );
            return;
        }
        if self.broken_token(token).is_some() {
            return;
        }
        let message = "this is not valid HCL: an attribute or a block is expected here";
        let help = match token.kind {
            Kind::OpenQuote => "the name of an attribute stands without quotes",
            _ => "set an attribute with `name = …`, open a block with `name {`",
        };
        let range = token.start..token.end;
        self.report(range, message, "here", Some(help.to_owned()));
    }

    /// An attribute or a block, with the end of its line.
    fn item(&mut self, body: &mut Body) -> Parsed<()> {
        self.counted()?;
        let token = self.take();
        let name = self.ident(token);
        match self.kind() {
            Kind::Assign => {
                let attribute = self.attribute(name)?;
                self.end_of_line()?;
                body.attributes.push(attribute);
            }
            Kind::OpenQuote | Kind::Ident | Kind::OpenBrace => {
                let block = self.block(name, token)?;
                body.blocks.push(block);
                self.end_of_line()?;
            }
            _ => return Err(self.no_value(&name)),
        }
        Ok(())
    }

    fn no_value(&mut self, name: &Ident) -> Broken {
        let found = self.peek();
        if let Some(broken) = self.broken_token(found) {
            return broken;
        }
        let name = &name.text;
        let help = match found.kind {
            Kind::Colon => format!("an attribute is set with `=`: `{name} = …`"),
            _ => format!("set an attribute with `{name} = …`, open a block with `{name} {{`"),
        };
        let range = self.source.character(found.start);
        let message = "this is not valid HCL: `=`, `{` or a label is expected here";
        self.report(range, message, "here", Some(help))
    }

    fn attribute(&mut self, name: Ident) -> Parsed<Attribute> {
        self.take();
        if matches!(self.kind(), Kind::Newline | Kind::End) {
            let at = self.peek().start;
            let range = self.source.character(at);
            let help = format!("`{}` has no value after the `=`", name.text);
            let message = "this is not valid HCL: a value is expected here";
            return Err(self.report(range, message, "here", Some(help)));
        }
        let value = self.expression()?;
        Ok(Attribute { name, value })
    }

    fn end_of_line(&mut self) -> Parsed<()> {
        let found = self.peek();
        match found.kind {
            Kind::Newline => {
                self.take();
                return Ok(());
            }
            Kind::End => return Ok(()),
            _ => {}
        }
        if let Some(broken) = self.broken_token(found) {
            return Err(broken);
        }
        let help = match found.kind {
            Kind::Comma => "no comma stands between the attributes of a block",
            Kind::CloseBrace | Kind::CloseBracket | Kind::CloseParen => {
                "remove it, or add what it should close"
            }
            _ => "every attribute and block stands on a line of its own",
        };
        let range = self.source.character(found.start);
        let message = "this is not valid HCL: the end of the line is expected here";
        Err(self.report(range, message, "here", Some(help.to_owned())))
    }

    fn block(&mut self, keyword: Ident, token: Token) -> Parsed<Block> {
        let mut labels = Vec::new();
        loop {
            match self.kind() {
                Kind::Ident => {
                    let label = self.take();
                    labels.push(self.ident(label));
                }
                Kind::OpenQuote => labels.push(self.label()?),
                Kind::OpenBrace => break,
                _ => return Err(self.no_block(&keyword, token, labels.len())),
            }
        }
        let head = labels
            .last()
            .map_or(keyword.span, |label| keyword.span.to(label.span));
        let open = self.take();
        labels.shrink_to_fit();
        let body = self.deeper(|this| match this.kind() {
            Kind::Newline | Kind::CloseBrace | Kind::End => Ok(this.body(Some(open))),
            _ => this.one_line_body(open),
        })?;
        Ok(Block {
            keyword,
            labels,
            body,
            head,
        })
    }

    /// What has labels and no `{`.
    fn no_block(&mut self, keyword: &Ident, token: Token, labels: usize) -> Broken {
        let found = self.peek();
        let written = self.source.text.get(token.end..self.last_end);
        let value = written.unwrap_or_default().trim();
        let name = &keyword.text;
        let help = (labels == 1 && found.kind == Kind::Newline)
            .then(|| format!("an attribute is set with `=`: `{name} = {value}`"));
        if let Some(broken) = self.broken_token(found) {
            return broken;
        }
        let range = self.source.character(found.start);
        let message = "this is not valid HCL: `{` is expected here";
        self.report(range, message, "here", help)
    }

    /// `name = value }`, the whole body of a block that is written on one line.
    fn one_line_body(&mut self, open: Token) -> Parsed<Body> {
        let token = self.peek();
        if token.kind != Kind::Ident {
            self.no_item(token);
            return Err(Broken);
        }
        self.take();
        let name = self.ident(token);
        if self.kind() != Kind::Assign {
            let at = self.peek().start;
            let range = self.source.character(at);
            let message = "this is not valid HCL: `=` is expected here";
            let help = "every block stands on a line of its own".to_owned();
            return Err(self.report(range, message, "here", Some(help)));
        }
        let attribute = self.attribute(name)?;
        let found = self.peek();
        match found.kind {
            Kind::CloseBrace => {
                self.take();
            }
            Kind::End => return Err(self.unclosed(open, "}")),
            _ => {
                let help = "every attribute and block stands on a line of its own";
                let range = self.source.character(found.start);
                let message = "this is not valid HCL: `}` is expected here";
                return Err(self.report(range, message, "here", Some(help.to_owned())));
            }
        }
        Ok(Body {
            attributes: vec![attribute],
            blocks: Vec::new(),
        })
    }

    /// A label in quotes, which holds no values.
    fn label(&mut self) -> Parsed<Ident> {
        let open = self.take();
        let mut text = String::new();
        loop {
            let token = self.peek();
            match token.kind {
                Kind::CloseQuote => {
                    self.take();
                    break;
                }
                Kind::QuotedText => {
                    self.take();
                    self.unescape(token, &mut text)?;
                }
                Kind::Interpolation | Kind::Directive => {
                    let message = "this is not valid HCL: a label holds no values";
                    let help = "write the label out; give things names that differ with `for_each`";
                    let range = token.start..token.end;
                    return Err(self.report(range, message, "here", Some(help.to_owned())));
                }
                _ => return Err(self.unclosed_quote(open)),
            }
        }
        Ok(Ident {
            text: self.word(&text),
            span: self.span_from(open.start),
        })
    }

    /// Goes on behind an attribute or a block that is broken, which begins at `start`: at the end
    /// of the line on which nothing of it is open, or at the next line that is indented no deeper
    /// and begins another one.
    fn recover(&mut self, start: usize) {
        let ahead = self.peek();
        if ahead.kind == Kind::End && self.lexer.is_outermost() {
            return;
        }
        let broken_at = ahead.start.max(self.last_end);
        let indent = self.line_before(start).len();
        self.joined = false;
        self.jump(start);
        let mut depth = 0_usize;
        let mut has_body = false;
        let mut line_start = None;
        loop {
            let token = self.peek();
            let past = token.start >= broken_at && token.start > start;
            // How deep a token is indented that is the first of its line.
            let column = line_start
                .take()
                .filter(|_| past)
                .map(|at| token.start - at);
            let stops = match token.kind {
                Kind::End => true,
                // What is indented deeper was the body of a block whose head is broken.
                Kind::CloseBrace if depth == 0 => past && !(has_body && column == Some(indent)),
                Kind::CloseBrace => column.is_some_and(|column| column < indent),
                Kind::Ident => {
                    column.is_some_and(|column| column <= indent)
                        && (depth == 0 || self.begins_item(token))
                }
                _ => false,
            };
            if stops {
                self.jump(token.start);
                return;
            }
            self.take();
            if token.kind.opens() {
                depth += 1;
            } else if token.kind.closes() {
                depth = depth.saturating_sub(1);
            }
            if token.kind == Kind::Newline {
                line_start = Some(token.end);
            }
            if line_start.is_some() && depth == 0 && past {
                let line = self.line_after(token.end);
                let deeper = line.len() - line.trim_start().len() > indent;
                let closes = has_body && line.trim_start().starts_with('}');
                if !deeper && !closes {
                    return;
                }
                has_body |= deeper;
            }
        }
    }

    /// The next line that is not empty.
    fn line_after(&self, at: usize) -> &str {
        let rest = self.source.text.get(at..).unwrap_or_default();
        let line = rest.lines().find(|line| !line.trim().is_empty());
        line.unwrap_or_default()
    }
}
