//! The seed disk that cloud-init reads at a machine's first boot.
//!
//! It is the `NoCloud` data source: a file system labelled `CIDATA` with `meta-data`, `user-data`
//! and `network-config` in it; FAT is one of the two kinds that it takes.
//! <https://cloudinit.readthedocs.io/en/latest/reference/datasources/nocloud.html>

use std::io::{Cursor, Write};
use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;
use serde_json::json;
use strat_model::{Error, ErrorKind, Result};

use crate::error::fail;

/// What a machine is told of its network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Addressing {
    /// By DHCP.
    Dhcp,
    /// By the seed itself, on a bridge where nobody else says.
    Static {
        ip: Ipv4Addr,
        subnet: Ipv4Net,
        gateway: Ipv4Addr,
        dns: Vec<IpAddr>,
    },
}

/// What goes onto a seed disk.
#[derive(Debug, Clone)]
pub(crate) struct Seed<'a> {
    /// What makes cloud-init take this for a first boot.
    pub(crate) instance_id: &'a str,
    pub(crate) hostname: &'a str,
    pub(crate) public_key: Option<&'a str>,
    pub(crate) user_data: Option<&'a str>,
    pub(crate) mac: &'a str,
    pub(crate) addressing: &'a Addressing,
}

impl Seed<'_> {
    /// The files. JSON is YAML, and needs no other writer.
    fn files(&self) -> [(&'static str, String); 3] {
        let keys: Vec<_> = self.public_key.into_iter().collect();
        let meta = json!({
            "instance-id": self.instance_id,
            "local-hostname": self.hostname,
            "public-keys": keys,
        });
        let mut card = json!({ "match": { "macaddress": self.mac } });
        match self.addressing {
            Addressing::Dhcp => card["dhcp4"] = true.into(),
            Addressing::Static {
                ip,
                subnet,
                gateway,
                dns,
            } => {
                card["addresses"] = json!([format!("{ip}/{}", subnet.prefix_len())]);
                card["routes"] = json!([{ "to": "0.0.0.0/0", "via": gateway }]);
                card["nameservers"] = json!({ "addresses": dns });
            }
        }
        let network = json!({ "version": 2, "ethernets": { "primary": card } });
        let user_data = self.user_data.unwrap_or("#cloud-config\n{}\n");
        [
            ("meta-data", format!("{meta}\n")),
            ("network-config", format!("{network}\n")),
            ("user-data", user_data.to_owned()),
        ]
    }

    /// The whole disk.
    pub(crate) fn image(&self) -> Result<Vec<u8>> {
        let wrong = |error: std::io::Error| -> Error {
            fail(ErrorKind::Internal, "the seed disk cannot be written").with_source(error)
        };
        let files = self.files();
        let content: usize = files.iter().map(|(_, text)| text.len()).sum();
        // Room for the tables, and whole sectors.
        let size = (content + content / 8 + (256 << 10)).next_multiple_of(512);
        let mut disk = Cursor::new(vec![0; size]);
        let options = fatfs::FormatVolumeOptions::new().volume_label(*b"CIDATA     ");
        fatfs::format_volume(&mut disk, options).map_err(wrong)?;
        {
            let volume =
                fatfs::FileSystem::new(&mut disk, fatfs::FsOptions::new()).map_err(wrong)?;
            for (name, text) in &files {
                let mut file = volume.root_dir().create_file(name).map_err(wrong)?;
                file.write_all(text.as_bytes()).map_err(wrong)?;
                file.flush().map_err(wrong)?;
            }
            volume.unmount().map_err(wrong)?;
        }
        Ok(disk.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn read(disk: &[u8], name: &str) -> String {
        let mut disk = Cursor::new(disk.to_vec());
        let volume = fatfs::FileSystem::new(&mut disk, fatfs::FsOptions::new()).expect("a volume");
        assert_eq!(volume.volume_label().trim(), "CIDATA");
        let mut text = String::new();
        let mut file = volume.root_dir().open_file(name).expect("the file");
        file.read_to_string(&mut text).expect("text");
        text
    }

    #[test]
    fn a_seed_reads_back() {
        let long = format!("#!/bin/sh\n# {}\n", "x".repeat(1 << 20));
        for data in ["#!/bin/sh\ntrue\n", long.as_str()] {
            let seed = Seed {
                instance_id: "i-1",
                hostname: "web",
                public_key: Some("ssh-ed25519 AAAA"),
                user_data: Some(data),
                mac: "52:54:00:00:00:01",
                addressing: &Addressing::Dhcp,
            };
            let disk = seed.image().expect("an image");
            assert_eq!(read(&disk, "user-data"), data);
            let meta: serde_json::Value =
                serde_json::from_str(&read(&disk, "meta-data")).expect("JSON");
            assert_eq!(meta["public-keys"][0], "ssh-ed25519 AAAA");
            assert!(read(&disk, "network-config").contains("\"dhcp4\":true"));
            assert_eq!(disk, seed.image().expect("an image"), "the same each time");
        }
    }

    #[test]
    fn a_static_address_is_written() {
        let addressing = Addressing::Static {
            ip: Ipv4Addr::new(10, 0, 0, 7),
            subnet: "10.0.0.0/24".parse().expect("a range"),
            gateway: Ipv4Addr::new(10, 0, 0, 1),
            dns: vec![IpAddr::V4(Ipv4Addr::new(9, 9, 9, 9))],
        };
        let seed = Seed {
            instance_id: "i",
            hostname: "h",
            public_key: None,
            user_data: None,
            mac: "m",
            addressing: &addressing,
        };
        let text = read(&seed.image().expect("an image"), "network-config");
        assert!(
            text.contains("10.0.0.7/24") && text.contains("9.9.9.9"),
            "{text}"
        );
    }
}
