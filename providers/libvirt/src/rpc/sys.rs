//! libvirt's constants, by libvirt's names: <https://libvirt.org/html/index.html>.

// `virErrorNumber`.
pub(crate) const VIR_ERR_NO_SUPPORT: u32 = 3;
pub(crate) const VIR_ERR_UNKNOWN_HOST: u32 = 4;
pub(crate) const VIR_ERR_NO_CONNECT: u32 = 5;
pub(crate) const VIR_ERR_INVALID_CONN: u32 = 6;
pub(crate) const VIR_ERR_INVALID_ARG: u32 = 8;
pub(crate) const VIR_ERR_XML_ERROR: u32 = 27;
pub(crate) const VIR_ERR_DOM_EXIST: u32 = 28;
pub(crate) const VIR_ERR_OPERATION_DENIED: u32 = 29;
pub(crate) const VIR_ERR_XML_DETAIL: u32 = 35;
pub(crate) const VIR_ERR_NETWORK_EXIST: u32 = 37;
pub(crate) const VIR_ERR_SYSTEM_ERROR: u32 = 38;
pub(crate) const VIR_ERR_RPC: u32 = 39;
pub(crate) const VIR_ERR_GNUTLS_ERROR: u32 = 40;
pub(crate) const VIR_ERR_NO_DOMAIN: u32 = 42;
pub(crate) const VIR_ERR_NO_NETWORK: u32 = 43;
pub(crate) const VIR_ERR_INVALID_MAC: u32 = 44;
pub(crate) const VIR_ERR_AUTH_FAILED: u32 = 45;
pub(crate) const VIR_ERR_NO_STORAGE_POOL: u32 = 49;
pub(crate) const VIR_ERR_NO_STORAGE_VOL: u32 = 50;
pub(crate) const VIR_ERR_OPERATION_INVALID: u32 = 55;
pub(crate) const VIR_ERR_NO_NODE_DEVICE: u32 = 53;
pub(crate) const VIR_ERR_NO_INTERFACE: u32 = 57;
pub(crate) const VIR_ERR_NO_NWFILTER: u32 = 62;
pub(crate) const VIR_ERR_CONFIG_UNSUPPORTED: u32 = 67;
pub(crate) const VIR_ERR_OPERATION_TIMEOUT: u32 = 68;
pub(crate) const VIR_ERR_ARGUMENT_UNSUPPORTED: u32 = 74;
pub(crate) const VIR_ERR_AUTH_CANCELLED: u32 = 79;
pub(crate) const VIR_ERR_OPERATION_UNSUPPORTED: u32 = 84;
pub(crate) const VIR_ERR_RESOURCE_BUSY: u32 = 87;
pub(crate) const VIR_ERR_ACCESS_DENIED: u32 = 88;
pub(crate) const VIR_ERR_STORAGE_VOL_EXIST: u32 = 90;
pub(crate) const VIR_ERR_XML_INVALID_SCHEMA: u32 = 92;
pub(crate) const VIR_ERR_AUTH_UNAVAILABLE: u32 = 94;
pub(crate) const VIR_ERR_LIBSSH: u32 = 98;
pub(crate) const VIR_ERR_DEVICE_MISSING: u32 = 99;

// `virErrorDomain`.
pub(crate) const VIR_FROM_RPC: i32 = 7;
pub(crate) const VIR_FROM_REMOTE: i32 = 13;

// Domains.
pub(crate) const VIR_DOMAIN_AFFECT_LIVE: u32 = 1;
pub(crate) const VIR_DOMAIN_AFFECT_CONFIG: u32 = 2;
pub(crate) const VIR_DOMAIN_MEM_MAXIMUM: u32 = 4;
pub(crate) const VIR_DOMAIN_VCPU_MAXIMUM: u32 = 4;
pub(crate) const VIR_DOMAIN_XML_INACTIVE: u32 = 2;
pub(crate) const VIR_DOMAIN_START_AUTODESTROY: u32 = 2;
pub(crate) const VIR_DOMAIN_METADATA_ELEMENT: i32 = 2;
pub(crate) const VIR_DOMAIN_UNDEFINE_MANAGED_SAVE: u32 = 1;
pub(crate) const VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA: u32 = 2;
pub(crate) const VIR_DOMAIN_UNDEFINE_NVRAM: u32 = 4;
pub(crate) const VIR_DOMAIN_BLOCK_RESIZE_BYTES: u32 = 1;
pub(crate) const VIR_DOMAIN_PAUSED_USER: i32 = 1;
pub(crate) const VIR_DOMAIN_PAUSED_IOERROR: i32 = 5;
pub(crate) const VIR_DOMAIN_PAUSED_WATCHDOG: i32 = 6;
pub(crate) const VIR_DOMAIN_PAUSED_FROM_SNAPSHOT: i32 = 7;
pub(crate) const VIR_DOMAIN_SHUTOFF_CRASHED: i32 = 3;
pub(crate) const VIR_DOMAIN_SHUTOFF_FAILED: i32 = 6;

// Events of domains.
pub(super) const VIR_DOMAIN_EVENT_ID_LIFECYCLE: i32 = 0;
pub(super) const VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED: i32 = 15;
pub(super) const VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED: i32 = 22;
pub(super) const VIR_DOMAIN_EVENT_UNDEFINED: i32 = 1;
pub(super) const VIR_DOMAIN_EVENT_STOPPED: i32 = 5;
pub(super) const VIR_DOMAIN_EVENT_CRASHED: i32 = 8;

// Networks.
pub(crate) const VIR_NETWORK_XML_INACTIVE: u32 = 1;
pub(crate) const VIR_NETWORK_UPDATE_COMMAND_DELETE: u32 = 2;
pub(crate) const VIR_NETWORK_UPDATE_COMMAND_ADD_LAST: u32 = 3;
pub(crate) const VIR_NETWORK_UPDATE_AFFECT_LIVE: u32 = 1;
pub(crate) const VIR_NETWORK_UPDATE_AFFECT_CONFIG: u32 = 2;
pub(crate) const VIR_NETWORK_SECTION_IP_DHCP_HOST: u32 = 4;
