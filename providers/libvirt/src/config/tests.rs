use serde_json::json;

use super::*;

fn site(settings: Value) -> SiteSpec {
    let Value::Object(settings) = settings else {
        panic!("settings are an object")
    };
    SiteSpec {
        settings,
        ..SiteSpec::new(Name::new("dc1").expect("name"), "libvirt")
    }
}

fn hosts(settings: Value) -> Vec<String> {
    let settings = Settings::parse(&site(settings)).expect("settings");
    let host = |h: &HostConfig| format!("{}@{}={}", h.name, h.zone, h.uri);
    settings.hosts.iter().map(host).collect()
}

#[test]
fn hosts_are_a_list_or_stand_by_zone() {
    assert_eq!(
        hosts(json!({ "hosts": ["qemu+ssh://ops@kvm1:22/system", "test:///default"] })),
        [
            "kvm1@dc1=qemu+ssh://ops@kvm1:22/system",
            "localhost@dc1=test:///default"
        ]
    );
    assert_eq!(
        hosts(json!({ "hosts": {
            "rack2": "qemu+ssh://kvm2/system",
            "rack1": ["qemu+ssh://kvm1/system", { "name": "spare", "uri": "qemu:///system" }],
        } })),
        [
            "kvm1@rack1=qemu+ssh://kvm1/system",
            "kvm2@rack2=qemu+ssh://kvm2/system",
            "spare@rack1=qemu:///system",
        ]
    );
}

#[test]
fn settings_are_read() {
    let settings = Settings::parse(&site(json!({
        "hosts": ["qemu:///system"], "overcommit": { "cpu": 4 }, "reserve": "2GiB",
        "cost": { "cpu_hour": "0.01", "memory_gib_hour": 0.002, "currency": "EUR" },
        "accel": "tcg", "pools": { "hdd": "slow" },
        "network": { "mode": "bridge", "bridge": "br0", "vlan": 20 },
        "images": { "debian-12": "debian-12.qcow2", "tiny": { "kernel": "/k", "cmdline": "quiet" } },
    })))
    .expect("settings");
    assert_eq!(
        (settings.overcommit.cpu, settings.overcommit.memory),
        (4.0, 1.0)
    );
    assert_eq!(
        (settings.reserve, settings.accel),
        (Bytes::gib(2), Accel::Tcg)
    );
    assert_eq!(settings.cost.cpu_hour, Decimal::new(1, 2));
    assert_eq!(settings.cost.currency, Currency::Eur);
    assert!(matches!(
        &settings.uplink,
        Uplink::Bridge { vlan: Some(20), .. }
    ));
    assert_eq!(settings.pools[&DiskClass::Hdd], "slow");
    assert_eq!(settings.images["debian-12"].format, "qcow2");
    assert!(settings.images["tiny"].boot.is_some());
}

#[test]
fn all_that_is_wrong_is_said() {
    let mut spec = site(json!({
        "hosts": ["kvm1", "qemu:///system", "test:///default"], "hots": 1, "overcommit": { "cpu": 0 },
        "network": "nta", "accel": "xen", "pools": { "tape": "x" }, "reserve": "much",
        "images": { "a": {} }, "bucket_endpoint": "http://s3",
    }));
    spec.region = Some("east".to_owned());
    let errors = Settings::parse(&spec).expect_err("errors");
    let mut about: Vec<_> = errors.iter().map(|e| e.attribute.as_str()).collect();
    about.sort_unstable();
    assert_eq!(
        about,
        [
            "accel",
            "bucket_endpoint",
            "hosts",
            "hosts",
            "hots",
            "images",
            "network",
            "overcommit",
            "pools",
            "region",
            "reserve",
        ],
        "{errors:#?}"
    );
    let hots = errors.iter().find(|e| e.attribute == "hots").expect("hots");
    assert_eq!(hots.help.as_deref(), Some("did you mean `hosts`?"));
}

#[test]
fn a_way_that_is_not_spoken_is_told_at_its_place() {
    for uri in [
        "qemu+tls://kvm1/system",
        "qemu://kvm1/system",
        "qemu+tcp://kvm1/system",
    ] {
        let errors = Settings::parse(&site(json!({ "hosts": [uri] }))).expect_err(uri);
        assert!(errors[0].message.contains("use `qemu+ssh://"), "{errors:?}");
    }
}

#[test]
fn a_site_has_a_host() {
    assert!(Settings::parse(&site(json!({}))).is_err());
    assert!(Settings::parse(&site(json!({ "hosts": [] }))).is_err());
}

#[test]
#[cfg(feature = "s3")]
fn an_s3_names_its_credentials_and_holds_none() {
    let parse = |s3: Value| {
        let settings = json!({ "hosts": ["qemu:///system"], "s3": s3 });
        Settings::parse(&site(settings))
    };
    let url = "https://s3.dc1.example";
    let read = parse(json!({ "endpoint": url, "profile": "rack" })).expect("settings");
    assert_eq!(read.s3.and_then(|s3| s3.profile).as_deref(), Some("rack"));
    for wrong in [
        json!({ "endpoint": url, "secret_key": "x" }),
        json!({ "endpoint": "s3.dc1.example" }),
        json!({ "profile": "rack" }),
    ] {
        let errors = parse(wrong).expect_err("it is refused");
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!(errors[0].attribute, "s3");
    }
}

#[test]
fn gpus_of_hosts_are_read() {
    let with = |gpus: Value| {
        Settings::parse(&site(
            json!({ "hosts": [{ "uri": "qemu+ssh://kvm1/system", "gpus": gpus }] }),
        ))
    };
    let settings = with(json!([
        { "model": "L4", "pci": "0000:3b:00.0" },
        { "model": "RTX-4090", "pci": ["5e:00.0", "5e:00.1"] },
    ]))
    .expect("settings");
    let gpus = &settings.hosts[0].gpus;
    let read: Vec<_> = gpus
        .iter()
        .map(|gpu| format!("{} {}", gpu.model, gpu.pci.last().expect("a device")))
        .collect();
    assert_eq!(read, ["L4 0000:3b:00.0", "RTX-4090 0000:5e:00.1"]);
    for (wrong, why) in [
        (json!([{ "model": "L 4", "pci": "3b:00.0" }]), "no model"),
        (json!([{ "model": "L4", "pci": "3b:00" }]), "no PCI address"),
        (json!([{ "model": "L4", "pci": [] }]), "has no PCI address"),
        (
            json!([{ "model": "L4", "pci": "3b:00.0" }, { "model": "L4", "pci": "0000:3b:00.0" }]),
            "stands twice",
        ),
    ] {
        let errors = with(wrong).expect_err("wrong");
        assert!(errors[0].message.contains(why), "{errors:?}");
    }
}

#[test]
fn a_processor_is_named_as_libvirt_does() {
    let read = |settings: Value| {
        let mut all = json!({ "hosts": ["qemu:///system"] });
        if let (Value::Object(all), Value::Object(more)) = (&mut all, settings) {
            all.extend(more);
        }
        Settings::parse(&site(all))
    };
    let model = |word: &str| read(json!({ "cpu_model": word })).map(|settings| settings.cpu_model);
    assert_eq!(model("host-passthrough"), Ok(CpuModel::HostPassthrough));
    assert_eq!(
        model("EPYC-Rome"),
        Ok(CpuModel::Named("EPYC-Rome".to_owned()))
    );
    let errors = model("a model").expect_err("it is no name");
    assert!(errors[0].message.contains("`a model`"), "{errors:?}");
    let set = json!({ "hugepages": "1GiB", "disk_cache": "none", "anti_spoofing": false });
    let settings = read(set).expect("settings");
    assert_eq!(settings.hugepages, Hugepages::OneGib);
    assert_eq!(settings.disk_cache, DiskCache::None);
    assert!(!settings.anti_spoofing);
    let defaults = read(json!({})).expect("settings");
    assert_eq!(
        (defaults.hugepages, defaults.disk_cache),
        (Hugepages::None, DiskCache::Default)
    );
    assert!(defaults.anti_spoofing && defaults.cpu_model == CpuModel::HostModel);
    let errors = read(json!({ "hugepages": "3MiB" })).expect_err("no such page");
    assert!(errors[0].message.contains("2MiB"), "{errors:?}");
}
