//! Who publishes which images: by the account of the publisher, which no one else can be, and by the names that
//! the publisher gives them.

use aws_sdk_ec2::types::{Image, ImageState};
use strat_model::ResourceId;

/// What a publisher calls each of our instruction sets in the names of its images.
type Words = [(&'static str, &'static str); 2];

/// A part of AWS with accounts of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Partition {
    /// All but the others.
    Aws,
    /// China.
    China,
    /// GovCloud.
    Gov,
}

impl Partition {
    /// The one that a region is in.
    pub(super) fn of(region: &str) -> Self {
        match region.split('-').collect::<Vec<_>>().as_slice() {
            ["cn", ..] => Self::China,
            [_, "gov", ..] => Self::Gov,
            _ => Self::Aws,
        }
    }
}

/// The accounts of a publisher in each partition; `None` where it has none that is known.
struct Vendor {
    aws: &'static str,
    china: Option<&'static str>,
    gov: Option<&'static str>,
}

impl Vendor {
    const fn account(&self, partition: Partition) -> Option<&'static str> {
        match partition {
            Partition::Aws => Some(self.aws),
            Partition::China => self.china,
            Partition::Gov => self.gov,
        }
    }
}

/// A neutral name, the account that publishes its images, and what those are called: `{arch}` stands for the
/// publisher's word, `*` for anything and `?` for one sign.
struct Line {
    neutral: &'static str,
    vendor: &'static Vendor,
    pattern: &'static str,
    words: Words,
}

const fn vendor(
    aws: &'static str,
    china: Option<&'static str>,
    gov: Option<&'static str>,
) -> Vendor {
    Vendor { aws, china, gov }
}

/// <https://wiki.almalinux.org/cloud/AWS.html>
static ALMA: Vendor = vendor("764336703387", None, None);
/// <https://docs.aws.amazon.com/linux/al2023/ug/ec2.html>; the accounts of the other partitions are those that
/// <https://github.com/awslabs/amazon-eks-ami> builds from.
static AMAZON: Vendor = vendor("137112412989", Some("141808717104"), Some("045324592363"));
/// <https://wiki.debian.org/Cloud/AmazonEC2Image/Bookworm>
static DEBIAN: Vendor = vendor("136693071363", None, None);
/// <https://access.redhat.com/solutions/15356>
static RED_HAT: Vendor = vendor("309956199498", Some("841258680906"), Some("219670896067"));
/// <https://rockylinux.org/download>
static ROCKY: Vendor = vendor("792107900819", None, None);
/// No page of SUSE's names them; the public configurations of those who look its images up do.
static SUSE: Vendor = vendor("013907871322", Some("841869936221"), None);
/// <https://documentation.ubuntu.com/aws/aws-how-to/instances/find-ubuntu-images/>
static UBUNTU: Vendor = vendor("099720109477", Some("837727238323"), Some("513442679011"));

const DEB: Words = [("x86_64", "amd64"), ("aarch64", "arm64")];
const RPM: Words = [("x86_64", "x86_64"), ("aarch64", "arm64")];
/// As the kernel says it.
const KERNEL: Words = [("x86_64", "x86_64"), ("aarch64", "aarch64")];

const fn line(
    neutral: &'static str,
    vendor: &'static Vendor,
    pattern: &'static str,
    words: Words,
) -> Line {
    Line {
        neutral,
        vendor,
        pattern,
        words,
    }
}

/// What there is. Of Red Hat and SUSE those that are paid with the machine by the hour: others want a
/// subscription of one's own.
#[rustfmt::skip]
static LINES: [Line; 18] = [
    line("almalinux-8", &ALMA, "AlmaLinux OS 8.* {arch}", KERNEL),
    line("almalinux-9", &ALMA, "AlmaLinux OS 9.* {arch}", KERNEL),
    line("almalinux-10", &ALMA, "AlmaLinux OS 10.* {arch}", KERNEL),
    line("amazon-linux-2", &AMAZON, "amzn2-ami-hvm-2.0.*-{arch}-gp2", RPM),
    line("amazon-linux-2023", &AMAZON, "al2023-ami-2023.*-{arch}", RPM),
    line("debian-11", &DEBIAN, "debian-11-{arch}-*", DEB),
    line("debian-12", &DEBIAN, "debian-12-{arch}-*", DEB),
    line("debian-13", &DEBIAN, "debian-13-{arch}-*", DEB),
    line("rhel-8", &RED_HAT, "RHEL-8.*_HVM-*-{arch}-*-Hourly2-GP?", RPM),
    line("rhel-9", &RED_HAT, "RHEL-9.*_HVM-*-{arch}-*-Hourly2-GP?", RPM),
    line("rhel-10", &RED_HAT, "RHEL-10.*_HVM-*-{arch}-*-Hourly2-GP?", RPM),
    line("rocky-8", &ROCKY, "Rocky-8-EC2-Base-8.*.{arch}", KERNEL),
    line("rocky-9", &ROCKY, "Rocky-9-EC2-Base-9.*.{arch}", KERNEL),
    line("rocky-10", &ROCKY, "Rocky-10-EC2-Base-10.*.{arch}", KERNEL),
    line("sles-15", &SUSE, "suse-sles-15-sp?-v????????-hvm-ssd-{arch}", RPM),
    line("sles-16", &SUSE, "suse-sles-16-?-v????????-hvm-ssd-{arch}", RPM),
    line("ubuntu-22.04", &UBUNTU, "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-{arch}-server-*", DEB),
    line("ubuntu-24.04", &UBUNTU, "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-{arch}-server-*", DEB),
];

impl Line {
    /// Our word for each instruction set, and the pattern of the names of its images.
    fn patterns(&self) -> impl Iterator<Item = (&'static str, String)> {
        let pattern = self.pattern;
        let names = self.words.into_iter();
        names.map(move |(arch, word)| (arch, pattern.replace("{arch}", word)))
    }
}

fn lines(partition: Partition) -> impl Iterator<Item = (&'static Line, &'static str)> {
    let lines = LINES.iter();
    lines.filter_map(move |line| Some((line, line.vendor.account(partition)?)))
}

/// The accounts of those who publish in a partition.
pub(super) fn owners(partition: Partition) -> Vec<String> {
    let mut owners: Vec<String> = lines(partition).map(|(_, id)| id.to_owned()).collect();
    owners.sort_unstable();
    owners.dedup();
    owners
}

/// The patterns of the names of what they publish there. A space is asked for as any one sign: servers that
/// check signatures disagree on how it is written.
pub(super) fn patterns(partition: Partition) -> impl Iterator<Item = String> {
    let all = lines(partition).flat_map(|(line, _)| line.patterns());
    all.map(|(_, pattern)| pattern.replace(' ', "?"))
}

/// An image of a line, and how it ranks there: by the release, and of one release by when it was made. A
/// publisher goes on building older releases for those who stay with them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Build {
    release: u64,
    created: String,
    pub(super) id: ResourceId,
}

/// Which neutral name and instruction set an image is of, and how it ranks there.
pub(super) fn build(
    image: &Image,
    partition: Partition,
) -> Option<((&'static str, &'static str), Build)> {
    let name = image.name()?;
    let owner = image.owner_id();
    let lines = lines(partition).filter(|(_, account)| owner.is_none_or(|owner| owner == *account));
    let mut patterns = lines.flat_map(|(line, _)| {
        let patterns = line.patterns();
        patterns.map(move |(arch, pattern)| (line.neutral, arch, pattern))
    });
    let (neutral, arch, pattern) = patterns.find(|(.., pattern)| fits(pattern, name))?;
    if image
        .state()
        .is_some_and(|state| *state != ImageState::Available)
    {
        return None;
    }
    let build = Build {
        release: release(&pattern, name),
        created: image.creation_date().unwrap_or_default().to_owned(),
        id: ResourceId::from(image.image_id()?),
    };
    Some(((neutral, arch), build))
}

/// The number where the pattern begins to leave things open: `10` of `RHEL-8.10.0_HVM-…` for `RHEL-8.*`. Zero
/// where no number is there.
fn release(pattern: &str, name: &str) -> u64 {
    let open = pattern.find(['*', '?']).unwrap_or(pattern.len());
    let rest = name.get(open..).unwrap_or_default();
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest[..digits].parse().unwrap_or(0)
}

/// Whether a name fits a pattern, in which `*` stands for anything and `?` for one sign.
fn fits(pattern: &str, name: &str) -> bool {
    let (mut pattern, mut name) = (pattern.as_bytes(), name.as_bytes());
    // Where the last `*` was, and what it took at least: it takes one more for each dead end.
    let mut last: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern.first(), name.first()) {
            (Some(b'*'), _) => {
                pattern = &pattern[1..];
                last = Some((pattern, name));
            }
            (Some(b'?'), Some(_)) => (pattern, name) = (&pattern[1..], &name[1..]),
            (Some(wanted), Some(is)) if wanted == is => {
                (pattern, name) = (&pattern[1..], &name[1..]);
            }
            (None, None) => return true,
            _ => match last {
                Some((after, [_, rest @ ..])) => {
                    (pattern, name) = (after, rest);
                    last = Some((after, rest));
                }
                _ => return false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn patterns_fit_as_the_api_has_them() {
        let check = |pattern, name, expect| assert_eq!(fits(pattern, name), expect, "{name}");
        check("debian-12-amd64-*", "debian-12-amd64-20250210-2019", true);
        let backport = "debian-12-backports-amd64-20250210";
        check("debian-12-amd64-*", backport, false);
        let amazon = "al2023-ami-2023.*-x86_64";
        check(amazon, "al2023-ami-2023.6.2-kernel-6.1-x86_64", true);
        check(amazon, "al2023-ami-2023.6.2-kernel-6.1-arm64", false);
        check(amazon, "al2023-ami-minimal-2023.6-x86_64", false);
        check("a?c", "abc", true);
        check("a?c", "ac", false);
        check("*a*a", "aba", true);
        check("*ab", "aab", true);
        check("a*", "a", true);
        check("", "a", false);
    }

    fn image(owner: &str, name: &str, created: &str) -> Image {
        let image = Image::builder().owner_id(owner).name(name).image_id(name);
        image.creation_date(created).build()
    }

    /// What is found among images of these names, all of one day, in a partition.
    fn found(partition: Partition, images: &[(&str, &str)]) -> BTreeMap<String, String> {
        let mut newest: BTreeMap<_, Build> = BTreeMap::new();
        for (owner, name) in images {
            let image = image(owner, name, "2026-01-01T00:00:00.000Z");
            if let Some((line, build)) = build(&image, partition) {
                let best = newest.entry(line).or_insert_with(|| build.clone());
                *best = best.clone().max(build);
            }
        }
        let newest = newest.into_iter();
        let line = |((name, arch), build): ((&str, &str), Build)| {
            (format!("{name} {arch}"), build.id.to_string())
        };
        newest.map(line).collect()
    }

    #[test]
    fn each_publishers_own_names_are_known() {
        let all = [
            (
                "764336703387",
                "AlmaLinux OS 9.8.20260526 x86_64",
                "almalinux-9 x86_64",
            ),
            (
                "764336703387",
                "AlmaLinux OS 10.1.20260526 aarch64",
                "almalinux-10 aarch64",
            ),
            (
                "309956199498",
                "RHEL-9.4.0_HVM-20240605-x86_64-82-Hourly2-GP3",
                "rhel-9 x86_64",
            ),
            (
                "309956199498",
                "RHEL-10.0.0_HVM-20250605-arm64-0-Hourly2-GP3",
                "rhel-10 aarch64",
            ),
            (
                "792107900819",
                "Rocky-9-EC2-Base-9.3-20231113.0.x86_64",
                "rocky-9 x86_64",
            ),
            (
                "792107900819",
                "Rocky-10-EC2-Base-10.0-20250606.0.aarch64",
                "rocky-10 aarch64",
            ),
            (
                "013907871322",
                "suse-sles-15-sp6-v20250210-hvm-ssd-arm64",
                "sles-15 aarch64",
            ),
            (
                "013907871322",
                "suse-sles-16-0-v20251105-hvm-ssd-x86_64",
                "sles-16 x86_64",
            ),
        ];
        let images = all.map(|(owner, name, _)| (owner, name));
        let expect = all.map(|(_, name, line)| (line.to_owned(), name.to_owned()));
        assert_eq!(found(Partition::Aws, &images), BTreeMap::from(expect));
    }

    /// A beta, a subscription of one's own, an image for containers; and anybody's image of the right name.
    #[test]
    fn what_is_not_the_plain_image_by_the_hour_is_left() {
        let images = [
            (
                "309956199498",
                "RHEL-9.5.0_HVM_BETA-20240905-x86_64-0-Hourly2-GP3",
            ),
            (
                "309956199498",
                "RHEL-9.4.0_HVM-20240605-x86_64-82-Access2-GP3",
            ),
            (
                "309956199498",
                "RHEL_HA-9.4.0_HVM-20240605-x86_64-82-Hourly2-GP3",
            ),
            (
                "013907871322",
                "suse-sles-15-sp6-byos-v20250210-hvm-ssd-x86_64",
            ),
            (
                "013907871322",
                "suse-sles-15-sp6-chost-byos-v20250210-hvm-ssd-x86_64",
            ),
            ("111111111111", "Rocky-9-EC2-Base-9.3-20231113.0.x86_64"),
            ("792107900819", "Rocky-9-EC2-LVM-9.3-20231113.0.x86_64"),
        ];
        assert_eq!(found(Partition::Aws, &images), BTreeMap::new());
    }

    #[test]
    fn the_newest_release_wins_over_the_newest_build() {
        let new = image(
            "309956199498",
            "RHEL-8.10.0_HVM-20240605-x86_64-82-Hourly2-GP3",
            "2024",
        );
        let old = image(
            "309956199498",
            "RHEL-8.6.0_HVM-20260605-x86_64-82-Hourly2-GP3",
            "2026",
        );
        let build = |image: &Image| build(image, Partition::Aws).expect("an image of a line").1;
        assert!(build(&new) > build(&old));
        let name = "debian-12-amd64-20250210-2019";
        let debian = |created| build(&image("136693071363", name, created));
        assert!(debian("2026") > debian("2025"));
    }

    #[test]
    fn each_partition_has_its_own_accounts() {
        assert_eq!(Partition::of("cn-north-1"), Partition::China);
        assert_eq!(Partition::of("us-gov-west-1"), Partition::Gov);
        assert_eq!(Partition::of("eu-central-1"), Partition::Aws);
        let name = "RHEL-9.4.0_HVM-20240605-x86_64-82-Hourly2-GP3";
        for (partition, owner) in [
            (Partition::Aws, "309956199498"),
            (Partition::China, "841258680906"),
            (Partition::Gov, "219670896067"),
        ] {
            assert!(owners(partition).contains(&owner.to_owned()));
            assert_eq!(found(partition, &[(owner, name)]).len(), 1, "{partition:?}");
        }
        let elsewhere = found(Partition::China, &[("309956199498", name)]);
        assert_eq!(elsewhere, BTreeMap::new(), "nobody's there");
        assert!(!owners(Partition::Gov).contains(&"764336703387".to_owned()));
        assert!(patterns(Partition::China).all(|pattern| !pattern.contains("Alma")));
    }
}
