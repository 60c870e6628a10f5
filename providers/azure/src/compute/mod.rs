//! Machines and key pairs.

mod change;
mod disks;
mod keypair;
mod launch;
mod machine;
mod nic;
mod power;

pub(crate) use disks::{disk_class, disk_type, gib, size_of};
