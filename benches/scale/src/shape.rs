//! Topologies of any size, and their twins for the tool to beat.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// The site and the network of every topology here. No call takes time, and nothing runs out.
const HEAD: &str = r#"topology "bench" {}

site "east" {
  provider       = "sim"
  profile        = "gcp"
  region         = "us-central1"
  latency_ms     = 0
  create_ms      = 0
  delete_ms      = 0
  consistency_ms = 0
  quotas         = { total = 100000000, e2 = 100000000 }
}

network "core" {
  cidr  = "10.0.0.0/8"
  sites = [site.east]
}

subnet "app" {
  network = network.core
  newbits = 3
}

firewall "web" {
  network = network.core

  ingress "http" {
    from     = ["internet"]
    protocol = "tcp"
    ports    = [80]
  }
}
"#;

/// Begins a topology in a folder.
fn begin(dir: &Path) -> io::Result<BufWriter<File>> {
    let mut file = BufWriter::new(File::create(dir.join("bench.hcl"))?);
    file.write_all(HEAD.as_bytes())?;
    Ok(file)
}

/// Half machines, half volumes attached to them; each a block of its own.
pub(crate) fn separate(dir: &Path, count: u32) -> io::Result<()> {
    let mut file = begin(dir)?;
    for i in 0..count / 2 {
        write!(
            file,
            r#"
machine "m{i}" {{
  cpu       = 2
  memory    = "4GiB"
  image     = "debian-12"
  subnet    = subnet.app
  firewalls = [firewall.web]
  labels    = {{ role = "node", number = "{i}" }}
  placement {{ sites = [site.east] }}
}}

volume "v{i}" {{
  size   = "10GiB"
  attach = machine.m{i}
}}
"#
        )?;
    }
    file.flush()
}

/// The same as two blocks with a count.
pub(crate) fn instances(dir: &Path, count: u32) -> io::Result<()> {
    let mut file = begin(dir)?;
    let half = count / 2;
    write!(
        file,
        r#"
machine "m" {{
  count     = {half}
  cpu       = 2
  memory    = "4GiB"
  image     = "debian-12"
  subnet    = subnet.app
  firewalls = [firewall.web]
  labels    = {{ role = "node", number = tostring(count.index) }}
  placement {{ sites = [site.east] }}
}}

volume "v" {{
  count  = {half}
  size   = "10GiB"
  attach = machine.m[count.index]
}}
"#
    )?;
    file.flush()
}

/// Blocks with a count whose instances wait for all of another block: all alike, each for one thing
/// more, or for what stands in their user data.
#[cfg(test)]
pub(crate) fn waiting(dir: &Path, count: u32) -> io::Result<()> {
    let mut file = begin(dir)?;
    let (half, few) = (count / 2, count / 10);
    write!(
        file,
        r#"
bucket "a" {{
  count = {half}
  site  = site.east
}}

bucket "b" {{
  count      = {half}
  site       = site.east
  depends_on = [bucket.a]
}}

bucket "c" {{
  count = {few}
  site  = site.east
}}

bucket "d" {{
  count      = {few}
  site       = site.east
  depends_on = [bucket.b, bucket.c[count.index]]
}}

machine "m" {{
  count     = {few}
  cpu       = 2
  memory    = "4GiB"
  image     = "debian-12"
  subnet    = subnet.app
  firewalls = [firewall.web]
  user_data = "%{{ for b in bucket.c }}${{b.id}}%{{ endfor }}"
  placement {{ sites = [site.east] }}
}}
"#
    )?;
    file.flush()
}

/// Machines, and volumes at the first of them.
pub(crate) fn attached(dir: &Path, machines: u32, volumes: u32) -> io::Result<()> {
    let mut file = begin(dir)?;
    write!(
        file,
        r#"
machine "m" {{
  count     = {machines}
  cpu       = 2
  memory    = "4GiB"
  image     = "debian-12"
  subnet    = subnet.app
  firewalls = [firewall.web]
  placement {{ sites = [site.east] }}
}}

volume "v" {{
  count  = {volumes}
  size   = "10GiB"
  attach = machine.m[count.index]
}}
"#
    )?;
    file.flush()
}

/// Fleets of machines, ten of them.
pub(crate) fn fleets(dir: &Path, count: u32) -> io::Result<()> {
    let mut file = begin(dir)?;
    for i in 0..10 {
        write!(
            file,
            r#"
machines "f{i}" {{
  count     = {}
  cpu       = 2
  memory    = "4GiB"
  image     = "debian-12"
  subnet    = subnet.app
  firewalls = [firewall.web]

  placement {{
    sites  = [site.east]
    spread = "zone"
  }}
}}
"#,
            count / 10
        )?;
    }
    file.flush()
}

/// The twin of [`separate`]: as many resources, with the same references between them, of the one
/// kind that the tool has built in and that needs no cloud.
pub(crate) fn twin(dir: &Path, count: u32) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(dir.join("main.tf"))?);
    file.write_all(
        br#"resource "terraform_data" "core" {
  input = { cidr = "10.0.0.0/8" }
}

resource "terraform_data" "app" {
  input = { network = terraform_data.core.id, newbits = 3 }
}

resource "terraform_data" "web" {
  input = { network = terraform_data.core.id, ports = [80] }
}
"#,
    )?;
    for i in 0..count / 2 {
        write!(
            file,
            r#"
resource "terraform_data" "m{i}" {{
  input = {{
    cpu       = 2
    memory    = "4GiB"
    image     = "debian-12"
    subnet    = terraform_data.app.id
    firewalls = [terraform_data.web.id]
    labels    = {{ role = "node", number = "{i}" }}
  }}
}}

resource "terraform_data" "v{i}" {{
  input = {{
    size   = "10GiB"
    attach = terraform_data.m{i}.id
  }}
}}
"#
        )?;
    }
    file.flush()
}
