//! A chart of a run, as SVG.

use std::fmt::Write as _;

use super::account::{Point, Report};

const WIDTH: f64 = 1200.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 60.0;
const TOP: f64 = 40.0;
const RIGHT: f64 = 20.0;
const BOTTOM: f64 = 40.0;

/// The user's policy over time: what was needed, what was ready, what of it was our own.
#[must_use]
pub fn svg(report: &Report, title: &str) -> String {
    let points = &report.points;
    let most = points
        .iter()
        .map(|point| point.needed.max(point.ready))
        .max();
    let scale = Scale {
        end_s: points.last().map_or(1, |point| point.at_s.max(1)),
        most: most.unwrap_or(1).max(1),
    };
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12" fill="#555">
<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>
<text x="{LEFT}" y="20" font-size="14" fill="#222">{}</text>
"##,
        escaped(title)
    );
    scale.grid(&mut svg, report);
    let own = scale.line(points, |point| point.owned);
    let (first, last) = (scale.x(0), scale.x(scale.end_s));
    let base = scale.y(0);
    let _ = writeln!(
        svg,
        r##"<path d="M{first:.1},{base:.1} L{own} L{last:.1},{base:.1} Z" fill="#cfe3d4"/>"##
    );
    for (of, colour) in [(0, "#1b6e3c"), (1, "#c0392b")] {
        let line = scale.line(
            points,
            |point| if of == 0 { point.ready } else { point.needed },
        );
        let _ = writeln!(
            svg,
            r##"<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.3"/>"##
        );
    }
    let legend = [
        ("ready", "#1b6e3c"),
        ("needed at least", "#c0392b"),
        ("on our own hardware", "#cfe3d4"),
    ];
    for ((label, colour), x) in legend.into_iter().zip([760.0, 840.0, 970.0]) {
        let text = x + 16.0;
        let _ = writeln!(
            svg,
            r##"<rect x="{x}" y="12" width="11" height="11" fill="{colour}"/><text x="{text}" y="22">{label}</text>"##
        );
    }
    svg.push_str("</svg>\n");
    svg
}

struct Scale {
    end_s: u64,
    most: u32,
}

impl Scale {
    #[expect(clippy::cast_precision_loss, reason = "seconds of some years")]
    fn x(&self, at_s: u64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * (at_s as f64 / self.end_s as f64)
    }

    fn y(&self, machines: u32) -> f64 {
        let share = f64::from(machines) / f64::from(self.most);
        HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share
    }

    fn line(&self, points: &[Point], of: impl Fn(&Point) -> u32) -> String {
        let mut line = String::new();
        for point in points {
            let _ = write!(line, "{:.1},{:.1} ", self.x(point.at_s), self.y(of(point)));
        }
        line.truncate(line.trim_end().len());
        line
    }

    /// Lines at round numbers of machines, and at eight times.
    fn grid(&self, svg: &mut String, report: &Report) {
        let right = WIDTH - RIGHT;
        let step = self.most.div_ceil(4).max(1);
        for machines in (0..=self.most).step_by(step as usize) {
            let y = self.y(machines);
            let _ = writeln!(
                svg,
                r##"<path d="M{LEFT},{y:.1} H{right}" stroke="#e4e4e4"/><text x="{}" y="{:.1}" text-anchor="end">{machines}</text>"##,
                LEFT - 8.0,
                y + 4.0
            );
        }
        for part in 0..8 {
            let at_s = self.end_s * part / 8;
            let seconds = i64::try_from(at_s).unwrap_or(0);
            let at = report.trace.from + jiff::SignedDuration::from_secs(seconds);
            let _ = writeln!(
                svg,
                r##"<text x="{:.1}" y="{:.1}">{}</text>"##,
                self.x(at_s),
                HEIGHT - BOTTOM + 20.0,
                at.strftime("%m-%d %H:%M")
            );
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
