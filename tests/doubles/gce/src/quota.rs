//! Quotas: what there may be, and what there is.
//! <https://cloud.google.com/compute/resource-usage>

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::kinds::Key;
use crate::refusal::{Failure, Refusal};
use crate::render::public_addresses;
use crate::rules::{Shape, disk_size, is_spot, shape_of};
use crate::world::{Fields, World, region};

/// The limits of a region, where nothing else was arranged. There is no separate quota for spot
/// capacity: then it counts as the rest.
const REGIONAL: [(&str, f64); 12] = [
    ("CPUS", 10_000.0),
    ("N2_CPUS", 10_000.0),
    ("N2D_CPUS", 10_000.0),
    ("C2_CPUS", 10_000.0),
    ("C3_CPUS", 10_000.0),
    ("T2A_CPUS", 10_000.0),
    ("T2D_CPUS", 10_000.0),
    ("PREEMPTIBLE_CPUS", 0.0),
    ("INSTANCES", 24_000.0),
    ("IN_USE_ADDRESSES", 2_300.0),
    ("STATIC_ADDRESSES", 700.0),
    ("DISKS_TOTAL_GB", 1_000_000.0),
];

const REGIONAL_DISKS: [(&str, f64); 2] =
    [("SSD_TOTAL_GB", 1_000_000.0), ("HDB_TOTAL_GB", 1_000_000.0)];

/// The limits of a project.
const GLOBAL: [(&str, f64); 4] = [
    ("CPUS_ALL_REGIONS", 20_000.0),
    ("NETWORKS", 100.0),
    ("SUBNETWORKS", 1_000.0),
    ("FIREWALLS", 1_000.0),
];

/// The limits of a region, or of the whole project where it is empty.
fn limits(world: &World, region: &str) -> BTreeMap<String, f64> {
    let own: Vec<(&str, f64)> = match region {
        "" => GLOBAL.to_vec(),
        _ => REGIONAL.into_iter().chain(REGIONAL_DISKS).collect(),
    };
    let own = own
        .into_iter()
        .map(|(metric, limit)| (metric.to_owned(), limit));
    own.chain(world.arranged.quotas(region)).collect()
}

/// The metric of a machine type's CPUs.
/// <https://cloud.google.com/compute/resource-usage#cpu_quota>
fn cpu_metric(machine_type: &str) -> &'static str {
    let family = machine_type.split('-').next().unwrap_or_default();
    match family {
        "n2" => "N2_CPUS",
        "n2d" => "N2D_CPUS",
        "c2" => "C2_CPUS",
        "c3" => "C3_CPUS",
        "t2a" => "T2A_CPUS",
        "t2d" => "T2D_CPUS",
        _ => "CPUS",
    }
}

/// The metric of a disk's size. <https://cloud.google.com/compute/resource-usage#disk_quota>
pub(crate) fn disk_metric(disk: &Fields) -> &'static str {
    let link = disk.get("type").and_then(Value::as_str).unwrap_or_default();
    match link.rsplit('/').next().unwrap_or_default() {
        "pd-standard" => "DISKS_TOTAL_GB",
        "hyperdisk-balanced" => "HDB_TOTAL_GB",
        _ => "SSD_TOTAL_GB",
    }
}

/// What is used of every metric, in a region or in the whole project.
fn usage(world: &World, project: &str, place: &str) -> BTreeMap<String, f64> {
    let mut used: BTreeMap<String, f64> = BTreeMap::new();
    let mut add = |metric: &str, amount: f64| *used.entry(metric.to_owned()).or_default() += amount;
    let is_here = |key: &Key| place.is_empty() || region(&key.scope) == Some(place);
    for (key, fields) in world
        .all(project, "instances")
        .filter(|(key, _)| is_here(key))
    {
        add("INSTANCES", 1.0);
        add("IN_USE_ADDRESSES", public_addresses(fields).count() as f64);
        let Some((machine_type, shape)) = shape_of(world, fields) else {
            continue;
        };
        // A machine that is stopped takes no CPU. One that is being made was counted before.
        if fields
            .get("status")
            .is_none_or(|status| status != "TERMINATED")
        {
            let has_own =
                limits(world, region(&key.scope).unwrap_or_default())["PREEMPTIBLE_CPUS"] > 0.0;
            match is_spot(fields) && has_own {
                true => add("PREEMPTIBLE_CPUS", shape.cpus as f64),
                false => add(cpu_metric(&machine_type.name), shape.cpus as f64),
            }
            add("CPUS_ALL_REGIONS", shape.cpus as f64);
        }
    }
    for (_, fields) in world.all(project, "disks").filter(|(key, _)| is_here(key)) {
        add(disk_metric(fields), disk_size(fields) as f64);
    }
    for (metric, collection) in [
        ("STATIC_ADDRESSES", "addresses"),
        ("NETWORKS", "networks"),
        ("SUBNETWORKS", "subnetworks"),
        ("FIREWALLS", "firewalls"),
    ] {
        let count = world
            .all(project, collection)
            .filter(|(key, _)| is_here(key))
            .count();
        add(metric, count as f64);
    }
    used
}

/// A list of quotas as regions and projects have it.
pub(crate) fn show(world: &World, project: &str, region: &str) -> Value {
    let used = usage(world, project, region);
    let all = limits(world, region);
    let all = all.iter().map(|(metric, limit)| {
        let usage = used.get(metric).copied().unwrap_or(0.0);
        json!({ "metric": metric, "limit": limit, "usage": usage })
    });
    all.collect()
}

/// Takes room for more of a metric, in the region of a thing.
pub(crate) fn room(world: &World, home: &Key, metric: &str, more: f64) -> Result<(), Failure> {
    let place = region(&home.scope).unwrap_or_default();
    take(world, &home.project, place, metric, more)
}

/// What is there is counted once for each request; what a request takes is added to that.
fn take(world: &World, project: &str, place: &str, metric: &str, more: f64) -> Result<(), Failure> {
    let Some(limit) = limits(world, place).get(metric).copied() else {
        return Ok(());
    };
    let mut counted = world.counted.borrow_mut();
    let key = (project.to_owned(), place.to_owned());
    let used = counted
        .entry(key)
        .or_insert_with(|| usage(world, project, place));
    let used = used.entry(metric.to_owned()).or_default();
    if *used + more > limit {
        return Err(Failure::quota(metric, limit, place));
    }
    *used += more;
    Ok(())
}

/// Takes room for the CPUs of one more machine.
pub(crate) fn machine_room(
    world: &World,
    home: &Key,
    machine_type: &str,
    shape: &Shape,
    is_spot: bool,
) -> Result<(), Failure> {
    let place = region(&home.scope).unwrap_or_default();
    let has_own = limits(world, place)["PREEMPTIBLE_CPUS"] > 0.0;
    let metric = match is_spot && has_own {
        true => "PREEMPTIBLE_CPUS",
        false => cpu_metric(machine_type),
    };
    let cpus = shape.cpus as f64;
    take(world, &home.project, place, metric, cpus)?;
    take(world, &home.project, "", "CPUS_ALL_REGIONS", cpus)
}

/// The quotas of a whole project are checked at once, by an HTTP answer.
pub(crate) fn check_global(world: &World, project: &str, metric: &str) -> Result<(), Refusal> {
    take(world, project, "", metric, 1.0)
        .map_err(|failure| Refusal::new(403, "quotaExceeded", failure.message))
}
