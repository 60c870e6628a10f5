//! Which cloud is simulated, and in what the clouds differ.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use strat_model::{
    Bytes, Capabilities, Changes, Field, Idempotency, Internet, InternetWays, Kind, LabelRules,
    Limits, MarkStore, Name, Prefixes, ReservedAddresses, Sizing, SubnetScope,
};

use crate::changes::SimRules;

/// The cloud that a site behaves like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Zonal subnets, client tokens, tags, large batches.
    Aws,
    /// Regional subnets, creates that are repeated by name, tags, one machine a call.
    Azure,
    /// Regional subnets, request ids, marks in metadata, bulk inserts.
    Gcp,
    /// Racks of our own: any size, no price, a pool that runs out.
    Onprem,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 4] = [Self::Aws, Self::Azure, Self::Gcp, Self::Onprem];

    /// The word in a `site` block.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Azure => "azure",
            Self::Gcp => "gcp",
            Self::Onprem => "onprem",
        }
    }

    /// The profile of a word, if it is one.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.as_str() == word)
    }

    /// The kinds of things that it has.
    #[must_use]
    pub fn kinds(self) -> BTreeSet<Kind> {
        let absent: &[Kind] = match self {
            Self::Aws | Self::Azure | Self::Gcp => &[],
            Self::Onprem => &[Kind::Address, Kind::Bucket],
        };
        Kind::ALL
            .into_iter()
            .filter(|kind| !absent.contains(kind))
            .collect()
    }

    /// The zones of a region, as the cloud would name them.
    pub(crate) fn zones(self, region: &str) -> Vec<Name> {
        let suffixes: &[&str] = match self {
            Self::Aws => &["a", "b", "c"],
            Self::Azure => &["-1", "-2", "-3"],
            Self::Gcp => &["-b", "-c", "-d"],
            Self::Onprem => &["-rack1"],
        };
        suffixes
            .iter()
            .filter_map(|suffix| Name::new(format!("{region}{suffix}")).ok())
            .collect()
    }

    /// The most things on one page of a list.
    pub(crate) const fn page_size(self) -> usize {
        match self {
            Self::Aws | Self::Onprem => 1000,
            Self::Azure => 100,
            Self::Gcp => 500,
        }
    }

    /// How many addresses the cloud keeps for itself at the start and the end of a subnet.
    pub(crate) const fn reserved_addresses(self) -> (u32, u32) {
        match self {
            Self::Aws | Self::Azure => (4, 1),
            Self::Gcp => (2, 2),
            Self::Onprem => (2, 1),
        }
    }

    /// How large and how many its things can be, as the providers of these clouds say it.
    fn limits(self) -> Limits {
        match self {
            // https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
            Self::Aws => Limits {
                network: Prefixes::new(16, 28),
                subnet: Prefixes::new(16, 28),
                disk_min: Bytes::gib(1),
                disk_max: Bytes::gib(64 << 10),
                disks: 12,
                firewalls: 16,
                rules: 1_000,
                ..Limits::default()
            },
            // https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits
            Self::Azure => Limits {
                network: Prefixes::new(2, 29),
                subnet: Prefixes::new(2, 29),
                disk_min: Bytes::gib(1),
                disk_max: Bytes::gib(32 << 10),
                disks: 65,
                rules: 1_000,
                ..Limits::default()
            },
            // https://cloud.google.com/vpc/docs/subnets#valid-ranges
            Self::Gcp => Limits {
                network: Prefixes::new(0, 29),
                subnet: Prefixes::new(0, 29),
                disk_max: Bytes::gib(64 << 10),
                disks: 128,
                firewalls: 64,
                ..Limits::default()
            },
            Self::Onprem => Limits {
                network: Prefixes::new(0, 30),
                subnet: Prefixes::new(0, 30),
                ..Limits::default()
            },
        }
    }

    /// The first octet of the public addresses, where machines get any.
    pub(crate) const fn public_octet(self) -> Option<u8> {
        match self {
            Self::Aws => Some(52),
            Self::Azure => Some(20),
            Self::Gcp => Some(34),
            Self::Onprem => None,
        }
    }

    /// Whether two things of a kind may not have one name.
    pub(crate) const fn unique_names(self, kind: Kind) -> bool {
        match self {
            Self::Aws => matches!(kind, Kind::Keypair | Kind::Bucket | Kind::Firewall),
            Self::Azure | Self::Gcp | Self::Onprem => true,
        }
    }

    /// Whether things of a kind take a while to be made and to go.
    pub(crate) const fn is_slow(self, kind: Kind) -> bool {
        match self {
            Self::Aws => matches!(
                kind,
                Kind::Machine | Kind::Volume | Kind::Image | Kind::Network | Kind::Subnet
            ),
            Self::Azure | Self::Gcp => !matches!(kind, Kind::Bucket | Kind::Keypair),
            Self::Onprem => matches!(kind, Kind::Machine | Kind::Image),
        }
    }

    /// Whether the cloud says how long to wait when it has had too many calls.
    pub(crate) const fn says_retry_after(self) -> bool {
        !matches!(self, Self::Aws)
    }

    /// What a site of this profile can do.
    #[must_use]
    pub fn capabilities(self, consistency_window_ms: u64) -> Capabilities {
        let tags = |key_max| MarkStore::Tags {
            max: 50,
            key_max,
            value_max: 256,
        };
        let (subnets, idempotency, marks, create_batch, ids_per_call) = match self {
            Self::Aws => {
                let token = Idempotency::Token {
                    window_ms: 24 * 3_600_000,
                };
                (SubnetScope::Zonal, token, tags(128), 1000, 1000)
            }
            Self::Azure => (SubnetScope::Regional, Idempotency::Name, tags(512), 1, 10),
            Self::Gcp => {
                let token = Idempotency::Token {
                    window_ms: 3_600_000,
                };
                (SubnetScope::Regional, token, MarkStore::Metadata, 500, 100)
            }
            Self::Onprem => (
                SubnetScope::Regional,
                Idempotency::Name,
                MarkStore::Metadata,
                16,
                100,
            ),
        };
        let sizing = match self {
            Self::Aws | Self::Azure | Self::Gcp => Sizing::Catalogue,
            Self::Onprem => Sizing::Flexible {
                max_cpu: 128,
                max_memory: Bytes::gib(1024),
            },
        };
        Capabilities {
            kinds: self.kinds(),
            subnets,
            sizing,
            idempotency,
            marks,
            labels: match self {
                Self::Aws => LabelRules::Aws,
                Self::Azure => LabelRules::Azure,
                Self::Gcp => LabelRules::Google,
                Self::Onprem => LabelRules::Any,
            },
            unreadable: self.unreadable(),
            create_batch,
            ids_per_call,
            // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-terminate-methods.html
            delete_shuts_down: matches!(self, Self::Aws),
            consistency_window_ms,
            user_data_max: self.user_data_max(),
            public_ips: false,
            internet: self.internet(),
            reserved_addresses: ReservedAddresses {
                fixed: self.reserved_addresses().0 + self.reserved_addresses().1,
                share: None,
            },
            limits: self.limits(),
        }
    }

    /// What it takes to change things at a site of this profile, where nothing is known of what it
    /// sells.
    #[must_use]
    pub fn changes(self) -> Changes {
        Changes::new(SimRules::new(self, &[]))
    }

    /// Public addresses are to be had of clouds; the network of one's own racks lets out, or does not.
    fn internet(self) -> InternetWays {
        match self.public_octet() {
            Some(_) => InternetWays::among(Internet::Outbound, Internet::ALL),
            None => InternetWays::among(Internet::Outbound, [Internet::Outbound, Internet::None]),
        }
    }

    /// A cloud's own image does not say what file it was made of.
    fn unreadable(self) -> BTreeMap<Kind, BTreeSet<Field>> {
        match self {
            Self::Aws | Self::Azure | Self::Gcp => {
                BTreeMap::from([(Kind::Image, BTreeSet::from([Field::Source, Field::Sha256]))])
            }
            Self::Onprem => BTreeMap::new(),
        }
    }

    const fn user_data_max(self) -> Bytes {
        match self {
            Self::Aws => Bytes(16 << 10),
            Self::Azure => Bytes(48 << 10),
            Self::Gcp => Bytes(256 << 10),
            Self::Onprem => Bytes(1 << 20),
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_serde() {
        for profile in Profile::ALL {
            let json = serde_json::to_string(&profile).expect("json");
            assert_eq!(json, format!("\"{profile}\""));
            assert_eq!(Profile::parse(profile.as_str()), Some(profile));
        }
    }

    #[test]
    fn zones_look_like_the_clouds_own() {
        assert_eq!(Profile::Aws.zones("us-east-1")[0], "us-east-1a");
        assert_eq!(Profile::Azure.zones("westeurope")[2], "westeurope-3");
        assert_eq!(Profile::Gcp.zones("europe-west1")[0], "europe-west1-b");
    }
}
