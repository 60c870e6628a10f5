//! Making sites of `site` blocks.

use std::sync::Arc;

use async_trait::async_trait;
use strat_model::{ErrorKind, Result, SiteSpec};
use strat_provider::{ConnectContext, Provider, ProviderFactory, SettingError};

use crate::buckets::{Buckets, SharedCredentialsProvider};
use crate::config::{HostConfig, HostState, Settings, Uplink};
use crate::error::{PROVIDER, fail};
use crate::host::{Host, Version};
use crate::provider::LibvirtProvider;
use crate::site::{Site, capabilities};

/// Makes sites of hosts with libvirt.
#[derive(Debug, Default)]
pub struct LibvirtFactory {
    credentials: Option<SharedCredentialsProvider>,
}

impl LibvirtFactory {
    /// A factory. Where a site has an S3, its credentials are found by the standard chain: profile,
    /// environment and so on.
    #[must_use]
    pub const fn new() -> Self {
        Self { credentials: None }
    }

    /// A factory whose sites use these credentials for their S3 instead: for programs that bring
    /// their own.
    #[cfg(feature = "s3")]
    #[must_use]
    pub const fn with_s3_credentials(credentials: SharedCredentialsProvider) -> Self {
        Self {
            credentials: Some(credentials),
        }
    }
}

#[async_trait]
impl ProviderFactory for LibvirtFactory {
    fn name(&self) -> &'static str {
        PROVIDER
    }

    fn check(&self, site: &SiteSpec) -> Result<(), Vec<SettingError>> {
        Settings::parse(site).map(|_| ())
    }

    async fn connect(
        &self,
        spec: &SiteSpec,
        context: &ConnectContext,
    ) -> Result<Arc<dyn Provider>> {
        let settings = Settings::parse(spec).map_err(|errors| {
            let all: Vec<_> = errors
                .iter()
                .map(|e| format!("{}: {}", e.attribute, e.message))
                .collect();
            fail(ErrorKind::Invalid, all.join("; "))
        })?;
        let (spec, context) = (spec.clone(), context.clone());
        let connecting = tokio::task::spawn_blocking(move || open(&spec, settings, &context));
        let site = connecting.await.unwrap_or_else(|error| {
            Err(fail(ErrorKind::Internal, "connecting broke off").with_source(error))
        })?;
        let buckets = match &site.settings.s3 {
            Some(settings) => Some(Buckets::of(settings.clone(), self.credentials.clone()).await?),
            None => None,
        };
        Ok(Arc::new(LibvirtProvider::new(Arc::new(site), buckets)))
    }
}

/// Connects to the hosts. One that answers is enough: what the others hold is then not known, and
/// every list says so.
fn open(spec: &SiteSpec, settings: Settings, context: &ConnectContext) -> Result<Site> {
    let up = |host: &&HostConfig| host.state != HostState::Down;
    let hosts = settings.hosts.iter().filter(up).cloned().map(Host::new);
    let hosts: Vec<_> = hosts.map(Arc::new).collect();
    let (mut traits, mut first) = (Vec::new(), None);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = hosts
            .iter()
            .map(|host| scope.spawn(|| host.traits().cloned()))
            .collect();
        threads
            .into_iter()
            .filter_map(|thread| thread.join().ok())
            .collect()
    });
    for outcome in outcomes {
        match outcome {
            Ok(host) => {
                check_vlan(&settings.uplink, host.libvirt)?;
                traits.push(host);
            }
            Err(error) => {
                tracing::warn!("a host does not answer: {error}");
                first.get_or_insert(error);
            }
        }
    }
    if traits.is_empty() {
        let none = || {
            fail(
                ErrorKind::Transient,
                "no host answers: all are down, as `hosts` says",
            )
        };
        return Err(first.unwrap_or_else(none));
    }
    for host in &hosts {
        for (gpu, missing) in host.gpus().iter().zip(host.missing_gpus()) {
            if let Some(address) = missing {
                let (name, model) = (host.name(), &gpu.model);
                tracing::warn!("{name} has no PCI device {address}: nothing gets that {model}");
            }
        }
    }
    let capabilities = capabilities(&settings, &traits);
    let (name, clock) = (spec.name.clone(), Arc::clone(&context.clock));
    let site = Site::new(
        name,
        settings,
        hosts,
        capabilities,
        clock,
        context.base_dir.clone(),
    );
    site.check_apart()?;
    Ok(site)
}

/// The first libvirt that tags on a Linux bridge: <https://libvirt.org/formatnetwork.html>. With
/// Open vSwitch older ones do too, but a filter sees nothing there: firewalls would not hold.
const TAGS: Version = Version(11_000_000);

/// Fails where a VLAN is wanted of a libvirt that has none to give.
fn check_vlan(uplink: &Uplink, libvirt: Version) -> Result<()> {
    match uplink {
        Uplink::Bridge {
            bridge,
            vlan: Some(vlan),
            ..
        } if libvirt < TAGS => {
            let message =
                format!("libvirt {libvirt} does not tag on a bridge, as {TAGS} does first");
            let help = format!(
                "make a bridge on the VLAN itself on every host (`ip link add link {bridge} name \
                 {bridge}.{vlan} type vlan id {vlan}`, and a bridge that has it as a port), and \
                 name that one, without `vlan`"
            );
            Err(fail(ErrorKind::Unsupported, message).with_help(help))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_libvirt_tags_nothing() {
        let uplink = |vlan| Uplink::Bridge {
            bridge: "br0".to_owned(),
            vlan,
            gateway: None,
        };
        let refused = check_vlan(&uplink(Some(20)), Version(9_000_000));
        let refused = refused.expect_err("it cannot").to_string();
        assert!(refused.contains("libvirt 9.0.0"), "{refused}");
        assert!(check_vlan(&uplink(None), Version(9_000_000)).is_ok());
        assert!(check_vlan(&uplink(Some(20)), TAGS).is_ok());
        assert!(check_vlan(&Uplink::Nat, Version(9_000_000)).is_ok());
    }
}
