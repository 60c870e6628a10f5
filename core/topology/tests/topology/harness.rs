//! Texts that nobody would write: generated from the grammar, and damaged. Nothing ends the process,
//! every finding has a place in the text, the formatter changes no value, and encodings lose nothing.
//!
//! `STRAT_CASES` says how many cases each test tries, a thousand times as many for a long run; a
//! failing case tells its number, which `STRAT_FIRST_CASE` begins with.

use strat_model::{Diagnostic, Inventory};
use strat_topology::{Inputs, Topology, format, functions};

use crate::support::{evaluate, sources};

/// The cases of each test, unless more are asked for.
const CASES: u64 = 150;

#[expect(
    clippy::disallowed_methods,
    reason = "a long run is asked for from outside"
)]
fn number(variable: &str, default: u64) -> u64 {
    let asked = std::env::var(variable).ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Tries `check`, which says whether a case came to what is tried, with as many generators as are asked
/// for. At least a tenth of many cases must.
fn cases(check: impl Fn(&mut Gen) -> bool) {
    let first = number("STRAT_FIRST_CASE", 0);
    let count = number("STRAT_CASES", CASES);
    let mut came = 0;
    for case in first..first + count {
        let _told = Told(case);
        came += u64::from(check(&mut Gen::new(case)));
    }
    assert!(
        count < CASES || came * 10 >= count,
        "{came} of {count} cases"
    );
}

/// Tells which case it was that panicked.
struct Told(u64);

impl Drop for Told {
    #[expect(clippy::print_stderr, reason = "said of a test that fails")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            let case = self.0;
            eprintln!("this was case {case}: try it with STRAT_FIRST_CASE={case} STRAT_CASES=1");
        }
    }
}

/// Makes texts from numbers: SplitMix64 (Steele, Lea and Flood, 2014).
struct Gen {
    state: u64,
}

impl Gen {
    fn new(case: u64) -> Self {
        Self {
            state: case.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5eed,
        }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    fn some(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> String) -> Vec<String> {
        (0..self.below(most + 1)).map(|_| make(self)).collect()
    }

    /// White space where any may stand.
    fn space(&mut self) -> &'static str {
        self.one(&["", "", " ", " ", "  ", "\t", " /* c */ "])
    }

    /// White space where line breaks may stand, too.
    fn wide(&mut self) -> &'static str {
        self.one(&["", "", " ", "\n", "\n  ", " # c\n", "\r\n", " // c\n"])
    }

    fn word(&mut self) -> &'static str {
        self.one(&[
            "a", "b", "x", "for_x", "in", "if", "é", "a-b", "local", "null", "k2",
        ])
    }

    fn number(&mut self) -> String {
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

    fn text(&mut self) -> &'static str {
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
    fn piece(&mut self, depth: usize, quoted: bool) -> String {
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

    fn expr(&mut self, depth: usize) -> String {
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
    fn topology(&mut self) -> String {
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
    fn damaged(&mut self, text: &str) -> String {
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

/// Seeds in each notation.
const SEEDS: [(&str, &str); 4] = [
    ("t.hcl", include_str!("../diagnostics/base.hcl")),
    (
        "t.hcl",
        "topology \"t\" {}\nlocals {\n  a = <<-EOT\n    x ${1 + 2 ~}\n    %{ for n in [1] }y%{ endfor ~}\n  EOT\n  b = { for k, v in { a = 1 } : k => v... if v > 0 }\n  c = \"a\\n${[1, 2][*]}\"\n}\n",
    ),
    (
        "t.yaml",
        "topology: { t: {} }\nlocals:\n  a: &a { x: 1, y: [~, .5, 0x1f, \"q\\n\"] }\n  b: { <<: *a, z: !!str 1 }\n  c: |\n    text ${1 + 1}\n  d: >-\n    folded\nsite:\n  a: { provider: sim }\nbucket:\n  b: { site: \"${site.a}\" }\n",
    ),
    (
        "t.json",
        "{\"//\": \"c\", \"topology\": {\"t\": {}}, \"locals\": {\"a\": [1, 2.5e3, \"\\ud83d\\ude00 ${1 + 1}\", null]}, \"site\": {\"a\": {\"provider\": \"sim\"}}, \"bucket\": {\"b\": [{\"site\": \"${site.a}\"}]}}",
    ),
];

/// What a run finds, and the value of the output.
fn run(name: &str, text: &str) -> (Vec<Diagnostic>, Option<String>) {
    let sources = sources(&[(name, text)]);
    let topology = match Topology::parse(&sources) {
        Ok(topology) => topology,
        Err(found) => return (found, None),
    };
    let (evaluated, found) = topology.check(&Inputs::default());
    let outputs = evaluated.outputs(&Inventory::default());
    let value = outputs.get("r").and_then(|output| output.value.as_ref());
    (found, value.map(ToString::to_string))
}

/// Every finding has its place between characters of the text.
fn placed(name: &str, text: &str, found: &[Diagnostic]) {
    let read = text.strip_prefix('\u{feff}').unwrap_or(text);
    for label in found.iter().flat_map(|finding| &finding.labels) {
        let range = label.origin.start as usize..label.origin.end as usize;
        if &*label.origin.file == name {
            assert!(
                read.get(range.clone()).is_some(),
                "{range:?} of {text:?}: {found:#?}"
            );
        }
    }
}

#[test]
fn what_is_generated_is_answered() {
    cases(|generator| {
        let text = generator.topology();
        let (found, value) = run("t.hcl", &text);
        placed("t.hcl", &text, &found);
        let damaged = generator.damaged(&text);
        let (found, _) = run("t.hcl", &damaged);
        placed("t.hcl", &damaged, &found);
        value.is_some()
    });
}

#[test]
fn what_is_damaged_is_answered() {
    cases(|generator| {
        let (name, seed) = SEEDS[generator.below(SEEDS.len())];
        let text = generator.damaged(seed);
        let (found, _) = run(name, &text);
        placed(name, &text, &found);
        !found.is_empty()
    });
}

#[test]
fn the_formatter_changes_no_value() {
    cases(|generator| {
        let text = generator.topology();
        let text = if generator.chance(30) {
            generator.damaged(&text)
        } else {
            text
        };
        let Ok(formatted) = format(&text) else {
            return false;
        };
        assert_eq!(format(&formatted).as_ref(), Ok(&formatted), "of {text:?}");
        let ((before, old), (after, new)) = (run("t.hcl", &text), run("t.hcl", &formatted));
        let codes = |found: &[Diagnostic]| {
            let mut codes: Vec<_> = found.iter().map(|finding| finding.code.clone()).collect();
            codes.sort();
            codes
        };
        assert_eq!(codes(&before), codes(&after), "{text}\nas\n{formatted}");
        assert_eq!(old, new, "{text}\nas\n{formatted}");
        old.is_some()
    });
}

#[test]
fn encodings_lose_nothing() {
    cases(|generator| {
        let value = generator.expr(3);
        let of = |value: &str| {
            let text = format!(
                "topology \"t\" {{}}\nsite \"a\" {{ provider = \"sim\" }}\nvariable \"v\" {{ default = [1, \"b\"] }}\nlocals {{\n  a = [1]\n  m = {{ a = \"é\" }}\n  s = \"x: #\"\n  w = try(jsondecode(jsonencode({value})), null)\n}}\noutput \"r\" {{\n  value = [yamldecode(yamlencode(local.w)) == local.w, jsondecode(jsonencode(local.w)) == local.w, yamldecode(jsonencode(local.w)) == local.w]\n}}\n"
            );
            evaluate(&[("t.hcl", &text)])
        };
        let Ok(evaluated) = of(&value) else {
            return false;
        };
        let outputs = evaluated.outputs(&Inventory::default());
        let Some(held) = &outputs["r"].value else {
            return false;
        };
        assert_eq!(held.to_string(), "[true,true,true]", "{value}");
        true
    });
}
