//! The clouds that the snapshot has.

use std::fmt;
use std::str::FromStr;

/// A cloud of the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cloud {
    /// Amazon Web Services.
    Aws,
    /// Microsoft Azure.
    Azure,
    /// Google Cloud.
    Gcp,
}

/// A word that is no cloud of the snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownCloud(String);

impl fmt::Display for UnknownCloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Cloud::ALL.map(Cloud::as_str).join(", ");
        write!(f, "the snapshot has no cloud `{}`; it has: {known}", self.0)
    }
}

impl std::error::Error for UnknownCloud {}

impl Cloud {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Aws, Self::Azure, Self::Gcp];

    /// Its name, which is that of its provider in a `site` block.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Azure => "azure",
            Self::Gcp => "gcp",
        }
    }

    /// What quotas count together: `m5` of `m5.large`, `Dsv3` of `Standard_D2s_v3`, `n2` of
    /// `n2-standard-4`.
    #[must_use]
    pub fn family(self, machine_type: &str) -> String {
        match self {
            Self::Aws => machine_type
                .split('.')
                .next()
                .unwrap_or_default()
                .to_owned(),
            Self::Gcp => match machine_type.split('-').next().unwrap_or_default() {
                "custom" => "n1".to_owned(),
                family => family.to_owned(),
            },
            Self::Azure => {
                let size = machine_type
                    .split_once('_')
                    .map_or(machine_type, |(_, size)| size);
                let (head, version) = size.split_once('_').unwrap_or((size, ""));
                let letters = head.chars().filter(|c| !c.is_ascii_digit());
                letters
                    .chain(version.chars().filter(|c| *c != '_'))
                    .collect()
            }
        }
    }
}

impl Cloud {
    /// Whether a type has its CPUs' full speed only now and then: on credits that it saves up (AWS's T
    /// types, Azure's B series), or where other machines leave it (Google's shared cores).
    ///
    /// The types are those that the clouds call so:
    /// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-performance-instances.html>,
    /// <https://learn.microsoft.com/azure/virtual-machines/sizes/general-purpose/b-family>,
    /// <https://cloud.google.com/compute/docs/general-purpose-machines#sharedcore>.
    #[must_use]
    pub fn is_burstable(self, machine_type: &str) -> bool {
        match self {
            Self::Aws => matches!(
                self.family(machine_type).as_str(),
                "t1" | "t2" | "t3" | "t3a" | "t4g"
            ),
            Self::Azure => {
                let size = machine_type.strip_prefix("Standard_B");
                size.is_some_and(|size| size.starts_with(|first: char| first.is_ascii_digit()))
            }
            Self::Gcp => {
                let size = machine_type.strip_prefix("e2-");
                let size = size.map(|size| size.strip_prefix("custom-").unwrap_or(size));
                let size = size.and_then(|size| size.split('-').next());
                matches!(machine_type, "f1-micro" | "g1-small")
                    || matches!(size, Some("micro" | "small" | "medium"))
            }
        }
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Cloud {
    type Err = UnknownCloud;

    fn from_str(text: &str) -> Result<Self, UnknownCloud> {
        let found = Self::ALL.into_iter().find(|cloud| cloud.as_str() == text);
        found.ok_or_else(|| UnknownCloud(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_what_quotas_count() {
        for (cloud, machine_type, family) in [
            (Cloud::Aws, "m5.large", "m5"),
            (Cloud::Azure, "Standard_D2s_v3", "Dsv3"),
            (Cloud::Azure, "Standard_NC4as_T4_v3", "NCasT4v3"),
            (Cloud::Azure, "Standard_B1ms", "Bms"),
            (Cloud::Gcp, "n2-standard-4", "n2"),
            (Cloud::Gcp, "custom-6-20480", "n1"),
        ] {
            assert_eq!(cloud.family(machine_type), family);
        }
    }

    #[test]
    fn burstable_is_what_the_clouds_call_so() {
        for (cloud, machine_type, is_so) in [
            (Cloud::Aws, "t3.micro", true),
            (Cloud::Aws, "t4g.2xlarge", true),
            (Cloud::Aws, "trn1.2xlarge", false),
            (Cloud::Aws, "m5.large", false),
            (Cloud::Azure, "Standard_B2ms", true),
            (Cloud::Azure, "Standard_B16als_v2", true),
            (Cloud::Azure, "Standard_D2s_v5", false),
            (Cloud::Gcp, "e2-medium", true),
            (Cloud::Gcp, "e2-standard-2", false),
            (Cloud::Gcp, "e2-custom-small-2048", true),
            (Cloud::Gcp, "f1-micro", true),
            (Cloud::Gcp, "m1-ultramem-40", false),
        ] {
            assert_eq!(cloud.is_burstable(machine_type), is_so, "{machine_type}");
        }
    }

    #[test]
    fn an_unknown_cloud_is_told_with_the_known_ones() {
        let error = "aes".parse::<Cloud>().expect_err("no cloud");
        assert_eq!(
            error.to_string(),
            "the snapshot has no cloud `aes`; it has: aws, azure, gcp"
        );
    }
}
