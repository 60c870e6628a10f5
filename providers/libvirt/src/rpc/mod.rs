//! A client of libvirt's own protocol: what its library speaks to its daemons.
//!
//! The library itself is not used: it costs every start of a program that is linked with it 12 ms and
//! 57 shared objects, needs its development files to build, and its Rust binding takes no events
//! without unsafe code. The protocol is frozen where it is used: newer daemons answer older clients
//! and the reverse, so its numbers never change their meaning.
//! <https://gitlab.com/libvirt/libvirt/-/blob/master/src/rpc/virnetprotocol.x> and
//! <https://gitlab.com/libvirt/libvirt/-/blob/master/src/remote/remote_protocol.x>
//!
//! One connection serves all threads: a call is written whole, and one thread reads what comes and
//! gives it to whoever waits for it. Names of types and calls are libvirt's.

mod connect;
mod domain;
mod error;
mod link;
mod network;
mod procedure;
mod storage;
mod stream;
pub(crate) mod sys;
mod transport;
mod wire;

pub(crate) use connect::{Connect, Told};
pub(crate) use domain::{Domain, DomainState};
pub(crate) use error::Error;
pub(crate) use network::Network;
pub(crate) use storage::{StoragePool, StorageVol};
pub(crate) use transport::quoted;
