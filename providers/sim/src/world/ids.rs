//! Ids that look like each cloud's own.

use strat_model::{Kind, ResourceId, Spec};

use super::RegionKey;
use crate::Profile;

/// The id of a new thing. `digest` is hexadecimal and unlike that of any other thing.
pub(super) fn make(
    key: &RegionKey,
    kind: Kind,
    name: &str,
    spec: &Spec<ResourceId>,
    digest: &str,
) -> String {
    match key.profile {
        Profile::Aws => match kind {
            Kind::Bucket => name.to_owned(),
            _ => format!("{}-{}", aws_prefix(kind), &digest[..17]),
        },
        Profile::Azure => match spec {
            Spec::Subnet(subnet) => format!("{}/subnets/{name}", subnet.network),
            _ => format!(
                "/subscriptions/{}/resourceGroups/{}/providers/{}/{name}",
                key.account,
                key.region,
                azure_type(kind)
            ),
        },
        Profile::Gcp => match kind {
            Kind::Bucket => name.to_owned(),
            _ => {
                let number = u64::from_str_radix(&digest[..15], 16).unwrap_or_default();
                format!("{}", 1_000_000_000_000_000_000 + number)
            }
        },
        Profile::Onprem => format!(
            "{}-{}-4{}-8{}-{}",
            &digest[..8],
            &digest[8..12],
            &digest[13..16],
            &digest[17..20],
            &digest[20..32]
        ),
    }
}

const fn aws_prefix(kind: Kind) -> &'static str {
    match kind {
        Kind::Network => "vpc",
        Kind::Subnet => "subnet",
        Kind::Firewall => "sg",
        Kind::Address => "eipalloc",
        Kind::Keypair => "key",
        Kind::Image => "ami",
        Kind::Machine => "i",
        Kind::Volume => "vol",
        Kind::Bucket => "s3",
    }
}

const fn azure_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Network | Kind::Subnet => "Microsoft.Network/virtualNetworks",
        Kind::Firewall => "Microsoft.Network/networkSecurityGroups",
        Kind::Address => "Microsoft.Network/publicIPAddresses",
        Kind::Keypair => "Microsoft.Compute/sshPublicKeys",
        Kind::Image => "Microsoft.Compute/images",
        Kind::Machine => "Microsoft.Compute/virtualMachines",
        Kind::Volume => "Microsoft.Compute/disks",
        Kind::Bucket => "Microsoft.Storage/storageAccounts",
    }
}
