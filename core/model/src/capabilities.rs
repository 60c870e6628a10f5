//! What a provider can do at a site, as data.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Bytes, Field, Internet, Kind, LabelRules, Limits, MachineSpec, SubnetSpec};

/// What a provider can do at a site. The planner refuses what is not in here before the first call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// The kinds it has.
    pub kinds: BTreeSet<Kind>,
    /// What a subnet spans.
    pub subnets: SubnetScope,
    /// How sizes are sold.
    pub sizing: Sizing,
    /// What makes a repeated create harmless.
    pub idempotency: Idempotency,
    /// Where the ownership mark is kept.
    pub marks: MarkStore,
    /// What labels it takes.
    #[serde(default)]
    pub labels: LabelRules,
    /// Fields that cannot be read back, besides image and user data, which never can.
    pub unreadable: BTreeMap<Kind, BTreeSet<Field>>,
    /// The most machines that one create call makes; at least 1.
    pub create_batch: u32,
    /// Whether deleting a machine shuts its operating system down first.
    #[serde(default)]
    pub delete_shuts_down: bool,
    /// The most ids, names or addresses that one call takes, whether it reads, deletes, starts
    /// or stops what they stand for; at least 1.
    #[serde(alias = "delete_batch")]
    pub ids_per_call: u32,
    /// How long a list or a tag may lag behind a write, in milliseconds.
    pub consistency_window_ms: u64,
    /// The most user data a machine takes.
    pub user_data_max: Bytes,
    /// Whether each machine gets a public address of its own when it is made, where machines cannot say so
    /// themselves.
    #[serde(default)]
    pub public_ips: bool,
    /// Which ways to the internet its subnets can have.
    #[serde(default)]
    pub internet: InternetWays,
    /// The addresses of a subnet that no machine gets.
    #[serde(default)]
    pub reserved_addresses: ReservedAddresses,
    /// How large, and how many, its things can be.
    #[serde(default)]
    pub limits: Limits,
}

impl Capabilities {
    /// Whether `field` of a `kind` can be read back.
    #[must_use]
    pub fn can_read(&self, kind: Kind, field: Field) -> bool {
        !matches!(field, Field::UserData | Field::Image | Field::Request)
            && !self
                .unreadable
                .get(&kind)
                .is_some_and(|fields| fields.contains(&field))
    }
}

/// Which ways to the internet the subnets of a site can have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InternetWays {
    /// The way of a subnet that asks for none, and of all of them where there is no choice.
    pub own: Internet,
    /// The ways that a subnet can have; empty where there is no choice.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub choices: BTreeSet<Internet>,
}

impl InternetWays {
    /// One way for all subnets.
    #[must_use]
    pub const fn only(own: Internet) -> Self {
        Self {
            own,
            choices: BTreeSet::new(),
        }
    }

    /// One of these, and for a subnet that asks for none `own`.
    #[must_use]
    pub fn among(own: Internet, choices: impl IntoIterator<Item = Internet>) -> Self {
        Self {
            own,
            choices: choices.into_iter().collect(),
        }
    }

    /// Whether a machine in a public subnet says for itself whether it has a public address.
    #[must_use]
    pub fn machines_choose(&self) -> bool {
        self.choices.contains(&Internet::Public)
    }

    /// What a subnet that asks for a way is to have: `None` where there is no choice.
    ///
    /// A site without public addresses of its own takes `public` for the way out that it has: nothing there
    /// can hold a public address, so nothing is more open than was asked for. A way that would be more
    /// open, or would reach less, is not taken for another.
    ///
    /// # Errors
    /// The ways that there are, where the site cannot have the one that is asked for.
    pub fn resolve(&self, asked: Option<Internet>) -> Result<Option<Internet>, Vec<Internet>> {
        let there: Vec<Internet> = match self.choices.is_empty() {
            true => vec![self.own],
            false => self.choices.iter().copied().collect(),
        };
        let way = match asked {
            None => self.own,
            Some(way) if there.contains(&way) => way,
            Some(Internet::Public) if there.contains(&Internet::Outbound) => Internet::Outbound,
            Some(_) => return Err(there),
        };
        Ok((!self.choices.is_empty()).then_some(way))
    }
}

impl Capabilities {
    /// The way to the internet of a subnet at the site, be it one that is to be or one that was seen.
    #[must_use]
    pub fn way_out<R>(&self, subnet: &SubnetSpec<R>) -> Internet {
        subnet.internet.unwrap_or(self.internet.own)
    }

    /// Whether a machine at the site has a public address of its own.
    #[must_use]
    pub fn gives_public_ip<R>(&self, machine: &MachineSpec<R>) -> bool {
        machine.public_ip.unwrap_or(self.public_ips)
    }
}

/// How many addresses of a subnet no machine gets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservedAddresses {
    /// Those of every subnet: its own, the router's, the broadcast address and the like.
    pub fixed: u32,
    /// Besides, a share that is kept for others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<ReservedShare>,
}

/// A share of a subnet's addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservedShare {
    /// One address in so many; at least 1.
    pub one_in: u32,
    /// Only in subnets of at least so many addresses.
    pub from: u32,
    /// At most so many.
    pub most: u32,
}

impl ReservedAddresses {
    /// How many machines have an address in a subnet with a prefix of so many bits.
    #[must_use]
    pub fn usable(&self, prefix: u8) -> u64 {
        let size = 1_u64 << (32 - prefix.min(32));
        let share = self.share.filter(|share| size >= u64::from(share.from));
        let kept = share.map_or(0, |share| {
            (size / u64::from(share.one_in.max(1))).min(share.most.into())
        });
        size.saturating_sub(u64::from(self.fixed) + kept)
    }
}

/// What a subnet spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubnetScope {
    /// One zone; a topology's subnet becomes one in each.
    Zonal,
    /// All of the site.
    Regional,
}

/// How machine sizes are sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sizing {
    /// As listed in the offers.
    Catalogue,
    /// Any size up to a bound. The machine type is then `flex-<cpu>-<memory in MiB>`.
    Flexible {
        /// The most virtual CPUs of one machine.
        max_cpu: u32,
        /// The most memory of one machine.
        max_memory: Bytes,
    },
}

/// What makes a repeated create harmless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Idempotency {
    /// A token in the call, remembered for a time.
    Token {
        /// How long, in milliseconds.
        window_ms: u64,
    },
    /// The thing's name: creating it again with the same spec answers with what is there.
    Name,
}

/// Where the ownership mark is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkStore {
    /// Tags, set in the creating call.
    Tags {
        /// The most tags of one thing, the mark's own included.
        max: u32,
        /// The longest key, in characters.
        key_max: u32,
        /// The longest value, in characters.
        value_max: u32,
    },
    /// A document in the thing's own metadata or description.
    Metadata,
}
