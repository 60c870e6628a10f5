//! The fields that specs have, as data: what a capability, a change and a note speak of.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A field of a spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is the field of its name in the specs")]
pub enum Field {
    Cidr,
    Network,
    Zone,
    Rules,
    Attach,
    PublicKey,
    Source,
    Sha256,
    MachineType,
    Cpu,
    Memory,
    Capacity,
    Image,
    Subnet,
    /// The way of a subnet to the internet.
    Internet,
    PublicIp,
    Firewalls,
    Keypair,
    UserData,
    Disks,
    Size,
    Class,
    Versioning,
    Labels,
    /// What was asked for (`cpu=4 memory=16GiB`), kept as a note beside the type it became.
    Request,
    /// The protection that the mark carries.
    Protect,
    /// Whether its data may go without consent, which the mark carries.
    Disposable,
    /// Whether a machine is switched on.
    Power,
    /// What its provider sees to beyond its fields: see [`crate::Departure`].
    Setup,
    /// Since when a machine is emptied, to go, and for whom: what its mark notes.
    Drain,
}

impl Field {
    const ALL: [Self; 30] = [
        Self::Cidr,
        Self::Network,
        Self::Zone,
        Self::Rules,
        Self::Attach,
        Self::PublicKey,
        Self::Source,
        Self::Sha256,
        Self::MachineType,
        Self::Cpu,
        Self::Memory,
        Self::Capacity,
        Self::Image,
        Self::Subnet,
        Self::Internet,
        Self::PublicIp,
        Self::Firewalls,
        Self::Keypair,
        Self::UserData,
        Self::Disks,
        Self::Size,
        Self::Class,
        Self::Versioning,
        Self::Labels,
        Self::Request,
        Self::Protect,
        Self::Disposable,
        Self::Power,
        Self::Setup,
        Self::Drain,
    ];

    /// The word in a topology file, a plan and a mark.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cidr => "cidr",
            Self::Network => "network",
            Self::Zone => "zone",
            Self::Rules => "rules",
            Self::Attach => "attach",
            Self::PublicKey => "public_key",
            Self::Source => "source",
            Self::Sha256 => "sha256",
            Self::MachineType => "machine_type",
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Capacity => "capacity",
            Self::Image => "image",
            Self::Subnet => "subnet",
            Self::Internet => "internet",
            Self::PublicIp => "public_ip",
            Self::Firewalls => "firewalls",
            Self::Keypair => "keypair",
            Self::UserData => "user_data",
            Self::Disks => "disks",
            Self::Size => "size",
            Self::Class => "class",
            Self::Versioning => "versioning",
            Self::Labels => "labels",
            Self::Request => "request",
            Self::Protect => "protect",
            Self::Disposable => "disposable",
            Self::Power => "power",
            Self::Setup => "setup",
            Self::Drain => "drain",
        }
    }

    /// Whether it holds references to other things.
    #[must_use]
    pub const fn is_reference(self) -> bool {
        matches!(
            self,
            Self::Network
                | Self::Attach
                | Self::Image
                | Self::Subnet
                | Self::Firewalls
                | Self::Keypair
        )
    }

    /// Whether it lives in the mark alone, which every update writes: it is no field of a spec.
    #[must_use]
    pub const fn is_of_mark(self) -> bool {
        matches!(
            self,
            Self::Request | Self::Protect | Self::Disposable | Self::Drain
        )
    }

    /// The field of a word, if it is one.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == word)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
