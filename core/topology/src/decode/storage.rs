//! Volumes, buckets and images.

use strat_model::{BucketIntent, Diagnostic, ImageIntent, VolumeIntent};

use super::item::Item;
use super::{network, read};
use crate::report::Outcome;

pub(super) fn volume(item: &mut Item<'_, '_>) -> Outcome<VolumeIntent> {
    let common = item.common();
    let size = item.required("size", read::positive_size);
    let class = item.optional("class", read::class);
    let target = network::target(item, true);
    Ok(VolumeIntent {
        common: common?,
        size: size?,
        class: class?.unwrap_or_default(),
        target: target?,
    })
}

pub(super) fn bucket(item: &mut Item<'_, '_>) -> Outcome<BucketIntent> {
    let common = item.common();
    let site = item.required("site", read::site);
    let versioning = item.optional("versioning", read::bool);
    Ok(BucketIntent {
        common: common?,
        site: site?,
        versioning: versioning?.unwrap_or(false),
    })
}

pub(super) fn image(item: &mut Item<'_, '_>) -> Outcome<ImageIntent> {
    let common = item.common();
    let source = item.required("source", read::text);
    let given = item.optional("sha256", read::text);
    let source = source?;
    let remote = source.contains("://");
    let sha256 = match given? {
        Some(text) => checked(item, &text)?,
        None if remote => {
            let finding = Diagnostic::error(
                "missing_attribute",
                "an image from a URL needs its `sha256`",
            )
            .at(&item.origin("source"), "what is there may change")
            .help("add `sha256 = \"…\"`; only a local file's can be computed");
            return Err(item.report(finding));
        }
        None => {
            let origin = item.origin("source");
            item.ev.image_digest(&source).map_err(|why| {
                let finding =
                    Diagnostic::error("bad_file", format!("`{source}` cannot be read: {why}"))
                        .at(&origin, "the image's file")
                        .help("paths are relative to the topology's folder");
                item.report(finding)
            })?
        }
    };
    let source = if remote {
        source
    } else {
        let path = item.ev.program.base_dir.join(&source);
        path.to_string_lossy().into_owned()
    };
    Ok(ImageIntent {
        common: common?,
        source,
        sha256,
    })
}

fn checked(item: &mut Item<'_, '_>, text: &str) -> Outcome<String> {
    if text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit()) {
        return Ok(text.to_ascii_lowercase());
    }
    let finding = Diagnostic::error("bad_sha256", "this is not a SHA-256")
        .at(&item.origin("sha256"), "not 64 hex digits")
        .help("`sha256sum` prints it");
    Err(item.report(finding))
}
