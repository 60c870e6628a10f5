//! Expressions: operators, literals, calls.

use super::parser::{Parsed, Parser, closing};
use super::token::{Kind, Token};
use crate::ast::{BinaryOp, Call, Expr, ExprKind, Ident, UnaryOp};
use crate::value::{Number, TOO_LARGE, Value};

/// How strongly operators bind; those of one strength go from left to right.
const fn operator(kind: Kind) -> Option<(u8, BinaryOp)> {
    Some(match kind {
        Kind::Or => (1, BinaryOp::Or),
        Kind::And => (2, BinaryOp::And),
        Kind::Equal => (3, BinaryOp::Equal),
        Kind::NotEqual => (3, BinaryOp::NotEqual),
        Kind::Less => (4, BinaryOp::Less),
        Kind::LessEqual => (4, BinaryOp::LessEqual),
        Kind::Greater => (4, BinaryOp::Greater),
        Kind::GreaterEqual => (4, BinaryOp::GreaterEqual),
        Kind::Plus => (5, BinaryOp::Add),
        Kind::Minus => (5, BinaryOp::Subtract),
        Kind::Star => (6, BinaryOp::Multiply),
        Kind::Slash => (6, BinaryOp::Divide),
        Kind::Percent => (6, BinaryOp::Remainder),
        _ => return None,
    })
}

impl Parser<'_> {
    /// An expression.
    pub(super) fn expression(&mut self) -> Parsed<Expr> {
        self.deeper(Self::conditional)
    }

    fn conditional(&mut self) -> Parsed<Expr> {
        let start = self.peek().start;
        let condition = self.operators(0)?;
        if self.take_if(Kind::Question).is_none() {
            return Ok(condition);
        }
        let mut height = self.height;
        let yes = self.expression()?;
        height = height.max(self.height);
        if self.take_if(Kind::Colon).is_none() {
            return Err(self.unexpected("`:` and the other value of `… ? … : …`"));
        }
        let no = self.expression()?;
        self.above(height.max(self.height))?;
        let three = Box::new([condition, yes, no]);
        Ok(self.made(ExprKind::Conditional(three), start))
    }

    /// Operands with operators that bind more strongly than `than` between them.
    fn operators(&mut self, than: u8) -> Parsed<Expr> {
        let start = self.peek().start;
        let mut left = self.unary()?;
        while let Some((strength, op)) = operator(self.kind()).filter(|(s, _)| *s > than) {
            let height = self.height;
            self.take();
            let right = self.operators(strength)?;
            self.above(height.max(self.height))?;
            left = self.made(ExprKind::Binary(op, Box::new((left, right))), start);
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed<Expr> {
        let token = self.peek();
        let op = match token.kind {
            Kind::Minus => UnaryOp::Negate,
            Kind::Not => UnaryOp::Not,
            _ => return self.postfix(),
        };
        self.take();
        let operand = self.deeper(Self::unary)?;
        self.above(self.height)?;
        Ok(self.made(ExprKind::Unary(op, Box::new(operand)), token.start))
    }

    /// What operators stand between, without what is taken of it.
    pub(super) fn term(&mut self) -> Parsed<Expr> {
        self.counted()?;
        let token = self.peek();
        self.height = 0;
        match token.kind {
            Kind::Number => self.number(),
            Kind::Ident => self.name_or_call(),
            Kind::OpenQuote => self.quoted(),
            Kind::OpenHeredoc => self.heredoc(),
            Kind::OpenParen => self.parenthesis(),
            Kind::OpenBracket => self.list_or_for(),
            Kind::OpenBrace => self.object_or_for(),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn number(&mut self) -> Parsed<Expr> {
        let token = self.take();
        let text = self.text(token);
        let Some(number) = Number::parse(text) else {
            let origin = self.source.origin(token.start..token.end);
            let finding =
                strat_model::Diagnostic::error("number_range", "this number cannot be represented")
                    .at(&origin, "too large, or too many digits")
                    .help(TOO_LARGE);
            return Err(self.push(finding));
        };
        Ok(self.made(ExprKind::Literal(Value::Number(number)), token.start))
    }

    fn name_or_call(&mut self) -> Parsed<Expr> {
        let token = self.take();
        if matches!(self.kind(), Kind::OpenParen | Kind::DoubleColon) {
            return self.call(token);
        }
        let kind = match self.text(token) {
            "null" => ExprKind::Literal(Value::Null),
            "true" => ExprKind::Literal(Value::Bool(true)),
            "false" => ExprKind::Literal(Value::Bool(false)),
            name => ExprKind::Name(self.word(name)),
        };
        self.height = 0;
        Ok(Expr {
            kind,
            span: self.source.span(token.start..token.end),
        })
    }

    fn call(&mut self, first: Token) -> Parsed<Expr> {
        let mut end = first.end;
        let mut text = self.text(first).to_owned();
        while self.take_if(Kind::DoubleColon).is_some() {
            let Some(part) = self.take_if(Kind::Ident) else {
                return Err(self.unexpected("the name of a function"));
            };
            text.push_str("::");
            text.push_str(self.text(part));
            end = part.end;
        }
        let name = Ident {
            text: self.word(&text),
            span: self.source.span(first.start..end),
        };
        let Some(open) = self.take_if(Kind::OpenParen) else {
            return Err(self.unexpected("`(`"));
        };
        let (args, expand) = self.within(true, |this| this.arguments(open))?;
        let call = Box::new(Call { name, args, expand });
        Ok(self.made(ExprKind::Call(call), first.start))
    }

    fn arguments(&mut self, open: Token) -> Parsed<(Vec<Expr>, bool)> {
        let mut args = Vec::new();
        let mut height = 0;
        let mut expand = false;
        while self.take_if(Kind::CloseParen).is_none() {
            args.push(self.expression()?);
            height = height.max(self.height);
            expand = self.take_if(Kind::Ellipsis).is_some();
            match self.kind() {
                Kind::CloseParen => {}
                Kind::Comma if !expand => {
                    self.take();
                }
                _ => return Err(self.unclosed(open, "`,` or `)`")),
            }
        }
        self.above(height)?;
        args.shrink_to_fit();
        Ok((args, expand))
    }

    /// An expression in parentheses. Its place is without them.
    fn parenthesis(&mut self) -> Parsed<Expr> {
        let open = self.take();
        self.within(true, |this| {
            let inner = this.expression()?;
            match this.take_if(Kind::CloseParen) {
                Some(_) => Ok(inner),
                None => Err(this.unclosed(open, &format!("`{}`", closing("(")))),
            }
        })
    }
}
