//! What things are made with on AWS beyond the fields of their kinds, in one table. Where somebody changed it,
//! that is told as [`strat_model::Departure`] under the word that stands here.

use strat_model::Kind;

/// Where the main route table sends what is for the internet.
pub(crate) const ROUTE: &str = "default route";
/// A NAT gateway and what it stands on.
pub(crate) const WAY_OUT: &str = "way out";
/// Whom a machine without a firewall admits.
pub(crate) const GROUP: &str = "default security group";
/// Whether the network's own resolver answers. A VPC is made with it.
pub(crate) const RESOLUTION: &str = "DNS resolution";
/// Whether machines get public DNS names. A VPC is made without.
pub(crate) const NAMES: &str = "DNS host names";
/// By which route table a subnet routes.
pub(crate) const TABLE: &str = "route table";
/// Metadata only with a session: version 2 of the service.
pub(crate) const TOKENS: &str = "metadata tokens";
/// Whether the network drops what is from or for another address.
pub(crate) const CHECK: &str = "source/destination check";
/// The role that programs on the machine act in.
pub(crate) const PROFILE: &str = "instance profile";
/// Volumes of nobody's topology.
pub(crate) const VOLUMES: &str = "volumes";
/// How a disk or a volume is encrypted, and new objects of a bucket by themselves.
pub(crate) const ENCRYPTION: &str = "encryption";
/// How many operations a second a volume is paid to do.
pub(crate) const OPERATIONS: &str = "operations a second";
/// How much a volume is paid to move.
pub(crate) const THROUGHPUT: &str = "MiB a second";
/// Whether lists of access and policies can let the public into a bucket.
pub(crate) const PUBLIC: &str = "public access";

/// What is seen to beyond the fields of each kind.
pub const SETUP: &[(Kind, &str)] = &[
    (Kind::Network, ROUTE),
    (Kind::Network, WAY_OUT),
    (Kind::Network, GROUP),
    (Kind::Network, RESOLUTION),
    (Kind::Network, NAMES),
    (Kind::Subnet, TABLE),
    (Kind::Machine, TOKENS),
    (Kind::Machine, CHECK),
    (Kind::Machine, PROFILE),
    (Kind::Machine, VOLUMES),
    (Kind::Machine, ENCRYPTION),
    (Kind::Volume, OPERATIONS),
    (Kind::Volume, THROUGHPUT),
    (Kind::Volume, ENCRYPTION),
    (Kind::Bucket, PUBLIC),
    (Kind::Bucket, ENCRYPTION),
];
