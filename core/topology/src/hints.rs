//! What to write instead: examples of what is missing, and what other tools' words are here.

/// What a missing attribute might look like.
pub(crate) fn example(keyword: &str, attribute: &str) -> Option<&'static str> {
    Some(match (keyword, attribute) {
        ("module", "source") => "source = \"./modules/shop\"",
        ("site", "provider") => "provider = \"sim\"",
        ("lease", "store") => "store = \"postgres\"",
        ("network", "cidr") => "cidr = \"10.20.0.0/16\"",
        ("network", "sites") => "sites = [site.…]",
        ("subnet" | "firewall", "network") => "network = network.…",
        ("subnet", "newbits") => "newbits = 3",
        ("ingress", "from") => "from = [\"internet\"]",
        ("egress", "to") => "to = [\"internet\"]",
        ("keypair", "public_key") => "public_key = file(\"id_ed25519.pub\")",
        ("image", "source") => "source = \"disk.qcow2\"",
        ("machine" | "machines", "image") => "image = \"debian-12\"",
        ("machine" | "machines", "subnet") => "subnet = subnet.…",
        ("machines", "count") => "count = 3",
        ("disk" | "volume", "size") => "size = \"40GiB\"",
        ("bucket", "site") => "site = site.…",
        ("health", "port") => "port = 80",
        ("moved", "from") => "from = volume.…",
        ("moved", "to") => "to = volume.…",
        ("burst", "fleet") => "fleet = machines.…",
        ("burst", "max") => "max = 60",
        ("demand" | "utilisation", "query") => "query = \"sum(rate(http_requests_total[1m]))\"",
        ("demand", "each") => "each = 120",
        ("utilisation", "target") => "target = 0.7",
        ("wait", "arrivals") => "arrivals = \"sum(rate(calls_total[1m]))\"",
        ("wait", "service") => "service = \"45ms\"",
        ("wait", "within") => "within = \"200ms\"",
        ("backlog", "length") => "length = \"sum(queue_length)\"",
        ("backlog", "rate") => "rate = 2.5",
        ("backlog", "drain_in") => "drain_in = \"10m\"",
        ("window", "from") => "from = \"30 6 * * 1-5\"",
        ("window", "for") => "for = \"16h\"",
        ("window", "tz") => "tz = \"Europe/Prague\"",
        ("window", "min") => "min = 10",
        ("forecast", "of") => "of = \"demand\"",
        ("assert_reach" | "refuse_reach", "from") => "from = machines.web",
        ("assert_reach" | "refuse_reach", "to") => "to = machine.db",
        ("budget", "monthly") => "monthly = \"500 USD\"",
        ("output", "value") => "value = …",
        ("validation" | "precondition" | "postcondition" | "assert", "condition") => {
            "condition = …"
        }
        ("validation" | "precondition" | "postcondition" | "assert", "message") => {
            "message = \"…\""
        }
        ("dynamic", "for_each") => "for_each = …",
        ("removed", "from") => "from = volume.…",
        ("lookup", "site") => "site = site.…",
        _ => return None,
    })
}

/// What another tool's block is called here.
pub(crate) fn foreign(keyword: &str) -> Option<&'static str> {
    Some(match keyword {
        "resource" => {
            "blocks are named for what they are: `machine \"db\" { … }`, `network \"core\" { … }`"
        }
        "provider" => "a `site` block names a provider: `site \"east\" { provider = \"aws\" }`",
        "terraform" | "backend" => {
            "there is no state to configure; name the topology with `topology \"name\" {}`"
        }
        "lease" => "it stands in the topology's block: `topology \"name\" { lease { … } }`",
        "data" => {
            "what others own is looked up in a block of its kind: `network \"corp\" { lookup { site = \
             site.east, id = \"…\" } }`"
        }
        "import" => {
            "no block imports: write the block of the thing, then adopt it by its address and id"
        }
        "ephemeral" => {
            "there is none; what is secret stands in a `variable` with `sensitive = true`"
        }
        "instance" | "server" | "vm" | "node" => {
            "write `machine` for one with an identity, `machines` for a fleet"
        }
        "vpc" | "vnet" => "write `network`",
        "security_group" => "write `firewall`",
        "disk" => "a disk stands inside a machine; one that outlives it is a `volume`",
        "local" => "write `locals { name = value }`",
        _ => return None,
    })
}

/// What another tool's attribute is called in a block.
pub(crate) fn foreign_attribute(keyword: &str, attribute: &str) -> Option<&'static str> {
    let machine = matches!(keyword, "machine" | "machines");
    Some(match attribute {
        "tags" => "write `labels = { role = \"web\" }`",
        "instance_type" | "vm_size" | "flavor" | "size" | "type" if machine => {
            "write `cpu = 2` and `memory = \"4GiB\"`, or a cloud's own `machine_type`"
        }
        "vcpus" | "cores" if machine => "write `cpu`",
        "ram" | "memory_mb" if machine => "write `memory = \"4GiB\"`",
        "ami" | "image_id" | "source_image" if machine => "write `image = \"debian-12\"`",
        "subnet_id" | "subnets" | "network" | "network_id" if machine => {
            "write `subnet = subnet.…`"
        }
        "security_groups" | "vpc_security_group_ids" | "firewall" if machine => {
            "write `firewalls = [firewall.…]`"
        }
        "key_name" | "ssh_key" | "ssh_keys" if machine => "write `keypair = keypair.…`",
        "site" | "sites" | "zone" | "zones" | "availability_zone" | "region" if machine => {
            "where it runs stands in a block: `placement { sites = [site.…] }`, with a `zone`"
        }
        "replicas" | "desired_capacity" if machine => "write `machines` with a `count`",
        "cidr_block" | "address_space" | "ip_cidr_range" if keyword == "network" => {
            "write `cidr = \"10.20.0.0/16\"`"
        }
        "cidr" | "cidr_block" | "ip_cidr_range" | "prefix" if keyword == "subnet" => {
            "its range is found by itself: `newbits` says how large it is"
        }
        "vpc_id" | "vpc" | "network_id" => "write `network = network.…`",
        "site" | "sites" | "zone" | "availability_zone" if keyword == "subnet" => {
            "a subnet is at every site of its network, and in every zone where it has to be"
        }
        "to" if keyword == "ingress" => "an `ingress` block says `from` whom",
        "from" if keyword == "egress" => "an `egress` block says `to` whom",
        "cidr_blocks" | "source_ranges" | "sources" if keyword == "ingress" => {
            "write `from = [\"internet\"]`"
        }
        "cidr_blocks" | "destinations" if keyword == "egress" => "write `to = [\"internet\"]`",
        "from_port" | "to_port" | "port" => "write `ports = [80, \"8000-8099\"]`",
        "instance" | "instance_id" | "machine" if matches!(keyword, "volume" | "address") => {
            "write `attach = machine.…`"
        }
        "availability_zone" if keyword == "volume" => "write `zone`",
        "error_message" => "write `message`",
        "nullable" | "ephemeral" if keyword == "variable" => {
            "there is none; a `validation` can refuse null"
        }
        "prevent_destroy" | "deletion_protection" => "write `protect = true`",
        _ => return None,
    })
}

/// What another tool's nested block is here.
pub(crate) fn foreign_nested(keyword: &str) -> Option<&'static str> {
    Some(match keyword {
        "backend" => "where leases are kept, a `lease` block says; there is no state to configure",
        "lifecycle" => {
            "write `protect`, `ignore_changes`, `precondition` and `postcondition` in the block itself; \
             the new one is made before the old one goes anyway"
        }
        "provisioner" | "connection" => "what a machine does at its first boot is its `user_data`",
        "tags" => "write `labels = { role = \"web\" }`",
        "root_block_device" | "boot_disk" | "ebs_block_device" => {
            "write `disk { size = \"40GiB\" }`, the boot disk first"
        }
        "rule" => "write `ingress \"name\" { … }` or `egress \"name\" { … }`",
        _ => return None,
    })
}

/// What another tool's reference is here.
pub(crate) fn foreign_root(root: &str) -> Option<&'static str> {
    Some(match root {
        "path" => "there is `path.module`: the module's folder, from the topology's",
        "terraform" => "there are no workspaces; use a variable",
        "data" => {
            "what others own is looked up in a block of its kind, and named as that: `network.corp`; \
             images, zones and sizes are named, and the provider finds them"
        }
        "self" => "name the block itself, such as `machine.db`",
        "resource" => "begin with the block's kind, such as `machine.db`",
        _ => return None,
    })
}

/// `a` or `an`, with the word.
pub(crate) fn with_article(word: &str) -> String {
    let article = if word.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    format!("{article} `{word}`")
}
