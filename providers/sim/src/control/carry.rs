//! Carrying a disturbance out.

use std::sync::Arc;

use strat_model::{
    Attributes, Bytes, CapacityKind, ErrorKind, FirewallRule, Kind, MachineSpec, Name, Resource,
    ResourceId, Result, Spec,
};

use super::{Disturbance, error};
use crate::faults::{StockLimit, Trials};
use crate::rules::Cloud;
use crate::world::{Birth, Stale, StaleView, Thing, Tx, after};

/// For how long a machine still shows that ended by itself.
const ENDED_MS: u64 = 60_000;

/// Does it, and gives back what it touched.
pub(super) fn out(cloud: &Cloud, tx: &mut Tx<'_>, what: &Disturbance) -> Result<Vec<Resource>> {
    use Disturbance as D;
    let touched = match what {
        D::Delete { kind, which } => {
            let thing = find(tx, *kind, which)?;
            cloud.delete(tx, *kind, &thing.id)?;
            tx.region().get(*kind, &thing.id).cloned().unwrap_or(thing)
        }
        D::StopMachine { which } => alter(tx, Kind::Machine, which, |t| t.stopped = true)?,
        D::HangMachine { which } => alter(tx, Kind::Machine, which, |t| t.hangs = true)?,
        D::BreakMachine { which } => alter(tx, Kind::Machine, which, |t| t.failed = true)?,
        D::EndMachine { which, why } => {
            let until = after(tx.now, ENDED_MS);
            let thing = alter(tx, Kind::Machine, which, |thing| {
                let reason = Resource::STATE_REASON.to_owned();
                thing.attributes.insert(reason, why.clone());
                thing.gone_at = Some(until);
            })?;
            cloud.let_go(tx, &thing.id);
            thing
        }
        D::ResizeMachine {
            which,
            machine_type,
        } => resize(cloud, tx, which, machine_type)?,
        D::ResizeVolume { which, size } => resize_volume(tx, which, *size)?,
        D::DetachVolume { which } => {
            let thing = find(tx, Kind::Volume, which)?;
            if !matches!(&thing.spec, Spec::Volume(volume) if volume.attach.is_some()) {
                let message = format!("{which} is attached to nothing");
                return Err(error(ErrorKind::Invalid, message));
            }
            cloud.detach_volume(tx, &thing.id)?;
            find(tx, Kind::Volume, thing.id.as_str())?
        }
        D::FillBucket { which, objects } => {
            alter(tx, Kind::Bucket, which, |t| t.objects = *objects)?
        }
        D::SetMark { kind, which, mark } => {
            alter(tx, *kind, which, |t| t.mark = mark.as_deref().cloned())?
        }
        D::Rename { kind, which, name } => alter(tx, *kind, which, |t| t.name.clone_from(name))?,
        D::Forge { kind, which, to } => {
            let mark = find(tx, *kind, which)?.mark.clone();
            alter(tx, *kind, to, |t| t.mark = mark)?
        }
        D::Clone { kind, which } => copy(tx, cloud, *kind, which)?,
        D::Forget {
            kind,
            which,
            for_ms,
        } => hide(tx, *kind, which, *for_ms, StaleView::Absent)?,
        D::Vanish {
            kind,
            which,
            for_ms,
        } => hide(tx, *kind, which, *for_ms, StaleView::Nowhere)?,
        D::SetLabel {
            kind,
            which,
            key,
            value,
        } => {
            let found = find(tx, *kind, which)?;
            if value.is_none() && !found.spec.labels().contains_key(key) {
                let message = format!("{which} has no label `{key}`");
                return Err(error(ErrorKind::NotFound, message));
            }
            alter(tx, *kind, which, |thing| {
                let labels = thing.spec.labels_mut();
                match value {
                    Some(value) => labels.insert(key.clone(), value.clone()),
                    None => labels.remove(key),
                };
            })?
        }
        D::SetRule { which, rule } => change_rules(tx, which, |rules| {
            rules.retain(|old| (&old.name, old.direction) != (&rule.name, rule.direction));
            rules.insert((**rule).clone());
        })?,
        D::DeleteRule {
            which,
            rule,
            direction,
        } => {
            let is_it = |old: &FirewallRule<_>| (&old.name, old.direction) == (rule, *direction);
            let firewall = find(tx, Kind::Firewall, which)?;
            if !matches!(&firewall.spec, Spec::Firewall(spec) if spec.rules.iter().any(is_it)) {
                let message = format!("{which} has no such rule as `{rule}`");
                return Err(error(ErrorKind::NotFound, message));
            }
            change_rules(tx, which, |rules| rules.retain(|old| !is_it(old)))?
        }
        D::Create { name, spec, mark } => create(tx, cloud, name, spec, mark.as_deref())?,
        D::SetStock {
            machine_type,
            zone,
            capacity,
            left,
        } => {
            let pick = Pick {
                machine_type: machine_type.as_deref(),
                zone: zone.as_ref(),
                capacity: *capacity,
            };
            set_stock(cloud, tx, pick, *left)?;
            return Ok(Vec::new());
        }
        trial => {
            set_trial(tx, trial)?;
            return Ok(Vec::new());
        }
    };
    Ok(vec![cloud.report(tx, &touched)])
}

/// The thing of an id, or of a name that no other of its kind has.
fn find(tx: &Tx<'_>, kind: Kind, which: &str) -> Result<Arc<Thing>> {
    if let Some(thing) = tx.region().get(kind, &ResourceId::from(which)) {
        return Ok(Arc::clone(thing));
    }
    let mut named = tx.region().named(kind, which);
    match (named.next(), named.next()) {
        (Some(thing), None) => Ok(Arc::clone(thing)),
        (None, _) => {
            let message = format!("there is no {kind} `{which}` in {}", tx.key());
            Err(error(ErrorKind::NotFound, message))
        }
        (Some(_), Some(_)) => {
            let message = format!("more than one {kind} is called `{which}`; say its id");
            Err(error(ErrorKind::Invalid, message))
        }
    }
}

fn alter(
    tx: &mut Tx<'_>,
    kind: Kind,
    which: &str,
    change: impl FnOnce(&mut Thing),
) -> Result<Arc<Thing>> {
    let old = find(tx, kind, which)?;
    let mut new = (*old).clone();
    change(&mut new);
    Ok(tx.change(&old, new, 0))
}

/// Lets lists, and perhaps reads, not show a thing for some time.
fn hide(
    tx: &mut Tx<'_>,
    kind: Kind,
    which: &str,
    for_ms: u64,
    view: StaleView,
) -> Result<Arc<Thing>> {
    let until = after(tx.now, for_ms);
    let mut thing = (*find(tx, kind, which)?).clone();
    thing.stale = Some(Stale { until, view });
    Ok(tx.put(thing))
}

fn resize(cloud: &Cloud, tx: &mut Tx<'_>, which: &str, to: &str) -> Result<Arc<Thing>> {
    let old = find(tx, Kind::Machine, which)?;
    let Spec::Machine(machine) = &old.spec else {
        return Ok(old);
    };
    let size = cloud.size_of(&machine.zone, to, machine.capacity);
    let Some((cpu, memory)) = size else {
        let message = format!("there is no machine type `{to}` in {}", machine.zone);
        return Err(error(ErrorKind::Invalid, message));
    };
    let spec = MachineSpec {
        machine_type: to.to_owned(),
        cpu,
        memory,
        ..machine.clone()
    };
    alter(tx, Kind::Machine, old.id.as_str(), |thing| {
        thing.spec = Spec::Machine(spec);
    })
}

fn resize_volume(tx: &mut Tx<'_>, which: &str, size: Bytes) -> Result<Arc<Thing>> {
    alter(tx, Kind::Volume, which, |thing| {
        if let Spec::Volume(volume) = &mut thing.spec {
            volume.size = size;
        }
    })
}

fn change_rules(
    tx: &mut Tx<'_>,
    which: &str,
    change: impl FnOnce(&mut std::collections::BTreeSet<FirewallRule<ResourceId>>),
) -> Result<Arc<Thing>> {
    alter(tx, Kind::Firewall, which, |thing| {
        if let Spec::Firewall(firewall) = &mut thing.spec {
            change(&mut firewall.rules);
        }
    })
}

fn create(
    tx: &mut Tx<'_>,
    cloud: &Cloud,
    name: &str,
    spec: &Spec<ResourceId>,
    mark: Option<&strat_model::Mark>,
) -> Result<Arc<Thing>> {
    let mut attributes = Attributes::new();
    let public = tx.public_ip(tx.region().record.next_serial);
    match spec {
        Spec::Machine(machine) => {
            let ip = cloud.lease_in(tx, &machine.subnet)?;
            attributes.insert("private_ip".to_owned(), ip.to_string());
            let public = public.filter(|_| machine.public_ip == Some(true));
            attributes.extend(public.map(|ip| ("public_ip".to_owned(), ip)));
        }
        Spec::Address(_) => attributes.extend(public.map(|ip| ("ip".to_owned(), ip))),
        _ => {}
    }
    let birth = Birth {
        name,
        mark,
        token: None,
        request: "",
        delay_ms: 0,
        remembered_ms: None,
        lag_ms: 0,
    };
    Ok(tx.make(spec.clone(), attributes, birth))
}

/// Makes another like a thing. Where names are unique, it gets another one.
fn copy(tx: &mut Tx<'_>, cloud: &Cloud, kind: Kind, which: &str) -> Result<Arc<Thing>> {
    let of = find(tx, kind, which)?;
    let mut spec = of.spec.clone();
    match &mut spec {
        Spec::Volume(volume) => volume.attach = None,
        Spec::Machine(_) => {}
        _ => {
            let message = format!("nothing copies a {kind}: only machines and volumes");
            return Err(error(ErrorKind::Invalid, message));
        }
    }
    let name = if cloud.profile().unique_names(kind) {
        format!("{}-copy-{}", of.name, tx.region().record.next_serial)
    } else {
        of.name.clone()
    };
    let made = create(tx, cloud, &name, &spec, of.mark.as_ref())?;
    alter(tx, kind, made.id.as_str(), |thing| thing.copied = true)
}

/// Which offers.
#[derive(Debug, Clone, Copy)]
struct Pick<'a> {
    machine_type: Option<&'a str>,
    zone: Option<&'a Name>,
    capacity: Option<CapacityKind>,
}

fn set_stock(cloud: &Cloud, tx: &mut Tx<'_>, pick: Pick<'_>, left: Option<u64>) -> Result<()> {
    let picked: Vec<_> = cloud
        .offers
        .iter()
        .filter(|o| pick.machine_type.is_none_or(|t| o.machine_type == t))
        .filter(|o| pick.zone.is_none_or(|zone| o.zone == *zone))
        .filter(|o| pick.capacity.is_none_or(|capacity| o.capacity == capacity))
        .collect();
    if picked.is_empty() {
        return Err(error(
            ErrorKind::Invalid,
            "no offer here is like that".to_owned(),
        ));
    }
    let limits: Vec<_> = picked
        .iter()
        .map(|offer| {
            let usage = &tx.region().usage;
            let used = usage.machines(&offer.machine_type, &offer.zone, offer.capacity);
            StockLimit {
                machine_type: offer.machine_type.clone(),
                zone: offer.zone.clone(),
                capacity: offer.capacity,
                limit: used.saturating_add(left.unwrap_or_default()),
            }
        })
        .collect();
    tx.change_record(|record| {
        let stock = &mut record.trials.stock;
        let same = |a: &StockLimit, b: &StockLimit| {
            (&a.machine_type, &a.zone, a.capacity) == (&b.machine_type, &b.zone, b.capacity)
        };
        stock.retain(|old| !limits.iter().any(|new| same(old, new)));
        if left.is_some() {
            stock.extend(limits);
        }
    });
    Ok(())
}

fn set_trial(tx: &mut Tx<'_>, what: &Disturbance) -> Result<()> {
    let zones = &tx.region().record.zones;
    if let Disturbance::LoseZone { zone }
    | Disturbance::RestoreZone { zone }
    | Disturbance::HideZone { zone }
    | Disturbance::ShowZone { zone } = what
        && !zones.contains(zone)
    {
        let message = format!("there is no zone {zone} in {}", tx.key());
        return Err(error(ErrorKind::Invalid, message));
    }
    if let Disturbance::LoseAnswers { share: Some(share) } = what
        && !(0.0..=1.0).contains(share)
    {
        return Err(error(
            ErrorKind::Invalid,
            format!("{share} is not between 0 and 1"),
        ));
    }
    tx.change_record(|record| change_trials(&mut record.trials, what));
    Ok(())
}

fn change_trials(trials: &mut Trials, what: &Disturbance) {
    match what {
        Disturbance::LoseZone { zone } => {
            trials.lost_zones.insert(zone.clone());
        }
        Disturbance::RestoreZone { zone } => {
            trials.lost_zones.remove(zone);
        }
        Disturbance::HideZone { zone } => {
            trials.hidden_zones.insert(zone.clone());
        }
        Disturbance::ShowZone { zone } => {
            trials.hidden_zones.remove(zone);
        }
        Disturbance::LoseRegion => trials.lost = true,
        Disturbance::RestoreRegion => trials.lost = false,
        Disturbance::SetQuota { family, cpu_limit } => {
            let family = family.clone().unwrap_or_else(|| "total".to_owned());
            match cpu_limit {
                Some(limit) => trials.quotas.insert(family, *limit),
                None => trials.quotas.remove(&family),
            };
        }
        Disturbance::SwitchAccount { account } => trials.account.clone_from(account),
        Disturbance::SetPace(pace) => trials.pace = *pace,
        Disturbance::SetLimits(limits) => trials.limits = *limits,
        Disturbance::Throttle { per_second } => trials.rate_per_second = *per_second,
        Disturbance::LoseAnswers { share } => trials.lost_answers = *share,
        Disturbance::Inject(planned) if planned.times > 0 => trials.faults.push(planned.clone()),
        Disturbance::Calm => *trials = Trials::default(),
        _ => {}
    }
}
