//! Pages of the docs that are run as they stand, as a reader would.
//!
//! A `hcl` fence that begins with `# NAME.hcl` is written to that file. In a `console` fence, a line after `$ `
//! is run by a shell, and what follows is what it writes: `...` stands for any lines, `[..]` for anything in one.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A page, and the folder in which its reader is.
struct Reader {
    page: PathBuf,
    folder: PathBuf,
    home: tempfile::TempDir,
}

impl Reader {
    fn of(page: &str) -> Self {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        let home = tempfile::tempdir().expect("a folder");
        Self {
            page: docs.join(page),
            folder: home.path().to_path_buf(),
            home,
        }
    }

    /// Reads the page to its end; gives how many commands were run.
    fn read(mut self) -> usize {
        let text = std::fs::read_to_string(&self.page).expect("the page");
        let (mut ran, mut fence) = (0, None);
        let mut lines: Vec<&str> = Vec::new();
        for line in text.lines() {
            match (fence, line.strip_prefix("```")) {
                (None, Some(word)) => fence = Some(word),
                (Some("hcl"), Some("")) => {
                    self.write(&lines);
                    (fence, lines) = (None, Vec::new());
                }
                (Some("console"), Some("")) => {
                    ran += self.run(&lines);
                    (fence, lines) = (None, Vec::new());
                }
                (Some(_), Some("")) => (fence, lines) = (None, Vec::new()),
                (Some(_), _) => lines.push(line),
                (None, None) => {}
            }
        }
        ran
    }

    fn write(&self, lines: &[&str]) {
        let name = lines.first().and_then(|line| line.strip_prefix("# "));
        let name = name.filter(|name| name.ends_with(".hcl"));
        let name = name.expect("a file's name in the first line");
        let path = self.folder.join(name);
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        let is_lineage = |line: &&str| line.trim_start().starts_with("lineage ");
        // A reader keeps whose things they are.
        let kept = before.lines().find(is_lineage);
        let lines = lines[1..].iter().map(|line| match kept {
            Some(kept) if is_lineage(line) => kept,
            _ => line,
        });
        let text: String = lines.map(|line| format!("{line}\n")).collect();
        std::fs::write(path, text).expect("written");
    }

    fn run(&mut self, lines: &[&str]) -> usize {
        let commands = lines.iter().filter(|line| line.starts_with("$ ")).count();
        let mut rest = lines;
        while let Some((first, after)) = rest.split_first() {
            let command = first.strip_prefix("$ ").expect("a command comes first");
            let end = after.iter().position(|line| line.starts_with("$ "));
            let (wanted, next) = after.split_at(end.unwrap_or(after.len()));
            let wrote = self.say(command);
            let wrote: Vec<&str> = wrote.lines().collect();
            assert!(
                is_like(wanted, &wrote),
                "{}: `{command}` wrote\n{}\nand the page says\n{}",
                self.page.display(),
                wrote.join("\n"),
                wanted.join("\n"),
            );
            rest = next;
        }
        commands
    }

    fn say(&mut self, command: &str) -> String {
        if let Some(folder) = command.strip_prefix("cd ") {
            self.folder = self.folder.join(folder);
            return String::new();
        }
        let strat = Path::new(env!("CARGO_BIN_EXE_strat"));
        let mut path = strat.parent().expect("a folder").as_os_str().to_owned();
        path.push(":/usr/bin:/bin");
        let done = Command::new("sh")
            .args(["-c", &format!("{command} 2>&1")])
            .current_dir(&self.folder)
            .env("PATH", path)
            .env("HOME", self.home.path())
            .env("COLUMNS", "120")
            .output()
            .expect("a shell");
        let wrote = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success(), "`{command}` failed:\n{wrote}");
        wrote
    }
}

/// Whether lines are as a page has them.
fn is_like(wanted: &[&str], wrote: &[&str]) -> bool {
    let Some((first, wanted_after)) = wanted.split_first() else {
        return wrote.iter().all(|line| line.is_empty());
    };
    if *first == "..." {
        return (0..=wrote.len()).any(|skipped| is_like(wanted_after, &wrote[skipped..]));
    }
    match wrote.split_first() {
        Some((line, after)) => fits(first, line) && is_like(wanted_after, after),
        None => wanted.iter().all(|line| line.is_empty()),
    }
}

/// Whether a line is of a pattern.
fn fits(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.trim_end().split("[..]");
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.trim_end().strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[test]
fn a_page_is_compared_line_by_line() {
    assert!(is_like(&["a", "...", "c"], &["a", "b", "b", "c"]));
    assert!(is_like(&["a [..] c"], &["a b c"]));
    assert!(!is_like(&["a", "c"], &["a", "b", "c"]));
    assert!(!is_like(&["a [..] d"], &["a b c"]));
    assert!(!is_like(&["a", "...", "d"], &["a", "b"]));
    assert!(!is_like(&[], &["a"]));
}

#[test]
fn ten_minutes_are_as_the_page_says() {
    assert_eq!(Reader::of("ten-minutes.md").read(), 15);
}
