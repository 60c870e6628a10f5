//! A host's connection URI: <https://libvirt.org/uri.html>.

use std::process::Command;

/// The parts of a connection URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Uri {
    /// What runs the guests: `qemu`, `test`.
    pub(crate) driver: String,
    /// The way to the host, where one is named: `unix`, `ssh`, `libssh`, `tls`, `tcp`.
    pub(crate) transport: Option<String>,
    user: Option<String>,
    /// Empty for this machine.
    pub(crate) machine: String,
    port: Option<String>,
    /// With its slash: `/system`.
    pub(crate) path: String,
    parameters: Vec<(String, String)>,
}

impl Uri {
    /// Reads a URI; `None` where it is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let (driver, transport) = match scheme.split_once('+') {
            Some((driver, transport)) => (driver, Some(transport.to_owned())),
            None => (scheme, None),
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let slash = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(slash);
        let (user, address) = match authority.rsplit_once('@') {
            Some((user, address)) => (Some(decoded(user)), address),
            None => (None, authority),
        };
        let (machine, port) = match address.strip_prefix('[') {
            Some(v6) => {
                let (machine, rest) = v6.split_once(']')?;
                (machine, rest.strip_prefix(':'))
            }
            None => match address.split_once(':') {
                Some((machine, port)) => (machine, Some(port)),
                None => (address, None),
            },
        };
        let pairs = query.split(['&', ';']).filter(|pair| !pair.is_empty());
        let parameters = pairs.map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key.to_owned(), decoded(value))
        });
        Some(Self {
            driver: driver.to_owned(),
            transport,
            user,
            machine: machine.to_owned(),
            port: port.map(str::to_owned),
            path: path.to_owned(),
            parameters: parameters.collect(),
        })
    }

    /// The value of a parameter.
    pub(crate) fn parameter(&self, key: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, _)| known == key);
        found.map(|(_, value)| value.as_str())
    }

    /// What the host's own daemon is asked for: the URI without the way to it.
    pub(crate) fn name(&self) -> String {
        format!("{}://{}", self.driver, self.path)
    }

    /// Whether it names this machine.
    pub(crate) fn is_local(&self) -> bool {
        self.machine.is_empty() && matches!(self.transport.as_deref(), None | Some("unix"))
    }

    /// Whether it is reached over SSH, by whatever client of it libvirt would use.
    fn is_by_ssh(&self) -> bool {
        let transport = self.transport.as_deref();
        matches!(transport, Some("ssh" | "libssh" | "libssh2")) && !self.machine.is_empty()
    }

    /// Why it cannot be used, if it cannot, and what can.
    pub(crate) fn trouble(&self) -> Option<&'static str> {
        if self.path == "/session" {
            return Some("a user's own libvirt (`/session`) makes no networks; use `/system`");
        }
        let is_spoken = self.is_local() || self.is_by_ssh();
        (!is_spoken).then_some(
            "only sockets of this machine and SSH are spoken; use `qemu+ssh://HOST/system`",
        )
    }

    /// The beginning of a command that runs another one on the host over SSH; `None` where the URI
    /// names another way. Its parameters are taken as libvirt takes them.
    pub(crate) fn ssh(&self) -> Option<Command> {
        self.is_by_ssh().then_some(())?;
        let mut ssh = Command::new(self.parameter("command").unwrap_or("ssh"));
        let mut option = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                ssh.args([name, value]);
            }
        };
        option("-p", self.port.as_deref());
        option("-l", self.user.as_deref());
        option("-i", self.parameter("keyfile"));
        let known = self.parameter("known_hosts");
        let known = known.map(|path| format!("UserKnownHostsFile={path}"));
        option("-o", known.as_deref());
        let is_unverified = self.parameter("no_verify").is_some_and(|set| set != "0");
        // Nobody is asked for anything: it has a process group of its own, so that Ctrl-C does not end
        // it in the middle of a call, and the terminal is not its.
        option("-o", Some("BatchMode=yes"));
        option("-o", is_unverified.then_some("StrictHostKeyChecking=no"));
        ssh.args(["-T", "-e", "none", "--", &self.machine]);
        Some(ssh)
    }
}

/// Percent-decoded; a `%` that begins no code stands for itself.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let code = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let code = code.and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ssh_of(uri: &str) -> Option<Vec<String>> {
        let command = Uri::parse(uri).expect("a URI").ssh()?;
        let program = std::iter::once(command.get_program());
        let words = program.chain(command.get_args());
        Some(
            words
                .map(|word| word.to_string_lossy().into_owned())
                .collect(),
        )
    }

    #[test]
    fn uris_are_taken_apart() {
        let uri = Uri::parse("qemu:///system?socket=/tmp/a%20b/libvirt-sock").expect("a URI");
        assert!(uri.is_local());
        assert_eq!(
            (uri.driver.as_str(), uri.path.as_str()),
            ("qemu", "/system")
        );
        assert_eq!(uri.parameter("socket"), Some("/tmp/a b/libvirt-sock"));
        let uri = Uri::parse("qemu+ssh://[fe80::1]:2222/system").expect("a URI");
        assert_eq!((uri.machine.as_str(), uri.is_local()), ("fe80::1", false));
        assert_eq!(Uri::parse("kvm1"), None);
        assert_eq!(decoded("100%"), "100%");
    }

    #[test]
    fn a_host_is_reached_as_libvirt_reaches_it() {
        let words = |text: &str| Some(text.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(ssh_of("qemu:///system"), None);
        assert_eq!(ssh_of("qemu+tls://kvm1/system"), None);
        assert_eq!(
            ssh_of("qemu+ssh://kvm1/system"),
            words("ssh -o BatchMode=yes -T -e none -- kvm1")
        );
        assert_eq!(
            ssh_of("qemu+ssh://strat@kvm1:2222/system?keyfile=/k&no_verify=1&command=/bin/my-ssh"),
            words(
                "/bin/my-ssh -p 2222 -l strat -i /k -o BatchMode=yes -o StrictHostKeyChecking=no -T -e none -- kvm1"
            )
        );
        assert_eq!(
            ssh_of("qemu+libssh2://kvm1/system?known_hosts=/h"),
            words("ssh -o UserKnownHostsFile=/h -o BatchMode=yes -T -e none -- kvm1")
        );
    }
}
