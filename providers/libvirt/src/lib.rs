//! Owned hardware: a site is a pool of hosts with libvirt and QEMU.
//!
//! # How the neutral model maps
//!
//! | kind | what it is on the hosts | where its mark is |
//! |---|---|---|
//! | network | a network definition `<name>.network` that never runs, on every host | its `<metadata>` |
//! | subnet | a libvirt network `<name>` with a bridge and DHCP, on every host | its `<metadata>` |
//! | firewall | a filter `<name>.firewall` on every host; `<name>.machine` for each machine | a document in the pool |
//! | key pair | nothing but its document, on every host | a document in the pool |
//! | image | a volume `<name>.image`, on every host | a document in the pool |
//! | machine | a domain on one host, its disks, and a seed disk for cloud-init | its `<metadata>` |
//! | volume | a volume `<name>.volume` on one host | a document in the pool |
//! | bucket | not on the hosts: in an S3 beside them, if the site names one | its tags |
//!
//! The metadata element is JSON in the namespace `https://stratiform.dev/xmlns/libvirt/1`; a
//! document is a small volume `<name>.<kind>.<revision>.<digest>.json` beside what it is about,
//! because libvirt has no metadata for those kinds.
//!
//! Ids: a machine is `<host>/<uuid>`. A volume is its name alone, because it goes to the host of
//! the machine that it is attached to. What is on every host has libvirt's name or its own.
//!
//! # Idempotency
//!
//! Names: a create of a name that is there answers with it if it was the same create, by the
//! digest of the spec in its document. Definitions get UUIDs derived from their names, so that two
//! callers cannot define one thing twice. A machine is defined, with its mark, before any of its
//! parts are made, and finished by whoever repeats the call; a document stands before its volume.
//! Nothing is ever there that no mark leads to.
//!
//! # Leases
//!
//! Each host keeps one of its own, in numbered volumes `lease-<key>.<number>` of the site's pool.
//!
//! # Lists
//!
//! libvirt gives definitions one by one, over one connection; a list costs two or three small
//! messages a thing. Documents are read once and kept by their digest. A host that does not answer
//! makes a list fail: what it holds is not known.

mod buckets;
mod changes;
mod compute;
mod config;
mod error;
mod factory;
mod host;
mod images;
mod leases;
mod network;
mod observe;
mod offers;
mod provider;
mod rpc;
mod seed;
mod setup;
mod site;
mod storage;
mod thing;
mod writes;
mod xml;

pub use factory::LibvirtFactory;
pub use setup::SETUP;

/// What any site can do. How large a machine may be depends on the site's hosts: it is the least
/// here.
#[must_use]
pub fn capabilities() -> strat_model::Capabilities {
    site::general()
}

/// What it takes to change things at any site.
#[must_use]
pub fn changes() -> strat_model::Changes {
    let live = strat_model::LiveFields::usual(capabilities().kinds);
    strat_model::Changes::new(changes::LibvirtRules { live })
}
