//! The page as a whole, of made-up months.

use std::path::Path;

use data::{
    fault::{Fault, FaultKind},
    grid::Rollover,
};
use jiff::civil::Date;

use super::{
    html, month,
    prices::{self, SessionPrices},
};
use statistics::{
    FeatureStatistics, Latency, ModeStatistics, Statistics, WinStatistics, Wrong, feature_ranges, fixtures::statistics,
};

fn prices(statistics: &Statistics) -> Vec<SessionPrices> {
    let points = vec![(0, 1600.0), (4, 1601.25), (9, 1600.5)];
    statistics.sessions.iter().map(|_| SessionPrices { points: points.clone(), ..SessionPrices::default() }).collect()
}

fn render(statistics: &Statistics) -> String {
    html::render(&month::document(statistics, Some(&prices(statistics))))
}

/// Every text and number of the page is one that HTML and people can read.
fn check(page: &str) {
    for wrong in
        ["http://", "https://", "src=", "@import", "url(", "=\"NaN", ">NaN<", ">NaN %", ">inf", "=\"inf", ">null<"]
    {
        assert!(!page.contains(wrong), "{wrong}");
    }
    for tag in ["table", "section", "figure", "svg", "div", "tr", "ul", "dl"] {
        let open = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(open, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
    for size in page.split("font-size=\"").skip(1) {
        let size: f64 = size.split('"').next().unwrap().parse().unwrap();
        assert!(size >= 12.0, "{size}");
    }
}

#[test]
fn a_month_is_complete() {
    let mut statistics = statistics();
    statistics.rollovers.push(Rollover {
        date: Date::constant(2013, 10, 8),
        from: "ESZ3".into(),
        to: "ESH4".into(),
        price_gap: Some(-7.25),
        volume_from: 1_000,
        volume_to: 2_000,
        expected: Some(false),
    });
    let page = render(&statistics);
    check(&page);
    for session in &statistics.sessions {
        assert!(page.contains(&format!(">{}</th>", session.date)));
    }
    for name in feature_ranges::names() {
        assert!(page.contains(&format!(">{name}</th>")), "{name}");
    }
    for name in statistics.modes.keys() {
        assert!(page.contains(&format!(">{}</th>", name.replace('_', " "))), "{name}");
    }
    for deduction in &statistics.quality.deductions {
        assert!(page.contains(&super::text::escape(&deduction.reason)));
    }
    assert!(page.contains("October 2013") && page.contains("xxh3:00ff") && page.contains("ESZ3 -&gt; ESH4"));
    assert!(page.contains("var(--accent)"));
}

#[test]
fn settings_and_times_are_as_people_write_them() {
    let mut statistics = statistics();
    statistics.settings =
        serde_json::json!({ "instrument": data::Instrument::default(), "decay_reference": "2013-12" });
    statistics.performance.chunk_latency =
        Some(Latency { p50: 414_500, p90: 12_476_000, p99: 20_447_000, max: 24_861_000 });
    statistics.modes.get_mut("low_vol_long").unwrap().finite = false;
    let page = render(&statistics);
    check(&page);
    for (name, value) in [
        ("tick_size", "0.25 points"),
        ("gap_points", "20 points"),
        ("session_start", "07:30:00"),
        ("session_end", "15:00:00"),
        ("root", "ES"),
        ("decay_reference", "2013-12"),
    ] {
        assert!(page.contains(&format!("scope=\"row\">{name}</th><td>{value}</td>")), "{name}");
    }
    assert!(page.contains("Half of the chunks took at most 414.5 \u{b5}s, 90 % at most 12.5 ms"), "{page}");
    assert!(page.contains("ns per row") && !page.contains("ns by row") && !page.contains(">0 B<"));
    assert!(page.contains("<td class=\"fault\">a weight is not finite</td>") && page.contains("<td>hold</td>"));
}

#[test]
fn text_from_outside_is_not_markup() {
    let mut statistics = statistics();
    let evil = "<script>alert('1')</script>\"&";
    statistics.warnings.push(evil.into());
    statistics.errors.push(Wrong::from(Fault { kind: FaultKind::Hours, found: evil.into() }));
    statistics.profile = evil.into();
    statistics.program = evil.into();
    statistics.inputs[0].key = evil.into();
    statistics.inputs[0].checksum = evil.into();
    statistics.sessions[0].contract = evil.into();
    statistics.settings = serde_json::json!({ evil: [evil] });
    statistics.records.by_instrument.insert(evil.into(), 1);
    statistics.performance.stages[0].name = evil.into();
    statistics.quality.reprocess.reasons.push(evil.into());
    statistics.quality.deductions[0].reason = evil.into();
    let roll = Rollover {
        date: statistics.sessions[1].date,
        from: evil.into(),
        to: evil.into(),
        price_gap: None,
        volume_from: 0,
        volume_to: 0,
        expected: Some(true),
    };
    statistics.rollovers.push(roll);
    let page = render(&statistics);
    check(&page);
    assert!(!page.contains("<script>alert") && !page.contains("</script>\""));
}

#[test]
fn what_is_not_a_number_is_a_dash() {
    let mut statistics = statistics();
    for feature in statistics.features.values_mut() {
        let nan = Some(f64::NAN);
        *feature = FeatureStatistics {
            nan_share: f64::NAN,
            min: nan,
            max: Some(f64::INFINITY),
            outliers: Some(f64::NAN),
            ..feature.clone()
        };
    }
    for mode in statistics.modes.values_mut() {
        *mode = ModeStatistics { win_rate: Some(f64::NAN), mae: WinStatistics::default(), ..mode.clone() };
        mode.weight.p95 = Some(f64::NAN);
    }
    statistics.quality.score = f64::NAN;
    statistics.performance.seconds = f64::INFINITY;
    check(&render(&statistics));
}

#[test]
fn a_wrong_month_says_why_before_all_else() {
    let mut statistics = statistics();
    statistics.sessions.clear();
    statistics.modes.clear();
    statistics.features.clear();
    statistics.errors.push(Wrong::from(Fault { kind: FaultKind::Hours, found: "2013-10-09 is an hour late".into() }));
    // Of a month without sessions no training file is read.
    let prices = prices::read(&statistics, Path::new("absent.parquet")).unwrap();
    let page = html::render(&month::document(&statistics, Some(&prices)));
    check(&page);
    let wrong = page.find("wrong: 2013-10-09 is an hour late; look at the session").unwrap();
    assert!(wrong < page.find("No session.").unwrap() && wrong < page.find("Reprocess").unwrap());
}
