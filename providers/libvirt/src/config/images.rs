//! The images that a site knows by neutral names.

use std::collections::BTreeMap;

use serde::Deserialize;
use strat_provider::SettingsReader;

/// Where an image is on every host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImageSource {
    /// The disk: a volume of the site's pool, or a path on the hosts. `None` boots without one.
    pub(crate) disk: Option<String>,
    /// The disk's format.
    pub(crate) format: String,
    /// A kernel that is booted directly, without a boot loader on the disk.
    pub(crate) boot: Option<DirectBoot>,
}

/// A kernel that QEMU loads itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DirectBoot {
    /// The kernel's path on the hosts.
    pub(crate) kernel: String,
    /// The initial memory disk's path on the hosts.
    pub(crate) initrd: Option<String>,
    /// The kernel's command line.
    pub(crate) cmdline: Option<String>,
}

/// An image as it may be written.
#[derive(Deserialize)]
#[serde(untagged)]
enum ImageText {
    Disk(String),
    Full(ImageTable),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImageTable {
    disk: Option<String>,
    format: Option<String>,
    kernel: Option<String>,
    initrd: Option<String>,
    cmdline: Option<String>,
}

/// Reads `images`.
pub(super) fn read(reader: &mut SettingsReader<'_>) -> BTreeMap<String, ImageSource> {
    let Some(value) = reader.value("images").cloned() else {
        return BTreeMap::new();
    };
    let help = "write `images = { debian-12 = \"debian-12.qcow2\" }`, or for a kernel of its own \
                `{ kernel = \"/srv/vmlinuz\", initrd = \"/srv/initrd\", cmdline = \"…\", disk = \"…\" }`";
    let texts: BTreeMap<String, ImageText> = match serde_json::from_value(value) {
        Ok(texts) => texts,
        Err(_) => {
            reader.fail("images", "these are not images by their names", help);
            return BTreeMap::new();
        }
    };
    let mut images = BTreeMap::new();
    for (name, text) in texts {
        let table = match text {
            ImageText::Disk(disk) => ImageTable {
                disk: Some(disk),
                format: None,
                kernel: None,
                initrd: None,
                cmdline: None,
            },
            ImageText::Full(table) => table,
        };
        if table.kernel.is_none()
            && (table.disk.is_none() || table.initrd.is_some() || table.cmdline.is_some())
        {
            reader.fail(
                "images",
                format!("`{name}` has neither a disk nor a kernel to boot"),
                help,
            );
            continue;
        }
        let format = table
            .format
            .unwrap_or_else(|| format_of(table.disk.as_deref().unwrap_or_default()).to_owned());
        let boot = table.kernel.map(|kernel| DirectBoot {
            kernel,
            initrd: table.initrd,
            cmdline: table.cmdline,
        });
        images.insert(
            name,
            ImageSource {
                disk: table.disk,
                format,
                boot,
            },
        );
    }
    images
}

/// The format that a file's name tells.
fn format_of(path: &str) -> &'static str {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    if matches!(ending, "raw" | "img") {
        "raw"
    } else {
        "qcow2"
    }
}
