//! `report`: seven kinds in four formats, which show the statistics' own numbers; charts that a browser draws.

use crate::browser;
use crate::month;
use std::{collections::BTreeMap, fs, path::Path, sync::LazyLock};

use crate::month::{change, current, harness, keys_of, manifest, outcome, plain, refusal, store, store_whole};
use serde_json::Value;

const KINDS: [&str; 7] = ["daily", "weekly", "monthly", "final", "quality", "performance", "success"];

/// A store with a published month, one that failed, one that is withheld, one that is not run yet, and a gap.
static ARCHIVE: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = store_whole();
    let path = |name: &str| folder.path().join("store").join(name);
    fs::write(path("glbx-mdp3-20130801-20130831.ohlcv-1s.dbn"), &plain()[..100_000]).unwrap();
    fs::write(path("glbx-mdp3-20131201-20131231.ohlcv-1s.dbn.zst"), "not read").unwrap();
    let synth = ["synth", "--months", "2013-10..2013-10", "--out", "store/raw-data"];
    harness(folder.path()).args(synth).assert().success();
    harness(folder.path()).args(["run", "--months", "2013-08..2013-09"]).assert().code(1);
    harness(folder.path()).args(["run", "--month", "2013-10", "--gate", "--threshold", "1"]).assert().code(1);
    folder
});

fn statistics(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(current(folder, "statistics")).unwrap()).unwrap()
}

fn report(folder: &Path, kind: &str, format: &str) -> String {
    let output =
        harness(folder).args(["report", kind, "--format", format]).assert().code(code(kind)).get_output().clone();
    String::from_utf8(output.stdout).unwrap()
}

fn report_json(folder: &Path, kind: &str) -> Value {
    let (report, found) = outcome(folder, &["report", kind]);
    assert_eq!(found, code(kind));
    report
}

/// A month of the archive failed, so one of the success criteria is missed.
fn code(kind: &str) -> i32 {
    i32::from(kind == "success")
}

/// The row of a table whose column has a value.
fn row<'a>(report: &'a Value, table: &str, column: &str, value: &str) -> &'a Value {
    let rows = report["tables"][table].as_array().unwrap();
    rows.iter().find(|row| row[column] == value).unwrap_or_else(|| panic!("{table}: no {value} in {rows:?}"))
}

#[test]
fn the_numbers_of_a_report_are_the_statistics_own() {
    let folder = ARCHIVE.path();
    let statistics = statistics(folder);
    let (performance, quality) = (&statistics["performance"], &statistics["quality"]);
    let whole = report_json(folder, "final");
    let line = row(&whole, "months", "month", "2013-09");
    assert_eq!(line["quality"], quality["score"]);
    for part in ["modes", "data", "features", "performance", "rolls"] {
        assert_eq!(line[part], quality["parts"][part], "{part}");
    }
    let rates = row(&whole, "win_rates", "month", "2013-09");
    for (mode, figures) in statistics["modes"].as_object().unwrap() {
        assert_eq!(rates[mode], figures["win_rate"], "{mode}");
    }
    let took = row(&whole, "performance", "month", "2013-09");
    assert_eq!(
        [&took["seconds"], &took["rows_per_second"], &took["peak_memory"], &took["retries"], &took["chunk_p99"]],
        [
            &performance["seconds"],
            &performance["rows_per_second"],
            &performance["peak_rss_bytes"],
            &performance["retries"],
            &performance["chunk_latency"]["p99"].as_f64().into()
        ]
    );
    for stage in performance["stages"].as_array().unwrap() {
        let name = stage["name"].as_str().unwrap();
        assert_eq!(took[&format!("{name}_s")], stage["seconds"], "{name}");
        assert_eq!(row(&whole, "stages", "stage", name)["ns_per_row_median"], stage["ns_per_row"], "{name}");
    }
    let deductions = whole["tables"]["deductions"].as_array().unwrap();
    assert_eq!(deductions.len(), quality["deductions"].as_array().unwrap().len());
    for (shown, deduction) in deductions.iter().zip(quality["deductions"].as_array().unwrap()) {
        assert_eq!(
            [&shown["part"], &shown["off_the_part"], &shown["reason"]],
            [&deduction["part"], &deduction["amount"], &deduction["reason"]]
        );
    }
    let roll = &statistics["rollovers"][0];
    let shown = &whole["tables"]["rollovers"][0];
    assert_eq!([&shown["date"], &shown["price_gap_points"]], [&roll["date"], &roll["price_gap"]]);
    assert_eq!(
        [&shown["volume_of_the_new"], &shown["in_the_expected_window"]],
        [&roll["volume_to"], &roll["expected"]]
    );

    let month = report_json(folder, "monthly");
    assert_eq!(month["score"], quality["score"]);
    for (name, figures) in statistics["features"].as_object().unwrap() {
        let shown = row(&month, "features", "feature", name);
        for figure in ["min", "p1", "p50", "p99", "max", "mean", "std", "nan_share", "outliers", "in_range"] {
            assert_eq!(shown[figure], figures[figure], "{name} {figure}");
        }
    }
    for (mode, figures) in statistics["modes"].as_object().unwrap() {
        let shown = row(&month, "modes", "mode", &mode.replace('_', " "));
        assert_eq!([&shown["labels_wins"], &shown["labels_win_rate"]], [&figures["wins"], &figures["win_rate"]]);
        for percentile in ["mean", "p50", "p95"] {
            let weight = &shown[&format!("weight_of_all_rows_{percentile}")];
            assert_eq!(weight, &figures["weight"][percentile], "{mode}");
            let mae = &shown[&format!("mae_of_wins_ticks_{percentile}")];
            assert_eq!(mae.as_f64(), figures["mae"][percentile].as_f64(), "{mode}");
        }
    }
}

/// Rows of a Markdown report, cell by cell.
fn cells(markdown: &str) -> Vec<Vec<String>> {
    let rows = markdown.lines().filter(|line| line.starts_with('|') && !line.contains("---"));
    let plain = |cell: &str| cell.trim().replace('\\', "").replace("&lt;", "<").replace("&amp;", "&");
    rows.map(|row| row.trim_matches('|').split(" | ").map(plain).collect()).collect()
}

#[test]
fn every_format_shows_the_same() {
    let folder = ARCHIVE.path();
    for kind in KINDS {
        let [text, markdown, html] = ["text", "markdown", "html"].map(|format| report(folder, kind, format));
        let squeezed = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let lines: Vec<String> = text.lines().map(squeezed).collect();
        let rows = cells(&markdown);
        assert!(rows.len() > 3, "{kind}: {markdown}");
        for row in rows {
            assert!(lines.contains(&squeezed(&row.join(" "))), "{kind}: {row:?} is not in the text");
            for cell in row.iter().filter(|cell| !cell.contains(": ")) {
                let escaped =
                    cell.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&#39;");
                assert!(html.contains(&format!(">{escaped}<")), "{kind}: {cell} is not in the page");
            }
        }
        let json = report_json(folder, kind);
        assert_eq!(json["kind"], kind);
        for (name, table) in json["tables"].as_object().unwrap() {
            for (column, value) in table.as_array().unwrap().iter().flat_map(|row| row.as_object().unwrap()) {
                if value.is_number() {
                    assert!(html.contains(&format!("data-value=\"{value}\"")), "{kind}: {name}: {column} {value}");
                }
            }
        }
    }
}

#[test]
fn a_browser_draws_every_chart_and_has_nothing_to_complain_of() {
    // Charts shown at a time.
    let charts: BTreeMap<&str, usize> = [
        ("daily", 4),
        ("weekly", 4),
        ("monthly", 9),
        ("final", 13),
        ("quality", 9),
        ("performance", 5),
        ("success", 4),
    ]
    .into();
    for kind in KINDS {
        let page = ARCHIVE.path().join(format!("{kind}.html"));
        let out = page.to_str().unwrap();
        harness(ARCHIVE.path()).args(["report", kind, "--out", out]).assert().code(code(kind));
        for width in [1400, 700] {
            let seen = browser::open(&page, width);
            assert_eq!(seen.console, Vec::<String>::new(), "{kind} at {width}");
            assert_eq!(seen.charts.len(), charts[kind], "{kind} at {width}: {:?}", seen.charts);
            // One month cannot drift from itself.
            let empty = |(name, marks): &&(String, usize)| *marks == 0 && name != "Drift of the features";
            assert_eq!(seen.charts.iter().find(empty), None, "{kind} at {width}");
        }
    }
}

#[test]
fn a_page_that_does_not_work_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("broken.html");
    let whole = report(ARCHIVE.path(), "daily", "html");
    fs::write(&page, whole.replace("</main>", "</main><script>undefined.property</script>")).unwrap();
    let seen = browser::open(&page, 1400);
    assert!(seen.console.iter().any(|line| line.contains("TypeError")), "{:?}", seen.console);
    // Charts without anything in them.
    let (first, rest) = whole.split_once("<svg class=\"chart\"").unwrap();
    let (tag, rest) = rest.split_once('>').unwrap();
    let (_, rest) = rest.split_once("</svg>").unwrap();
    fs::write(&page, format!("{first}<svg class=\"chart\"{tag}></svg>{rest}")).unwrap();
    let charts = browser::open(&page, 1400).charts;
    assert_eq!(charts[0], ("Calendar of the months by quality".to_owned(), 0));
}

#[test]
fn an_archive_of_184_months_is_one_small_page() {
    let folder = tempfile::tempdir().unwrap();
    let (manifest, statistics) = (manifest(ARCHIVE.path()), statistics(ARCHIVE.path()));
    let months = (2010..=2025).flat_map(|year| (1..=12).map(move |month| (year, month)));
    let months: Vec<(i32, i32)> = months.filter(|month| ((2010, 7)..=(2025, 10)).contains(month)).collect();
    assert_eq!(months.len(), 184);
    for (number, (year, month)) in months.into_iter().enumerate() {
        let (mut statistics, name) = (statistics.clone(), format!("{year}-{month:02}"));
        statistics["month"] = name.clone().into();
        for (place, feature) in statistics["features"].as_object_mut().unwrap().values_mut().enumerate() {
            // Every feature drifts in some months.
            feature["p50"] = ((number * (place + 1)) as f64 % 17.0).powi(4).into();
        }
        let text = |json: &Value| {
            let text = serde_json::to_string(json).unwrap();
            text.replace("monthly_2013-09", &format!("monthly_{name}"))
                .replace("2013/09", &format!("{year}/{month:02}"))
        };
        let mut manifest = manifest.clone();
        manifest["month"] = name.clone().into();
        let at = folder.path().join(format!("store/processed-data/monthly/{year}/{month:02}"));
        fs::create_dir_all(at.join("statistics")).unwrap();
        fs::write(at.join("manifest.json"), text(&manifest)).unwrap();
        let key = text(&manifest["current"]["statistics"]["key"]);
        fs::write(folder.path().join("store").join(key.trim_matches('"')), text(&statistics)).unwrap();
    }
    let whole = report_json(folder.path(), "final");
    assert_eq!(whole["tables"]["months"].as_array().unwrap().len(), 184);
    assert_eq!(whole["facts"]["published"], 184);
    let page = folder.path().join("final.html");
    harness(folder.path()).args(["report", "final", "--out", "final.html"]).assert().success();
    let bytes = fs::metadata(&page).unwrap().len();
    assert!(bytes < 4_000_000, "{bytes}");
    let seen = browser::open(&page, 1400);
    assert_eq!((seen.console.len(), seen.charts.len()), (0, 13));
    let marks = |name: &str| seen.charts.iter().find(|(chart, _)| chart == name).unwrap().1;
    assert!(marks("Calendar of the months by quality") >= 184, "{:?}", seen.charts);
    assert!(marks("Drift of the features") > 184, "{:?}", seen.charts);
}

#[test]
fn daily_and_weekly_reports_say_what_happened_in_their_time() {
    let published =
        |kind: &str, folder: &Path| report_json(folder, kind)["tables"]["published"].as_array().unwrap().len();
    let daily = report_json(ARCHIVE.path(), "daily");
    let line = row(&daily, "published", "month", "2013-09");
    assert_eq!(line["version"], manifest(ARCHIVE.path())["current"]["version"]);
    let failed = row(&daily, "failed", "month", "2013-08");
    assert!(failed["error"].as_str().unwrap().contains("truncated") && failed["exit_code"] == 3, "{failed}");
    assert_eq!(row(&daily, "withheld", "month", "2013-10")["threshold"], 1.0);
    assert_eq!(row(&daily, "reprocessing", "month", "2013-08")["priority"], "high");
    let facts = &daily["facts"];
    let counts =
        ["published", "published_in_this_time", "failed", "withheld", "pending", "gaps"].map(|name| &facts[name]);
    assert_eq!(counts.map(|count| count.as_u64().unwrap()), [1, 1, 1, 1, 1, 1]);

    // The same store three and thirty days later.
    let folder = tempfile::tempdir().unwrap();
    for key in keys_of(&ARCHIVE.path().join("store")) {
        let to = folder.path().join("store").join(&key);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(ARCHIVE.path().join("store").join(&key), to).unwrap();
    }
    let at = |days: i64| {
        let then = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * days);
        let path = |key: &str| folder.path().join("store/processed-data").join(key);
        change(&path("monthly/2013/09/manifest.json"), |json| json["current"]["published"] = then.to_string().into());
        change(&path("failures/2013-08.json"), |json| json["when"] = then.to_string().into());
    };
    let failed = |kind: &str| report_json(folder.path(), kind)["tables"]["failed"].as_array().unwrap().len();
    at(3);
    assert_eq!((published("daily", folder.path()), failed("daily")), (0, 0));
    assert_eq!((published("weekly", folder.path()), failed("weekly")), (1, 1));
    at(30);
    assert_eq!((published("weekly", folder.path()), failed("weekly")), (0, 0));
    // A published month whose last run failed is both, in the figures, the tables and the calendar.
    let failures = folder.path().join("store/processed-data/failures");
    let failure = fs::read_to_string(failures.join("2013-08.json")).unwrap();
    fs::write(failures.join("2013-09.json"), failure.replace("2013-08", "2013-09")).unwrap();
    let final_report = report_json(folder.path(), "final");
    assert_eq!([&final_report["facts"]["published"], &final_report["facts"]["failed"]], [1, 2]);
    assert_eq!(row(&final_report, "reprocessing", "month", "2013-09")["priority"], "high");
    let page = report(folder.path(), "final", "html");
    assert!(
        page.contains(&format!(
            "{:.3}!",
            row(&final_report, "months", "month", "2013-09")["quality"].as_f64().unwrap()
        ))
    );
    let quality = outcome(folder.path(), &["quality"]).0;
    let again = quality["reprocess"].as_array().unwrap().iter().find(|one| one["month"] == "2013-09").unwrap();
    assert!(
        again["priority"] == "high" && again["reasons"][0].as_str().unwrap().contains("last run failed"),
        "{again}"
    );
    // What has to be made again does not expire.
    assert_eq!(row(&report_json(folder.path(), "weekly"), "reprocessing", "month", "2013-08")["priority"], "high");
}

#[test]
fn success_is_measured_and_a_criterion_that_is_missed_is_exit_code_1() {
    let folder = store_whole();
    let raw = folder.path().join("store/raw-data/databento");
    let success = || {
        let (report, code) = outcome(folder.path(), &["report", "success"]);
        let rows = report["tables"]["success"].as_array().unwrap().clone();
        let rows = rows.into_iter().map(|row| (row["criterion"].as_str().unwrap().to_owned(), row));
        (rows.collect::<BTreeMap<String, Value>>(), code)
    };
    let missed = |rows: &BTreeMap<String, Value>| -> Vec<String> {
        rows.iter().filter(|(_, row)| row["met"] == false).map(|(name, _)| name.clone()).collect()
    };
    let (rows, code) = success();
    assert_eq!((rows.len(), code), (12, 1), "without a month nothing is met");

    month::run(folder.path(), &[]);
    let statistics = statistics(folder.path());
    let (rows, code) = success();
    assert_eq!((missed(&rows), code), (vec![], 0));
    let measured = |name: &str| rows[name]["measured"].clone();
    let near = |name: &str, value: &Value| {
        let (found, value) = (measured(name).as_f64().unwrap(), value.as_f64().unwrap());
        assert!((found - value).abs() <= 1e-12 * value, "{name}: {found}, expected {value}");
    };
    near("Peak memory", &statistics["performance"]["peak_rss_bytes"]);
    near("Time of a month", &statistics["performance"]["seconds"]);
    assert_eq!(measured("Quality"), statistics["quality"]["score"]);
    let rates = statistics["modes"].as_object().unwrap().values().map(|mode| mode["win_rate"].as_f64().unwrap());
    let (low, high) = (rates.clone().reduce(f64::min).unwrap(), rates.reduce(f64::max).unwrap());
    assert_eq!(measured("Win rates, all modes"), format!("{:.1} %; {:.1} %", 100.0 * low, 100.0 * high));
    let shares = statistics["features"].as_object().unwrap().values().map(|of| of["nan_share"].as_f64().unwrap());
    assert_eq!(measured("NaN share, features with a window").as_f64(), shares.reduce(f64::max));
    assert_eq!((measured("Error rate"), measured("Automatic recovery")), (0.0.into(), Value::Null));
    let by_window = "rolls: 1 of 1 in their expected window, or by the volumes where the root has none";
    assert_eq!(rows["Roll detection"]["worst_or_of_what"], by_window);
    fs::copy(month::synthetic_whole().with_file_name("truth.json"), raw.join("truth.json")).unwrap();
    assert_eq!(success().0["Roll detection"]["worst_or_of_what"], "rolls: 1 of 1 by truth.json, 0 invented");

    // Each limit is one.
    let path = current(folder.path(), "statistics");
    let good = fs::read(&path).unwrap();
    let wrong: [(&str, &str, Value); 6] = [
        ("Peak memory", "/performance/peak_rss_bytes", 8_000_000_001_u64.into()),
        ("Time of a month", "/performance/seconds", 1800.5.into()),
        ("Win rates, all modes", "/modes/low_vol_long/win_rate", 0.049.into()),
        ("Win rates, all modes", "/modes/low_vol_long/win_rate", 0.501.into()),
        ("Quality", "/quality/score", 0.799.into()),
        ("NaN share, features with a window", "/features/atr_30s/nan_share", 0.351.into()),
    ];
    for (criterion, at, value) in wrong {
        change(&path, |json| *json.pointer_mut(at).unwrap() = value.clone());
        let (rows, code) = success();
        // Nor are the statistics as they were published.
        let mut expected = ["Availability".to_owned(), criterion.to_owned()];
        expected.sort();
        assert_eq!((&missed(&rows)[..], code), (&expected[..], 1));
        fs::write(&path, &good).unwrap();
    }
    change(&path, |json| json["rollovers"][0]["from"] = "ESM3".into());
    let (rows, _) = success();
    assert!(missed(&rows).contains(&"Roll detection".to_owned()));
    assert_eq!(rows["Roll detection"]["worst_or_of_what"], "rolls: 0 of 1 by truth.json, 1 invented");
    fs::write(&path, &good).unwrap();

    // The month fails, and is mended.
    let file = raw.join(month::FILE);
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..100_000]).unwrap();
    harness(folder.path()).args(["run", "--month", "2013-09"]).assert().code(1);
    let (rows, code) = success();
    assert_eq!((missed(&rows), code), (vec!["Automatic recovery".to_owned(), "Error rate".to_owned()], 1));
    fs::write(&file, &whole).unwrap();
    month::run(folder.path(), &[]);
    let (rows, code) = success();
    assert_eq!((missed(&rows), code, &rows["Automatic recovery"]["measured"]), (vec![], 0, &1.0.into()));
}

#[test]
fn what_cannot_be_reported_on_is_said() {
    let folder = store();
    let (message, code) = refusal(folder.path(), &["report", "monthly"]);
    assert!(message.contains("no month to report on is published") && code == 2, "{message}");
    let (message, code) = refusal(folder.path(), &["report", "final", "--month", "2013-09"]);
    assert!(message.contains("--month is for `report monthly`") && code == 2, "{message}");
    assert_eq!(outcome(folder.path(), &["report", "final"]).1, 0, "a store without months has a report, too");
    let empty = report_json(tempfile::tempdir().unwrap().path(), "quality");
    assert_eq!(empty["tables"]["months"], serde_json::json!([]));

    month::run(folder.path(), &[]);
    fs::write(current(folder.path(), "statistics"), "{").unwrap();
    let (report, code) = outcome(folder.path(), &["report", "quality"]);
    let error = report["errors"][0].as_str().unwrap();
    assert!(error.starts_with("2013-09: ") && error.contains("no statistics that can be read") && code == 1, "{error}");
}

#[test]
fn many_months_to_be_made_again_are_one_fault() {
    let folder = store();
    month::run(folder.path(), &[]);
    let notes = || report_json(folder.path(), "quality")["notes"]["reprocessing"].clone();
    assert_eq!(notes(), Value::Null);
    change(&current(folder.path(), "statistics"), |statistics| {
        let needed = serde_json::json!({ "needed": true, "priority": "low", "reasons": ["rolls 0.4"] });
        statistics["quality"]["reprocess"] = needed;
    });
    assert!(notes()[0].as_str().unwrap().starts_with("1 of 1 published months should be reprocessed"), "{}", notes());
    let report = report_json(folder.path(), "quality");
    assert_eq!(row(&report, "reprocessing", "month", "2013-09")["reasons"], "rolls 0.4");
}
