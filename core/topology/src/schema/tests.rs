//! The guide tells of all that may stand in a block.

use super::*;

const GUIDE: &str = include_str!("../../../../docs/language.md");

/// The part of the guide under a heading, up to the next one of that rank or above.
fn section(heading: &str) -> &'static str {
    let (_, rest) = GUIDE
        .split_once(&format!("\n{heading}\n"))
        .unwrap_or_else(|| panic!("docs/language.md has no `{heading}`"));
    let end = ["\n## ", "\n### "].map(|next| rest.find(next).unwrap_or(rest.len()));
    &rest[..end[0].min(end[1])]
}

#[test]
fn the_guide_tells_of_every_attribute() {
    let everywhere = section("## What every managed block may have");
    let mut blocks: Vec<(&BlockSchema, &str, &str)> = Vec::new();
    for block in FILE {
        let own = section(&format!("### {}", block.keyword));
        // A fleet has everything that a machine has.
        let shared = match block.keyword {
            "machines" => section("### machine"),
            _ => "",
        };
        blocks.push((block, own, shared));
        let mut inside = block.blocks.to_vec();
        while let Some(nested) = inside.pop() {
            blocks.push((nested, own, shared));
            inside.extend(nested.blocks);
        }
    }
    for (block, own, shared) in blocks {
        for attribute in block.attributes {
            let star = if attribute.required { "*" } else { "" };
            let row = format!("| `{}`{star} ", attribute.name);
            assert!(
                [own, shared, everywhere]
                    .iter()
                    .any(|text| text.contains(&row)),
                "docs/language.md does not tell of `{}` in `{}`",
                attribute.name,
                block.keyword
            );
        }
    }
}
