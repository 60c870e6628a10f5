//! The tree that every notation is lowered to. It owns its text and knows its places.

use std::sync::Arc;

use crate::span::Span;
use crate::value::Value;

/// A word and its place.
#[derive(Debug, Clone)]
pub(crate) struct Ident {
    pub(crate) text: Arc<str>,
    pub(crate) span: Span,
}

/// The content of a file or block.
#[derive(Debug, Clone, Default)]
pub(crate) struct Body {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) blocks: Vec<Block>,
}

impl Body {
    /// The attribute of that name.
    pub(crate) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|a| &*a.name.text == name)
    }

    /// The nested blocks of that keyword, in order.
    pub(crate) fn blocks<'a>(&'a self, keyword: &'a str) -> impl Iterator<Item = &'a Block> {
        self.blocks
            .iter()
            .filter(move |block| &*block.keyword.text == keyword)
    }
}

/// `name = value`.
#[derive(Debug, Clone)]
pub(crate) struct Attribute {
    pub(crate) name: Ident,
    pub(crate) value: Expr,
}

/// `keyword "label" { … }`.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) keyword: Ident,
    pub(crate) labels: Vec<Ident>,
    pub(crate) body: Body,
    /// The keyword and the labels.
    pub(crate) head: Span,
}

/// An expression and its place.
#[derive(Debug, Clone)]
pub(crate) struct Expr {
    pub(crate) kind: ExprKind,
    pub(crate) span: Span,
}

/// What an expression is.
#[derive(Debug, Clone)]
pub(crate) enum ExprKind {
    /// A value that stands in the text.
    Literal(Value),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `{ key = value }`
    Object(Vec<(Expr, Expr)>),
    /// `"a ${b}"`
    Template(Vec<Part>),
    /// A single word: a variable of a `for`, or the first word of a reference.
    Name(Arc<str>),
    /// `base.name`
    Attr(Box<(Expr, Ident)>),
    /// `base[key]`
    Index(Box<Expr>, Box<Expr>),
    /// `base[*]`: the second expression for each item, which is [`ExprKind::SplatItem`] in it.
    Splat(Box<Expr>, Box<Expr>),
    /// The item of the innermost splat.
    SplatItem,
    /// `name(args)`
    Call(Box<Call>),
    /// `-a`, `!a`
    Unary(UnaryOp, Box<Expr>),
    /// `a + b`
    Binary(BinaryOp, Box<(Expr, Expr)>),
    /// `condition ? yes : no`
    Conditional(Box<[Expr; 3]>),
    /// `[for …]`, `{for …}`
    For(Box<ForExpr>),
}

/// A function call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) name: Ident,
    pub(crate) args: Vec<Expr>,
    /// Whether the last argument is a list of further arguments (`f(list...)`).
    pub(crate) expand: bool,
}

/// A `for` expression.
#[derive(Debug, Clone)]
pub(crate) struct ForExpr {
    pub(crate) key_var: Option<Arc<str>>,
    pub(crate) value_var: Arc<str>,
    pub(crate) collection: Expr,
    /// Present in `{for …}`.
    pub(crate) key: Option<Expr>,
    pub(crate) value: Expr,
    pub(crate) condition: Option<Expr>,
    /// Whether values of equal keys make a list (`...`).
    pub(crate) grouping: bool,
}

/// A piece of a template.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    /// Text as it stands.
    Text(Arc<str>),
    /// `${…}`
    Interpolation(Expr),
    /// `%{ if … }`
    If {
        condition: Expr,
        yes: Vec<Part>,
        no: Vec<Part>,
    },
    /// `%{ for … }`
    For {
        key_var: Option<Arc<str>>,
        value_var: Arc<str>,
        collection: Expr,
        parts: Vec<Part>,
    },
}

/// An operator on one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnaryOp {
    Negate,
    Not,
}

/// An operator on two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BinaryOp {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    And,
    Or,
}

impl BinaryOp {
    /// The operator as written.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::And => "&&",
            Self::Or => "||",
        }
    }
}

impl Expr {
    /// Calls `f` with every expression directly inside this one.
    pub(crate) fn for_each_child<'a>(&'a self, f: &mut dyn FnMut(&'a Expr)) {
        match &self.kind {
            ExprKind::Literal(_) | ExprKind::Name(_) | ExprKind::SplatItem => {}
            ExprKind::List(items) => items.iter().for_each(f),
            ExprKind::Object(items) => items.iter().for_each(|(key, value)| {
                f(key);
                f(value);
            }),
            ExprKind::Template(parts) => Part::for_each_expr(parts, f),
            ExprKind::Attr(inner) => f(&inner.0),
            ExprKind::Unary(_, base) => f(base),
            ExprKind::Index(base, other) | ExprKind::Splat(base, other) => {
                f(base);
                f(other);
            }
            ExprKind::Call(call) => call.args.iter().for_each(f),
            ExprKind::Binary(_, sides) => {
                f(&sides.0);
                f(&sides.1);
            }
            ExprKind::Conditional(three) => three.iter().for_each(f),
            ExprKind::For(inner) => {
                f(&inner.collection);
                inner.key.iter().for_each(&mut *f);
                f(&inner.value);
                inner.condition.iter().for_each(f);
            }
        }
    }

    /// Calls `f` with every expression directly inside this one, to change it.
    pub(crate) fn for_each_child_mut(&mut self, f: &mut dyn FnMut(&mut Expr)) {
        match &mut self.kind {
            ExprKind::Literal(_) | ExprKind::Name(_) | ExprKind::SplatItem => {}
            ExprKind::List(items) => items.iter_mut().for_each(f),
            ExprKind::Object(items) => items.iter_mut().for_each(|(key, value)| {
                f(key);
                f(value);
            }),
            ExprKind::Template(parts) => Part::for_each_expr_mut(parts, f),
            ExprKind::Attr(inner) => f(&mut inner.0),
            ExprKind::Unary(_, base) => f(base),
            ExprKind::Index(base, other) | ExprKind::Splat(base, other) => {
                f(base);
                f(other);
            }
            ExprKind::Call(call) => call.args.iter_mut().for_each(f),
            ExprKind::Binary(_, sides) => {
                f(&mut sides.0);
                f(&mut sides.1);
            }
            ExprKind::Conditional(three) => three.iter_mut().for_each(f),
            ExprKind::For(inner) => {
                f(&mut inner.collection);
                inner.key.iter_mut().for_each(&mut *f);
                f(&mut inner.value);
                inner.condition.iter_mut().for_each(f);
            }
        }
    }

    /// Whether the word `root` begins a reference anywhere in here.
    pub(crate) fn mentions(&self, root: &str) -> bool {
        if matches!(&self.kind, ExprKind::Name(name) if &**name == root) {
            return true;
        }
        let mut found = false;
        self.for_each_child(&mut |child| found = found || child.mentions(root));
        found
    }
}

impl Part {
    /// Calls `f` with every expression directly inside these parts, to change it.
    pub(crate) fn for_each_expr_mut(parts: &mut [Self], f: &mut dyn FnMut(&mut Expr)) {
        for part in parts {
            match part {
                Self::Text(_) => {}
                Self::Interpolation(expr) => f(expr),
                Self::If { condition, yes, no } => {
                    f(condition);
                    Self::for_each_expr_mut(yes, f);
                    Self::for_each_expr_mut(no, f);
                }
                Self::For {
                    collection, parts, ..
                } => {
                    f(collection);
                    Self::for_each_expr_mut(parts, f);
                }
            }
        }
    }

    /// Calls `f` with every expression directly inside these parts.
    pub(crate) fn for_each_expr<'a>(parts: &'a [Self], f: &mut dyn FnMut(&'a Expr)) {
        for part in parts {
            match part {
                Self::Text(_) => {}
                Self::Interpolation(expr) => f(expr),
                Self::If { condition, yes, no } => {
                    f(condition);
                    Self::for_each_expr(yes, f);
                    Self::for_each_expr(no, f);
                }
                Self::For {
                    collection, parts, ..
                } => {
                    f(collection);
                    Self::for_each_expr(parts, f);
                }
            }
        }
    }
}
