//! Patterns in the syntax of RE2, which HCL's `regex` takes, as patterns of the `regex` crate.
//!
//! The two agree in most; what does not is written otherwise or refused here: `\d`, `\s`, `\w` and
//! `\b` mean ASCII, a class has neither operators nor classes within it, `\Q…\E` and octal escapes
//! are known, and the flags `x`, `u` and `R` are not. See <https://github.com/google/re2/wiki/Syntax>.

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

/// The most repetitions.
const MAX_REPEAT: u32 = 1000;

/// The pattern for the `regex` crate, or why it is none of RE2's.
pub(super) fn translate(pattern: &str) -> Result<String, String> {
    let mut translator = Translator {
        rest: pattern.chars().peekable(),
        out: String::new(),
        repeated: false,
    };
    while let Some(c) = translator.rest.next() {
        translator.piece(c)?;
    }
    Ok(translator.out)
}

struct Translator<'p> {
    rest: Peekable<Chars<'p>>,
    out: String,
    /// Whether a repetition was written last.
    repeated: bool,
}

impl Translator<'_> {
    fn piece(&mut self, c: char) -> Result<(), String> {
        let repeated = std::mem::take(&mut self.repeated);
        match c {
            '*' | '+' | '?' => {
                self.out.push(c);
                self.repetition(repeated)?;
            }
            '{' => match self.counts() {
                Some((least, most)) => {
                    if least > MAX_REPEAT || most.is_some_and(|most| most.unwrap_or(0) > MAX_REPEAT)
                    {
                        return Err(format!("a repetition has at most {MAX_REPEAT} times"));
                    }
                    let _ = match most {
                        None => write!(self.out, "{{{least}}}"),
                        Some(None) => write!(self.out, "{{{least},}}"),
                        Some(Some(most)) => write!(self.out, "{{{least},{most}}}"),
                    };
                    self.repetition(repeated)?;
                }
                None => self.out.push_str("\\{"),
            },
            '(' => self.group()?,
            '[' => self.class()?,
            '\\' => self.escape()?,
            _ => self.out.push(c),
        }
        Ok(())
    }

    fn repetition(&mut self, repeated: bool) -> Result<(), String> {
        if repeated {
            return Err("a repetition is repeated; put it in `(…)`".to_owned());
        }
        if self.rest.next_if_eq(&'?').is_some() {
            self.out.push('?');
        }
        self.repeated = true;
        Ok(())
    }

    /// `{2}`, `{2,}` or `{2,3}` after its brace; anything else is text.
    fn counts(&mut self) -> Option<(u32, Option<Option<u32>>)> {
        let mut ahead = self.rest.clone();
        let least = number(&mut ahead)?;
        let most = if ahead.next_if_eq(&',').is_some() {
            Some(number(&mut ahead))
        } else {
            None
        };
        ahead.next_if_eq(&'}')?;
        self.rest = ahead;
        Some((least, most))
    }

    /// After `(`: the flags that RE2 has.
    fn group(&mut self) -> Result<(), String> {
        self.out.push('(');
        if self.rest.next_if_eq(&'?').is_none() {
            return Ok(());
        }
        self.out.push('?');
        while let Some(c) = self.rest.next() {
            self.out.push(c);
            match c {
                'i' | 'm' | 's' | 'U' | '-' => {}
                ':' | ')' => break,
                'P' | '<' => {
                    // The name of a group.
                    for c in self.rest.by_ref() {
                        self.out.push(c);
                        if c == '>' {
                            break;
                        }
                    }
                    break;
                }
                _ => return Err(format!("there is no `(?{c}`")),
            }
        }
        Ok(())
    }

    /// After `\`, outside of a class.
    fn escape(&mut self) -> Result<(), String> {
        let Some(c) = self.rest.next() else {
            return Err("it ends with a `\\`".to_owned());
        };
        match c {
            'Q' => {
                while let Some(c) = self.rest.next() {
                    if c == '\\' && self.rest.next_if_eq(&'E').is_some() {
                        break;
                    }
                    literal(&mut self.out, c);
                }
            }
            'E' => {}
            'A' | 'z' => {
                self.out.push('\\');
                self.out.push(c);
            }
            'b' | 'B' => {
                let _ = write!(self.out, "(?-u:\\{c})");
            }
            'C' => return Err("`\\C` is no character".to_owned()),
            _ => match self.escaped(c)? {
                Escaped::One(c) => literal(&mut self.out, c),
                Escaped::Class(class) => {
                    let _ = write!(self.out, "[{class}]");
                }
            },
        }
        Ok(())
    }

    /// What an escape stands for, inside a class or outside.
    fn escaped(&mut self, c: char) -> Result<Escaped, String> {
        Ok(Escaped::One(match c {
            'd' => return class("0-9"),
            'D' => return class("[^0-9]"),
            'w' => return class("0-9A-Za-z_"),
            'W' => return class("[^0-9A-Za-z_]"),
            's' => return class("\\t\\n\\f\\r\\x20"),
            'S' => return class("[^\\t\\n\\f\\r\\x20]"),
            'p' | 'P' => return self.property(c),
            'a' => '\u{7}',
            'f' => '\u{c}',
            't' => '\t',
            'n' => '\n',
            'r' => '\r',
            'v' => '\u{b}',
            'x' => self.hex()?,
            '0' => self.octal(0),
            '1'..='7' if self.rest.peek().is_some_and(|c| ('0'..='7').contains(c)) => {
                self.octal(c.to_digit(8).unwrap_or(0))
            }
            _ if c.is_ascii() && !c.is_ascii_alphanumeric() => c,
            '1'..='9' => return Err(format!("there are no references back, as `\\{c}`")),
            _ => return Err(format!("there is no `\\{c}`")),
        }))
    }

    fn octal(&mut self, first: u32) -> char {
        let mut value = first;
        for _ in 0..2 {
            let next = self.rest.next_if(|c| ('0'..='7').contains(c));
            let Some(digit) = next.and_then(|c| c.to_digit(8)) else {
                break;
            };
            value = value * 8 + digit;
        }
        char::from_u32(value).unwrap_or('\0')
    }

    fn hex(&mut self) -> Result<char, String> {
        let mut digits = String::new();
        if self.rest.next_if_eq(&'{').is_some() {
            digits.extend(self.rest.by_ref().take_while(|c| *c != '}'));
        } else {
            digits.extend(self.rest.by_ref().take(2));
        }
        let code = u32::from_str_radix(&digits, 16).ok();
        code.and_then(char::from_u32)
            .ok_or_else(|| format!("`\\x{digits}` is no character"))
    }

    /// `\pL`, `\p{Greek}`, `\p{^Greek}`
    fn property(&mut self, letter: char) -> Result<Escaped, String> {
        let mut name = String::new();
        match self.rest.next() {
            Some('{') => name.extend(self.rest.by_ref().take_while(|c| *c != '}')),
            Some(c) => name.push(c),
            None => return Err(format!("it ends with `\\{letter}`")),
        }
        let (negated, name) = match name.strip_prefix('^') {
            Some(name) => (true, name),
            None => (false, name.as_str()),
        };
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(format!("there is no `\\{letter}{{{name}}}`"));
        }
        let letter = if negated == (letter == 'p') { 'P' } else { 'p' };
        Ok(Escaped::Class(format!("\\{letter}{{{name}}}")))
    }

    /// After `[`.
    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            let Some(c) = self.rest.next() else {
                return Err("a `[` has no `]`".to_owned());
            };
            if c == ']' && !first {
                break;
            }
            first = false;
            if c == '['
                && self.rest.peek() == Some(&':')
                && let Some(name) = self.posix()
            {
                let _ = write!(self.out, "[:{name}:]");
                continue;
            }
            let low = match self.member(c)? {
                Escaped::One(c) => c,
                Escaped::Class(class) => {
                    self.out.push_str(&class);
                    continue;
                }
            };
            literal(&mut self.out, low);
            let mut ahead = self.rest.clone();
            let range = ahead.next() == Some('-') && ahead.peek().is_some_and(|c| *c != ']');
            if !range {
                continue;
            }
            self.rest = ahead;
            let next = self.rest.next().unwrap_or(']');
            match self.member(next)? {
                Escaped::One(high) if high >= low => {
                    self.out.push('-');
                    literal(&mut self.out, high);
                }
                _ => return Err("a range of a `[…]` goes backwards".to_owned()),
            }
        }
        self.out.push(']');
        Ok(())
    }

    /// One character of a class, or what an escape in it stands for.
    fn member(&mut self, c: char) -> Result<Escaped, String> {
        match c {
            '\\' => match self.rest.next() {
                Some(c) => self.escaped(c),
                None => Err("it ends with a `\\`".to_owned()),
            },
            _ => Ok(Escaped::One(c)),
        }
    }

    /// `:alpha:]` of `[:alpha:]`, if it is that.
    fn posix(&mut self) -> Option<String> {
        let mut ahead = self.rest.clone();
        ahead.next_if_eq(&':')?;
        let mut name = String::new();
        while let Some(c) = ahead.next_if(|c| c.is_ascii_lowercase() || *c == '^') {
            name.push(c);
        }
        ahead.next_if_eq(&':')?;
        ahead.next_if_eq(&']')?;
        self.rest = ahead;
        Some(name)
    }
}

enum Escaped {
    One(char),
    /// What stands in a class.
    Class(String),
}

fn class(text: &str) -> Result<Escaped, String> {
    Ok(Escaped::Class(text.to_owned()))
}

fn literal(out: &mut String, c: char) {
    if c.is_ascii_alphanumeric() {
        out.push(c);
    } else {
        let _ = write!(out, "\\x{{{:x}}}", u32::from(c));
    }
}

fn number(chars: &mut Peekable<Chars<'_>>) -> Option<u32> {
    let mut digits = String::new();
    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
        digits.push(digit);
    }
    digits.parse().ok()
}
