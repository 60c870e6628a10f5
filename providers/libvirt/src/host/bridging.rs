//! Whether a host's filters see what crosses its bridges.

use strat_model::{ErrorKind, Result};

use super::Host;
use crate::error::fail;

/// Prints both switches, or `absent` where the kernel's module is not loaded. libvirt itself only writes
/// a warning into its log: <https://wiki.libvirt.org/Net.bridge.bridge-nf-call_and_sysctl.conf.html>.
const LOOK: &str = "cd /proc/sys/net/bridge 2>/dev/null || { echo absent; exit 0; }
cat bridge-nf-call-iptables bridge-nf-call-ip6tables";

/// What mends it.
pub(crate) const BRIDGED_HELP: &str = "as root on that host: `modprobe br_netfilter && sysctl -w net.bridge.bridge-nf-call-iptables=1 \
                    net.bridge.bridge-nf-call-ip6tables=1`, and keep both in /etc/modules-load.d and /etc/sysctl.d";

/// Whether packets between machines on one bridge are given to the filters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bridged {
    /// They are.
    Filtered,
    /// They are not, for this reason: every firewall is open between machines on one bridge.
    Open(String),
    /// Nothing is known of it: there is no shell on that host for us.
    Unknown(String),
}

impl Bridged {
    fn of(said: &str) -> Self {
        let off: Vec<_> = ["iptables", "ip6tables"]
            .iter()
            .zip(said.lines())
            .filter(|(_, value)| value.trim() == "0")
            .map(|(table, _)| format!("net.bridge.bridge-nf-call-{table} is 0"))
            .collect();
        match said.trim() {
            "absent" => Self::Open("the kernel's module br_netfilter is not loaded".to_owned()),
            _ if !off.is_empty() => Self::Open(off.join(" and ")),
            _ => Self::Filtered,
        }
    }
}

impl Host {
    /// Whether filters hold between machines on one bridge; asked once.
    pub(crate) fn bridged(&self) -> &Bridged {
        self.bridged
            .get_or_init(|| match self.run_script(LOOK, &[]) {
                Ok(said) => Bridged::of(&said),
                Err(error) => Bridged::Unknown(error.to_string()),
            })
    }

    /// Fails where a machine's firewalls would be open to its neighbours.
    pub(crate) fn check_filters_hold(&self) -> Result<()> {
        if self.traits()?.offers("test") {
            return Ok(());
        }
        match self.bridged() {
            Bridged::Filtered => Ok(()),
            Bridged::Open(why) => {
                let message = format!(
                    "firewalls would be open between machines on the host {}: {why}",
                    self.name()
                );
                Err(fail(ErrorKind::Precondition, message).with_help(BRIDGED_HELP))
            }
            Bridged::Unknown(why) => {
                tracing::debug!(host = %self.name(), "whether filters hold is not known: {why}");
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_are_read() {
        assert_eq!(Bridged::of("1\n1"), Bridged::Filtered);
        let open = |said: &str, why: &str| {
            assert_eq!(Bridged::of(said), Bridged::Open(why.to_owned()), "{said}");
        };
        open("0\n1", "net.bridge.bridge-nf-call-iptables is 0");
        open("1\n0", "net.bridge.bridge-nf-call-ip6tables is 0");
        open("absent", "the kernel's module br_netfilter is not loaded");
    }
}
