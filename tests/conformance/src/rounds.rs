//! How often a test of chance meetings is repeated.

/// How many rounds a test of folders that apply at once has: as many as the environment variable
/// `STRAT_ROUNDS` says, or else `usual`. What goes wrong once in a hundred meetings is looked for with
/// a few hundred of them, which take too long for every run of the suite.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "a long run is asked for from outside"
)]
pub fn rounds(usual: u32) -> u32 {
    let asked = std::env::var("STRAT_ROUNDS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Tells, of a test that fails, in which round that was.
#[derive(Debug)]
pub struct Round(pub u32);

impl Drop for Round {
    #[expect(clippy::print_stderr, reason = "said of a test that fails")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this was round {}", self.0);
        }
    }
}
