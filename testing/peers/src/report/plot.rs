use std::fmt::Write as _;

/// A line plot, written as SVG.
#[derive(Debug)]
pub struct Plot {
    /// The file's name, without the ending.
    pub name: &'static str,
    /// What it shows.
    pub title: String,
    /// What the horizontal axis counts; its scale is logarithmic.
    pub across: &'static str,
    /// What the vertical axis counts.
    pub up: &'static str,
    /// The scale of the vertical axis.
    pub scale: Scale,
    /// The lines; without a horizontal extent, each becomes a bar.
    pub lines: Vec<Line>,
}

/// How an axis goes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Evenly from zero.
    Linear,
    /// By powers of ten.
    Logarithmic,
}

/// What belongs together.
#[derive(Debug)]
pub struct Line {
    /// Whose it is.
    pub label: String,
    /// Its points.
    pub points: Vec<(f64, f64)>,
}

impl Plot {
    /// Writes it.
    #[must_use]
    pub fn svg(&self) -> String {
        if self.lines.iter().all(|line| line.points.len() == 1) { self.bars() } else { self.curves() }
    }

    fn bars(&self) -> String {
        let values: Vec<f64> = self.lines.iter().filter_map(|line| Some(line.points.first()?.1)).collect();
        let most = values.iter().copied().fold(0.0, f64::max);
        let least = values.iter().copied().filter(|value| *value > 0.0).fold(f64::MAX, f64::min);
        let height = TOP + ROW * self.lines.len() as f64 + 20.0;
        let mut svg = self.open(height);
        let room = WIDTH - LABELS - 110.0;
        for (index, (line, value)) in self.lines.iter().zip(&values).enumerate() {
            let y = TOP + ROW * index as f64;
            let part = match self.scale {
                Scale::Linear => value / most,
                Scale::Logarithmic => (value / least * 2.0).ln() / (most / least * 2.0).ln(),
            };
            let width = (part * room).max(1.0);
            let colour = COLOURS[index % COLOURS.len()];
            let _ = write!(
                svg,
                "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{}</text>\n\
                 <rect x=\"{LABELS:.0}\" y=\"{:.0}\" width=\"{width:.1}\" height=\"16\" fill=\"{colour}\"/>\n\
                 <text x=\"{:.1}\" y=\"{:.0}\">{}</text>\n",
                LABELS - 8.0,
                y + 13.0,
                escaped(&line.label),
                y,
                LABELS + width + 6.0,
                y + 13.0,
                short(*value),
            );
        }
        svg.push_str("</svg>\n");
        svg
    }

    fn curves(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let (left, right) = extent(points().map(|point| point.0.max(1.0).ln()));
        let most = points().map(|point| point.1).fold(0.0, f64::max) * 1.1;
        let least = points().map(|point| point.1).filter(|value| *value > 0.0).fold(f64::MAX, f64::min) / 1.5;
        let x = |value: f64| {
            LEFT + (value.max(1.0).ln() - left) / (right - left).max(f64::MIN_POSITIVE) * (WIDTH - LEFT - 150.0)
        };
        let y = |value: f64| {
            let part = match self.scale {
                Scale::Linear => value / most,
                Scale::Logarithmic => (value.max(least) / least).ln() / (most / least).ln(),
            };
            HEIGHT - BOTTOM - part * (HEIGHT - BOTTOM - TOP)
        };
        let mut svg = self.open(HEIGHT);
        for tick in self.ticks(least, most) {
            let at = y(tick);
            let _ = write!(
                svg,
                "<line x1=\"{LEFT:.0}\" y1=\"{at:.1}\" x2=\"{:.0}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>\n\
                 <text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
                WIDTH - 150.0,
                LEFT - 6.0,
                at + 4.0,
                short(tick),
            );
        }
        let mut across: Vec<f64> = points().map(|point| point.0).collect();
        across.sort_by(f64::total_cmp);
        across.dedup();
        for value in across {
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{}</text>",
                x(value),
                HEIGHT - BOTTOM + 18.0,
                short(value)
            );
        }
        for (index, line) in self.lines.iter().enumerate() {
            let colour = COLOURS[index % COLOURS.len()];
            let path: Vec<String> =
                line.points.iter().map(|point| format!("{:.1},{:.1}", x(point.0), y(point.1))).collect();
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
                path.join(" ")
            );
            for point in &line.points {
                let _ = writeln!(
                    svg,
                    "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"/>",
                    x(point.0),
                    y(point.1)
                );
            }
            let _ = writeln!(
                svg,
                "<text x=\"{:.0}\" y=\"{:.0}\" fill=\"{colour}\">{}</text>",
                WIDTH - 142.0,
                TOP + 12.0 + 18.0 * index as f64,
                escaped(&line.label)
            );
        }
        let _ = writeln!(
            svg,
            "<text x=\"{LEFT:.0}\" y=\"{:.0}\">{} →</text>\n<text x=\"{LEFT:.0}\" y=\"{:.0}\">{}</text>\n</svg>",
            HEIGHT - 8.0,
            escaped(self.across),
            TOP - 8.0,
            escaped(self.up)
        );
        svg
    }

    fn ticks(&self, least: f64, most: f64) -> Vec<f64> {
        match self.scale {
            Scale::Linear => {
                let step = 10_f64.powf(most.max(1.0).log10().floor());
                let step = if most / step < 3.0 { step / 4.0 } else { step };
                (0..12).map(|index| step * f64::from(index)).take_while(|value| *value <= most).collect()
            }
            Scale::Logarithmic => {
                (-3..16).map(|power| 10_f64.powi(power)).filter(|value| (least..=most).contains(value)).collect()
            }
        }
    }

    fn open(&self, height: f64) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH:.0} {height:.0}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
             <text x=\"12\" y=\"20\" font-size=\"14\" font-weight=\"bold\">{}</text>\n",
            escaped(&self.title)
        )
    }
}

fn extent(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::MAX, f64::MIN), |(least, most), value| (least.min(value), most.max(value)))
}

fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 1_000_000.0 => format!("{:.1} M", value / 1_000_000.0),
        size if size >= 10_000.0 => format!("{:.0} k", value / 1_000.0),
        size if size >= 1_000.0 => format!("{:.1} k", value / 1_000.0),
        size if size >= 10.0 || size == 0.0 => format!("{value:.0}"),
        _ => format!("{value:.1}"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 340.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 48.0;
const LEFT: f64 = 64.0;
const LABELS: f64 = 250.0;
const ROW: f64 = 22.0;
const COLOURS: [&str; 6] = ["#1f6feb", "#d1442f", "#2a9d5c", "#8a5cc2", "#c78a1b", "#59636e"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_in_the_picture_with_its_label_escaped() {
        let line = |label: &str, points: &[(f64, f64)]| Line { label: label.to_owned(), points: points.to_vec() };
        let plot =
            |lines| Plot { name: "p", title: "t".to_owned(), across: "n", up: "ns", scale: Scale::Linear, lines };

        let curves = plot(vec![line("a < b", &[(1.0, 400.0), (8_000.0, 420.0)]), line("raw", &[(1.0, 40.0)])]).svg();
        let bars = plot(vec![line("ours", &[(0.0, 500.0)]), line("theirs", &[(0.0, 7_000.0)])]).svg();

        assert!(curves.contains("a &lt; b") && curves.matches("<polyline").count() == 2);
        assert!(bars.matches("<rect").count() == 3 && bars.contains("7.0 k"));
    }
}
