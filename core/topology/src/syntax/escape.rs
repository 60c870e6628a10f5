//! Escapes in quoted texts and templates.

use super::parser::{Broken, Parsed, Parser};
use super::token::{Kind, Token};

impl Parser<'_> {
    /// Adds what a piece of text stands for.
    pub(super) fn unescape(&mut self, token: Token, out: &mut String) -> Parsed<()> {
        let text = self.text(token);
        if token.kind == Kind::QuotedText && text.starts_with('\\') {
            out.push(self.escaped(token, text)?);
            return Ok(());
        }
        let mut rest = text;
        while let Some(at) = rest.find(['$', '%']) {
            let (before, after) = rest.split_at(at);
            out.push_str(before);
            let doubled = after.starts_with("$${") || after.starts_with("%%{");
            rest = &after[usize::from(doubled)..];
            let sign = if doubled { 2 } else { 1 };
            out.push_str(&rest[..sign]);
            rest = &rest[sign..];
        }
        out.push_str(rest);
        Ok(())
    }

    fn escaped(&mut self, token: Token, text: &str) -> Parsed<char> {
        let wanted = match text.as_bytes().get(1) {
            Some(b'n') => return Ok('\n'),
            Some(b'r') => return Ok('\r'),
            Some(b't') => return Ok('\t'),
            Some(b'"') => return Ok('"'),
            Some(b'\\') => return Ok('\\'),
            Some(b'u') => 4,
            Some(b'U') => 8,
            _ => 0,
        };
        if wanted == 0 {
            let message = format!("this is not valid HCL: there is no escape `{text}`");
            let help = "a backslash itself is written `\\\\`; the escapes are `\\n`, `\\r`, `\\t`, `\\\"`, `\\\\`, `\\u` and `\\U`";
            return Err(self.bad_escape(token, message, help));
        }
        let digits = &text[2..];
        if digits.len() < wanted {
            let message = format!(
                "this is not valid HCL: `{}` takes {wanted} hexadecimal digits",
                &text[..2]
            );
            return Err(self.bad_escape(token, message, "fill up with zeros: `\\u00e9`"));
        }
        let character = u32::from_str_radix(digits, 16)
            .ok()
            .and_then(char::from_u32);
        character.ok_or_else(|| {
            let message = format!("this is not valid HCL: `{text}` is no character");
            let help = "beyond `\\uffff` write `\\U` with eight digits, such as `\\U0001f600`";
            self.bad_escape(token, message, help)
        })
    }

    fn bad_escape(&mut self, token: Token, message: String, help: &str) -> Broken {
        self.report(
            token.start..token.end,
            message,
            "here",
            Some(help.to_owned()),
        )
    }
}
