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
            Self::Gcp => machine_type
                .split('-')
                .next()
                .unwrap_or_default()
                .to_owned(),
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
        ] {
            assert_eq!(cloud.family(machine_type), family);
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
