//! The providers that this program has, and its stores of leases.

use strat_sim::{Profile, SimFactory};
use stratiform::provider::Registry;

/// All of them.
pub(crate) fn registry() -> Registry {
    let registry = Registry::new().with(SimFactory::new());
    #[cfg(feature = "aws")]
    let registry = registry.with(strat_aws::AwsFactory::new());
    #[cfg(feature = "azure")]
    let registry = registry.with(strat_azure::AzureFactory::new());
    #[cfg(feature = "gcp")]
    let registry = registry.with(strat_gcp::GcpFactory::new());
    #[cfg(feature = "libvirt")]
    let registry = registry.with(strat_libvirt::LibvirtFactory::new());
    #[cfg(feature = "s3")]
    let registry = registry.with_lease_store(strat_s3::S3LeaseFactory::new());
    #[cfg(feature = "postgres")]
    let registry = registry.with_lease_store(strat_postgres::PostgresFactory::new());
    registry
}

/// Neutral names of images, those that most clouds have.
pub(crate) fn images() -> Vec<String> {
    strat_sim::IMAGES.map(str::to_owned).to_vec()
}

/// What is told of a provider.
#[derive(Debug)]
pub(crate) struct ProviderDoc {
    /// Its name in a `site` block.
    pub(crate) name: &'static str,
    /// What it is, in one line.
    pub(crate) doc: &'static str,
    /// What it can do, as JSON.
    pub(crate) capabilities: serde_json::Value,
}

/// What is told of each.
pub(crate) fn docs() -> Vec<ProviderDoc> {
    let consistency_window_ms = 0;
    let profiles: serde_json::Map<String, serde_json::Value> = Profile::ALL
        .into_iter()
        .map(|profile| {
            let capabilities = profile.capabilities(consistency_window_ms);
            let capabilities = serde_json::to_value(capabilities).unwrap_or_default();
            (profile.as_str().to_owned(), capabilities)
        })
        .collect();
    let sim = ProviderDoc {
        name: "sim",
        doc: "a simulated cloud in a folder, for trying things and for tests; `profile` says which \
              cloud it is like: aws, azure, gcp, onprem",
        capabilities: serde_json::json!({ "profiles": profiles }),
    };
    [
        #[cfg(feature = "aws")]
        aws(),
        #[cfg(feature = "azure")]
        azure(),
        #[cfg(feature = "gcp")]
        gcp(),
        #[cfg(feature = "libvirt")]
        libvirt(),
        sim,
    ]
    .into()
}

#[cfg(feature = "aws")]
fn aws() -> ProviderDoc {
    ProviderDoc {
        name: "aws",
        doc: "Amazon Web Services: a region of an account; credentials come by the standard chain, \
              or by `profile` and `assume_role`",
        capabilities: serde_json::to_value(strat_aws::capabilities(None)).unwrap_or_default(),
    }
}

#[cfg(feature = "azure")]
fn azure() -> ProviderDoc {
    ProviderDoc {
        name: "azure",
        doc: "Azure: a region of a subscription; credentials are those of the environment, the \
              workload, the Azure CLI or the machine, or by `credentials`",
        capabilities: serde_json::to_value(strat_azure::capabilities(None)).unwrap_or_default(),
    }
}

#[cfg(feature = "gcp")]
fn gcp() -> ProviderDoc {
    ProviderDoc {
        name: "gcp",
        doc: "Google Cloud: a region of a project; credentials are application default credentials, \
              or by `credentials` and `impersonate`",
        capabilities: serde_json::to_value(strat_gcp::capabilities(None)).unwrap_or_default(),
    }
}

#[cfg(feature = "libvirt")]
fn libvirt() -> ProviderDoc {
    ProviderDoc {
        name: "libvirt",
        doc: "your own hosts with libvirt and QEMU, packed as one pool; `hosts` says which, by \
              connection URI and zone",
        capabilities: serde_json::to_value(strat_libvirt::capabilities()).unwrap_or_default(),
    }
}
