//! Text that people or stores hand over.

use data::{
    Instrument, Month, MonthRange, input, job,
    symbol::{self, Kind},
    symbology::Symbology,
};
use harness::untrusted;

/// The month manifests are read for.
pub(crate) const MONTH: &str = "2013-10";

fn month() -> Month {
    MONTH.parse().unwrap_or_else(|_| unreachable!())
}

/// A manifest: what it names lies in its month's folders, however it is spelt.
pub fn manifest(bytes: &[u8]) {
    let Ok(keys) = untrusted::manifest(month(), bytes) else { return };
    for key in keys {
        let folder = ["processed-data/monthly/2013/10/", "processed-data/history/2013/10/"];
        let name = folder.iter().find_map(|folder| key.strip_prefix(folder));
        let name = name.map(|name| name.strip_prefix("statistics/").unwrap_or(name));
        assert!(name.is_some_and(|name| name.starts_with("monthly_2013-10_") && !name.contains('/')), "{key}");
    }
}

/// A commit or a checkpoint of the table's log, whoever wrote it: what is wrong with it is said, and nothing else happens.
pub fn table(bytes: &[u8]) {
    match untrusted::table(bytes) {
        Ok(paths) => assert!(paths.len() <= bytes.len(), "{} paths of {} bytes", paths.len(), bytes.len()),
        Err(said) => assert!(!said.is_empty()),
    }
}

/// Statistics: what is read can be written and read again.
pub fn statistics(bytes: &[u8]) {
    let Ok(written) = untrusted::statistics(bytes) else { return };
    assert!(untrusted::statistics(&written).is_ok(), "{}", String::from_utf8_lossy(&written));
}

/// What lies beside a batch download. The first byte says what the rest is: manifest, conditions or symbology.
pub fn job(bytes: &[u8]) {
    let Some((which, json)) = bytes.split_first() else { return };
    match which % 3 {
        0 => {
            for listed in job::manifest(json).unwrap_or_default() {
                assert!(listed.sha256().is_none_or(|hash| listed.hash.ends_with(hash)), "{}", listed.hash);
            }
        }
        1 => {
            for said in job::conditions(json, month()) {
                let plain = said.len() < 100 && said.chars().all(|letter| letter.is_ascii_graphic() || letter == ' ');
                assert!(said.starts_with("2013-10-") && plain, "{said}");
            }
        }
        _ => {
            let symbology = Symbology::parse(json);
            // The same whatever the order of a map.
            assert!(symbology == Symbology::parse(json));
        }
    }
}

/// A `harness.toml`: settings that are accepted can be used.
pub fn configuration(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(settings) = untrusted::configuration(text) else { return };
    assert!(settings["instrument"]["tick_nanos"].as_i64().is_some_and(|tick| tick > 0), "{settings}");
}

/// Variables that say how a bucket is reached, a line each: none ends in a panic, and what is said names one.
pub fn environment(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // An operating system has no variable with a null in it.
    let named = |line: &str| line.split_once('=').map(|(name, value)| (format!("AWS_{name}"), value.to_owned()));
    let mut variables: Vec<(String, String)> = text.replace('\0', "").lines().filter_map(named).collect();
    // With these nobody is asked for credentials, nor for where the server is.
    for (name, value) in
        [("ACCESS_KEY_ID", "id"), ("SECRET_ACCESS_KEY", "secret"), ("ENDPOINT_URL", "http://127.0.0.1:1")]
    {
        if variables.iter().all(|(known, _)| *known != format!("AWS_{name}")) {
            variables.push((format!("AWS_{name}"), value.to_owned()));
        }
    }
    let said = untrusted::environment(&variables);
    assert!(variables.iter().any(|(name, _)| said.contains(&**name)), "{said}: {variables:?}");
}

/// A root and a symbol, with a line feed between them; the symbol also as a month, a range and a file name.
pub fn symbol(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (root, symbol) = text.split_once('\n').unwrap_or(("ES", text));
    if let Ok(range) = symbol.parse::<MonthRange>() {
        assert!(range.first() <= range.last());
    }
    let data = symbol.parse().unwrap_or_else(|_| month());
    if let Some((first, last)) = input::named_dates(symbol) {
        assert!(first <= last);
    }
    let instrument = Instrument { root: root.to_owned(), ..Instrument::default() };
    let kind = symbol::classify(symbol, root);
    match symbol::expiry(kind, data) {
        Some(expiry) => {
            // Contracts trade up to six months after the month they are named for.
            assert!(expiry.index() >= data.index() - 6, "{symbol} expires in {expiry}, long before {data}");
            let Kind::Outright { month, year, modulus } = kind else { panic!("{symbol} is no outright") };
            assert_eq!((expiry.month(), expiry.year().rem_euclid(modulus)), (month, year), "{symbol}");
            assert!(expiry.year() - data.year() <= modulus, "{symbol}");
            if instrument.check().is_ok() {
                assert_eq!(symbol::root(symbol).as_deref(), Some(root), "{symbol}");
            }
        }
        // All four digits of a year name one contract, which may be of another time.
        None => assert!(!matches!(kind, Kind::Outright { modulus: 10 | 100, .. }) || data.year() > 2090, "{symbol}"),
    }
    if let Some(root) = symbol::root(symbol).filter(|_| symbol::series_root(symbol).is_none()) {
        assert!(!matches!(symbol::classify(symbol, &root), Kind::Other), "{symbol} is not of its root {root}");
    }
}
