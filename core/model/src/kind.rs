//! The kinds of things, and all that is decided by kind alone, in one table.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Field;

/// The part of a cloud that a kind belongs to: what people know as its network, compute and
/// storage services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Networks and what is in them.
    Network,
    /// Machines and what they are made of.
    Compute,
    /// What keeps data.
    Storage,
}

/// The names of the calls about one kind, as logs, errors and tests have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operations {
    /// Making one.
    pub create: &'static str,
    /// Changing one in place.
    pub update: &'static str,
    /// Deleting some.
    pub delete: &'static str,
}

/// Declares the kinds: the order is that of lists and sorted output.
macro_rules! kinds {
    ($($kind:ident {
        word: $word:literal,
        plural: $plural:literal,
        service: $service:ident,
        operations: [$create:literal $update:literal $delete:literal],
        live: [$($field:ident)*],
        users: [$($user:ident)*],
        is_data: $is_data:literal,
    })*) => {
        /// The kind of a real thing, as `show --json` names it.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        #[expect(missing_docs, reason = "the kinds are the domain's own words")]
        pub enum Kind {
            $($kind,)*
        }

        impl Kind {
            /// The word in a topology file, a plan and a mark.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $word,)*
                }
            }

            /// The word for several.
            #[must_use]
            pub const fn plural(self) -> &'static str {
                match self {
                    $(Self::$kind => $plural,)*
                }
            }

            /// The service that has it.
            #[must_use]
            pub const fn service(self) -> Service {
                match self {
                    $(Self::$kind => Service::$service,)*
                }
            }

            /// The names of the calls about it.
            #[must_use]
            pub const fn operations(self) -> Operations {
                match self {
                    $(Self::$kind => Operations {
                        create: $create,
                        update: $update,
                        delete: $delete,
                    },)*
                }
            }

            /// The fields that the usual cloud changes while the thing is in use, besides labels
            /// and protection, which every kind has.
            #[must_use]
            pub const fn live_fields(self) -> &'static [Field] {
                match self {
                    $(Self::$kind => &[$(Field::$field),*],)*
                }
            }
        }

        impl Kind {
            /// The kinds whose things may still be in one of these, though nothing else says so: unless
            /// they were seen whole, too, nobody can tell that one of these is of no more use.
            #[must_use]
            pub const fn users(self) -> &'static [Self] {
                match self {
                    $(Self::$kind => &[$(Self::$user),*],)*
                }
            }

            /// Whether one of these is nothing but its data, so that making it anew means losing it.
            #[must_use]
            pub const fn is_data(self) -> bool {
                match self {
                    $(Self::$kind => $is_data,)*
                }
            }
        }

        #[cfg(test)]
        const DECLARED: &[Kind] = &[$(Kind::$kind),*];
    };
}

kinds! {
    Network {
        word: "network",
        plural: "networks",
        service: Network,
        operations: ["create_network" "update_network" "delete_network"],
        live: [],
        users: [Firewall],
        is_data: false,
    }
    Subnet {
        word: "subnet",
        plural: "subnets",
        service: Network,
        operations: ["create_subnet" "update_subnet" "delete_subnet"],
        live: [Internet],
        users: [],
        is_data: false,
    }
    Firewall {
        word: "firewall",
        plural: "firewalls",
        service: Network,
        operations: ["create_firewall" "update_firewall" "delete_firewall"],
        live: [Rules],
        users: [],
        is_data: false,
    }
    Address {
        word: "address",
        plural: "addresses",
        service: Network,
        operations: ["create_address" "update_address" "delete_address"],
        live: [Attach],
        users: [],
        is_data: false,
    }
    Keypair {
        word: "keypair",
        plural: "keypairs",
        service: Compute,
        operations: ["create_keypair" "update_keypair" "delete_keypair"],
        live: [],
        users: [],
        is_data: false,
    }
    Image {
        word: "image",
        plural: "images",
        service: Compute,
        operations: ["create_image" "update_image" "delete_image"],
        live: [],
        users: [],
        is_data: false,
    }
    Machine {
        word: "machine",
        plural: "machines",
        service: Compute,
        operations: ["create_machine" "update_machine" "delete_machines"],
        live: [Firewalls PublicIp Request Power],
        users: [],
        is_data: false,
    }
    Volume {
        word: "volume",
        plural: "volumes",
        service: Storage,
        operations: ["create_volume" "update_volume" "delete_volume"],
        live: [Size Attach],
        users: [],
        is_data: true,
    }
    Bucket {
        word: "bucket",
        plural: "buckets",
        service: Storage,
        operations: ["create_bucket" "update_bucket" "delete_bucket"],
        live: [Versioning],
        users: [],
        is_data: true,
    }
}

impl Kind {
    /// Every kind, in the order in which things are created.
    pub const ALL: [Self; 9] = [
        Self::Network,
        Self::Subnet,
        Self::Firewall,
        Self::Keypair,
        Self::Image,
        Self::Machine,
        Self::Address,
        Self::Volume,
        Self::Bucket,
    ];

    /// Whether things of this kind are made before those of another, which may stand on them.
    #[must_use]
    pub fn is_made_before(self, other: Self) -> bool {
        let place = |kind| Self::ALL.iter().position(|one| *one == kind);
        place(self) < place(other)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_place_in_the_order_of_creation() {
        let mut all = Kind::ALL.to_vec();
        all.sort();
        assert_eq!(all, DECLARED);
    }

    #[test]
    fn the_words_are_those_of_serde() {
        for kind in Kind::ALL {
            let json = serde_json::to_string(&kind).expect("json");
            assert_eq!(json, format!("\"{kind}\""));
        }
    }
}
