//! The files beside a topology: for their owner alone, whole or not at all, and never through a
//! link that somebody laid there.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{BufWriter, Error, ErrorKind, IntoInnerError, Read as _, Result};
use std::path::Path;

/// Opens a file of the state folder to read; `None` where there is none.
///
/// # Errors
/// If it is no plain file, with the way out, or cannot be opened.
pub fn open(path: &Path) -> Result<Option<File>> {
    match std::fs::symlink_metadata(path) {
        Ok(found) => plain(path, &found)?,
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(why),
    }
    let mut options = OpenOptions::new();
    let file = match careful(options.read(true)).open(path) {
        Ok(file) => file,
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(why),
    };
    // It may be another than a moment ago.
    plain(path, &file.metadata()?)?;
    Ok(Some(file))
}

/// Reads a small file whole; `None` where there is none.
///
/// # Errors
/// As [`open`], and if it is longer than `most` bytes.
pub fn read(path: &Path, most: u64) -> Result<Option<Vec<u8>>> {
    let Some(file) = open(path)? else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(refused(path, &format!("is longer than {most} bytes")));
    }
    Ok(Some(bytes))
}

/// Opens a file of the state folder to write at its end, for its owner alone where it is new.
///
/// # Errors
/// As [`open`].
pub fn append(path: &Path) -> Result<File> {
    if let Ok(found) = std::fs::symlink_metadata(path) {
        plain(path, &found)?;
    }
    let mut options = OpenOptions::new();
    let file = careful(options.append(true).create(true)).open(path)?;
    plain(path, &file.metadata()?)?;
    Ok(file)
}

/// Puts a whole new file in the place of one of ours, for its owner alone.
///
/// # Errors
/// If it cannot be written, or what is there is no plain file. The old one is there still then.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::create_dir_all(folder_of(path))?;
    if let Ok(found) = std::fs::symlink_metadata(path) {
        plain(path, &found)?;
    }
    write_whole(path, Rights::Private, |file| file.write_all(bytes))
}

/// Who may read and write a file that is written whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// Its owner alone, whatever stood there before.
    Private,
    /// Whoever may any new file of the process.
    Shared,
    /// Whoever may the file that it takes the place of; where there is none, its owner alone.
    Kept,
}

/// Writes a file whole or not at all: under a random name beside it that nobody else writes to, on disk
/// before it takes the name.
///
/// # Errors
/// If it cannot be written. What stood there before is there still then.
pub fn write_whole(
    path: &Path,
    rights: Rights,
    write: impl FnOnce(&mut dyn std::io::Write) -> Result<()>,
) -> Result<()> {
    let folder = folder_of(path);
    // With `O_EXCL`, a random name, and mode 0600 where nothing else is said.
    let mut builder = tempfile::Builder::new();
    builder.prefix(".new-");
    #[cfg(unix)]
    if rights == Rights::Shared {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = BufWriter::new(builder.tempfile_in(folder)?);
    if rights == Rights::Kept
        && let Ok(found) = std::fs::metadata(path)
    {
        let file = file.get_ref().as_file();
        file.set_permissions(found.permissions())?;
    }
    write(&mut file)?;
    let file = file.into_inner().map_err(IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|failed| failed.error)?;
    sync_dir(folder)
}

fn folder_of(path: &Path) -> &Path {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Makes a new or renamed file's entry in its folder durable. Only Unix lets a folder be synced.
///
/// # Errors
/// If the folder cannot be synced.
pub fn sync_dir(dir: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(dir)?.sync_all()?;
    }
    Ok(())
}

/// Follows no link, waits for no other end of a pipe, and is its owner's alone.
#[cfg(unix)]
fn careful(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).unwrap_or(0);
    options.mode(0o600).custom_flags(flags)
}

#[cfg(not(unix))]
fn careful(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

fn plain(path: &Path, found: &Metadata) -> Result<()> {
    if found.is_file() {
        return Ok(());
    }
    let is = if found.is_symlink() {
        "is a link"
    } else if found.is_dir() {
        "is a folder"
    } else {
        "is no plain file"
    };
    Err(refused(path, is))
}

/// What to do about a file of which an error has the kind `InvalidData`.
pub const WAY_OUT: &str = "look at what it is, and remove it while nothing runs";

/// What is there is nothing that we wrote.
pub(crate) fn refused(path: &Path, why: &str) -> Error {
    let message = format!("`{}` {why}, which is nothing that we made", path.display());
    Error::new(ErrorKind::InvalidData, message)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn what_is_no_plain_file_is_refused_with_the_way_out() {
        let dir = tempfile::tempdir().expect("a folder");
        let (path, target) = (dir.path().join("x.json"), dir.path().join("target"));
        std::fs::write(&target, "mine").expect("written");
        let made = std::process::Command::new("mkfifo")
            .arg(dir.path().join("pipe"))
            .status();
        assert!(made.expect("mkfifo runs").success());
        symlink(&target, &path).expect("a link");
        std::fs::create_dir(dir.path().join("folder")).expect("a folder");
        for (name, is) in [
            ("x.json", "a link"),
            ("pipe", "no plain"),
            ("folder", "a folder"),
        ] {
            let path = dir.path().join(name);
            let all = [
                open(&path).map(drop),
                read(&path, 10).map(drop),
                append(&path).map(drop),
                replace(&path, b"theirs"),
            ];
            for outcome in all {
                let said = outcome.expect_err(name).to_string();
                assert!(
                    said.contains(is) && said.contains("nothing that we made"),
                    "{said}"
                );
            }
        }
        assert_eq!(std::fs::read(&target).expect("read"), b"mine");
    }

    #[test]
    fn files_are_their_owners_alone_and_whole() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("new/x.json");
        replace(&path, b"one").expect("written");
        replace(&path, b"two").expect("written");
        assert_eq!(read(&path, 3).expect("read").as_deref(), Some(&b"two"[..]));
        let long = read(&path, 2).expect_err("too long").to_string();
        assert!(long.contains("longer than 2 bytes"), "{long}");
        let log = path.with_file_name("log");
        append(&log).expect("made");
        for path in [&path, &log] {
            let mode = std::fs::metadata(path).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", path.display());
        }
        let left = std::fs::read_dir(dir.path().join("new"))
            .expect("read")
            .count();
        assert_eq!(left, 2, "nothing half-written stays");
    }

    #[test]
    fn who_may_read_a_file_is_as_it_is_asked_for() {
        let dir = tempfile::tempdir().expect("a folder");
        let check = |rights: Rights, before: Option<u32>, wanted: u32| {
            let path = dir.path().join(format!("{rights:?}-{before:?}"));
            if let Some(before) = before {
                std::fs::write(&path, "before").expect("written");
                let before = std::fs::Permissions::from_mode(before);
                std::fs::set_permissions(&path, before).expect("its own");
            }
            write_whole(&path, rights, |file| file.write_all(b"after")).expect("written");
            let mode = std::fs::metadata(&path)
                .expect("there")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, wanted, "{rights:?} {before:?}");
            assert_eq!(std::fs::read(&path).expect("there"), b"after");
        };
        let plain = dir.path().join("plain");
        std::fs::write(&plain, "").expect("written");
        let usual = std::fs::metadata(&plain)
            .expect("there")
            .permissions()
            .mode()
            & 0o777;
        check(Rights::Private, None, 0o600);
        check(Rights::Private, Some(0o644), 0o600);
        check(Rights::Shared, None, usual);
        check(Rights::Kept, Some(0o640), 0o640);
        check(Rights::Kept, None, 0o600);
    }
}
