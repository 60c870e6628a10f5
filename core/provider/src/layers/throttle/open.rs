//! Before a limit is known.

/// The width of the window in which calls are counted before a limit is known, in seconds.
const COUNT_WINDOW_S: f64 = 1.0;
/// Calls that came in a shorter time than this, in seconds, say nothing of a rate.
const WIDTH_MIN_S: f64 = 0.1;
/// Less than this, in calls a second, is not believed of a first look: others may have had it all.
const RATE_MIN: f64 = 10.0;

/// Counts what is let through, in two windows.
#[derive(Debug, Default)]
pub(super) struct Open {
    answers: u32,
    window_start: f64,
    in_window: f64,
    in_last: f64,
}

impl Open {
    /// How many calls may be in flight, `least` to begin with.
    pub(super) fn window(&self, least: u32) -> u32 {
        least.max(1).saturating_add(self.answers / 2)
    }

    /// A call was let through.
    pub(super) fn count(&mut self, now: f64) {
        self.roll(now);
        self.in_window += 1.0;
        self.answers = self.answers.saturating_add(1);
    }

    /// The rate that was let through lately, and how many calls that were. What came within one
    /// `round_trip` (in seconds) came at once as far as anybody can tell.
    pub(super) fn measure(&mut self, now: f64, round_trip: f64) -> (f64, f64) {
        self.roll(now);
        let count = self.in_last + self.in_window;
        let part = now - self.window_start;
        let width = if self.in_last > 0.0 {
            COUNT_WINDOW_S + part
        } else {
            part
        };
        let rate = count / width.max(round_trip).max(WIDTH_MIN_S);
        (rate.max(RATE_MIN), count)
    }

    fn roll(&mut self, now: f64) {
        let passed = now - self.window_start;
        if passed >= COUNT_WINDOW_S {
            self.in_last = if passed < 2.0 * COUNT_WINDOW_S {
                self.in_window
            } else {
                0.0
            };
            self.in_window = 0.0;
            self.window_start = now;
        }
    }
}
