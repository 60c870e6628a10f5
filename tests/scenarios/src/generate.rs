//! Random topologies, as text.

use std::fmt::Write as _;

use fastrand::Rng;

/// A topology as blocks of text, in no particular order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Random {
    /// One block each.
    pub blocks: Vec<String>,
}

/// How the clouds of a random topology behave.
const CALM: &str = "  latency_ms = 0\n  create_ms = 0\n  delete_ms = 0\n  consistency_ms = 0\n";

/// How clouds behave on a bad day: the settings of every site.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weather {
    /// What chance is drawn from.
    pub seed: u64,
    /// The share of changing calls whose answer is lost.
    pub lost_answers: f64,
    /// The share of calls that fail before they have an effect.
    pub faults: f64,
    /// How far lists and marks lag behind.
    pub lag_ms: u64,
    /// How many calls a second each operation takes.
    pub rate_per_second: u32,
    /// How much a page of a list holds.
    pub page_size: u64,
}

impl Weather {
    /// One that is never the same twice.
    #[must_use]
    pub fn bad(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        Self {
            seed,
            lost_answers: 0.1 + 0.1 * rng.f64(),
            faults: 0.05 + 0.05 * rng.f64(),
            lag_ms: 5000,
            rate_per_second: rng.u32(5..40),
            page_size: rng.u64(1..6),
        }
    }

    /// Nothing fails, but lists lag behind.
    #[must_use]
    pub const fn late(seed: u64) -> Self {
        Self {
            seed,
            lost_answers: 0.0,
            faults: 0.0,
            lag_ms: 5000,
            rate_per_second: 1000,
            page_size: 100,
        }
    }

    fn settings(&self) -> String {
        let Self {
            seed,
            lost_answers,
            faults,
            lag_ms,
            rate_per_second,
            page_size,
        } = self;
        format!(
            "  seed = {}\n  latency_ms = 30\n  create_ms = 4000\n  delete_ms = 3000\n  consistency_ms = {lag_ms}\n  lost_answers = {lost_answers:.3}\n  faults = {faults:.3}\n  rate_per_second = {rate_per_second}\n  page_size = {page_size}\n",
            seed % 1_000_000
        )
    }
}

impl Random {
    /// The same topology in other weather.
    #[must_use]
    pub fn in_weather(mut self, weather: &Weather) -> Self {
        for block in &mut self.blocks {
            *block = block.replace(CALM, &weather.settings());
        }
        self
    }

    /// The same topology of another realm, in the clouds of another folder.
    #[must_use]
    pub fn in_realm(mut self, realm: &str, world: &std::path::Path) -> Self {
        let world = format!("  world = \"{}\"\n  account =", world.display());
        for block in &mut self.blocks {
            if block.starts_with("topology") {
                *block = block.replacen('{', &format!("{{\n  realm = \"{realm}\""), 1);
            } else if block.starts_with("site") {
                *block = block.replacen("  account =", &world, 1);
            }
        }
        self
    }

    /// The same topology with another number of processors at its owned site, where it has one.
    #[must_use]
    pub fn with_cpus(mut self, cpus: u32) -> Self {
        for block in &mut self.blocks {
            *block = block.replace("cpu = 200,", &format!("cpu = {cpus},"));
        }
        self
    }

    /// The whole as one file.
    #[must_use]
    pub fn text(&self) -> String {
        self.blocks.join("\n")
    }

    /// The same blocks in another order, in a few files.
    #[must_use]
    pub fn shuffled(&self, seed: u64) -> Vec<String> {
        let mut rng = Rng::with_seed(seed);
        let mut blocks = self.blocks.clone();
        rng.shuffle(&mut blocks);
        let mut files = vec![String::new(); rng.usize(1..4)];
        for block in blocks {
            let file = rng.usize(0..files.len());
            files[file].push_str(&block);
            files[file].push('\n');
        }
        files
    }
}

/// What sites there are to choose from: name, profile, region, whether it sells all kinds.
const SITES: [(&str, &str, &str, bool); 4] = [
    ("dc1", "onprem", "dc1", false),
    ("east", "aws", "us-east-1", true),
    ("north", "gcp", "europe-north1", true),
    ("west", "azure", "westeurope", true),
];

/// A topology of a shape that `shape` decides and of values that `detail` decides: two with the
/// same shape are the same topology before and after an edit.
#[must_use]
pub fn random(shape: u64, detail: u64) -> Random {
    let mut generator = Generator {
        shape: Rng::with_seed(shape),
        detail: Rng::with_seed(detail),
        blocks: Vec::new(),
    };
    generator.topology();
    Random {
        blocks: generator.blocks,
    }
}

struct Generator {
    shape: Rng,
    detail: Rng,
    blocks: Vec<String>,
}

impl Generator {
    fn topology(&mut self) {
        let tier = self.detail.u32(0..2);
        self.blocks.push(format!(
            "topology \"random\" {{\n  labels = {{ tier = \"t{tier}\" }}\n}}\n"
        ));
        let mut sites: Vec<_> = SITES.to_vec();
        self.shape.shuffle(&mut sites);
        sites.truncate(self.shape.usize(1..=SITES.len()));
        for (name, profile, region, cloud) in &sites {
            let capacity = if *cloud {
                ""
            } else {
                "  capacity = { cpu = 200, memory = \"800GiB\", disk = \"8TiB\" }\n"
            };
            self.blocks.push(format!(
                "site \"{name}\" {{\n  provider = \"sim\"\n  account = \"main\"\n  profile = \"{profile}\"\n  region = \"{region}\"\n{capacity}{CALM}}}\n"
            ));
        }
        self.blocks.push("keypair \"ops\" {\n  public_key = \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMxfrI+Bu8nPAupzfnRCccjZiZZSM4z5fn+BcrV2JcIo x\"\n}\n".to_owned());
        for number in 0..self.shape.usize(1..=2) {
            self.network(number, &sites);
        }
        for number in 0..self.shape.usize(0..=2) {
            let clouds: Vec<_> = sites.iter().filter(|site| site.3).collect();
            if !clouds.is_empty() {
                let site = clouds[self.shape.usize(0..clouds.len())].0;
                let versioning = self.detail.bool();
                self.blocks.push(format!("bucket \"b{number}\" {{\n  site = site.{site}\n  versioning = {versioning}\n}}\n"));
            }
        }
    }

    fn network(&mut self, number: usize, sites: &[(&str, &str, &str, bool)]) {
        let sites: Vec<&str> = sites.iter().map(|site| site.0).collect();
        let listed: Vec<String> = sites.iter().map(|site| format!("site.{site}")).collect();
        let listed = listed.join(", ");
        self.blocks.push(format!(
            "network \"n{number}\" {{\n  cidr = \"10.{number}.0.0/16\"\n  site_prefix = 20\n  sites = [{listed}]\n}}\n"
        ));
        let subnets = self.shape.usize(1..=2);
        for subnet in 0..subnets {
            // The first is where addresses lead to; the others have one way or another, or say nothing.
            let ways = [
                "",
                "  internet = \"outbound\"\n",
                "  internet = \"none\"\n",
                "  internet = \"public\"\n",
            ];
            let way = match subnet {
                0 => ways[3],
                _ => ways[self.detail.usize(0..ways.len())],
            };
            self.blocks.push(format!("subnet \"n{number}s{subnet}\" {{\n  network = network.n{number}\n  newbits = 3\n{way}}}\n"));
        }
        let firewalls = self.shape.usize(0..=3);
        for firewall in 0..firewalls {
            self.firewall(number, firewall, firewalls);
        }
        for fleet in 0..self.shape.usize(0..=2) {
            self.fleet(number, fleet, subnets, firewalls, &listed);
        }
        if self.shape.bool() {
            self.machine(number, subnets, firewalls, &listed);
        }
    }

    fn firewall(&mut self, network: usize, number: usize, firewalls: usize) {
        let mut text =
            format!("firewall \"n{network}f{number}\" {{\n  network = network.n{network}\n");
        for rule in 0..self.shape.usize(0..=3) {
            let peer = match self.shape.usize(0..3) {
                0 => "\"internet\"".to_owned(),
                1 => format!("\"192.168.{rule}.0/24\""),
                _ => format!("firewall.n{network}f{}", self.shape.usize(0..firewalls)),
            };
            let port = self.detail.u16(1..5);
            let _ = write!(
                text,
                "  ingress \"r{rule}\" {{\n    from = [{peer}]\n    protocol = \"tcp\"\n    ports = [{port}, \"{}-{}\"]\n  }}\n",
                port + 10,
                port + 20
            );
        }
        text.push_str("}\n");
        self.blocks.push(text);
    }

    fn body(&mut self, network: usize, subnets: usize, firewalls: usize, sites: &str) -> String {
        let cpu = [2, 4][self.shape.usize(0..2)];
        let subnet = self.shape.usize(0..subnets);
        let mut text = format!(
            "  cpu = {cpu}\n  memory = \"{}GiB\"\n  image = \"debian-12\"\n  subnet = subnet.n{network}s{subnet}\n",
            cpu * 2
        );
        if subnet == 0 && self.detail.bool() {
            text.push_str("  public_ip = true\n");
        }
        if firewalls > 0 {
            let carried = self.shape.usize(0..firewalls);
            let _ = writeln!(text, "  firewalls = [firewall.n{network}f{carried}]");
        }
        if self.shape.bool() {
            text.push_str("  keypair = keypair.ops\n");
        }
        if self.shape.bool() {
            let _ = writeln!(
                text,
                "  user_data = \"#!/bin/sh\\necho {}\\n\"",
                self.detail.u32(0..3)
            );
        }
        let spread = if self.shape.bool() {
            "  spread = \"zone\"\n"
        } else {
            ""
        };
        let _ = write!(
            text,
            "  labels = {{ step = \"s{}\" }}\n  placement {{\n  sites = [{sites}]\n{spread}  }}\n",
            self.detail.u32(0..3)
        );
        text
    }

    fn fleet(
        &mut self,
        network: usize,
        number: usize,
        subnets: usize,
        firewalls: usize,
        sites: &str,
    ) {
        let count = self.detail.u32(0..=9);
        let body = self.body(network, subnets, firewalls, sites);
        self.blocks.push(format!(
            "machines \"n{network}m{number}\" {{\n  count = {count}\n{body}}}\n"
        ));
    }

    fn machine(&mut self, network: usize, subnets: usize, firewalls: usize, sites: &str) {
        let keys = ["\"a\"", "\"a\", \"b\""][self.detail.usize(0..2)];
        let is_addressed = !sites.contains("dc1") && self.shape.bool();
        let subnets = if is_addressed { 1 } else { subnets };
        let body = self.body(network, subnets, firewalls, sites);
        if is_addressed {
            self.blocks.push(format!("address \"n{network}a\" {{\n  for_each = machine.n{network}x\n  attach = each.value\n}}\n"));
        }
        self.blocks.push(format!(
            "machine \"n{network}x\" {{\n  for_each = toset([{keys}])\n{body}}}\n"
        ));
        if self.shape.bool() {
            // Another shape's volume is another volume: a volume never follows to another site.
            let tag = self.shape.u32(..);
            let class = ["ssd", "nvme"][self.detail.usize(0..2)];
            let disposable = self.shape.u32(0..4) == 0;
            self.blocks.push(format!("volume \"n{network}v{tag}\" {{\n  for_each = machine.n{network}x\n  size = \"10GiB\"\n  class = \"{class}\"\n  disposable = {disposable}\n  attach = each.value\n}}\n"));
        }
    }
}
