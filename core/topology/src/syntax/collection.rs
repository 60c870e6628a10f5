//! Lists, objects, and the `for` of both.

use super::parser::{Parsed, Parser};
use super::token::{Kind, Token};
use crate::ast::{Expr, ExprKind, ForExpr};
use crate::value::Value;
use std::sync::Arc;

impl Parser<'_> {
    pub(super) fn list_or_for(&mut self) -> Parsed<Expr> {
        let open = self.take();
        let kind = self.within(true, |this| {
            if this.at_word("for") {
                return this.for_expr(open, Kind::CloseBracket);
            }
            this.list(open)
        })?;
        Ok(self.made(kind, open.start))
    }

    fn list(&mut self, open: Token) -> Parsed<ExprKind> {
        let mut items = Vec::new();
        let mut height = 0;
        while self.take_if(Kind::CloseBracket).is_none() {
            items.push(self.expression()?);
            height = height.max(self.height);
            match self.kind() {
                Kind::CloseBracket => {}
                Kind::Comma => {
                    self.take();
                }
                _ => return Err(self.unclosed(open, "`,` or `]`")),
            }
        }
        self.above(height)?;
        items.shrink_to_fit();
        Ok(ExprKind::List(items))
    }

    pub(super) fn object_or_for(&mut self) -> Parsed<Expr> {
        let open = self.take();
        // A `for` may stand on the next line; a key of that name has `=` or `:` behind it.
        let is_for = self.within(true, |this| {
            this.at_word("for") && !matches!(this.second(), Kind::Assign | Kind::Colon)
        });
        let kind = if is_for {
            self.within(true, |this| this.for_expr(open, Kind::CloseBrace))
        } else {
            self.within(false, |this| this.object(open))
        }?;
        Ok(self.made(kind, open.start))
    }

    fn object(&mut self, open: Token) -> Parsed<ExprKind> {
        let mut items = Vec::new();
        let mut height = 0;
        loop {
            while self.take_if(Kind::Newline).is_some() {}
            if self.take_if(Kind::CloseBrace).is_some() {
                break;
            }
            if self.kind() == Kind::End {
                return Err(self.unclosed(open, "`}`"));
            }
            let key = self.key()?;
            height = height.max(self.height);
            if !matches!(self.kind(), Kind::Assign | Kind::Colon) {
                return Err(self.unclosed(open, "`=` and a value"));
            }
            self.take();
            items.push((key, self.expression()?));
            height = height.max(self.height);
            match self.kind() {
                Kind::CloseBrace => {}
                Kind::Comma | Kind::Newline => {
                    self.take();
                }
                Kind::End => return Err(self.unclosed(open, "`}`")),
                Kind::CloseBracket | Kind::CloseParen | Kind::CloseTemplate => {
                    return Err(self.unclosed(open, "`}`"));
                }
                _ => return Err(self.items_together()),
            }
        }
        self.above(height)?;
        items.shrink_to_fit();
        Ok(ExprKind::Object(items))
    }

    fn items_together(&mut self) -> super::parser::Broken {
        let token = self.peek();
        if let Some(broken) = self.broken_token(token) {
            return broken;
        }
        let help = "the items of a map stand on lines of their own, or with `,` between them";
        let range = self.source.character(token.start);
        let message = "this is not valid HCL: `,`, `}` or the end of the line is expected here";
        self.report(range, message, "here", Some(help.to_owned()))
    }

    /// A key: a bare word is a text; a reference stands in parentheses, or would be taken for one.
    fn key(&mut self) -> Parsed<Expr> {
        let token = self.peek();
        let bare = token.kind == Kind::Ident;
        let key = self.expression()?;
        if bare && self.last_end == token.end {
            let text = self.word(self.text(token));
            return Ok(self.made(ExprKind::Literal(Value::text(text)), token.start));
        }
        if bare && is_path(&key) {
            let message = "this key can be read as a text and as a reference";
            let help = "write it in quotes if it is a text, in parentheses if it is a reference";
            let range = token.start..self.last_end;
            return Err(self.report(range, message, "here", Some(help.to_owned())));
        }
        Ok(key)
    }

    /// `for key, value in collection : result if condition`, up to the closing bracket.
    fn for_expr(&mut self, open: Token, close: Kind) -> Parsed<ExprKind> {
        self.take();
        let (key_var, value_var) = self.for_names()?;
        let collection = self.expression()?;
        let mut height = self.height;
        if self.take_if(Kind::Colon).is_none() {
            return Err(self.unexpected("`:`"));
        }
        let start = self.peek().start;
        let mut key = None;
        let mut value = self.expression()?;
        height = height.max(self.height);
        if self.take_if(Kind::FatArrow).is_some() {
            key = Some(std::mem::replace(&mut value, self.expression()?));
            height = height.max(self.height);
        }
        let result = start..self.last_end;
        let grouping = self.take_if(Kind::Ellipsis).is_some();
        let mut condition = None;
        if self.at_word("if") {
            self.take();
            condition = Some(self.expression()?);
            height = height.max(self.height);
        }
        if self.take_if(close).is_none() {
            return Err(self.unclosed(open, "the end of the `for`"));
        }
        let wrong = match close {
            Kind::CloseBracket if key.is_some() => {
                Some(("a list has no keys", "write `{ for … }` for a map"))
            }
            Kind::CloseBracket if grouping => Some((
                "a list groups nothing by `...`",
                "write `{ for … }` for a map",
            )),
            Kind::CloseBrace if key.is_none() => Some((
                "each item of a map has a key",
                "write `key => value`, or `[for … ]` for a list",
            )),
            _ => None,
        };
        if let Some((message, help)) = wrong {
            let message = format!("this is not valid HCL: {message}");
            return Err(self.report(result, message, "here", Some(help.to_owned())));
        }
        self.above(height)?;
        Ok(ExprKind::For(Box::new(ForExpr {
            key_var,
            value_var,
            collection,
            key,
            value,
            condition,
            grouping,
        })))
    }

    /// `key, value in`, of which the key may be left out.
    pub(super) fn for_names(&mut self) -> Parsed<(Option<Arc<str>>, Arc<str>)> {
        let mut names = Vec::new();
        loop {
            let Some(name) = self.take_if(Kind::Ident) else {
                return Err(self.unexpected("the name of a variable"));
            };
            names.push(self.word(self.text(name)));
            if names.len() == 2 || self.take_if(Kind::Comma).is_none() {
                break;
            }
        }
        if !self.at_word("in") {
            return Err(self.unexpected("`in`"));
        }
        self.take();
        let value = names.pop().unwrap_or_default();
        Ok((names.pop(), value))
    }
}

/// Whether an expression is a name with others taken of it.
fn is_path(expr: &Expr) -> bool {
    fn has_root(expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Name(_) => true,
            ExprKind::Attr(inner) => has_root(&inner.0),
            ExprKind::Index(base, index) => {
                has_root(base) && matches!(index.kind, ExprKind::Literal(_))
            }
            _ => false,
        }
    }
    !matches!(expr.kind, ExprKind::Name(_)) && has_root(expr)
}
