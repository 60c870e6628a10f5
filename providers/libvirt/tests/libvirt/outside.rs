//! What somebody changes with libvirt's own tools is told, and made good.

use strat_conformance::{OutsideRows, Partners};
use strat_libvirt::SETUP;
use strat_model::{Field, Kind, Resource, Spec};
use virt::connect::Connect;
use virt::domain::Domain;
use virt::nwfilter::NWFilter;
use virt::sys;

use crate::support::moto;
use crate::support::peer::Peer;
use crate::support::slots::Pair;
use crate::support::topology::Topology;

/// Every row of one host: what libvirt has no word for stands in documents of ours alone.
pub(crate) const ONE_HOST: OutsideRows = OutsideRows {
    // A network that is gone on the only host is gone.
    promised: SETUP.split_at(1).1,
    immutable: IMMUTABLE,
    changed: 19,
};

/// The same of a rack of two, which has no S3 beside it.
pub(crate) const RACK: OutsideRows = OutsideRows {
    promised: SETUP,
    immutable: IMMUTABLE,
    changed: 18,
};

const NETWORK: &str = "libvirt has subnets alone; which network they are of, and its range, stands in our document: https://libvirt.org/formatnetwork.html";
const FORWARD: &str = "a network is forwarded otherwise only once it is stopped, which cuts off what runs in it: https://libvirt.org/formatnetwork.html";
const OWNED: &str = "hardware of one's own is not bought: https://libvirt.org/formatdomain.html";
const ZONE: &str = "libvirt knows no zones: which a host is in stands in the site's block: https://libvirt.org/uri.html";
const DOCUMENT: &str = "it has no metadata in libvirt: our document beside it has a digest of itself in its name, and one that was changed is not believed: https://libvirt.org/formatstorage.html";
const FILTER: &str = "a guest has one filter, made of its firewalls: another is told as `filter`: https://libvirt.org/formatnwfilter.html";
const KEY: &str = "libvirt knows no keys: the guest gets them from its seed at the first boot: https://libvirt.org/formatdomain.html";

const IMMUTABLE: &[(Kind, &str, &str)] = &[
    (Kind::Network, "cidr", NETWORK),
    (Kind::Subnet, "network", NETWORK),
    (Kind::Subnet, "zone", ZONE),
    (Kind::Subnet, "internet", FORWARD),
    (Kind::Firewall, "network", DOCUMENT),
    (Kind::Firewall, "labels", DOCUMENT),
    (Kind::Keypair, "public_key", DOCUMENT),
    (Kind::Keypair, "labels", DOCUMENT),
    (Kind::Image, "source", DOCUMENT),
    (Kind::Image, "sha256", DOCUMENT),
    (Kind::Image, "labels", DOCUMENT),
    (Kind::Machine, "capacity", OWNED),
    (Kind::Machine, "zone", ZONE),
    (Kind::Machine, "firewalls", FILTER),
    (Kind::Machine, "keypair", KEY),
    (Kind::Volume, "class", DOCUMENT),
    (Kind::Volume, "zone", ZONE),
    (Kind::Volume, "labels", DOCUMENT),
];

/// The namespace of our metadata.
const NAMESPACE: &str = "https://stratiform.dev/xmlns/libvirt/1";

/// Changes a field of a thing where libvirt, or the S3 beside it, has a call that does.
pub(crate) fn change(hosts: &[&Peer], thing: &Resource, field: Field, partners: &Partners) -> bool {
    let first = hosts[0].connect();
    match (&thing.spec, field) {
        (Spec::Subnet(_), Field::Cidr) => {
            let network = first.lookup_network_by_name(thing.id.as_str());
            let network = network.expect("the subnet");
            let xml = network.xml_desc(sys::VIR_NETWORK_XML_INACTIVE);
            let xml = xml.expect("its definition");
            // Half of it: without the addresses that DHCP gives to strangers, which are in the other.
            let other = xml.replace("prefix='24'", "prefix='25'");
            let (start, end) = (other.find("<dhcp>"), other.find("</dhcp>"));
            let (start, end) = (start.expect("DHCP"), end.expect("DHCP"));
            let other = format!("{}{}", &other[..start], &other[end + "</dhcp>".len()..]);
            assert_ne!(other, xml);
            first.define_network_xml(&other).expect("another range");
        }
        (Spec::Network(_) | Spec::Subnet(_), Field::Labels) => {
            let network = first.lookup_network_by_name(thing.id.as_str());
            let xml = network.expect("it is there").xml_desc(0);
            let xml = relabelled(&xml.expect("its definition"));
            first.define_network_xml(&xml).expect("net-edit");
        }
        (Spec::Machine(_), Field::Labels) => {
            let domain = domain(hosts, thing.id.as_str());
            let of = Some(NAMESPACE);
            let config = sys::VIR_DOMAIN_AFFECT_CONFIG;
            let kind = sys::VIR_DOMAIN_METADATA_ELEMENT;
            let (kind, config) = (i32::try_from(kind).expect("small"), config);
            let note = domain.metadata(kind, of, config).expect("metadata");
            let both = config | sys::VIR_DOMAIN_AFFECT_LIVE;
            let note = relabelled(&note);
            domain
                .set_metadata(kind, Some(&note), Some("strat"), of, both)
                .expect("metadata --set");
        }
        (Spec::Machine(machine), Field::Subnet) => {
            let domain = domain(hosts, thing.id.as_str());
            let (host, _) = thing.id.as_str().split_once('/').expect("a host");
            let nets = hosts[usize::from(host == "kvm2")].connect();
            let nets = nets.list_all_networks(sys::VIR_CONNECT_LIST_NETWORKS_ACTIVE);
            let names = nets.expect("the networks").into_iter();
            let mut names = names.map(|one| one.name().expect("a name"));
            let other = names.find(|name| *name != machine.subnet.as_str());
            let other = format!("network='{}'", other.expect("another network"));
            let xml = domain.xml_desc(sys::VIR_DOMAIN_XML_INACTIVE);
            let interface = interface_of(&xml.expect("its definition"));
            let own = format!("network='{}'", machine.subnet);
            assert!(interface.contains(&own), "{interface}");
            let moved = interface.replace(&own, &other);
            let config = sys::VIR_DOMAIN_AFFECT_CONFIG;
            let both = config | sys::VIR_DOMAIN_AFFECT_LIVE;
            domain
                .update_device_flags(&moved, both)
                .expect("update-device");
        }
        (Spec::Firewall(_), Field::Rules) => {
            let filter = filter(&first, &format!("{}.firewall", thing.id));
            admit(&first, &filter, 22);
        }
        (Spec::Machine(machine), Field::Cpu) => {
            let domain = domain(hosts, thing.id.as_str());
            let cpus = machine.cpu + 1;
            for flags in [sys::VIR_DOMAIN_VCPU_MAXIMUM, 0] {
                let flags = flags | sys::VIR_DOMAIN_AFFECT_CONFIG;
                domain.set_vcpus_flags(cpus, flags).expect("setvcpus");
            }
        }
        (Spec::Machine(machine), Field::Memory | Field::MachineType) => {
            let domain = domain(hosts, thing.id.as_str());
            let kib = (machine.memory.0 >> 10) - (64 << 10);
            let set = domain.set_memory_flags(kib, sys::VIR_DOMAIN_AFFECT_CONFIG);
            set.expect("setmem");
        }
        (Spec::Machine(machine), Field::Disks) => {
            let domain = domain(hosts, thing.id.as_str());
            let larger = machine.disks[0].size.0 + (1 << 30);
            let flags = sys::VIR_DOMAIN_BLOCK_RESIZE_BYTES;
            domain
                .block_resize("vda", larger, flags)
                .expect("blockresize");
        }
        (Spec::Volume(volume), Field::Size) => {
            let larger = volume.size.0 + (1 << 30);
            match &volume.attach {
                // QEMU holds the file of a machine that runs.
                Some(machine) => {
                    let flags = sys::VIR_DOMAIN_BLOCK_RESIZE_BYTES;
                    let resized =
                        domain(hosts, machine.as_str()).block_resize("sdb", larger, flags);
                    resized.expect("blockresize");
                }
                None => {
                    let (_, file) = volume_of(hosts, thing);
                    file.resize(larger, 0).expect("vol-resize");
                }
            }
        }
        (Spec::Volume(_), Field::Attach) => {
            let (host, file) = volume_of(hosts, thing);
            let (on, _) = partners.machine.as_str().split_once('/').expect("a host");
            let machine = match on == format!("kvm{}", host + 1) {
                true => domain(hosts, partners.machine.as_str()),
                // No call gives a machine a disk of another host.
                false => stranger_on(hosts[host]),
            };
            let path = file.path().expect("its path");
            let xml = format!(
                "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>\
                 <source file='{path}'/><target dev='sdb' bus='scsi'/></disk>"
            );
            let flags = sys::VIR_DOMAIN_AFFECT_CONFIG | sys::VIR_DOMAIN_AFFECT_LIVE;
            machine
                .attach_device_flags(&xml, flags)
                .expect("attach-device");
        }
        (Spec::Bucket(_), Field::Versioning) => {
            let on = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
            assert!(moto::shared().put(&format!("{}?versioning", thing.id), on));
        }
        (Spec::Bucket(_), Field::Labels) => {
            let place = format!("{}?tagging", thing.id);
            let tags = moto::shared().read(&place);
            let tag = "<TagSet><Tag><Key>cost-center</Key><Value>7</Value></Tag>";
            assert!(moto::shared().put(&place, &tags.replace("<TagSet>", tag)));
        }
        _ => return false,
    }
    true
}

/// Changes what is told of a kind under a word. `false` for a word that nobody knows.
pub(crate) fn upset(hosts: &[&Peer], thing: &Resource, what: &str) -> bool {
    let first = hosts[0].connect();
    match (thing.kind(), what) {
        (Kind::Network, "on") => {
            let last = hosts.last().expect("a host").connect();
            let network = last.lookup_network_by_name(thing.id.as_str());
            network
                .expect("it is there")
                .undefine()
                .expect("net-undefine");
        }
        (Kind::Subnet, "on") => {
            let network = first.lookup_network_by_name(thing.id.as_str());
            network
                .expect("it is there")
                .destroy()
                .expect("net-destroy");
        }
        (Kind::Firewall, "filter on") => {
            // What no rule of a firewall says: those are a field.
            let filter = filter(&first, &format!("{}.firewall", thing.id));
            let xml = filter.xml_desc(0).expect("its definition");
            let drop = "<rule action='drop' direction='in' priority='400'><tcp dstportstart='80' \
                        dstportend='80'/></rule></filter>";
            let xml = xml.replace("</filter>", drop);
            first.define_nwfilter_xml(&xml).expect("nwfilter-define");
        }
        (Kind::Machine, "filter") => {
            let domain = domain(hosts, thing.id.as_str());
            let xml = domain.xml_desc(0);
            let interface = interface_of(&xml.expect("its definition"));
            let config = sys::VIR_DOMAIN_AFFECT_CONFIG;
            let both = config | sys::VIR_DOMAIN_AFFECT_LIVE;
            let bare = unfiltered(&interface);
            domain
                .update_device_flags(&bare, both)
                .expect("update-device");
        }
        (Kind::Machine, "autostart") => {
            let domain = domain(hosts, thing.id.as_str());
            domain.set_autostart(false).expect("autostart --disable");
        }
        (Kind::Machine, "execution") => {
            domain(hosts, thing.id.as_str()).suspend().expect("suspend");
        }
        _ => return false,
    }
    true
}

/// The first interface of a domain, as it stands in its XML.
fn interface_of(xml: &str) -> String {
    let start = xml.find("<interface").expect("an interface");
    let end = xml.find("</interface>").expect("its end");
    format!("{}</interface>", &xml[start..end])
}

/// An interface without its filter.
fn unfiltered(interface: &str) -> String {
    let start = interface.find("<filterref").expect("a filter");
    let end = start + interface[start..].find("/>").expect("its end") + 2;
    format!("{}{}", &interface[..start], &interface[end..])
}

/// A document of ours in which the suite's label has another value.
fn relabelled(xml: &str) -> String {
    let other = xml.replace("conformance", "by-hand");
    assert_ne!(other, xml, "it has the suite's label");
    other
}

/// A guest of somebody else's that runs on a host: [`STRANGER`].
fn stranger_on(host: &Peer) -> Domain {
    let xml = format!(
        "<domain type='qemu'><name>{STRANGER}</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>\
         <os><type arch='x86_64'>hvm</type></os>\
         <devices><controller type='scsi' model='virtio-scsi'/></devices></domain>"
    );
    let guest = host.connect().define_domain_xml(&xml).expect("define");
    guest.create().expect("start");
    guest
}

/// What a guest is called that the suite makes past the provider, and takes away at its end.
pub(crate) const STRANGER: &str = "stranger";

fn domain(hosts: &[&Peer], id: &str) -> Domain {
    let (host, uuid) = id.split_once('/').expect("a host and a UUID");
    let connection = hosts[usize::from(host == "kvm2")].connect();
    let found = connection.lookup_domain_by_uuid_string(uuid);
    found.expect("the machine")
}

/// The host and the file of a volume.
fn volume_of(hosts: &[&Peer], thing: &Resource) -> (usize, virt::storage_vol::StorageVol) {
    let name = format!("{}.volume", thing.id);
    let mut found = hosts.iter().enumerate().filter_map(|(index, host)| {
        let pool = host.connect().lookup_storage_pool_by_name("stratiform");
        Some((index, pool.ok()?.lookup_storage_vol_by_name(&name).ok()?))
    });
    found.next().expect("the volume's file")
}

fn filter(connection: &Connect, name: &str) -> NWFilter {
    let found = connection.lookup_nwfilter_by_name(name);
    found.expect("the filter")
}

/// Admits a port to a filter, from some range.
fn admit(connection: &Connect, filter: &NWFilter, port: u16) {
    let xml = filter.xml_desc(0).expect("its definition");
    let rule = format!(
        "<rule action='accept' direction='in' priority='500'><tcp srcipaddr='192.0.2.0' \
         srcipmask='24' dstportstart='{port}' dstportend='{port}'/></rule></filter>"
    );
    let xml = xml.replace("</filter>", &rule);
    connection
        .define_nwfilter_xml(&xml)
        .expect("nwfilter-define");
}

const BLOCKS: &str = r#"
network "core" {
  cidr  = "10.95.0.0/16"
  sites = [site.dc1]
}
subnet "app" {
  network = network.core
  newbits = 8
}
firewall "web" {
  network = network.core
  ingress "http" {
    from     = ["internet"]
    protocol = "tcp"
    ports    = [80]
  }
  ingress "peers" {
    from     = [firewall.web]
    protocol = "tcp"
    ports    = [7000]
  }
}
machines "web" {
  count     = 2
  cpu       = 1
  memory    = "64MiB"
  image     = "debian-12"
  subnet    = subnet.app
  firewalls = [firewall.web]
}
machine "db" {
  cpu       = 1
  memory    = "128MiB"
  image     = "debian-12"
  subnet    = subnet.app
  firewalls = [firewall.web]
}
"#;

/// Each of them is told with what is and what is to be; one apply makes all of it good.
#[tokio::test(flavor = "multi_thread")]
async fn what_virsh_changes_is_told_and_made_good() {
    let pair = Pair::take();
    let hosts: Vec<&Peer> = pair.hosts().iter().collect();
    let topology = Topology::new(&hosts, "images = { debian-12 = \"debian-12.img\" }");
    topology.apply(BLOCKS).await;
    let connections: Vec<Connect> = hosts.iter().map(|host| host.connect()).collect();
    let named = |word: &str| {
        let all = connections.iter();
        let all = all.flat_map(|one| one.list_all_domains(0).expect("the domains"));
        let mut found = all.filter(|one| one.name().expect("a name").contains(word));
        found.next().expect("a machine")
    };
    let filters = connections[1].list_all_nw_filters(0).expect("the filters");
    let by_end = |end: &str| {
        let mut found = filters.iter();
        found
            .find(|one| one.name().expect("a name").ends_with(end))
            .expect("a filter")
    };
    let nets = connections[1].list_all_networks(0).expect("the networks");
    let net = |end: &str| {
        let ours = |name: &str| {
            name.starts_with("lab-") && name.ends_with(".network") == end.ends_with(".network")
        };
        let mut found = nets.iter();
        found
            .find(|one| ours(&one.name().expect("a name")))
            .expect("a network")
    };

    admit(&connections[1], by_end(".firewall"), 22);
    let db = named("db");
    db.set_autostart(false).expect("autostart --disable");
    let config = sys::VIR_DOMAIN_AFFECT_CONFIG;
    db.set_memory_flags(100 << 10, config).expect("setmem");
    let web = named("web");
    web.suspend().expect("suspend");
    let own = format!("{}.machine", web.name().expect("a name"));
    let home = usize::from(connections[0].lookup_nwfilter_by_name(&own).is_err());
    admit(&connections[home], &filter(&connections[home], &own), 23);
    net("subnet").destroy().expect("net-destroy");
    net(".network").undefine().expect("net-undefine");

    let told = topology.differences(BLOCKS).await;
    for wanted in [
        "firewall.web@dc1 rules",
        "machine.db@dc1 machine_type \"flex-1-100\" \"flex-1-512\"",
        "machine.db@dc1 setup {\"autostart\":\"not starting with its host\"} {\"autostart\":\"starting with its host\"}",
        "machines.web@dc1 setup {\"execution\":\"paused: somebody asked for it\",\"filter\":\"with accept in tcp dstportend=23",
        "subnet.app@dc1 setup {\"on kvm2\":\"stopped, and its machines are cut off\"}",
        "network.core@dc1 setup {\"on kvm2\":\"gone\"} {\"on kvm2\":\"there\"}",
    ] {
        assert!(
            told.iter().any(|one| one.starts_with(wanted)),
            "{wanted}: {told:#?}"
        );
    }
    let rules = told
        .iter()
        .find(|one| one.contains(" rules "))
        .expect("the rules");
    assert!(
        rules.contains("by-hand") && rules.contains("192.0.2.0/24"),
        "{rules}"
    );
    assert_eq!(told.len(), 6, "and nothing else: {told:#?}");

    topology.apply(BLOCKS).await;
    assert!(db.autostart().expect("autostart"));
    let (state, _) = web.state().expect("its state");
    assert_eq!(
        state,
        virt::enumutil::Enum::Known(virt::domain::DomainState::Running)
    );
    assert!(net("subnet").is_active().expect("its state"));

    // A machine whose interface is filtered by nobody.
    let xml = web.xml_desc(0).expect("its definition");
    let bare = unfiltered(&interface_of(&xml));
    let both = sys::VIR_DOMAIN_AFFECT_LIVE | config;
    web.update_device_flags(&bare, both).expect("update-device");
    let told = topology.differences(BLOCKS).await;
    let wanted = "machines.web@dc1 setup {\"filter\":\"none: nothing is refused\"}";
    assert!(told.len() == 1 && told[0].starts_with(wanted), "{told:#?}");
    topology.apply(BLOCKS).await;
    let xml = web.xml_desc(0).expect("its definition");
    assert!(
        xml.contains(&format!("<filterref filter='{own}'/>")),
        "{xml}"
    );
    topology.apply("").await;
}
