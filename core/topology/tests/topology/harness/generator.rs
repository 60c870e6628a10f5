//! Texts made from numbers.

use strat_topology::functions;

/// Makes texts from numbers: SplitMix64 (Steele, Lea and Flood, 2014).
pub(super) struct Gen {
    state: u64,
}

impl Gen {
    pub(super) fn new(case: u64) -> Self {
        Self {
            state: case.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5eed,
        }
    }

    pub(super) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(super) fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    pub(super) fn some(
        &mut self,
        most: usize,
        mut make: impl FnMut(&mut Self) -> String,
    ) -> Vec<String> {
        (0..self.below(most + 1)).map(|_| make(self)).collect()
    }

    /// White space where any may stand.
    pub(super) fn space(&mut self) -> &'static str {
        self.one(&["", "", " ", " ", "  ", "\t", " /* c */ "])
    }

    /// White space where line breaks may stand, too.
    pub(super) fn wide(&mut self) -> &'static str {
        self.one(&["", "", " ", "\n", "\n  ", " # c\n", "\r\n", " // c\n"])
    }

    pub(super) fn word(&mut self) -> &'static str {
        self.one(&[
            "a", "b", "x", "for_x", "in", "if", "é", "a-b", "local", "null", "k2",
        ])
    }

    pub(super) fn number(&mut self) -> String {
        let text = [
            "0",
            "1",
            "7",
            "12",
            "1.5",
            "1e3",
            "2.5e-2",
            "100",
            "0.1",
            "99999999999999999999",
        ];
        self.one(&text).to_owned()
    }

    pub(super) fn text(&mut self) -> &'static str {
        self.one(&[
            "",
            "a",
            "b c",
            "é",
            "e\u{301}",
            "$${x}",
            "%%{y}",
            "\\n",
            "\\\"",
            "\\u00e9",
            "$",
            "%",
            "~",
            "\\\\",
            "{",
            "}",
            "1",
            "true",
            "👩‍👧",
            "=",
            "#",
        ])
    }

    /// A piece of a template, in quotes or of a heredoc.
    pub(super) fn piece(&mut self, depth: usize, quoted: bool) -> String {
        let (open, close) = (self.one(&["", "~"]), self.one(&["", "~"]));
        match self.below(if depth == 0 { 2 } else { 6 }) {
            0 | 1 if quoted => self.text().to_owned(),
            0 | 1 => self
                .one(&["a", "\n", "  b\n", "\\", "\"", "EOTx\n", "$${", " "])
                .to_owned(),
            2 | 3 => {
                let inner = self.expr(depth - 1);
                format!("${{{open}{}{inner}{}{close}}}", self.space(), self.space())
            }
            4 => {
                let (when, yes) = (self.expr(depth - 1), self.piece(depth - 1, quoted));
                let no = self.piece(depth - 1, quoted);
                format!("%{{{open} if {when} {close}}}{yes}%{{ else }}{no}%{{ endif {close}}}")
            }
            _ => {
                let (of, body) = (self.expr(depth - 1), self.piece(depth - 1, quoted));
                format!("%{{{open} for x in {of} {close}}}{body}%{{ endfor }}")
            }
        }
    }

    pub(super) fn expr(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.below(6) {
                0 | 1 => self.number(),
                2 => format!("\"{}\"", self.text()),
                3 => self.one(&["true", "false", "null"]).to_owned(),
                4 => self
                    .one(&["local.a", "local.m", "local.s", "var.v", "site.a", "x"])
                    .to_owned(),
                _ => self
                    .one(&["[]", "{}", "-1", "[1, 2]", "{ a = 1 }"])
                    .to_owned(),
            };
        }
        let deeper = depth - 1;
        let (s, t) = (self.space(), self.space());
        match self.below(16) {
            0 | 1 => self.expr(0),
            2 => {
                let op = self.one(&[
                    "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||",
                ]);
                format!("{}{s}{op}{t}{}", self.expr(deeper), self.expr(deeper))
            }
            3 => format!("{}{s}{}", self.one(&["-", "!"]), self.expr(deeper)),
            4 => format!("({}{}{})", self.wide(), self.expr(deeper), self.wide()),
            5 => format!(
                "{} ? {} : {}",
                self.expr(deeper),
                self.expr(deeper),
                self.expr(deeper)
            ),
            6 | 7 => {
                let items = self.some(3, |this| this.wide().to_owned() + &this.expr(deeper));
                let last = if items.is_empty() {
                    ""
                } else {
                    self.one(&["", ",", "\n", ",\n"])
                };
                format!("[{}{last}]", items.join(","))
            }
            8 | 9 => {
                let items = self.some(3, |this| {
                    let key = match this.below(3) {
                        0 => this.word().to_owned(),
                        1 => format!("\"{}\"", this.piece(deeper, true)),
                        _ => format!("({})", this.expr(deeper)),
                    };
                    format!(
                        "{key}{}{}{}{}",
                        this.space(),
                        this.one(&["=", ":"]),
                        this.space(),
                        this.expr(deeper)
                    )
                });
                format!(
                    "{{{}{}{}}}",
                    self.one(&[" ", "\n"]),
                    items.join(self.one(&[", ", "\n", ",\n"])),
                    self.one(&[" ", "\n"])
                )
            }
            10 => {
                let when = if self.chance(40) {
                    format!(" if {}", self.expr(deeper))
                } else {
                    String::new()
                };
                format!(
                    "[for {}x in {} :{}{}{when}]",
                    self.one(&["", "k, "]),
                    self.expr(deeper),
                    self.wide(),
                    self.expr(deeper)
                )
            }
            11 => format!(
                "{{for k, x in {} : {} =>{}{}{}}}",
                self.expr(deeper),
                self.expr(deeper),
                self.wide(),
                self.expr(deeper),
                self.one(&["", "..."])
            ),
            12 => {
                let pieces = self.some(4, |this| this.piece(deeper, true));
                format!("\"{}\"", pieces.concat())
            }
            13 => {
                let known = functions();
                let name = known[self.below(known.len())].name;
                let args = self.some(3, |this| this.expr(deeper));
                let dots = if args.is_empty() {
                    ""
                } else {
                    self.one(&["", "", "", "..."])
                };
                format!("{name}({}{dots})", args.join(", "))
            }
            14 => {
                let index = self.expr(deeper);
                let after = [".a", "[0]", "[*]", ".*", ".0", "[*].a", ".*.a", "[\"a\"]"];
                format!(
                    "{}{}",
                    self.expr(0),
                    if self.chance(20) {
                        format!("[{index}]")
                    } else {
                        self.one(&after).to_owned()
                    }
                )
            }
            _ => {
                let pieces = self.some(4, |this| this.piece(deeper, false)).concat();
                format!("<<{}EOT\n{pieces}\nEOT\n", self.one(&["", "-"]))
            }
        }
    }

    /// A topology with an output of any expression.
    pub(super) fn topology(&mut self) -> String {
        let depth = 1 + self.below(4);
        let locals = [self.expr(depth), self.expr(depth), self.expr(1)];
        let [a, m, s] = locals.map(|local| local.replace("local.", "local.s"));
        format!(
            "topology \"t\" {{}}\nsite \"a\" {{ provider = \"sim\" }}\nvariable \"v\" {{ default = [1, \"b\"] }}\nlocals {{\n  a = {a}\n  m{}={}{m}\n  s = {s}\n  ss = 2\n  sa = {{ a = 1 }}\n  sm = []\n}}\noutput \"r\" {{\n  value = {}\n}}\n",
            self.space(),
            self.space(),
            self.expr(depth),
        )
    }

    /// A text with some damage.
    pub(super) fn damaged(&mut self, text: &str) -> String {
        let mut text = text.to_owned();
        for _ in 0..=self.below(4) {
            let mut place = |text: &str| {
                let mut at = self.below(text.len() + 1);
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                at
            };
            let (one, other) = (place(&text), place(&text));
            let (from, to) = (one.min(other), one.max(other).min(one.min(other) + 40));
            let to = (from..=to)
                .rev()
                .find(|at| text.is_char_boundary(*at))
                .unwrap_or(from);
            match self.below(4) {
                0 => text.replace_range(from..to, ""),
                1 => {
                    let again = text[from..to].to_owned();
                    text.insert_str(other, &again);
                }
                2 => text.insert_str(from, self.one(&PIECES)),
                _ => {
                    let piece = self.one(&PIECES);
                    let end = text[from..]
                        .chars()
                        .next()
                        .map_or(from, |c| from + c.len_utf8());
                    text.replace_range(from..end, piece);
                }
            }
        }
        text
    }
}

/// What mistakes are made of.
const PIECES: [&str; 44] = [
    "{", "}", "[", "]", "(", ")", "\"", "${", "%{", "<<EOT", "<<-EOT\n", "\nEOT\n", "~}", "=",
    "==", "=>", ":", ",", ".", "...", "*", "#", "/*", "*/", "//", "\n", "\r\n", "\t", " ", "\\",
    "\\u12", "'", "for", "in", "if", "endif", "- ", "&a ", "*a", "<<: ", "!!int ", "|\n",
    "\u{feff}", "\0",
];
