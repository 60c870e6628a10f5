//! Traffic: protocols and ports, asked for and admitted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use strat_model::{Asked, PortRange, Protocol};

/// A protocol that stands for itself: `Any` is all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    Tcp,
    Udp,
    Icmp,
    Other,
}

const LANES: [Lane; 4] = [Lane::Tcp, Lane::Udp, Lane::Icmp, Lane::Other];
const ALL_PORTS: (u16, u16) = (0, u16::MAX);

/// What passes: of each protocol the ports, as sorted ranges that neither meet nor touch.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Traffic(BTreeMap<Lane, Vec<(u16, u16)>>);

/// A protocol and ports of it, as the answer has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Passage {
    /// The protocol. `any` is every protocol; it stands alone.
    pub protocol: Protocol,
    /// The ports; empty is all of them.
    pub ports: BTreeSet<PortRange>,
}

impl Traffic {
    /// What is asked about.
    pub(super) fn asked(asked: &Asked) -> Self {
        Self::of(asked.protocol, &asked.ports)
    }

    /// All traffic.
    pub(super) fn all() -> Self {
        Self(LANES.map(|lane| (lane, vec![ALL_PORTS])).into())
    }

    /// What a rule of this protocol and these ports is about.
    pub(super) fn of(protocol: Protocol, ports: &BTreeSet<PortRange>) -> Self {
        let lane = match protocol {
            Protocol::Any => return Self::all(),
            Protocol::Tcp => Lane::Tcp,
            Protocol::Udp => Lane::Udp,
            Protocol::Icmp => Lane::Icmp,
        };
        let ranges = match ports.is_empty() {
            true => vec![ALL_PORTS],
            false => joined(
                ports
                    .iter()
                    .map(|range| (range.first, range.last))
                    .collect(),
            ),
        };
        Self(BTreeMap::from([(lane, ranges)]))
    }

    /// Whether nothing passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds other traffic.
    pub(super) fn add(&mut self, other: &Self) {
        for (lane, ranges) in &other.0 {
            let own = self.0.entry(*lane).or_default();
            own.extend(ranges);
            *own = joined(std::mem::take(own));
        }
    }

    /// What is in both.
    pub(super) fn and(&self, other: &Self) -> Self {
        let lanes = self.0.iter().filter_map(|(lane, own)| {
            let theirs = other.0.get(lane)?;
            let pairs = own.iter().flat_map(|a| theirs.iter().map(move |b| (a, b)));
            let both = pairs
                .map(|(a, b)| (a.0.max(b.0), a.1.min(b.1)))
                .filter(|(first, last)| first <= last);
            let both = joined(both.collect());
            (!both.is_empty()).then_some((*lane, both))
        });
        Self(lanes.collect())
    }

    /// Whether all of another is in it.
    pub(super) fn has(&self, other: &Self) -> bool {
        self.and(other) == *other
    }

    /// By protocol.
    #[must_use]
    pub fn passages(&self) -> Vec<Passage> {
        if *self == Self::all() {
            return vec![Passage {
                protocol: Protocol::Any,
                ports: BTreeSet::new(),
            }];
        }
        let passage = |(lane, ranges): (&Lane, &Vec<(u16, u16)>)| {
            let protocol = match lane {
                Lane::Tcp => Protocol::Tcp,
                Lane::Udp => Protocol::Udp,
                Lane::Icmp => Protocol::Icmp,
                // Only a rule of every protocol admits others, and nobody can ask for these alone.
                Lane::Other => return None,
            };
            let ports = match ranges.as_slice() {
                [ALL_PORTS] => BTreeSet::new(),
                some => some
                    .iter()
                    .map(|(first, last)| PortRange {
                        first: *first,
                        last: *last,
                    })
                    .collect(),
            };
            Some(Passage { protocol, ports })
        };
        self.0.iter().filter_map(passage).collect()
    }
}

/// `tcp 80, 443; icmp`, `anything`, `nothing`.
impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let passages = self.passages();
        if passages.is_empty() {
            return f.write_str("nothing");
        }
        for (at, passage) in passages.iter().enumerate() {
            if at > 0 {
                f.write_str("; ")?;
            }
            f.write_str(match passage.protocol {
                Protocol::Tcp => "tcp",
                Protocol::Udp => "udp",
                Protocol::Icmp => "icmp",
                Protocol::Any => "anything",
            })?;
            for (at, range) in passage.ports.iter().enumerate() {
                let comma = if at > 0 { "," } else { "" };
                write!(f, "{comma} {range}")?;
            }
        }
        Ok(())
    }
}

fn joined(mut ranges: Vec<(u16, u16)>) -> Vec<(u16, u16)> {
    ranges.sort_unstable();
    let mut joined: Vec<(u16, u16)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match joined.last_mut() {
            Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
            _ => joined.push((first, last)),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traffic_is_joined_and_cut() {
        let of = |text: &str| {
            text.parse::<Asked>()
                .map(|asked| Traffic::asked(&asked))
                .expect(text)
        };
        let mut two = of("80-90");
        two.add(&of("91-99"));
        two.add(&of("udp/53"));
        assert_eq!(two.to_string(), "tcp 80-99; udp 53");
        assert_eq!(two.and(&of("95-120")).to_string(), "tcp 95-99");
        assert!(two.has(&of("80-99")) && !two.has(&of("80-100")));
        assert_eq!(two.and(&of("icmp")).to_string(), "nothing");
        assert_eq!(Traffic::all().to_string(), "anything");
    }
}
