//! A look at the brackets, quotes and comments of an HCL text, without parsing it.

/// What a scan found.
pub(crate) struct Scan {
    /// The first thing that does not fit.
    pub(crate) problem: Option<Problem>,
    /// Where each nesting begins and ends, in the order of their ends.
    braces: Vec<(usize, usize)>,
}

/// Where a text may be cut into parts of at least `least` bytes that can be parsed one by one: after
/// a line that ends with a `}` that leaves nothing open. None if anything in it does not fit.
pub(crate) fn cuts(text: &str, least: usize) -> Option<Vec<usize>> {
    let mut cuts = Vec::new();
    let mut from = 0;
    let mut scanner = Scanner::of(text);
    scanner.braces_kept = false;
    while let Some(&byte) = scanner.bytes.get(scanner.at) {
        if scanner.step(byte).is_some() {
            return None;
        }
        let closed = byte == b'}' && scanner.open.is_empty();
        if closed && scanner.at - from >= least {
            let rest = &scanner.bytes[scanner.at..];
            let line = rest.iter().take_while(|b| **b != b'\n');
            let blank = line.clone().all(|b| matches!(b, b' ' | b'\t' | b'\r'));
            let end = scanner.at + line.count() + 1;
            if blank && end < text.len() {
                cuts.push(end);
                from = end;
            }
        }
    }
    scanner.open.is_empty().then_some(cuts)
}

/// A bracket or quote without its fellow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// A bracket that is open at the end.
    Unclosed { at: usize, bracket: char },
    /// A quote that is open at the end of its line.
    Quote { at: usize },
    /// A heredoc without its last line.
    Heredoc { at: usize, end: String },
    /// A closing bracket that closes nothing, or not what is open.
    Stray {
        at: usize,
        found: char,
        open: Option<(usize, char)>,
    },
}

/// What is open: a bracket, a quoted text, or a place in one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Bracket(usize, char),
    Quote(usize),
    Place(usize),
}

impl Scan {
    /// Scans a text, up to the first problem.
    pub(crate) fn of(text: &str) -> Self {
        let mut scanner = Scanner::of(text);
        let problem = scanner.run();
        Self {
            problem,
            braces: scanner.braces,
        }
    }

    /// The first line in the same block as `at` that sets `word`.
    pub(crate) fn sibling_attribute(&self, text: &str, at: usize, word: &str) -> Option<usize> {
        let around = self
            .braces
            .iter()
            .filter(|(from, to)| *from < at && at < *to);
        let from = around
            .map(|(from, _)| *from)
            .max()
            .map_or(0, |from| from + 1);
        let nested = |at: usize| {
            let mut inner = self.braces.iter();
            inner.any(|(start, end)| *start >= from && *start < at && at < *end)
        };
        let mut line_start = from;
        for line in text.get(from..at)?.split_inclusive('\n') {
            let start = line_start + (line.len() - line.trim_start().len());
            line_start += line.len();
            let rest = line.trim_start().strip_prefix(word);
            let sets = rest.is_some_and(|rest| rest.trim_start().starts_with('='));
            if sets && !nested(start) {
                return Some(start);
            }
        }
        None
    }
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    open: Vec<Open>,
    braces: Vec<(usize, usize)>,
    braces_kept: bool,
}

impl<'a> Scanner<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            open: Vec::new(),
            braces: Vec::new(),
            braces_kept: true,
        }
    }

    fn step(&mut self, byte: u8) -> Option<Problem> {
        if let Some(Open::Quote(from)) = self.open.last().copied() {
            self.in_quote(byte, from)
        } else {
            self.outside(byte)
        }
    }

    fn run(&mut self) -> Option<Problem> {
        while let Some(&byte) = self.bytes.get(self.at) {
            let problem = self.step(byte);
            if problem.is_some() {
                return problem;
            }
        }
        // The outermost is the likelier slip only where nothing inside is open.
        self.open.last().map(|open| match *open {
            Open::Bracket(at, bracket) => Problem::Unclosed { at, bracket },
            Open::Quote(at) => Problem::Quote { at },
            Open::Place(at) => Problem::Unclosed { at, bracket: '{' },
        })
    }

    fn starts(&self, what: &[u8]) -> bool {
        self.bytes[self.at..].starts_with(what)
    }

    fn in_quote(&mut self, byte: u8, from: usize) -> Option<Problem> {
        match byte {
            b'\\' => self.at += 2,
            b'\n' => return Some(Problem::Quote { at: from }),
            b'"' => {
                self.open.pop();
                self.at += 1;
            }
            _ if self.starts(b"$${") || self.starts(b"%%{") => self.at += 3,
            _ if self.starts(b"${") || self.starts(b"%{") => {
                self.open.push(Open::Place(self.at));
                self.at += 2;
            }
            _ => self.skip(|byte| !matches!(byte, b'\\' | b'\n' | b'"' | b'$' | b'%')),
        }
        None
    }

    /// Goes on to the next byte that may mean something.
    fn skip(&mut self, is_plain: impl Fn(&u8) -> bool) {
        let rest = &self.bytes[self.at + 1..];
        self.at += 1 + rest.iter().take_while(|byte| is_plain(byte)).count();
    }

    fn outside(&mut self, byte: u8) -> Option<Problem> {
        match byte {
            b'#' => self.line_end(),
            b'/' if self.starts(b"//") => self.line_end(),
            b'/' if self.starts(b"/*") => {
                let end = self.text[self.at..].find("*/");
                self.at = end.map_or(self.bytes.len(), |end| self.at + end + 2);
            }
            b'"' => {
                self.open.push(Open::Quote(self.at));
                self.at += 1;
            }
            b'(' | b'[' | b'{' => {
                self.open.push(Open::Bracket(self.at, char::from(byte)));
                self.at += 1;
            }
            b')' | b']' | b'}' => return self.close(char::from(byte)),
            b'<' if self.starts(b"<<") => return self.heredoc(),
            _ => self.skip(|byte| {
                !matches!(
                    byte,
                    b'#' | b'/' | b'"' | b'<' | b'(' | b')' | b'[' | b']' | b'{' | b'}'
                )
            }),
        }
        None
    }

    fn line_end(&mut self) {
        let end = self.text[self.at..].find('\n');
        self.at = end.map_or(self.bytes.len(), |end| self.at + end);
    }

    fn close(&mut self, found: char) -> Option<Problem> {
        let at = self.at;
        let wanted = match found {
            ')' => '(',
            ']' => '[',
            _ => '{',
        };
        match self.open.last().copied() {
            Some(Open::Bracket(from, bracket)) if bracket == wanted => {
                if bracket == '{' && self.braces_kept {
                    self.braces.push((from, at));
                }
            }
            Some(Open::Place(_)) if found == '}' => {}
            Some(Open::Bracket(from, bracket)) => {
                let open = Some((from, bracket));
                return Some(Problem::Stray { at, found, open });
            }
            Some(Open::Place(from)) => {
                let open = Some((from, '{'));
                return Some(Problem::Stray { at, found, open });
            }
            Some(Open::Quote(_)) | None => {
                let open = None;
                return Some(Problem::Stray { at, found, open });
            }
        }
        self.open.pop();
        self.at += 1;
        None
    }

    fn heredoc(&mut self) -> Option<Problem> {
        let start = self.at;
        let rest = &self.text[start + 2..];
        let rest = rest.strip_prefix('-').unwrap_or(rest);
        let end = rest.lines().next().unwrap_or_default().trim_end();
        let is_word = end.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && end
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
        if !is_word {
            self.at += 2;
            return None;
        }
        self.line_end();
        while self.at < self.bytes.len() {
            self.at += 1;
            let line = self.text[self.at..].lines().next().unwrap_or_default();
            if line.trim() == end {
                self.line_end();
                return None;
            }
            self.line_end();
        }
        let end = end.to_owned();
        Some(Problem::Heredoc { at: start, end })
    }
}
