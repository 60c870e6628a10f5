//! How machines give way to others: in what portions, and what must hold of the new ones first.

use serde::{Deserialize, Serialize};

/// How the machines of one block give way to others, when they move or are made anew.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RolloutIntent {
    /// How many at once.
    #[serde(default)]
    pub wave: Wave,
    /// What a new machine must answer before an old one goes; `None`: that its provider reports
    /// it as running is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthCheck>,
}

/// How many machines give way at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Wave {
    /// This share of the fleet, from 1 to 100.
    Percent(u8),
    /// This many; at least 1.
    Machines(u32),
}

impl Default for Wave {
    fn default() -> Self {
        Self::Percent(25)
    }
}

impl Wave {
    /// How many that is of a fleet of `count`: a share is rounded down, and one goes in any case.
    #[must_use]
    pub fn of(self, count: u32) -> u32 {
        let wave = match self {
            Self::Percent(percent) => {
                let share = u64::from(count) * u64::from(percent) / 100;
                u32::try_from(share).unwrap_or(u32::MAX)
            }
            Self::Machines(machines) => machines,
        };
        wave.max(1)
    }
}

/// What a machine is asked to see whether it does its work.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HealthCheck {
    /// The TCP port.
    pub port: u16,
    /// With a path, an HTTP `GET` of it has to be answered with a status from 200 to 399; without,
    /// the port has to take a connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Which of the machine's addresses is asked.
    #[serde(default)]
    pub address: HealthAddress,
    /// How long a machine may take until it is healthy.
    pub timeout_ms: u64,
    /// The pause between two questions, and how long one may stay unanswered.
    pub interval_ms: u64,
}

/// Which address of a machine is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum HealthAddress {
    /// The one inside its network: what asks must reach into it.
    #[default]
    Private,
    /// The one that the world sees.
    Public,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wave_is_never_empty_and_a_share_is_rounded_down() {
        let share = |percent, count| Wave::Percent(percent).of(count);
        assert_eq!(
            [share(25, 0), share(25, 3), share(25, 10), share(100, 7)],
            [1, 1, 2, 7]
        );
        assert_eq!(Wave::Percent(100).of(u32::MAX), u32::MAX);
        assert_eq!(Wave::Machines(3).of(100), 3);
    }
}
