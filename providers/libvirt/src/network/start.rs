//! Starting and stopping libvirt's networks, also where a libvirtd died in the middle of it.

use std::sync::PoisonError;

use strat_model::{Error, ErrorKind, Result};

use super::leftover::{Leftover, Seen, Taken};
use super::subnets::bridge_name;
use crate::error::{Explain as _, code_of, explain, fail, missing};
use crate::host::Host;
use crate::rpc::Network;
use crate::xml::Element;

/// What is in the way of a network that does not start, as libvirt and its DHCP server word it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Obstacle {
    /// An interface has its bridge's name.
    Name,
    /// An interface has its range, or somebody serves its address.
    Range,
}

impl Obstacle {
    fn of(message: &str) -> Option<Self> {
        if message.contains("File exists") {
            return Some(Self::Name);
        }
        let range = ["already in use by interface", "Address already in use"];
        let is_range = range.iter().any(|words| message.contains(words));
        is_range.then_some(Self::Range)
    }
}

impl Host {
    /// Starts a network, now and whenever the host starts. One that runs is left alone.
    pub(crate) fn start_network(&self, id: &str) -> Result<()> {
        let doing = || format!("starting the network {id}");
        let network = self.connect()?.lookup_network_by_name(id).on(self, doing)?;
        if !network.autostart().on(self, doing)? {
            network.set_autostart(true).on(self, doing)?;
        }
        if network.is_active().on(self, doing)? {
            return Ok(());
        }
        let Err(error) = started(&network) else {
            return Ok(());
        };
        match Obstacle::of(error.message()) {
            Some(obstacle) => self.start_past(obstacle, id, error),
            None => Err(explain(self, &doing(), &error)),
        }
    }

    /// Starts a network that something is in the way of: what a libvirtd that died left of the same
    /// network goes; of what is foreign, only the name is avoided.
    fn start_past(&self, obstacle: Obstacle, id: &str, error: crate::rpc::Error) -> Result<()> {
        let doing = || format!("starting the network {id}");
        let _mending = self.mending.lock().unwrap_or_else(PoisonError::into_inner);
        let network = self.connect()?.lookup_network_by_name(id).on(self, doing)?;
        // Another thread may have been here before.
        if network.is_active().on(self, doing)? {
            return Ok(());
        }
        let Some(xml) = self.network_xml(id)? else {
            return Err(missing(format!("network {id}")));
        };
        let left = Leftover::of(&xml);
        let taken = match &left {
            Some(left) => self.take_down(left)?,
            None => Taken::Foreign,
        };
        if taken != Taken::Away && obstacle == Obstacle::Name {
            self.take_another_bridge(xml)?;
            let network = self.connect()?.lookup_network_by_name(id).on(self, doing)?;
            return started(&network).on(self, doing);
        }
        let error = match taken {
            Taken::Away => match started(&network) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            },
            Taken::Foreign | Taken::Stays(_) => error,
        };
        if Obstacle::of(error.message()) != Some(Obstacle::Range) {
            return Err(explain(self, &doing(), &error));
        }
        let message = format!("{} on {}: {}", doing(), self.name(), error.message().trim());
        // It does not go by itself: nobody is to wait for it, as for a `Conflict`.
        let refusal = match (taken, &left) {
            (Taken::Stays(why), Some(left)) => self.say_how(left, &message, &why),
            _ => fail(ErrorKind::Precondition, message),
        };
        Err(refusal.with_code(code_of(&error)))
    }

    /// Says whose the bridge is, and how it goes.
    fn say_how(&self, left: &Leftover, message: &str, why: &str) -> Error {
        let (host, bridge, network) = (self.name(), &left.bridge, &left.network);
        let message = format!(
            "{message}; libvirtd died there and left the network's own bridge {bridge}, which \
             Stratiform cannot take down ({why})"
        );
        let help = format!(
            "as root on {host}, once: `ip link delete {bridge}; pkill -f dnsmasq/{network}.conf`"
        );
        fail(ErrorKind::Precondition, message).with_help(help)
    }

    /// Gives a network of ours another bridge.
    fn take_another_bridge(&self, mut xml: Element) -> Result<()> {
        let Some(mut bridge) = xml.child("bridge").cloned() else {
            return Ok(());
        };
        let old = bridge.get("name").unwrap_or_default().to_owned();
        let new = bridge_name(&old);
        tracing::warn!(host = %self.name(), "there is a bridge {old} already; the network gets {new}");
        bridge.attributes.retain(|(key, _)| key != "name");
        xml.put(bridge.with("name", new));
        self.define_network(&xml)
    }

    /// Stops and forgets a network. One that is not there is gone already.
    pub(crate) fn remove_network(&self, id: &str) -> Result<()> {
        let doing = || format!("deleting the network {id}");
        let Some(network) = self
            .connect()?
            .lookup_network_by_name(id)
            .found(self, doing)?
        else {
            return Ok(());
        };
        if !network.is_active().on(self, doing)? {
            self.clear_up_after(id)?;
        } else if let Err(error) = network.destroy()
            && network.is_active().unwrap_or(false)
        {
            return Err(explain(self, &doing(), &error));
        }
        // A transient network is gone with that.
        match network.undefine() {
            Err(error) if self.network_xml(id)?.is_some() => Err(explain(self, &doing(), &error)),
            _ => Ok(()),
        }
    }

    /// Takes down what a libvirtd that died left of a network, before the definition goes, which
    /// alone proves whose it is.
    fn clear_up_after(&self, id: &str) -> Result<()> {
        let left = self.network_xml(id)?.as_ref().and_then(Leftover::of);
        let Some(left) = left else { return Ok(()) };
        if self.shows(&left)? != Some(Seen::Ours) {
            return Ok(());
        }
        let _mending = self.mending.lock().unwrap_or_else(PoisonError::into_inner);
        match self.take_down(&left)? {
            Taken::Stays(why) => {
                let message = format!("deleting the network {id} on {}", self.name());
                Err(self.say_how(&left, &message, &why))
            }
            Taken::Away | Taken::Foreign => Ok(()),
        }
    }
}

/// Starts a network. Two threads may start it at once; one of them is told that it runs.
fn started(network: &Network) -> Result<(), crate::rpc::Error> {
    match network.create() {
        Err(error) if !network.is_active().unwrap_or(false) => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_way_is_told_by_its_words() {
        // As libvirt 9.0 and dnsmasq 2.90 wrote them.
        let check = |message, wanted| assert_eq!(Obstacle::of(message), wanted, "{message}");
        check(
            "internal error: Network is already in use by interface st-64d493c44b",
            Some(Obstacle::Range),
        );
        check(
            "internal error: Child process (VIR_BRIDGE_NAME=st-0123456789 /usr/sbin/dnsmasq \
             --conf-file=/var/lib/libvirt/dnsmasq/lab-app.conf) unexpected exit status 2: \ndnsmasq: \
             failed to create listening socket for 10.91.1.1: Address already in use\n",
            Some(Obstacle::Range),
        );
        check(
            "error creating bridge interface st-0123456789: File exists",
            Some(Obstacle::Name),
        );
        check("network 'lab-app' is already active", None);
    }
}
