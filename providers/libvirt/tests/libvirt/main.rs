//! Tests on real hosts: each a libvirtd in namespaces of its own, started by
//! `scripts/peers/libvirt`, which also installs what is needed. They must run as root.

mod boot;
mod conformance;
mod crash;
mod debian;
mod events;
mod forbidden;
mod gpus;
mod hosts;
mod maintenance;
mod mock;
mod outside;
mod ownership;
mod packing;
mod reach;
mod rows;
mod support;
mod uefi;
mod writers;
