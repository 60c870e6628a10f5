//! Passwords, from where PostgreSQL's own programs have them: the environment, or the file of
//! passwords. None is kept.
//!
//! <https://www.postgresql.org/docs/current/libpq-pgpass.html>

use std::fs;
use std::path::{Path, PathBuf};

use crate::settings::Settings;

/// A variable of the environment that is not empty.
#[expect(
    clippy::disallowed_methods,
    reason = "credentials come by the environment, and this is the one module that reads it"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The password for a server, if there is one: `PGPASSWORD`, else the first line that fits of the
/// file of passwords.
pub(crate) fn password(settings: &Settings, user: &str) -> Option<String> {
    if let Some(password) = variable("PGPASSWORD") {
        return Some(password);
    }
    let file = variable("PGPASSFILE").map(PathBuf::from);
    let home = || Some(PathBuf::from(variable("HOME")?).join(".pgpass"));
    let text = read(&file.or_else(home)?)?;
    find(&text, settings, user)
}

/// The file's text. One that others may read is not used, as libpq does it.
fn read(path: &Path) -> Option<String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let found = fs::metadata(path).ok()?;
        if !found.is_file() || found.permissions().mode() & 0o077 != 0 {
            return None;
        }
    }
    fs::read_to_string(path).ok()
}

/// The password of the first line that fits: `hostname:port:database:username:password`, where `*`
/// fits all, and `\` makes a `:` or `\` part of a field.
fn find(text: &str, settings: &Settings, user: &str) -> Option<String> {
    let port = settings.port.to_string();
    // Sockets are called `localhost` there.
    let host = match settings.host.starts_with('/') {
        true => "localhost",
        false => &settings.host,
    };
    let wanted = [host, &port, &settings.dbname, user];
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let mut fields = lines.map(fields);
    let fits = |fields: &Vec<String>| {
        fields.len() == wanted.len() + 1
            && fields
                .iter()
                .zip(wanted)
                .all(|(field, wanted)| field == "*" || field == wanted)
    };
    fields.find(fits)?.pop()
}

fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        let is_last = fields.len() == 5;
        let escaped = if char == '\\' { chars.next() } else { None };
        match (char, fields.last_mut()) {
            (':', _) if !is_last => fields.push(String::new()),
            (char, Some(field)) => field.push(escaped.unwrap_or(char)),
            (_, None) => {}
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::TlsMode;

    fn settings(host: &str) -> Settings {
        Settings {
            host: host.to_owned(),
            port: 5432,
            dbname: "strat".to_owned(),
            schema: "public".to_owned(),
            user: None,
            tls: TlsMode::Disable,
            root_cert: None,
        }
    }

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        let text = "# db:5432:strat:ci:no\nother:*:*:*:no\ndb:5432:strat:ci:a\\:b\\\\c\n\
                    db:*:*:*:later\nlocalhost:*:*:*:socket\n";
        let found = |host, user| find(text, &settings(host), user);
        assert_eq!(found("db", "ci").as_deref(), Some("a:b\\c"));
        assert_eq!(found("db", "me").as_deref(), Some("later"));
        assert_eq!(found("/run/postgresql", "me").as_deref(), Some("socket"));
        assert_eq!(found("elsewhere", "ci"), None);
        assert_eq!(find("db:5432", &settings("db"), "ci"), None);
        // The rest of a line is the password, colons and all, as libpq reads it.
        assert_eq!(
            find("db:*:*:*:x:y", &settings("db"), "ci").as_deref(),
            Some("x:y")
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_not_used() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pgpass");
        fs::write(&path, "*:*:*:*:x\n").expect("a file");
        for (mode, is_read) in [(0o600, true), (0o640, false), (0o604, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
            assert_eq!(read(&path).is_some(), is_read, "{mode:o}");
        }
        assert_eq!(read(folder.path()), None);
    }
}
