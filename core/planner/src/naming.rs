//! Deterministic names of real things.

use strat_model::{Addr, Digest, Key, Owner, Token};

/// Room for the readable part: the clouds' tightest limit is 63 characters, the tail takes at most 11.
const READABLE_MAX: usize = 50;
/// How many letters and digits tell the members of a fleet apart: of a hundred thousand, two have the
/// same once in two hundred thousand fleets. Some clouds take a name once only. More would take more of
/// AWS's tags, which hold the names of a hundred.
const TAIL: usize = 10;

/// The name of the one thing at an address: readable, and with a digest of owner, address and
/// generation at its end, so that two realms' or two generations' things never share a name.
#[must_use]
pub fn resource_name(owner: &Owner, addr: &Addr, generation: u64) -> String {
    let digest = Digest::of_parts([
        owner.to_string().as_str(),
        addr.to_string().as_str(),
        generation.to_string().as_str(),
    ]);
    format!("{}-{}", readable(owner, addr), &digest.as_str()[..8])
}

/// The names of a batch of a fleet's members: the same for the same token.
#[must_use]
pub fn fleet_names(owner: &Owner, addr: &Addr, token: &Token, count: u32) -> Vec<String> {
    let readable = readable(owner, addr);
    (0..count)
        .map(|index| {
            let digest = Digest::of_parts([token.as_str(), index.to_string().as_str()]);
            format!("{readable}-{}", tail(&digest))
        })
        .collect()
}

/// The end of a member's name: digits of base 36, the first of base 10, so that it is no word.
fn tail(digest: &Digest) -> String {
    // It is of hex digits.
    let mut rest = u64::from_str_radix(&digest.as_str()[..16], 16).unwrap_or_default();
    let mut digit = |base: u64| {
        let digit = rest % base;
        rest /= base;
        let digit = u32::try_from(digit).ok();
        digit.and_then(|digit| char::from_digit(digit, 36))
    };
    let first = digit(10);
    let others = (1..TAIL).map(|_| digit(36));
    std::iter::once(first).chain(others).flatten().collect()
}

/// Lower-case letters, digits and single dashes, a letter first.
fn readable(owner: &Owner, addr: &Addr) -> String {
    let key = match &addr.local.key {
        None => String::new(),
        Some(Key::Index(index)) => format!("-{index}"),
        Some(Key::Name(name)) => format!("-{name}"),
    };
    let zone = addr
        .zone
        .as_ref()
        .map_or(String::new(), |zone| format!("-{zone}"));
    let raw = format!("{}-{}{key}{zone}", owner.topology, addr.local.name);
    let mut text = String::new();
    for c in raw.chars() {
        let c = if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        };
        if c != '-' || !text.ends_with('-') {
            text.push(c);
        }
        if text.len() == READABLE_MAX {
            break;
        }
    }
    let text = text.trim_end_matches('-');
    if text.starts_with(|c: char| c.is_ascii_lowercase()) {
        text.to_owned()
    } else {
        format!("s{text}").chars().take(READABLE_MAX).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_portable_and_distinct() {
        let owner: Owner = "9lives".parse().expect("owner");
        let addr: Addr = "machine.db[\"Ü/primary of a very long name that goes on and on\"]@dc1"
            .parse()
            .expect("addr");
        let first = resource_name(&owner, &addr, 1);
        assert!(first.len() <= 63, "{first}");
        assert!(
            first.starts_with('s')
                && first
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
            "{first}"
        );
        assert_ne!(first, resource_name(&owner, &addr, 2));
        let token = Token::derive("plan", &addr, 1, 1, 0, "");
        let names = fleet_names(&owner, &addr, &token, 3);
        assert_eq!(names, fleet_names(&owner, &addr, &token, 3));
        assert!(names[0] != names[1] && names[1] != names[2]);
        assert!(names[0].len() <= 63, "{}", names[0]);
    }

    #[test]
    fn members_of_a_large_fleet_have_names_of_their_own() {
        let (owner, addr) = shop();
        let mut seen = HashSet::new();
        for batch in 0..600 {
            let token = Token::derive("plan", &addr, 1, 1, batch, "");
            for name in fleet_names(&owner, &addr, &token, 500) {
                assert!(seen.insert(name), "in batch {batch}");
            }
        }
    }

    fn shop() -> (Owner, Addr) {
        let owner = "shop".parse().expect("owner");
        (owner, "machines.web@dc1".parse().expect("addr"))
    }
}
