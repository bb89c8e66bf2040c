//! Damaged DBN files: bit flips, truncations and splices of synthetic and, where `CORRUPT_REAL` names their folder, real ones.
//! `scripts/corrupt` runs ten thousand.
//!
//! What comes of a damaged file is held against what comes of the whole one. It must be
//!
//! - refused, or
//! - the same: the damage lies where nothing is read, or in records no session uses, or
//! - reported: another count of cleaning or selection, or another warning, or
//! - what no reader can know: a plain DBN file has no checksum and no count of its records, so a bit that makes another
//!   believable bar, or records missing at a record's boundary, leave no trace. Believable is a bar within 2 % of the close
//!   before, in a session whose volume is within ten times the month's median.
//!
//! Anything else is a failure.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use data::{
    Instrument,
    columns::Columns,
    contract::{Choice, Fronts},
    grid::Grid,
    input,
    records::Records,
    session,
    synth::{Plan, write_month},
    volumes::Volumes,
};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Bytes of a record.
const RECORD: usize = 56;
/// Records of the synthetic file: two days.
const RECORDS: usize = 60_000;
/// Longer is a hang.
const PATIENCE: Duration = Duration::from_secs(5);

/// A whole file.
struct Whole {
    name: String,
    instrument: Instrument,
    /// As it is, and decompressed.
    file: Vec<u8>,
    plain: Vec<u8>,
    read: Vec<(Records, Grid)>,
}

impl Whole {
    fn new(name: &str, instrument: Instrument, file: Vec<u8>, folder: &Path) -> Self {
        let plain = if file.starts_with(b"DBN") { file.clone() } else { zstd::decode_all(&file[..]).unwrap() };
        let path = folder.join(name);
        fs::write(&path, &file).unwrap();
        let read = read(&path, &instrument).unwrap();
        Self { name: name.to_owned(), instrument, file, plain, read }
    }
}

fn read(path: &Path, instrument: &Instrument) -> Result<Vec<(Records, Grid)>, String> {
    let (mut months, mut volumes) = (Vec::new(), Volumes::default());
    let mut take = |columns: Columns| {
        volumes.add(&Volumes::of(&columns.view(), instrument)?);
        months.push(columns);
        Ok(())
    };
    let done = input::read(path, instrument, &mut take);
    done.map_err(|error| std::error::Error::source(&error).unwrap().to_string())?;
    let cut = |columns: Columns| {
        let fronts = Fronts::choose(columns.month, &volumes, |_| true, Choice::Volume);
        let grid = session::cut(&columns.view(), instrument, &fronts).unwrap();
        (columns.records, grid)
    };
    Ok(months.into_iter().map(cut).collect())
}

/// What came of a damaged file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Came {
    Refused,
    Same,
    Reported,
    MissingUnknowably,
    AnotherBelievableBar,
    Silent,
    Panicked,
    Hung,
}

fn judge(whole: &[(Records, Grid)], found: &[(Records, Grid)]) -> Came {
    let counts = |months: &[(Records, Grid)]| {
        let mut sum = Records::default();
        months.iter().for_each(|(records, _)| sum.add(records));
        // The totals follow from the rest.
        (sum.rules(), sum.spreads_dropped, sum.other_roots_dropped, sum.time_backwards)
    };
    let warnings = |months: &[(Records, Grid)]| -> Vec<String> {
        months.iter().flat_map(|(_, grid)| grid.warnings.clone()).collect()
    };
    let months = |months: &[(Records, Grid)]| months.iter().map(|(_, grid)| grid.month).collect::<Vec<_>>();
    let by_symbol = |months: &[(Records, Grid)]| {
        months.iter().flat_map(|(records, _)| records.by_instrument.keys().cloned()).collect::<Vec<_>>()
    };
    if whole.iter().map(|(_, grid)| grid).eq(found.iter().map(|(_, grid)| grid)) {
        return Came::Same;
    }
    if counts(whole) != counts(found)
        || warnings(whole) != warnings(found)
        || months(whole) != months(found)
        || by_symbol(whole) != by_symbol(found)
    {
        return Came::Reported;
    }
    if found.iter().any(|(_, grid)| !believable(grid)) {
        return Came::Silent;
    }
    let total = |months: &[(Records, Grid)]| months.iter().map(|(records, _)| records.total).sum::<u64>();
    if total(found) < total(whole) { Came::MissingUnknowably } else { Came::AnotherBelievableBar }
}

/// By figures of its own, not those of the warnings.
fn believable(grid: &Grid) -> bool {
    let mut volumes: Vec<u64> = grid.sessions.iter().map(|session| session.volume).collect();
    volumes.sort_unstable();
    let Some(&median) = volumes.get(volumes.len() / 2) else { return true };
    grid.sessions.iter().all(|session| {
        let rows = session.rows.clone();
        let near = rows.clone().skip(1).all(|row| {
            let before = f64::from(grid.close[row - 1]);
            [grid.open[row], grid.high[row], grid.low[row], grid.close[row]]
                .into_iter()
                .all(|price| (f64::from(price) / before - 1.0).abs() <= 0.0201)
        });
        let volume: u64 = grid.volume[rows].iter().copied().map(u64::from).sum();
        near && volume <= 10 * median
    })
}

/// One way of damage, of a file's bytes or of what they decompress to.
fn damage(bytes: &[u8], rng: &mut ChaCha8Rng) -> (&'static str, Vec<u8>) {
    let mut bytes = bytes.to_vec();
    let at = rng.random_range(0..bytes.len());
    let length = rng.random_range(1..=1 + bytes.len().min(4000) / 2);
    let end = (at + length).min(bytes.len());
    match rng.random_range(0..9) {
        0 | 1 => {
            bytes[at] ^= 1 << rng.random_range(0..8);
            ("a bit", bytes)
        }
        2 => {
            for _ in 0..rng.random_range(2..64) {
                let at = rng.random_range(0..bytes.len());
                bytes[at] ^= 1 << rng.random_range(0..8);
            }
            ("many bits", bytes)
        }
        3 => {
            rng.fill_bytes(&mut bytes[at..end]);
            ("noise", bytes)
        }
        4 => {
            bytes[at..end].fill(0);
            ("zeros", bytes)
        }
        5 => {
            bytes.truncate(at);
            ("truncated", bytes)
        }
        6 => {
            bytes.drain(at..end);
            ("a piece is missing", bytes)
        }
        7 => {
            let piece = bytes[at..end].to_vec();
            let to = rng.random_range(0..=bytes.len());
            bytes.splice(to..to, piece);
            ("a piece twice", bytes)
        }
        _ => {
            // Whole records in another place: what a download that is resumed wrongly leaves.
            let piece: Vec<u8> = bytes[at..end].to_vec();
            let to = rng.random_range(0..=bytes.len() - piece.len());
            bytes[to..to + piece.len()].copy_from_slice(&piece);
            ("a piece over another", bytes)
        }
    }
}

/// A few variants touch only the records, where the most can go unnoticed.
fn variant(whole: &Whole, rng: &mut ChaCha8Rng) -> (String, Vec<u8>) {
    let header = 8 + u32::from_le_bytes(whole.plain[4..8].try_into().unwrap()) as usize;
    let (layer, (how, bytes)) = match rng.random_range(0..5) {
        0 | 1 => ("the file", damage(&whole.file, rng)),
        2 => ("the plain bytes", damage(&whole.plain, rng)),
        3 => {
            let (how, head) = damage(&whole.plain[..header], rng);
            ("the header", (how, [&head[..], &whole.plain[header..]].concat()))
        }
        _ => {
            let records = (whole.plain.len() - header) / RECORD;
            let at = header + RECORD * rng.random_range(0..records);
            let mut bytes = whole.plain.clone();
            bytes[at + rng.random_range(0..RECORD)] ^= 1 << rng.random_range(0..8);
            ("a record", ("a bit", bytes))
        }
    };
    let again = bytes.starts_with(b"DBN") && rng.random_bool(0.3);
    let bytes = if again { zstd::encode_all(&bytes[..], 1).unwrap() } else { bytes };
    (format!("{how} of {layer}{}", if again { ", compressed again" } else { "" }), bytes)
}

fn try_variant(whole: &Whole, bytes: &[u8], folder: &Path, patience: Duration) -> (Came, Duration, String) {
    let path = folder.join(&whole.name);
    fs::write(&path, bytes).unwrap();
    let (instrument, begin) = (whole.instrument.clone(), Instant::now());
    let (sender, done) = mpsc::channel();
    let worker = thread::spawn(move || {
        let found = read(&path, &instrument);
        let _ = sender.send(());
        found
    });
    if let Err(mpsc::RecvTimeoutError::Timeout) = done.recv_timeout(patience) {
        return (Came::Hung, begin.elapsed(), String::new());
    }
    let (came, said) = match worker.join() {
        Err(_) => (Came::Panicked, String::new()),
        Ok(Err(error)) => (Came::Refused, error),
        Ok(Ok(found)) => (judge(&whole.read, &found), String::new()),
    };
    (came, begin.elapsed(), said)
}

fn whole_files(folder: &Path) -> Vec<Whole> {
    let truth = write_month(&Plan::default(), "2013-10".parse().unwrap(), folder).unwrap();
    let plain = zstd::decode_all(&fs::read(folder.join(&truth.file)).unwrap()[..]).unwrap();
    let header = 8 + u32::from_le_bytes(plain[4..8].try_into().unwrap()) as usize;
    let part = &plain[..header + RECORDS * RECORD];
    let mut checked = zstd::Encoder::new(Vec::new(), 3).unwrap();
    checked.include_checksum(true).unwrap();
    std::io::Write::write_all(&mut checked, part).unwrap();
    let mut files = vec![
        Whole::new("plain.dbn", Instrument::default(), part.to_vec(), folder),
        Whole::new("frame.dbn.zst", Instrument::default(), zstd::encode_all(part, 3).unwrap(), folder),
        Whole::new("checked.dbn.zst", Instrument::default(), checked.finish().unwrap(), folder),
    ];
    if let Some(real) = env::var_os("CORRUPT_REAL").map(PathBuf::from) {
        let gold = Instrument { root: "GC".into(), tick_nanos: 100_000_000, ..Instrument::default() };
        for (file, instrument) in [
            ("gc/glbx-mdp3-20131007-20131009.ohlcv-1s.dbn.zst", gold),
            ("es-minute/glbx-mdp3-20131001-20131031.ohlcv-1s.dbn.zst", Instrument::default()),
            ("es-minute/glbx-mdp3-20131101-20131231.ohlcv-1s.dbn.zst", Instrument::default()),
            ("dbn/test_data.ohlcv-1s.v1.dbn.zst", Instrument::default()),
            ("dbn/test_data.ohlcv-1s.v2.dbn.zst", Instrument::default()),
            ("dbn/test_data.ohlcv-1s.v3.dbn.zst", Instrument::default()),
        ] {
            let name = file.rsplit('/').next().unwrap();
            files.push(Whole::new(name, instrument, fs::read(real.join(file)).unwrap(), folder));
        }
    }
    files
}

/// The most memory this process has held, in bytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next());
    kilobytes.and_then(|number| number.parse::<u64>().ok()).unwrap_or(0) * 1024
}

#[test]
fn nothing_of_a_damaged_file_is_accepted_in_silence() {
    let asked = env::var("CORRUPT_VARIANTS").ok().map(|count| count.parse().unwrap());
    let (count, patience) = (asked.unwrap_or(200), if asked.is_some() { PATIENCE } else { PATIENCE * 60 });
    let seed = env::var("CORRUPT_SEED").map_or(1, |seed| seed.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let files = whole_files(folder.path());
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut came, mut longest, mut bad) = (BTreeMap::<Came, usize>::new(), Duration::ZERO, Vec::new());
    for number in 0..count {
        let whole = &files[number % files.len()];
        let (how, bytes) = variant(whole, &mut rng);
        let (outcome, took, said) = try_variant(whole, &bytes, folder.path(), patience);
        *came.entry(outcome).or_default() += 1;
        longest = longest.max(took);
        if outcome >= Came::Silent || outcome == Came::Refused && said.is_empty() {
            bad.push(format!("variant {number} of {}: {how}: {outcome:?}", whole.name));
            let _ = fs::write(env::temp_dir().join(format!("corrupt-{seed}-{number}.dbn")), &bytes);
        }
    }
    println!(
        "{count} variants of {} files, seed {seed}: {came:?}; longest {longest:.1?}; peak {} MB",
        files.len(),
        peak() >> 20
    );
    assert!(bad.is_empty(), "{bad:#?}");
    assert!(came[&Came::Refused] > count / 10 && came[&Came::Reported] > count / 50, "{came:?}");
    assert!(peak() < 2 << 30, "{} bytes", peak());
}
