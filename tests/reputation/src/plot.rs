//! The plot: one panel for each scenario, as SVG. Lines differ in colour (Okabe and Ito's, told apart by all) and in dashes.

use crate::play::DAYS;
use crate::scenarios::Scenario;
use std::fmt::Write;

const COLUMNS: usize = 2;
const PANEL_WIDTH: usize = 480;
const PANEL_HEIGHT: usize = 262;
/// The drawing area inside a panel.
const LEFT: usize = 52;
const TOP: usize = 62;
const WIDTH: usize = 404;
const HEIGHT: usize = 150;
const HEAD: usize = 44;
const STYLES: [(&str, &str); 3] = [("#0072b2", ""), ("#d55e00", "7 3"), ("#009e73", "2 3")];
/// The naive mean's.
const NAIVE: (&str, &str) = ("#595959", "2 4");

/// A panel.
pub struct Panel(Scenario);

impl Panel {
    /// The panel of a scenario.
    #[must_use]
    pub fn of(scenario: Scenario) -> Self {
        Self(scenario)
    }
}

/// The whole picture.
#[must_use]
pub fn svg(panels: &[Panel]) -> String {
    let (width, height) = (COLUMNS * PANEL_WIDTH, HEAD + panels.len().div_ceil(COLUMNS) * PANEL_HEIGHT);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" aria-label=\"Scores of hospitals' nodes over 180 days, honest and under seven attacks\" \
         font-family=\"DejaVu Sans, Verdana, Arial, sans-serif\" font-size=\"12\" fill=\"#222222\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"{LEFT}\" y=\"28\" font-size=\"16\" font-weight=\"bold\">Score in percent over 180 days: \
         7 hospitals, 12 honest clients each</text>\n"
    );
    for (place, panel) in panels.iter().enumerate() {
        let (x, y) = (place % COLUMNS * PANEL_WIDTH, HEAD + place / COLUMNS * PANEL_HEIGHT);
        put(&mut out, format_args!("<g transform=\"translate({x} {y})\">"));
        draw(&mut out, &panel.0);
        put(&mut out, format_args!("</g>"));
    }
    put(&mut out, format_args!("</svg>"));
    out
}

fn put(out: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(out, "{line}").expect("writing into memory does not fail");
}

fn draw(out: &mut String, scenario: &Scenario) {
    put(
        out,
        format_args!(
            "<text x=\"{LEFT}\" y=\"16\" font-size=\"13\" font-weight=\"bold\">{}</text>",
            scenario.title
        ),
    );
    axes(out);
    for (day, label) in &scenario.marks {
        let (x, bottom) = (across(*day), TOP + HEIGHT);
        put(
            out,
            format_args!(
                "<path d=\"M{x} {TOP}V{bottom}\" stroke=\"#999999\" stroke-width=\"1\"/>\
                 <text x=\"{x}\" y=\"{}\" text-anchor=\"middle\" font-size=\"11\" fill=\"#595959\">{label}</text>",
                TOP - 5
            ),
        );
    }
    let mut x = LEFT;
    for (curve, style) in scenario.curves.iter().zip(STYLES) {
        let (colour, dashes) = if curve.naive { NAIVE } else { style };
        let curves = if curve.naive { &scenario.course.naive } else { &scenario.course.scores };
        let points: Vec<String> = curves[&curve.hospital]
            .iter()
            .map(|(day, points)| format!("{} {}", across(*day), up(*points)))
            .collect();
        let stroke = format!(
            "fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.2\" stroke-dasharray=\"{}\"",
            if dashes.is_empty() { "none" } else { dashes }
        );
        put(out, format_args!("<path d=\"M{}\" {stroke}/>", points.join("L")));
        put(
            out,
            format_args!(
                "<path d=\"M{x} 32h26\" {stroke}/><text x=\"{}\" y=\"36\">{}</text>",
                x + 32,
                curve.label
            ),
        );
        x += 48 + 7 * curve.label.len();
    }
}

fn axes(out: &mut String) {
    for percent in [0u16, 25, 50, 75, 100] {
        let y = up(percent * 100);
        put(
            out,
            format_args!(
                "<path d=\"M{LEFT} {y}h{WIDTH}\" stroke=\"#dddddd\"/>\
                 <text x=\"{}\" y=\"{y}\" dy=\"4\" text-anchor=\"end\" font-size=\"11\">{percent}</text>",
                LEFT - 6
            ),
        );
    }
    for day in (0..=DAYS).step_by(30) {
        put(
            out,
            format_args!(
                "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" font-size=\"11\">{}</text>",
                across(day),
                TOP + HEIGHT + 16,
                if day == DAYS { format!("day {day}") } else { day.to_string() }
            ),
        );
    }
}

/// A day's place, in whole tenths of a unit so that every machine writes the same.
fn across(day: u32) -> String {
    tenths(LEFT * 10 + day as usize * WIDTH * 10 / DAYS as usize)
}

fn up(points: u16) -> String {
    tenths((TOP + HEIGHT) * 10 - usize::from(points) * HEIGHT / 1_000)
}

fn tenths(number: usize) -> String {
    format!("{}.{}", number / 10, number % 10)
}
