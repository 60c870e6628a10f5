//! What is not ours costs no memory. The simulated cloud is in this very process, so what counts is
//! how much the peak grows while the observation runs.

use std::error::Error;
use std::fs;
use std::sync::Arc;

use strat_sim::{Behaviour, Profile, SimSite, World};
use stratiform::EventSink;
use stratiform::engine::{Journal, Sites, observe};
use stratiform::model::{
    Bytes, CapacityKind, ImageRef, Labels, MachineSpec, Mark, Moves, Name, NetworkSpec, Owner,
    Spec, SubnetSpec, Token,
};
use stratiform::provider::layers::{LayerPolicy, LayerStack};
use stratiform::provider::{Clock, CreateMachines, Provider, ProviderExt as _, TokioClock};

use crate::table::print;

/// How many machines of somebody else stand beside ours.
const FOREIGN: u32 = 50_000;
/// How many are ours.
const OURS: u32 = 100;
/// The most machines of one call.
const BATCH: u32 = 500;

/// Observes a few machines beside many of somebody else, and prints what that took.
pub(crate) fn measure() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let grown = runtime.block_on(observed())?;
    print(&format!(
        "{:<44} {:<16} {:>31}",
        format!("{OURS} machines beside {FOREIGN} of others"),
        "observe",
        format!("{} MB more", grown / 1_000_000)
    ));
    Ok(())
}

async fn observed() -> Result<u64, Box<dyn Error>> {
    let clock: Arc<dyn Clock> = Arc::new(TokioClock::system());
    let world = World::in_memory(7, Arc::clone(&clock));
    let site = SimSite::new(Name::new("east")?, Profile::Gcp, "us-central1");
    let zone = site.zones.first().cloned().ok_or("no zone")?;
    let quotas = [("total".to_owned(), u64::MAX), ("e2".to_owned(), u64::MAX)];
    let behaviour = Behaviour {
        quotas: quotas.into(),
        ..Behaviour::instant()
    };
    let provider = world.connect(site.behaving(behaviour))?;
    fill(&*provider, &zone, "somebody", FOREIGN).await?;
    fill(&*provider, &zone, "bench", OURS).await?;
    let rng = fastrand::Rng::with_seed(7);
    let stack = LayerStack::standard(LayerPolicy::default(), Arc::clone(&clock), rng);
    let sites = Sites::from([(Name::new("east")?, stack.wrap(provider, "main"))]);
    let owner: Owner = "bench".parse()?;
    let (journal, events) = (Journal::in_memory(), EventSink::none());
    let before = memory("VmRSS:")?;
    let seen = observe(
        &sites,
        &owner,
        &Moves::default(),
        &journal,
        &*clock,
        &events,
    )
    .await;
    let found = seen.inventory.resources().count();
    if found < OURS as usize || found > OURS as usize + 10 {
        return Err(format!("{found} things were seen").into());
    }
    Ok(memory("VmHWM:")?.saturating_sub(before))
}

/// Makes so many machines of an owner.
async fn fill(
    provider: &dyn Provider,
    zone: &Name,
    owner: &str,
    count: u32,
) -> Result<(), Box<dyn Error>> {
    let token = |part: u32| -> Result<Token, Box<dyn Error>> {
        Ok(Token::derive(
            owner,
            &"machines.m@east".parse()?,
            1,
            1,
            part,
            "",
        ))
    };
    let mark = |addr: &str| -> Result<Mark, Box<dyn Error>> {
        Ok(Mark {
            owner: owner.parse()?,
            addr: addr.parse()?,
            spec: "0".repeat(16),
            generation: 1,
            origin: None,
            protect: false,
            disposable: false,
            notes: Default::default(),
        })
    };
    let octet = if owner == "bench" { 10 } else { 11 };
    let network = NetworkSpec {
        cidr: format!("{octet}.0.0.0/8").parse()?,
        labels: Labels::new(),
    };
    let name = format!("{owner}-core");
    let network = provider
        .create(
            &Spec::Network(network),
            &name,
            &mark("network.core@east")?,
            &token(1_000_000)?,
        )
        .await?;
    let subnet = Spec::Subnet(SubnetSpec {
        network: network.id,
        cidr: format!("{octet}.0.0.0/9").parse()?,
        zone: None,
        internet: None,
        labels: Labels::new(),
    });
    let name = format!("{owner}-app");
    let subnet = provider
        .create(
            &subnet,
            &name,
            &mark("subnet.app@east")?,
            &token(1_000_001)?,
        )
        .await?;
    let images = provider.public_images().await?;
    let image = images.get("debian-12", None).cloned().ok_or("no image")?;
    let spec = Spec::Machine(MachineSpec {
        machine_type: "e2-medium".to_owned(),
        cpu: 2,
        memory: Bytes::gib(4),
        capacity: CapacityKind::OnDemand,
        zone: zone.clone(),
        image: ImageRef::Named {
            name: "debian-12".to_owned(),
            id: image,
        },
        subnet: subnet.id,
        firewalls: Default::default(),
        keypair: None,
        user_data: None,
        disks: Vec::new(),
        public_ip: None,
        labels: Labels::new(),
    });
    let Spec::Machine(spec) = &spec else {
        return Err("no machine".into());
    };
    let mark = mark("machines.m@east")?;
    for part in 0..count.div_ceil(BATCH) {
        let here = BATCH.min(count - part * BATCH);
        let names: Vec<String> = (0..here).map(|n| format!("{owner}-{part}-{n}")).collect();
        let token = token(part)?;
        let request = CreateMachines {
            spec,
            names: &names,
            mark: &mark,
            token: &token,
        };
        let made = provider.create_machines(request).await?;
        if let Some(short) = made.shortfall {
            return Err(short.into());
        }
    }
    Ok(())
}

/// A line of what the system knows of this process, in bytes.
fn memory(line: &str) -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let found = status.lines().find_map(|text| text.strip_prefix(line));
    let kilobytes = found.and_then(|rest| rest.split_whitespace().next());
    Ok(kilobytes.ok_or("the system does not say")?.parse::<u64>()? * 1024)
}
