//! What one may do on the hosts.

use strat_provider::{PermissionCheck, PermissionState};

use super::Site;
use crate::error::{Explain as _, is_refusal};
use crate::host::{BRIDGED_HELP, Bridged, Host};
use crate::rpc::{self, Connect};

impl Site {
    /// On each host: whether its things can be listed, and whether things may be defined there.
    ///
    /// The latter is asked with a definition that says nothing. libvirt refuses a connection that
    /// may only look before it reads the definition, and else finds nothing in it to define. Rules
    /// for single things (`access_drivers` in `libvirtd.conf`) come after, and are not seen.
    pub(crate) fn check_permissions(&self) -> Vec<PermissionCheck> {
        let checks = self.try_each(|host| Ok(of_host(host)));
        let mut checks: Vec<_> = checks.into_iter().flatten().flatten().collect();
        checks.sort_by(|a, b| a.permission.cmp(&b.permission));
        checks
    }
}

/// Whether a host has the GPUs that the topology says it has.
fn gpus(host: &Host) -> impl Iterator<Item = PermissionCheck> {
    let gpus = host.gpus().iter().zip(host.missing_gpus());
    gpus.map(|(gpu, missing)| PermissionCheck {
        permission: format!(
            "{}: pass the {} at {} on",
            host.name(),
            gpu.model,
            gpu.pci[0]
        ),
        without: None,
        state: match missing {
            None => PermissionState::Granted,
            Some(address) => PermissionState::Missing {
                why: format!("the host has no PCI device {address}"),
            },
        },
    })
}

/// Whether firewalls hold between machines on one bridge of a host.
fn filters(host: &Host) -> Option<PermissionCheck> {
    let is_test = host.traits().is_ok_and(|traits| traits.offers("test"));
    (!is_test).then(|| PermissionCheck {
        permission: format!("{}: filter what crosses a bridge", host.name()),
        without: None,
        state: match host.bridged() {
            Bridged::Filtered => PermissionState::Granted,
            Bridged::Open(why) => PermissionState::Missing {
                why: format!("{why}; {BRIDGED_HELP}"),
            },
            Bridged::Unknown(why) => PermissionState::Unknown { why: why.clone() },
        },
    })
}

type Ask = fn(&Connect) -> Result<(), rpc::Error>;

const ASKS: [(&str, Ask); 6] = [
    ("list machines", |c| c.list_all_domains().map(drop)),
    ("list networks", |c| c.list_all_networks().map(drop)),
    ("list pools", |c| c.list_all_storage_pools().map(drop)),
    ("define machines", |c| {
        c.define_domain_xml("<domain/>").map(drop)
    }),
    ("define networks", |c| {
        c.define_network_xml("<network/>").map(drop)
    }),
    ("define pools", |c| {
        c.define_storage_pool_xml("<pool/>").map(drop)
    }),
];

fn of_host(host: &Host) -> Vec<PermissionCheck> {
    let connection = host.connect();
    let check = |(what, ask): &(&str, Ask)| {
        let state = match &connection {
            Err(error) => PermissionState::Unknown {
                why: error.to_string(),
            },
            Ok(connection) => match ask(connection).on(host, || format!("trying to {what}")) {
                Err(error) if is_refusal(&error) => PermissionState::Missing {
                    why: error.message().to_owned(),
                },
                Err(error) if what.starts_with("list") => PermissionState::Unknown {
                    why: error.message().to_owned(),
                },
                _ => PermissionState::Granted,
            },
        };
        PermissionCheck {
            permission: format!("{}: {what}", host.name()),
            without: None,
            state,
        }
    };
    let mut checks: Vec<PermissionCheck> = ASKS.iter().map(check).collect();
    if connection.is_ok() {
        checks.extend(gpus(host));
        checks.extend(filters(host));
    }
    checks
}
