//! How a measured value went over time: the newest value, a chart, and a table that says the same.

use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::hooks::use_load_kept;
use crate::i18n::{Translator, tr, use_translator, words};
use amulet_app_api::records::{RecordTrends, Standing, TrendPointView, TrendView};
use dioxus::prelude::*;

/// The chart's own grid; it grows with the page.
const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 140.0;
/// Free space at every edge, so that no mark is cut.
const EDGE: f64 = 12.0;
/// Beyond this no body measures, and the arithmetic of drawing would fail.
const DRAWABLE: f64 = 1e12;

/// A trend for each value measured in the record; nothing where there is only this one.
#[component]
pub fn Trends(id: String) -> Element {
    let t = use_translator();
    let trends = use_load_kept(RecordTrends { id });
    show(trends, |trends| {
        rsx! {
            for (place, trend) in trends.iter().cloned().enumerate() {
                Trend { key: "{place}", trend }
            }
            if !trends.is_empty() {
                p { class: "faint", {tr!(t, "trend-note")} }
            }
        }
    })
}

/// One trend: the newest value, the chart and the table.
#[component]
pub fn Trend(trend: TrendView) -> Element {
    let t = use_translator();
    let mut table = use_signal(|| false);
    let chart = Chart::of(&trend.points);
    let newest = trend.points.first().cloned();
    rsx! {
        section { class: "stack tight card-box", "data-testid": "trend",
            h2 { {tr!(t, "trend-title", name = trend.name.clone())} }
            if let Some(newest) = newest {
                p { class: "trend-newest", "data-testid": "trend-newest", {newest.value.clone()} }
                p { class: "small", {below_the_newest(t, &newest)} }
                if let Some(standing) = newest.standing {
                    StandingWord { standing }
                }
                if let Some(chart) = chart {
                    Drawing { chart, label: tr!(t, "trend-chart", name = trend.name.clone(), n = trend.points.len()) }
                    if newest.low.is_some() || newest.high.is_some() {
                        p { class: "faint", {tr!(t, "trend-band", range = newest.range.unwrap_or_default())} }
                    }
                }
            }
            if trend.other_units > 0 {
                p { class: "faint", {tr!(t, "trend-other-units", n = trend.other_units)} }
            }
            button {
                class: "button second",
                r#type: "button",
                "data-testid": "trend-table",
                "aria-pressed": if table() { "true" } else { "false" },
                onclick: move |_| table.toggle(),
                {tr!(t, "trend-as-table")}
            }
            // Always there for who cannot see the chart.
            div { class: if table() { "trend-table" } else { "visually-hidden" },
                Table { trend }
            }
        }
    }
}

fn below_the_newest(t: Translator, newest: &TrendPointView) -> String {
    let date = newest.date.as_ref().map(|date| t.record_date(date));
    date.into_iter().chain([t.hospital(&newest.hospital)]).collect::<Vec<_>>().join(" · ")
}

/// How a value stands to its range: an icon and a word, no colour.
#[component]
pub fn StandingWord(standing: Standing) -> Element {
    let t = use_translator();
    let icon = if standing == Standing::Within { Icon::Check } else { Icon::Warning };
    rsx! {
        p { class: "trend-standing",
            Glyph { icon, size: 18 }
            {t.text(words::standing(&standing), &[])}
        }
    }
}

#[component]
fn Table(trend: TrendView) -> Element {
    let t = use_translator();
    rsx! {
        table {
            caption { {trend.name.clone()} }
            thead {
                tr {
                    th { scope: "col", {tr!(t, "record-date")} }
                    th { scope: "col", {tr!(t, "label-value")} }
                    th { scope: "col", {tr!(t, "label-reference-range")} }
                    th { scope: "col", {tr!(t, "record-hospital")} }
                }
            }
            tbody {
                for (place, point) in trend.points.iter().enumerate() {
                    tr { key: "{place}",
                        th { scope: "row", {point.date.as_ref().map_or_else(|| tr!(t, "no-date"), |date| t.record_date(date))} }
                        td {
                            {point.value.clone()}
                            if let Some(standing) = point.standing {
                                StandingWord { standing }
                            }
                        }
                        td { {point.range.clone().unwrap_or_else(|| "–".to_owned())} }
                        td { {t.hospital(&point.hospital)} }
                    }
                }
            }
        }
    }
}

#[component]
fn Drawing(chart: Chart, label: String) -> Element {
    rsx! {
        svg { class: "trend", view_box: "0 0 {WIDTH} {HEIGHT}", role: "img", "aria-label": "{label}",
            if let Some((top, height)) = chart.band {
                rect { class: "trend-band", x: "0", y: "{top:.1}", width: "{WIDTH}", height: "{height:.1}" }
            }
            for (place, line) in chart.lines.iter().enumerate() {
                polyline { key: "{place}", class: "trend-line", points: "{line}" }
            }
            for (place, mark) in chart.marks.iter().enumerate() {
                path { key: "{place}", class: if mark.open { "trend-mark open" } else { "trend-mark" }, d: mark.path() }
            }
        }
    }
}

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
struct Chart {
    /// Top and height of the newest value's reference range.
    band: Option<(f64, f64)>,
    /// One line for each hospital: laboratories differ.
    lines: Vec<String>,
    marks: Vec<Mark>,
}

#[derive(Debug, Clone, PartialEq)]
struct Mark {
    x: f64,
    y: f64,
    /// Out of range: another shape, so that it is seen without colour.
    out: bool,
    /// A bound such as `< 5`, not a value.
    open: bool,
}

impl Mark {
    fn path(&self) -> String {
        let (x, y) = (self.x, self.y);
        if self.out {
            format!("M{x:.1} {:.1}l6 10h-12z", y - 6.0)
        } else {
            format!("M{:.1} {y:.1}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z", x - 4.0)
        }
    }
}

impl Chart {
    /// `None` when fewer than two values have a place in time.
    fn of(points: &[TrendPointView]) -> Option<Self> {
        let drawn: Vec<(i64, &TrendPointView)> = points
            .iter()
            .filter(|point| point.number.abs() < DRAWABLE)
            .filter_map(|point| Some((point.at?, point)))
            .collect();
        if drawn.len() < 2 {
            return None;
        }
        let ends = |point: &TrendPointView| {
            let drawable = |end: &f64| end.abs() < DRAWABLE;
            (point.low.filter(drawable), point.high.filter(drawable))
        };
        let (low, high) = points.first().map_or((None, None), ends);
        let values = drawn.iter().map(|(_, point)| point.number).chain(low).chain(high);
        let (least, most) = extent(values);
        #[allow(clippy::cast_precision_loss, reason = "seconds since 1970 are exact in 52 bits")]
        let (first, last) = extent(drawn.iter().map(|(at, _)| *at as f64));
        #[allow(clippy::cast_precision_loss, reason = "as above")]
        let x = |at: i64| EDGE + (at as f64 - first) / (last - first) * (WIDTH - 2.0 * EDGE);
        let y = |value: f64| HEIGHT - EDGE - (value - least) / (most - least) * (HEIGHT - 2.0 * EDGE);
        let band = (low.is_some() || high.is_some())
            .then(|| (high.map_or(0.0, y), low.map_or(HEIGHT, y)))
            .and_then(|(top, bottom)| (bottom >= top).then_some((top, bottom - top)));
        let mut lines: Vec<(&str, Vec<String>)> = Vec::new();
        for (at, point) in &drawn {
            let place = format!("{:.1},{:.1}", x(*at), y(point.number));
            match lines.iter_mut().find(|(did, _)| *did == point.hospital.did) {
                Some((_, places)) => places.push(place),
                None => lines.push((&point.hospital.did, vec![place])),
            }
        }
        let mark = |(at, point): &(i64, &TrendPointView)| Mark {
            x: x(*at),
            y: y(point.number),
            out: matches!(point.standing, Some(Standing::Low | Standing::High)),
            open: point.value.starts_with(['<', '>']),
        };
        let marks = drawn.iter().map(mark).collect();
        Some(Self { band, lines: lines.into_iter().map(|(_, places)| places.join(" ")).collect(), marks })
    }
}

/// Least and most, never the same.
fn extent(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (least, most) = values
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| (least.min(value), most.max(value)));
    if most > least { (least, most) } else { (least - 1.0, most + 1.0) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use amulet_app_api::wallet::HospitalView;

    fn point(at: Option<i64>, number: f64, hospital: &str) -> TrendPointView {
        TrendPointView {
            record: String::new(),
            date: None,
            at,
            value: number.to_string(),
            number,
            range: None,
            low: Some(4.0),
            high: Some(6.0),
            standing: None,
            hospital: HospitalView {
                did: hospital.to_owned(),
                name_en: String::new(),
                name_zh: String::new(),
            },
        }
    }

    #[test]
    fn later_is_further_right_and_more_is_higher() {
        let chart = Chart::of(&[point(Some(200), 8.0, "a"), point(Some(100), 5.0, "a")]).unwrap();
        assert!(chart.marks[0].x > chart.marks[1].x && chart.marks[0].y < chart.marks[1].y);
        let (top, height) = chart.band.unwrap();
        assert!(top > chart.marks[0].y, "8 stands over the band of 4 to 6");
        assert!((top..top + height).contains(&chart.marks[1].y), "5 stands in it");
    }

    #[test]
    fn two_hospitals_are_two_lines() {
        let points = [point(Some(3), 5.0, "a"), point(Some(2), 5.5, "b"), point(Some(1), 5.0, "a")];
        assert_eq!(Chart::of(&points).unwrap().lines.len(), 2);
    }

    #[test]
    fn whatever_the_record_says_every_place_is_on_the_chart() {
        let points = [
            point(Some(i64::MAX), 1e300, "a"),
            point(Some(i64::MIN), -1e11, "a"),
            point(Some(0), 5.0, "a"),
            point(None, 7.0, "a"),
        ];
        let chart = Chart::of(&points).unwrap();
        assert_eq!(chart.marks.len(), 2);
        assert!(
            chart
                .marks
                .iter()
                .all(|mark| (0.0..=WIDTH).contains(&mark.x) && (0.0..=HEIGHT).contains(&mark.y))
        );
        let same = Chart::of(&[point(Some(1), 5.0, "a"), point(Some(1), 5.0, "a")]).unwrap();
        assert!(same.marks.iter().all(|mark| mark.x.is_finite() && mark.y.is_finite()));
        assert_eq!(Chart::of(&points[2..]), None);
    }
}
