//! Instruction sets, in AWS's words and in ours.

use aws_sdk_ec2::types::ArchitectureType;

/// AWS's word and ours for each instruction set that machines here are of.
const SETS: [(&str, &str); 2] = [("x86_64", "x86_64"), ("arm64", "aarch64")];

/// AWS's words, for filters.
pub(crate) fn words() -> impl Iterator<Item = &'static str> {
    SETS.into_iter().map(|(word, _)| word)
}

/// Our word for AWS's; `None` for what no machine here is of, such as `i386`.
pub(crate) fn of_word(word: &str) -> Option<&'static str> {
    let known = SETS.into_iter().find(|(known, _)| *known == word);
    known.map(|(_, arch)| arch)
}

/// The instruction set of a machine type, by those it supports: the first that is ours. Older types
/// support `i386` beside `x86_64`.
pub(crate) fn of_type(supported: &[ArchitectureType]) -> Option<&'static str> {
    supported.iter().find_map(|word| of_word(word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_of_what_its_machines_run() {
        let check = |supported: &[ArchitectureType], expect| {
            assert_eq!(of_type(supported), expect, "{supported:?}");
        };
        use ArchitectureType::{Arm64, Arm64Mac, I386, X8664};
        check(&[I386, X8664], Some("x86_64"));
        check(&[Arm64], Some("aarch64"));
        check(&[Arm64Mac], None);
        check(&[], None);
    }
}
