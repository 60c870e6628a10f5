//! Foreign things that stand beside every test and must come through it untouched.

use virt::connect::Connect;
use virt::sys;

const DOMAIN: &str = "<domain type='qemu'><name>bystander</name><memory unit='MiB'>64</memory>\
    <vcpu>1</vcpu><os><type arch='x86_64'>hvm</type></os></domain>";
const NETWORK: &str = "<network><name>bystander</name><bridge name='bystander0'/>\
    <ip address='192.168.250.1' netmask='255.255.255.0'/></network>";
const FILTER: &str =
    "<filter name='bystander'><rule action='drop' direction='in'><udp/></rule></filter>";
const POOL: &str = "<pool type='dir'><name>bystander</name><target><path>/var/lib/libvirt/bystander</path></target></pool>";
const VOLUME: &str = "<volume><name>bystander</name><capacity unit='MiB'>1</capacity></volume>";

/// Puts them there.
pub(crate) fn place(connection: &Connect) {
    connection
        .define_domain_xml(DOMAIN)
        .expect("a domain")
        .create()
        .expect("it starts");
    connection
        .define_network_xml(NETWORK)
        .expect("a network")
        .create()
        .expect("it starts");
    connection.define_nwfilter_xml(FILTER).expect("a filter");
    let pool = connection.define_storage_pool_xml(POOL, 0).expect("a pool");
    pool.build(0).expect("it is built");
    pool.set_autostart(true).expect("it starts by itself");
    pool.create(0).expect("it starts");
    virt::storage_vol::StorageVol::create_xml(&pool, VOLUME, 0).expect("a volume");
}

/// All that there is to say of them.
pub(crate) fn look(connection: &Connect) -> Vec<String> {
    let domain = connection
        .lookup_domain_by_name("bystander")
        .expect("the domain");
    let network = connection
        .lookup_network_by_name("bystander")
        .expect("the network");
    let filter = connection
        .lookup_nwfilter_by_name("bystander")
        .expect("the filter");
    let pool = connection
        .lookup_storage_pool_by_name("bystander")
        .expect("the pool");
    let volume = pool
        .lookup_storage_vol_by_name("bystander")
        .expect("the volume");
    assert!(
        domain.is_active().expect("its state"),
        "the foreign domain runs"
    );
    assert!(
        network.is_active().expect("its state"),
        "the foreign network runs"
    );
    vec![
        domain.xml_desc(sys::VIR_DOMAIN_XML_INACTIVE).expect("XML"),
        network.xml_desc(0).expect("XML"),
        filter.xml_desc(0).expect("XML"),
        pool.uuid_string().expect("a UUID"),
        volume.xml_desc(0).expect("XML"),
    ]
}
