//! States of streams, as files. Their checksums are made right here: whoever makes a state can make its checksum, too.

use data::{
    Instrument,
    live::{Front, Live, LiveError},
};
use kernels::{Bar, Profile, Stream, Tick, stream::Row};
use xxhash_rust::xxh3::xxh3_64;

/// Where the second after the last one stands in a stream's bytes: after name, version, length, profile and tick.
const SECOND: usize = 8 + 4 + 4 + 4 + 8;

/// Bytes that were read are written as they were, and the stream goes on or refuses the next bar. The first byte says whose.
///
/// # Panics
/// A state comes back as another.
pub fn state(bytes: &[u8]) {
    let Some((whose, bytes)) = bytes.split_first() else { return };
    match whose % 3 {
        0 => windows(Profile::Session, bytes),
        1 => windows(Profile::Rolling, bytes),
        _ => live(bytes),
    }
}

fn windows(profile: Profile, bytes: &[u8]) {
    let (Ok(tick), Some(content)) = (Tick::from_nanos(250_000_000), bytes.len().checked_sub(8)) else { return };
    let mut whole = bytes.to_vec();
    if let Some(length) = whole.get_mut(12..16) {
        length.copy_from_slice(&(bytes.len() as u32).to_le_bytes());
    }
    // FNV-1a.
    let sum = whole[..content]
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |sum, &byte| (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    whole[content..].copy_from_slice(&sum.to_le_bytes());
    let Ok(mut stream) = Stream::from_bytes(profile, tick, &whole) else { return };
    let written = stream.to_bytes();
    let again = Stream::from_bytes(profile, tick, &written).expect("what was written is read");
    assert!(again.to_bytes() == written, "a state comes back as another");
    let second = u32::from_le_bytes([0, 1, 2, 3].map(|byte| whole[SECOND + byte]));
    for second in second.min(86_000)..second.min(86_000) + 40 {
        let (open, high, low, close) = (6_800, 6_804, 6_798, 6_801);
        // Refused or not.
        let _: Result<Row<f32>, _> = stream.push(Bar { open, high, low, close, volume: second % 3, second });
    }
}

fn live(bytes: &[u8]) {
    let instrument = Instrument::default();
    let begin = || Live::new(&instrument, Profile::Session, Front::Symbol("ESZ3".into())).ok();
    let whole = [bytes, &xxh3_64(bytes).to_le_bytes()].concat();
    let Some(Ok(mut live)) = begin().map(|live| live.resume(&whole)) else { return };
    let written = live.to_bytes();
    let again = begin().map(|live| live.resume(&written)).expect("a stream").expect("what was written is read");
    assert!(again.to_bytes() == written, "a state comes back as another");
    if let Some(second) = live.next_second() {
        // Refused or not.
        let _ = live.pass::<f32, LiveError>(second.saturating_add(5), &mut |_| Ok(()));
    }
}
