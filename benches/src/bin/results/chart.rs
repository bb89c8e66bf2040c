//! `results.svg`: on a logarithmic scale, how many times our time each rival takes, on the usual market.

use plotters::{
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use crate::{measure::Measured, python::Python};

/// The tape of the chart.
const TAPE: &str = "normal";
const GAIN: RGBColor = RGBColor(38, 96, 164);
const LOSS: RGBColor = RGBColor(196, 62, 42);
const INK: RGBColor = RGBColor(60, 60, 60);

/// Rival and ratio, in the order of `RESULTS.md`.
fn bars(measured: &Measured, python: Option<&Python>) -> Vec<(String, f64)> {
    let ours = |name: &str| {
        measured.kernels.iter().find(|kernel| kernel.name == name).map_or(f64::NAN, |kernel| kernel.times[TAPE])
    };
    let python = |name: &str| python.and_then(|python| python.least(name, TAPE));
    let (labels, features) = (ours("labels and weights"), ours("features, session"));
    let (polars, walk) = (python("features, Polars"), python("retouches, Numba walk"));
    let whole = [
        ("labels and weights: straight scan", Some(measured.scan[TAPE]), labels),
        ("labels and weights: Numba scan", python("labels, Numba scan"), labels),
        ("labels and weights: Numba one pass", python("labels, Numba one pass"), labels),
        ("Features: Polars and a Numba walk", polars.zip(walk).map(|(polars, walk)| polars + walk), features),
        ("Features: Polars, but for 2 columns", polars, features),
    ];
    let measured_whole = whole.into_iter().filter_map(|(name, theirs, ours)| Some((name.to_owned(), theirs? / ours)));
    let mut bars: Vec<_> = measured_whole.collect();
    for function in &measured.functions {
        let Some(((_, ours), theirs)) = function.contenders.split_first() else { continue };
        for (rival, theirs) in theirs {
            bars.push((format!("{}: {rival}", function.function), theirs[TAPE] / ours[TAPE]));
        }
    }
    bars
}

pub fn draw(measured: &Measured, python: Option<&Python>) -> String {
    let bars = bars(measured, python);
    let mut svg = String::new();
    let (height, left, top) = (20, 330, 46);
    let size = (900, (top + height * bars.len() as i32 + 34) as u32);
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        area.fill(&WHITE).unwrap();
        let text = |size: i32, color: RGBColor, h: HPos| {
            ("sans-serif", size).into_font().color(&color).pos(Pos::new(h, VPos::Center))
        };
        let title = "Time of the rival over ours (normal tape, one core; above 1 ours is faster)";
        area.draw(&Text::new(title, (20, 20), text(15, INK, HPos::Left))).unwrap();
        let largest = bars.iter().fold(2.0_f64, |largest, (_, ratio)| largest.max(*ratio));
        let smallest = bars.iter().fold(0.5_f64, |smallest, (_, ratio)| smallest.min(*ratio));
        let x = |ratio: f64| {
            let (from, to) = (smallest.log10(), (largest * 1.6).log10());
            left + ((ratio.log10() - from) / (to - from) * f64::from(860 - left)) as i32
        };
        let bottom = top + height * bars.len() as i32;
        for tick in [0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0].into_iter().filter(|tick| *tick <= largest * 1.6) {
            let shade = if tick == 1.0 { INK } else { RGBColor(220, 220, 220) };
            area.draw(&PathElement::new([(x(tick), top - 4), (x(tick), bottom)], shade)).unwrap();
            area.draw(&Text::new(format!("{tick}"), (x(tick), bottom + 12), text(12, INK, HPos::Center))).unwrap();
        }
        for (line, (name, ratio)) in bars.iter().enumerate() {
            let middle = top + height * line as i32 + height / 2;
            let color = if *ratio < 1.0 { LOSS } else { GAIN };
            let ends = [(x(1.0).min(x(*ratio)), middle - 6), (x(1.0).max(x(*ratio)), middle + 6)];
            area.draw(&Rectangle::new(ends, color.filled())).unwrap();
            area.draw(&Text::new(name.clone(), (left - 10, middle), text(12, INK, HPos::Right))).unwrap();
            area.draw(&Text::new(format!("{ratio:.2}"), (ends[1].0 + 6, middle), text(12, color, HPos::Left))).unwrap();
        }
        area.present().unwrap();
    }
    svg
}
