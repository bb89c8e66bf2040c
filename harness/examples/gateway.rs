//! The tests' gateway for one who wants to try a live client: plays a DBN file that is packed with zstd. Says its address, and
//! serves until its input ends.
//!
//! `gateway FILE FROM TO SPEED DROPS`: the day from one UTC time to another, at so many times real time, with so many
//! lines that drop. What is before the day is there for a replay.
#![allow(clippy::unwrap_used)]

#[path = "../tests/it/gateway.rs"]
#[allow(dead_code)]
mod gateway;

use gateway::{Day, Gateway, header, names};

/// Bytes of a bar's record.
const RECORD: usize = 56;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, from, to, speed, drops] = arguments.try_into().expect("FILE FROM TO SPEED DROPS");
    let raw = zstd::decode_all(std::fs::File::open(file).unwrap()).unwrap();
    let bars = &raw[header(&raw)..];
    let at = |time: String| {
        let time = time.parse::<jiff::Timestamp>().unwrap().as_nanosecond() as u64;
        let later = |record: &[u8]| u64::from_le_bytes(record[8..16].try_into().unwrap()) >= time;
        bars.chunks_exact(RECORD).position(later).unwrap_or(bars.len() / RECORD)
    };
    let (from, to) = (at(from), at(to));
    let (drops, speed) = (drops.parse().unwrap(), Some(speed.parse().unwrap()));
    let gateway = Gateway::start(Day { names: names(&raw), bars: bars[..to * RECORD].to_vec(), from, drops, speed });
    println!("{}", gateway.address);
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).unwrap();
}
