//! What `--target` names.

use std::fmt;
use std::str::FromStr;

use strat_model::{Addr, AddrParseError, LocalAddr, Name};

use crate::dependency::{covers, covers_block};

/// A part of a topology: all of a block, one instance, one address, or all of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// `machine.db` is every instance; `machine.db["primary"]` is one. At every site.
    Local(LocalAddr),
    /// `machines.web@dc1`.
    Addr(Addr),
    /// `site.dc1`.
    Site(Name),
}

impl Target {
    /// Whether `addr` is part of it.
    #[must_use]
    pub fn covers(&self, addr: &Addr) -> bool {
        match self {
            Self::Local(want) => covers(want, addr),
            Self::Addr(want) => {
                covers(&want.local, addr)
                    && want.site == addr.site
                    && (want.zone.is_none() || want.zone == addr.zone)
            }
            Self::Site(site) => *site == addr.site,
        }
    }
}

impl Target {
    /// Whether something of a block may be part of it, wherever it goes.
    pub(crate) fn may_cover(&self, addr: &LocalAddr) -> bool {
        match self {
            Self::Local(want) | Self::Addr(Addr { local: want, .. }) => covers_block(want, addr),
            Self::Site(_) => true,
        }
    }
}

impl FromStr for Target {
    type Err = AddrParseError;

    fn from_str(text: &str) -> Result<Self, AddrParseError> {
        if let Some(site) = text.strip_prefix("site.")
            && let Ok(site) = Name::new(site)
        {
            return Ok(Self::Site(site));
        }
        if let Ok(addr) = text.parse() {
            return Ok(Self::Addr(addr));
        }
        text.parse().map(Self::Local)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(local) => local.fmt(f),
            Self::Addr(addr) => addr.fmt(f),
            Self::Site(site) => write!(f, "site.{site}"),
        }
    }
}
