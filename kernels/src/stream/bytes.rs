//! A stream as bytes and back.
//!
//! Written are the rows that values look back at and what the session so far amounts to; everything else follows from them
//! when they are read. So no state can be read that no rows lead to.

use super::past::Traded;
use super::state::State;
use super::{Follows, Stream};
use crate::features::{Carry, LOOK_BACK};
use crate::series::{MAX_TICKS, MIN_TICKS};
use crate::{Bar, Error, Profile, Tick};

const NAME: [u8; 8] = *b"kernels\n";
/// Raised whenever bytes of before would be read as something else, or lead to other values.
const VERSION: u32 = 1;

/// Name, version and length of the whole.
const PREFIX: usize = 8 + 4 + 4;
/// That; profile, tick and second; turnover, volume, high and low so far.
const HEADER: usize = PREFIX + 4 + 8 + 4 + 24;
/// Three prices and the volume.
const ROW: usize = 16;
const CHECKSUM: usize = 8;

const SESSION: u32 = 0;
const ROLLING: u32 = 1;
/// In place of a second: any may come next.
const ANY: u32 = u32::MAX;

pub(super) fn write(stream: &Stream) -> Vec<u8> {
    let rows = stream.state.past().kept();
    let length = HEADER + ROW * rows.len() + CHECKSUM;
    let mut bytes = Vec::with_capacity(length);
    let mut put = |number: &[u8]| bytes.extend_from_slice(number);
    put(&NAME);
    put(&VERSION.to_le_bytes());
    put(&(length as u32).to_le_bytes());
    let profile = if stream.profile == Profile::Session { SESSION } else { ROLLING };
    put(&profile.to_le_bytes());
    put(&stream.tick.nanos().to_le_bytes());
    let second = if let Follows::Second(second) = stream.follows { second } else { ANY };
    put(&second.to_le_bytes());
    let carry = stream.state.carry().copied().unwrap_or_else(Carry::start);
    put(&carry.turnover.to_le_bytes());
    put(&carry.volume.to_le_bytes());
    put(&carry.high.to_le_bytes());
    put(&carry.low.to_le_bytes());
    for Traded { high, low, close, volume } in rows {
        [high, low, close].iter().for_each(|price| put(&price.to_le_bytes()));
        put(&volume.to_le_bytes());
    }
    let sum = checksum(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

pub(super) fn read(profile: Profile, tick: Tick, bytes: &[u8]) -> Result<Stream, Error> {
    let found = bytes.len();
    let mut prefix = Numbers(bytes);
    if prefix.take() != Some(NAME) {
        return Err(Error::NoState { len: found });
    }
    let cut = |expected: u32| Error::StateLength { found, expected: expected as usize };
    let version = prefix.u32().ok_or(cut(PREFIX as u32))?;
    if version != VERSION {
        return Err(Error::StateVersion { found: version, expected: VERSION });
    }
    let length = prefix.u32().ok_or(cut(PREFIX as u32))?;
    if length as usize != found {
        return Err(cut(length));
    }
    let (content, sum) = bytes.split_last_chunk::<CHECKSUM>().ok_or(Error::StateChanged)?;
    if checksum(content) != u64::from_le_bytes(*sum) {
        return Err(Error::StateChanged);
    }
    let mut rest = Numbers(content.get(PREFIX..).unwrap_or_default());
    let settings = rest.u32().zip(rest.i64()).ok_or(Error::StateChanged)?;
    settings_are(profile, tick, settings)?;
    // The checksum is of these bytes, so only who made both can have made a state that no rows lead to.
    state(profile, tick, rest).ok_or(Error::StateChanged)
}

fn settings_are(profile: Profile, tick: Tick, (of_profile, nanos): (u32, i64)) -> Result<(), Error> {
    let found = match of_profile {
        SESSION => Profile::Session,
        ROLLING => Profile::Rolling,
        _ => return Err(Error::StateChanged),
    };
    if found != profile {
        return Err(Error::StateProfile { found, expected: profile });
    }
    if nanos != tick.nanos() {
        return Err(Error::StateTick { found: nanos, expected: tick.nanos() });
    }
    Ok(())
}

/// What stands after the settings, if rows can lead to it.
fn state(profile: Profile, tick: Tick, mut numbers: Numbers<'_>) -> Option<Stream> {
    let follows = match numbers.u32()? {
        ANY => Follows::Any,
        second if second < 86_400 => Follows::Second(second),
        _ => return None,
    };
    let (turnover, volume) = (numbers.i64()?, numbers.i64()?);
    let so_far = Carry { turnover, volume, high: numbers.i32()?, low: numbers.i32()?, ..Carry::start() };
    let mut rows = Vec::new();
    while !numbers.0.is_empty() {
        let (high, low, close) = (numbers.i32()?, numbers.i32()?, numbers.i32()?);
        rows.push(Traded { high, low, close, volume: numbers.u32()? });
    }
    let valid = |&Traded { high, low, close, volume }: &Traded| {
        Bar { open: close, high, low, close, volume, second: 0 }.is_valid()
    };
    if rows.len() > LOOK_BACK || !rows.iter().all(valid) {
        return None;
    }
    let carry = if profile == Profile::Session { before(so_far, &rows)? } else { Carry::start() };
    let mut stream = Stream { follows, ..Stream::new(profile, tick) };
    *stream.state = State::new(profile, carry);
    stream.take_all(rows.into_iter());
    Some(stream)
}

/// The session before `rows`, which are its last, from what it amounts to with them. Its high and low may be those of `rows`:
/// they will be all the same.
fn before(so_far: Carry, rows: &[Traded]) -> Option<Carry> {
    let (mut turnover, mut volume) = (so_far.turnover, so_far.volume);
    for row in rows {
        turnover = turnover.checked_sub(i64::from(row.close) * i64::from(row.volume))?;
        volume = volume.checked_sub(i64::from(row.volume))?;
    }
    let whole = rows.len() < LOOK_BACK;
    let (highest, lowest) =
        rows.iter().fold((i32::MIN, i32::MAX), |(highest, lowest), row| (highest.max(row.high), lowest.min(row.low)));
    let possible = if whole {
        (turnover, volume, so_far.high, so_far.low) == (0, 0, highest, lowest)
    } else {
        let [least, most] = [so_far.low, so_far.high].map(|price| i64::from(price).checked_mul(volume));
        let range = MIN_TICKS..=MAX_TICKS;
        let farthest = i64::from(so_far.high.max(so_far.low.checked_neg()?));
        volume >= 0
            && (least?..=most?).contains(&turnover)
            && range.contains(&so_far.low)
            && range.contains(&so_far.high)
            && so_far.low <= lowest
            && highest <= so_far.high
            && farthest.checked_mul(so_far.volume).is_some()
    };
    let start = if whole { Carry::start() } else { so_far };
    possible.then_some(Carry { turnover, volume, ..start })
}

/// FNV-1a: no two states that differ in one byte have the same.
pub(super) fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, &byte| (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// Bytes that are still to be read.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn i32(&mut self) -> Option<i32> {
        self.take().map(i32::from_le_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.take().map(i64::from_le_bytes)
    }
}
