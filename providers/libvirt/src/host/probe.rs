//! Whether KVM works, by starting a guest.

use std::sync::PoisonError;
use std::time::Duration;

use strat_model::{ErrorKind, Result};

use super::{Host, HostTraits, Patience, Watch};
use crate::config::Accel;
use crate::error::{Explain as _, fail};
use crate::rpc::{Domain, DomainState, sys};
use crate::thing::uuid_of;
use crate::xml::Element;

/// How long a guest without any disk may take until its firmware gives up. Under KVM that is a
/// fraction of a second; where it takes longer than this, the translator is the faster one.
const PATIENCE: Patience = Patience {
    pause: Duration::from_millis(50),
    times: 60,
};
/// The probe's name: one for all, so that what a crash left is found again.
const NAME: &str = "stratiform-probe";

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
    /// ends in order if its processor ran at all.
    fn firmware_runs(&self, domain_type: &str, patience: Patience) -> Result<bool> {
        let doing = || "probing the accelerator".to_owned();
        self.listen();
        let connection = self.connect()?;
        let xml = probe_xml(self.traits()?, domain_type).to_string();
        let domain = connection.define_domain_xml(&xml).on(self, doing)?;
        let watch = self.watch(NAME);
        // It dies with this connection, whatever becomes of this process.
        let started = domain.create_with_flags(sys::VIR_DOMAIN_START_AUTODESTROY);
        let ended = match started {
            Ok(()) => self.ends_in_order(&domain, &watch, patience),
            Err(error) if self.forget_if_dead() => {
                Err(crate::error::explain(self, &doing(), &error))
            }
            Err(error) => {
                tracing::debug!(host = %self.name(), "the probe does not start: {}", error.message());
                Ok(false)
            }
        };
        if domain.is_active().on(self, doing)? {
            domain.destroy().found(self, doing)?;
        }
        domain.undefine().found(self, doing)?;
        ended
    }

    /// Waits until a guest is off, and says whether it went by itself and not by a crash.
    fn ends_in_order(
        &self,
        domain: &Domain,
        watch: &Watch<'_>,
        patience: Patience,
    ) -> Result<bool> {
        let doing = || "probing the accelerator".to_owned();
        let off = watch.until(patience, |_| {
            let active = domain.is_active().on(self, doing)?;
            Ok((!active).then_some(()))
        })?;
        if off.is_none() {
            return Ok(false);
        }
        let (state, reason) = domain.state().on(self, doing)?;
        let by_a_crash = [
            sys::VIR_DOMAIN_SHUTOFF_CRASHED,
            sys::VIR_DOMAIN_SHUTOFF_FAILED,
        ];
        Ok(state != DomainState::Shutoff || !by_a_crash.contains(&reason))
    }
}

fn probe_xml(traits: &HostTraits, domain_type: &str) -> Element {
    let mut kind = Element::leaf("type", "hvm").with("arch", &traits.arch);
    if let Some(machine) = &traits.machine {
        kind = kind.with("machine", machine);
    }
    let os = Element::new("os")
        .holding(kind)
        .holding(Element::new("bios").with("rebootTimeout", 0));
    Element::new("domain")
        .with("type", domain_type)
        .holding(Element::leaf("name", NAME))
        .holding(Element::leaf("uuid", uuid_of("probe", NAME)))
        .holding(Element::leaf("memory", 32).with("unit", "MiB"))
        .holding(Element::leaf("vcpu", 1))
        .holding(os)
        .holding(Element::leaf("on_reboot", "destroy"))
        .holding(Element::new("devices"))
}
