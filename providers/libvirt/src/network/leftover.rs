//! What a libvirtd left behind that died while it started or stopped a network: a bridge, and its
//! DHCP server.
//!
//! libvirt writes down that a network runs after all of it is made, and forgets it before any of it
//! is taken down. A libvirtd that dies in between knows nothing of its own bridge when it comes back,
//! and its next start of the network stumbles over it. libvirt's interface has no call that takes
//! such a bridge down (interfaces can be read everywhere, changed only where libvirt was built with
//! `netcf`, which distributions no longer do), so a shell on the host does, where there is one.
//!
//! What proves that a bridge is a network's own: the network is one of Stratiform's and does not run;
//! the bridge has the name that the definition gives it, and the hardware address, which libvirt drew
//! at random when the network was defined; and nothing is plugged into it. The host's kernel is asked
//! for all of that again, and the bridge must still be the very one (by its number) that was there
//! before libvirt said that the network does not run.

use strat_model::Result;

use super::NetBody;
use crate::error::Explain as _;
use crate::host::Host;
use crate::thing::Thing;
use crate::xml::Element;

/// Says what there is of a network's: `none`, `foreign`, or `ours` and the bridge's number, 0 where
/// there is no bridge. Arguments: the bridge, its hardware address, the network's name with its dots
/// escaped.
const LOOK: &str = r#"
at="/sys/class/net/$1"
server() {
    for file in $(grep -lzE -- "^--conf-file=.*/dnsmasq/$1\.conf\$" /proc/[0-9]*/cmdline 2>/dev/null); do
        process=${file%/cmdline}
        net=$(readlink "$process/ns/net" 2>/dev/null)
        [ "$(cat "$process/comm" 2>/dev/null)" = dnsmasq ] || continue
        [ -n "$net" ] && [ "$net" != "$(readlink /proc/self/ns/net)" ] || echo "${process#/proc/}"
    done
}
is_ours() { [ -d "$at/bridge" ] && [ "$(cat "$at/address")" = "$2" ] && [ -z "$(ls "$at/brif")" ]; }
if [ -e "$at" ]; then
    if is_ours "$@"; then echo "ours $(cat "$at/ifindex")"; else echo foreign; fi
elif [ -n "$(server "$3")" ]; then echo "ours 0"
else echo none
fi
"#;

/// Takes it down, after the same functions. Arguments: the same, and the bridge's number.
const TAKE_DOWN: &str = r#"
if [ "$(id -u)" = 0 ]; then as=; else as="sudo -n"; fi
for process in $(server "$3"); do
    why=$($as kill "$process" 2>&1) || [ ! -d "/proc/$process" ] || { echo "$why" >&2; exit 1; }
    tries=0
    while [ -d "/proc/$process" ] && [ $tries -lt 100 ]; do tries=$((tries + 1)); sleep 0.05; done
done
[ -e "$at" ] || exit 0
if is_ours "$@" && [ "$(cat "$at/ifindex")" = "$4" ]; then
    $as ip link delete dev "$1" type bridge
fi
"#;

/// What may have been left behind of a network.
#[derive(Debug)]
pub(super) struct Leftover {
    /// The network's name.
    pub(super) network: String,
    /// The bridge's name.
    pub(super) bridge: String,
    /// Its hardware address.
    mac: String,
}

/// What libvirt shows of a bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// It is not there.
    Nothing,
    /// It is there, and another's.
    Foreign,
    /// It is the one that the network left.
    Ours,
}

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Nothing is there, or not any more.
    Away,
    /// What is there is not the network's own.
    Foreign,
    /// It is there, and cannot be taken down, for this reason.
    Stays(String),
}

impl Leftover {
    /// What a definition's network would leave; `None` where it is not ours, or makes no bridge.
    pub(super) fn of(definition: &Element) -> Option<Self> {
        let thing = Thing::<NetBody>::from_xml(definition)?;
        let makes_one = matches!(thing.body, NetBody::Subnet { .. })
            && definition.at(&["forward"]).and_then(|f| f.get("mode")) != Some("bridge");
        makes_one.then_some(())?;
        let attribute = |element: &str, key| definition.child(element)?.get(key);
        Some(Self {
            network: definition.text_at(&["name"])?.to_owned(),
            bridge: attribute("bridge", "name")?.to_owned(),
            mac: attribute("mac", "address")?.to_lowercase(),
        })
    }
}

impl Host {
    /// What libvirt shows of a bridge that a network may have left; `None` where it tells nothing of
    /// interfaces.
    pub(super) fn shows(&self, left: &Leftover) -> Result<Option<Seen>> {
        let doing = || format!("looking for the interface {}", left.bridge);
        let connection = self.connect()?;
        let interface = match connection.lookup_interface_by_name(&left.bridge) {
            Ok(interface) => interface,
            Err(error) if crate::error::is_missing(&error) => return Ok(Some(Seen::Nothing)),
            Err(error) if crate::error::is_unsupported(&error) => return Ok(None),
            Err(error) => return Err(crate::error::explain(self, &doing(), &error)),
        };
        let xml = Element::parse(&interface.xml_desc(0).on(self, doing)?)?;
        let bridge = xml.child("bridge");
        let is_ours = interface.mac().eq_ignore_ascii_case(&left.mac)
            && bridge.is_some_and(|bridge| bridge.child("interface").is_none());
        Ok(Some(if is_ours { Seen::Ours } else { Seen::Foreign }))
    }

    /// Takes down what a network left that does not run.
    pub(super) fn take_down(&self, left: &Leftover) -> Result<Taken> {
        let seen = self.shows(left)?;
        if seen == Some(Seen::Foreign) {
            return Ok(Taken::Foreign);
        }
        let name = left.network.replace('.', r"\.");
        let arguments = [left.bridge.as_str(), &left.mac, &name];
        let look = || self.run_script(LOOK, &arguments);
        let found = match look() {
            Ok(found) => found,
            // Without a bridge, at most its DHCP server is there, of which libvirt shows nothing.
            Err(_) if seen == Some(Seen::Nothing) => return Ok(Taken::Away),
            Err(error) => return Ok(Taken::Stays(error.to_string())),
        };
        let number = match found.split_once(' ') {
            Some(("ours", number)) => number,
            _ if found == "foreign" => return Ok(Taken::Foreign),
            _ => return Ok(Taken::Away),
        };
        // A start that is under way holds this answer back until it is done.
        if self.runs(&left.network)? {
            return Ok(Taken::Away);
        }
        tracing::warn!(host = %self.name(), "libvirtd died and left the bridge {} of the network {}; it is taken down", left.bridge, left.network);
        let arguments = [arguments.as_slice(), &[number]].concat();
        let taken = self.run_script(&format!("{LOOK}{TAKE_DOWN}"), &arguments);
        Ok(match (taken, look().as_deref()) {
            (_, Ok("none")) => Taken::Away,
            (Err(error), _) => Taken::Stays(error.to_string()),
            _ => Taken::Stays("it is there again".to_owned()),
        })
    }

    /// Whether a network runs; one that is not there does not.
    fn runs(&self, network: &str) -> Result<bool> {
        let doing = || format!("looking at the network {network}");
        let found = self.connect()?.lookup_network_by_name(network);
        let Some(found) = found.found(self, doing)? else {
            return Ok(false);
        };
        found.is_active().on(self, doing)
    }
}
