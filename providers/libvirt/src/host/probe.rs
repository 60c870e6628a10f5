//! Whether KVM works, by starting a guest.

use std::sync::PoisonError;
use std::time::Duration;

use strat_model::{ErrorKind, Result};
use virt::sys;

use super::Host;
use crate::config::Accel;
use crate::error::{Explain as _, fail, is_missing};
use crate::thing::uuid_of;
use crate::xml::Element;

/// How long a guest without any disk may take until its firmware gives up. Under KVM that is well
/// below a second.
const PATIENCE: Duration = Duration::from_secs(8);
const PAUSE: Duration = Duration::from_millis(50);

impl Host {
    /// The type of domain that machines here are: `kvm`, or `qemu` for the translator.
    pub(crate) fn domain_type(&self, accel: Accel) -> Result<&'static str> {
        let traits = self.traits()?;
        if traits.offers("test") {
            return Ok("test");
        }
        match accel {
            Accel::Tcg => Ok("qemu"),
            Accel::Kvm if traits.offers("kvm") => Ok("kvm"),
            Accel::Kvm => {
                let message = format!("the host {} offers no KVM", self.name());
                Err(fail(ErrorKind::Unsupported, message))
            }
            Accel::Auto => Ok(if self.kvm_works()? { "kvm" } else { "qemu" }),
        }
    }

    /// Whether KVM was seen to run a guest here. `/dev/kvm` alone proves nothing: within another
    /// hypervisor it may open, and no guest ever gets anywhere.
    fn kvm_works(&self) -> Result<bool> {
        let mut known = self.kvm.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(works) = *known {
            return Ok(works);
        }
        let works = self.traits()?.offers("kvm") && self.firmware_runs("kvm", PATIENCE)?;
        if !works {
            tracing::warn!(host = %self.name(), "KVM does not run guests here; machines are translated (slow)");
        }
        *known = Some(works);
        Ok(works)
    }

    /// Whether a guest's firmware gets to its end. The guest has no disk; its firmware finds
    /// nothing to boot and, asked to, reboots at once, upon which libvirt is to destroy it. So it
    /// vanishes if its processor ran at all.
    pub(crate) fn firmware_runs(&self, domain_type: &str, patience: Duration) -> Result<bool> {
        let doing = || "probing the accelerator".to_owned();
        let name = format!("stratiform-probe-{domain_type}-{}", std::process::id());
        let traits = self.traits()?;
        let mut kind = Element::leaf("type", "hvm").with("arch", &traits.arch);
        if let Some(machine) = &traits.machine {
            kind = kind.with("machine", machine);
        }
        let os = Element::new("os")
            .holding(kind)
            .holding(Element::new("bios").with("rebootTimeout", 0));
        let xml = Element::new("domain")
            .with("type", domain_type)
            .holding(Element::leaf("name", &name))
            .holding(Element::leaf(
                "uuid",
                uuid_of("probe", &format!("{name}@{}", self.hostname()?)),
            ))
            .holding(Element::leaf("memory", 32).with("unit", "MiB"))
            .holding(Element::leaf("vcpu", 1))
            .holding(os)
            .holding(Element::leaf("on_reboot", "destroy"))
            .holding(Element::new("devices"));
        let connection = self.connect()?;
        // It dies with this connection, whatever becomes of this process.
        let started =
            connection.create_domain_xml(&xml.to_string(), sys::VIR_DOMAIN_START_AUTODESTROY);
        let domain = match started {
            Ok(domain) => domain,
            Err(error) => {
                if self.forget_if_dead() {
                    return Err(crate::error::explain(self, &doing(), error));
                }
                tracing::debug!(host = %self.name(), "the probe does not start: {}", error.message());
                return Ok(false);
            }
        };
        let mut waited = Duration::ZERO;
        while waited < patience {
            match domain.is_active() {
                Ok(false) => return Ok(true),
                Err(error) if is_missing(&error) => return Ok(true),
                Err(error) => return Err(crate::error::explain(self, &doing(), error)),
                Ok(true) => {}
            }
            std::thread::sleep(PAUSE);
            waited += PAUSE;
        }
        domain.destroy().found(self, doing)?;
        Ok(false)
    }
}
