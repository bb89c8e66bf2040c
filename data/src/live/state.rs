//! A stream that goes on later, as bytes and back.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::{Live, LiveError, Served, Today};
use crate::{instrument::Instrument, month::Month, volumes::Volumes};
use kernels::{Profile, Stream};

const NAME: &[u8; 16] = b"harness stream 1";
/// Time, four prices, volume.
const SERVED: usize = 24;

/// What is written as JSON; the other parts are bytes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    instrument: Instrument,
    rolling: bool,
    symbol: Option<String>,
    volumes: Volumes,
    month: Option<Month>,
    today: Option<Today>,
    to: i64,
}

impl Live<'_> {
    /// All it knows, to go on at this row with the same bits: settings, volumes, the date under way, windows and a checksum.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let head = Head {
            instrument: self.instrument.clone(),
            rolling: self.profile == Profile::Rolling,
            symbol: self.symbol.clone(),
            volumes: self.volumes.clone(),
            month: self.month,
            today: self.today.clone(),
            to: self.to,
        };
        // Text, numbers and lists: nothing in it can fail to be JSON.
        let head = serde_json::to_vec(&head).unwrap_or_default();
        let served = self.today.iter().flat_map(|today| &today.served).flat_map(|served| served.to_bytes()).collect();
        let settled = self.settled.as_ref().map(Stream::to_bytes).unwrap_or_default();
        let mut bytes = NAME.to_vec();
        for part in [head, served, self.stream.to_bytes(), settled] {
            bytes.extend((part.len() as u64).to_le_bytes());
            bytes.extend(part);
        }
        bytes.extend(xxh3_64(&bytes).to_le_bytes());
        bytes
    }

    /// Goes on where [`Live::to_bytes`] wrote a state with the same settings.
    ///
    /// # Errors
    /// [`LiveError::State`] for other bytes, bytes that have changed, and other settings.
    pub fn resume(mut self, bytes: &[u8]) -> Result<Self, LiveError> {
        let refused = |found: &str, expected: &str| LiveError::State { found: found.into(), expected: expected.into() };
        let whole = "the whole state that harness stream wrote";
        let changed = || refused("bytes that have changed since they were written", whole);
        if !bytes.starts_with(NAME) {
            return Err(refused("another kind of file, or a state of another version", whole));
        }
        let (content, sum) = bytes.split_last_chunk().ok_or_else(changed)?;
        if xxh3_64(content) != u64::from_le_bytes(*sum) {
            return Err(changed());
        }
        let mut rest = content.get(NAME.len()..).unwrap_or_default();
        let mut part = || {
            let (length, after) = rest.split_first_chunk()?;
            let (part, after) = after.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
            rest = after;
            Some(part)
        };
        let mut parts = || part().ok_or_else(changed);
        let (head, served, stream, settled) = (parts()?, parts()?, parts()?, parts()?);
        let head: Head = serde_json::from_slice(head).map_err(|_| changed())?;
        let rolling = self.profile == Profile::Rolling;
        if (&head.instrument, head.rolling, &head.symbol) != (self.instrument, rolling, &self.symbol) {
            return Err(refused(
                "a state of another instrument, profile or --symbol",
                "one that was written with the settings in force",
            ));
        }
        let stream_of = |bytes| {
            Stream::from_bytes(self.profile, self.tick, bytes)
                .map_err(|error| refused(&format!("windows that cannot be taken up ({error})"), whole))
        };
        self.stream = stream_of(stream)?;
        self.settled = if settled.is_empty() { None } else { Some(stream_of(settled)?) };
        // Volumes that were given besides, such as those of the store.
        self.volumes.add(&head.volumes);
        (self.month, self.today, self.to) = (head.month, head.today, head.to);
        if let Some(today) = &mut self.today {
            today.served = served.chunks_exact(SERVED).filter_map(Served::of_bytes).collect();
        }
        self.from = Some(i64::MIN);
        Ok(self)
    }
}

impl Served {
    fn to_bytes(self) -> [u8; SERVED] {
        let [open, high, low, close] = self.prices.map(i32::to_le_bytes);
        let numbers = [self.time.to_le_bytes(), open, high, low, close, self.volume.to_le_bytes()];
        let mut bytes = [0; SERVED];
        bytes.iter_mut().zip(numbers.as_flattened()).for_each(|(byte, number)| *byte = *number);
        bytes
    }

    fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let number = |at: usize| Some(u32::from_le_bytes(*bytes.get(4 * at..)?.first_chunk()?));
        let price = |at: usize| Some(number(at)?.cast_signed());
        Some(Self { time: number(0)?, prices: [price(1)?, price(2)?, price(3)?, price(4)?], volume: number(5)? })
    }
}
