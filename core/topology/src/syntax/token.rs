//! What HCL text is made of.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A word: a letter or `_`, then letters, digits, `_` and `-`.
    Ident,
    /// A number without its sign.
    Number,
    /// The `"` that opens a quoted text.
    OpenQuote,
    /// The `"` that closes it.
    CloseQuote,
    /// Where a quoted text ends without a `"`, at the end of its line; it has no length.
    UnclosedQuote,
    /// A piece of a quoted text, escapes as they are written.
    QuotedText,
    /// `<<EOT` or `<<-EOT`, with the line break behind it.
    OpenHeredoc,
    /// The line that ends a heredoc, without its line break.
    CloseHeredoc,
    /// The end of a file inside a heredoc; it has no length.
    UnclosedHeredoc,
    /// A piece of a heredoc or of a template file, at most to the end of its line.
    PlainText,
    /// `${` or `${~`
    Interpolation,
    /// `%{` or `%{~`
    Directive,
    /// The `}` or `~}` that closes either.
    CloseTemplate,
    OpenBrace,
    CloseBrace,
    OpenBracket,
    CloseBracket,
    OpenParen,
    CloseParen,
    Dot,
    Comma,
    Colon,
    DoubleColon,
    Ellipsis,
    FatArrow,
    /// `=`
    Assign,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    And,
    Or,
    Not,
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    Question,
    Newline,
    /// `# …` or `// …` without the line break, or `/* … */`.
    Comment,
    /// A `/*` without its `*/`, to the end of the text.
    UnclosedComment,
    /// A character that means nothing here.
    Invalid,
    /// The end of the text; it has no length.
    End,
}

impl Kind {
    /// Whether what it opens is closed by another token.
    pub(crate) const fn opens(self) -> bool {
        matches!(
            self,
            Self::OpenBrace
                | Self::OpenBracket
                | Self::OpenParen
                | Self::OpenQuote
                | Self::OpenHeredoc
                | Self::Interpolation
                | Self::Directive
        )
    }

    /// Whether it closes what another token opened.
    pub(crate) const fn closes(self) -> bool {
        matches!(
            self,
            Self::CloseBrace
                | Self::CloseBracket
                | Self::CloseParen
                | Self::CloseQuote
                | Self::UnclosedQuote
                | Self::CloseHeredoc
                | Self::UnclosedHeredoc
                | Self::CloseTemplate
        )
    }
}

/// A token: what it is, and its bytes. Between two tokens stand spaces and tabs only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Token {
    /// The token's text.
    pub(crate) fn of(self, text: &str) -> &str {
        text.get(self.start..self.end).unwrap_or_default()
    }
}
