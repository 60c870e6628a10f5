//! What is taken of a value: `.name`, `[index]`, `[*]`.

use super::parser::{Broken, Parsed, Parser};
use super::token::{Kind, Token};
use crate::ast::{Expr, ExprKind};
use crate::span::Span;
use crate::value::{Number, Value};

impl Parser<'_> {
    /// A value with what is taken of it.
    pub(super) fn postfix(&mut self) -> Parsed<Expr> {
        let base = self.term()?;
        self.taken_of(base)
    }

    /// What is taken of `base`.
    fn taken_of(&mut self, mut base: Expr) -> Parsed<Expr> {
        loop {
            base = match self.kind() {
                Kind::Dot => {
                    let dot = self.take();
                    match self.kind() {
                        Kind::Star => self.attribute_splat(base, dot)?,
                        _ => self.attribute_of(base, dot)?,
                    }
                }
                Kind::OpenBracket => {
                    let open = self.take();
                    if self.within(true, Self::kind) == Kind::Star {
                        return self.full_splat(base, open);
                    }
                    self.index(base, open)?
                }
                _ => return Ok(base),
            };
        }
    }

    /// The place of `base` and of what was taken of it last.
    fn over(&self, base: &Expr, start: usize) -> Span {
        base.span.to(self.span_from(start))
    }

    /// `.name`, or the old `.0` for `[0]`.
    fn attribute_of(&mut self, base: Expr, dot: Token) -> Parsed<Expr> {
        let token = self.peek();
        let height = self.height;
        let kind = match token.kind {
            Kind::Ident => {
                self.take();
                let name = self.ident(token);
                ExprKind::Attr(Box::new((base, name)))
            }
            Kind::Number => {
                let index = self.old_index(token)?;
                ExprKind::Index(Box::new(base), Box::new(index))
            }
            _ => return Err(self.unexpected("the name of an attribute")),
        };
        self.above(height)?;
        let base = match &kind {
            ExprKind::Attr(inner) => &inner.0,
            ExprKind::Index(base, _) => base,
            _ => return Err(Broken),
        };
        let span = self.over(base, dot.start);
        Ok(Expr { kind, span })
    }

    fn old_index(&mut self, token: Token) -> Parsed<Expr> {
        self.take();
        let text = self.text(token);
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        match Number::parse(text).filter(|_| digits) {
            Some(number) => Ok(self.made(ExprKind::Literal(Value::Number(number)), token.start)),
            None => {
                let message = "this is not valid HCL: an index is a whole number";
                let indexes = text.split('.').map(|part| format!("[{part}]"));
                let help = format!("write `{}`", indexes.collect::<String>());
                Err(self.report(token.start..token.end, message, "here", Some(help)))
            }
        }
    }

    fn index(&mut self, base: Expr, open: Token) -> Parsed<Expr> {
        let height = self.height;
        let index = self.within(true, |this| {
            let index = this.expression()?;
            match this.take_if(Kind::CloseBracket) {
                Some(_) => Ok(index),
                None => Err(this.unclosed(open, "`]`")),
            }
        })?;
        self.above(height.max(self.height))?;
        let span = self.over(&base, open.start);
        let kind = ExprKind::Index(Box::new(base), Box::new(index));
        Ok(Expr { kind, span })
    }

    /// `[*]`, with all that follows taken of each item.
    fn full_splat(&mut self, base: Expr, open: Token) -> Parsed<Expr> {
        let height = self.height;
        self.within(true, |this| {
            this.take();
            match this.take_if(Kind::CloseBracket) {
                Some(_) => Ok(()),
                None => Err(this.unclosed(open, "`]`")),
            }
        })?;
        let item = self.made(ExprKind::SplatItem, open.start);
        self.height = 0;
        let each = self.deeper(|this| this.taken_of(item))?;
        self.splat(base, each, height)
    }

    /// `.*`, with the names that follow taken of each item.
    fn attribute_splat(&mut self, base: Expr, dot: Token) -> Parsed<Expr> {
        let height = self.height;
        self.take();
        let mut each = self.made(ExprKind::SplatItem, dot.start);
        self.height = 0;
        while self.kind() == Kind::Dot {
            let dot = self.take();
            each = self.attribute_of(each, dot)?;
        }
        self.splat(base, each, height)
    }

    fn splat(&mut self, base: Expr, each: Expr, height: usize) -> Parsed<Expr> {
        self.above(height.max(self.height))?;
        let span = base.span.to(each.span);
        let kind = ExprKind::Splat(Box::new(base), Box::new(each));
        Ok(Expr { kind, span })
    }
}
