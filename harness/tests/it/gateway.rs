//! A gateway on loopback that plays bars as a live service does: text handshake, session start, symbol mappings,
//! heartbeats, a warning to a slow reader, a line that drops, and replay from a time.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use dbn::{
    Metadata, SType, SymbolMappingMsg, SystemMsg,
    decode::dbn::MetadataDecoder,
    encode::{DbnEncodable, EncodeRecord, dbn::Encoder},
};

/// Bytes of a bar's record.
const RECORD: usize = 56;
const NANOS: u64 = 1_000_000_000;
const ID: &str = "glbx-mdp3";

/// What a gateway plays.
pub struct Day {
    /// Symbols by id.
    pub names: BTreeMap<u32, String>,
    /// Records of bars in order of time.
    pub bars: Vec<u8>,
    /// The record at which the day begins; those before it are there for a replay.
    pub from: usize,
    /// How often the line drops.
    pub drops: usize,
    /// Seconds of bars a second; all at once without.
    pub speed: Option<f64>,
}

/// Serves the same bars to every connection, from the time that it asks for, until all of them were served.
pub struct Gateway {
    pub address: SocketAddr,
}

impl Gateway {
    pub fn start(day: Day) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let began = Instant::now();
            let count = day.bars.len() / RECORD - day.from;
            for number in 0..=day.drops {
                // In the middle of a record, and of a second of several contracts.
                let part = (number + 1) * count / (day.drops + 1);
                let until = if number < day.drops { (day.from + part) * RECORD + 17 } else { day.bars.len() };
                let (line, _) = listener.accept().unwrap();
                // A reader that has gone is no matter.
                let _ = serve(&line, &day, until, began);
            }
        });
        Self { address }
    }
}

fn time(record: &[u8]) -> u64 {
    u64::from_le_bytes(record[8..16].try_into().unwrap())
}

fn serve(line: &TcpStream, day: &Day, until: usize, began: Instant) -> io::Result<()> {
    let mut to = line;
    let mut from = BufReader::new(line).lines();
    let mut said = || from.next().unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()));
    to.write_all(b"lsg_version=0.6.0\ncram=challenge\n")?;
    let authentication = said()?;
    assert!(
        authentication.contains("encoding=dbn") && authentication.contains("dataset=GLBX.MDP3"),
        "{authentication}"
    );
    to.write_all(format!("success=1|session_id={ID}\n").as_bytes())?;
    let subscription = said()?;
    assert!(subscription.contains("schema=ohlcv-1s") && subscription.contains("symbols=ES.FUT"), "{subscription}");
    let start = subscription.split('|').find_map(|field| field.strip_prefix("start=")?.parse().ok());
    assert_eq!(said()?, "start_session");

    let opening = time(&day.bars[day.from * RECORD..]);
    let start = start.unwrap_or(opening);
    let metadata = Metadata::builder().dataset("GLBX.MDP3").schema(None).start(start);
    let metadata = metadata.stype_in(Some(SType::Parent)).stype_out(SType::InstrumentId).build();
    let mut stream = Vec::new();
    let mut encoder = Encoder::new(&mut stream, &metadata).unwrap();
    fn put(encoder: &mut Encoder<&mut Vec<u8>>, record: &impl DbnEncodable) {
        encoder.encode_record(record).unwrap();
    }
    for (&id, symbol) in &day.names {
        let mapping =
            SymbolMappingMsg::new(id, start, SType::Parent, "ES.FUT", SType::RawSymbol, symbol, 0, u64::MAX).unwrap();
        put(&mut encoder, &mapping);
    }
    put(&mut encoder, &SystemMsg::heartbeat(start));
    put(&mut encoder, &SystemMsg::new(start, None, "slow reader: the stream is 2 s behind").unwrap());
    for record in day.bars[..until].chunks(RECORD) {
        if record.len() == RECORD && time(record) < start {
            continue;
        }
        if let (Some(speed), true) = (day.speed, record.len() == RECORD) {
            // A bar comes when its second has ended.
            let due = (time(record) + NANOS).saturating_sub(opening) as f64 / NANOS as f64 / speed;
            let wait = Duration::from_secs_f64(due).saturating_sub(began.elapsed());
            if !wait.is_zero() {
                to.write_all(&std::mem::take(&mut stream))?;
                thread::sleep(wait);
            }
        }
        stream.extend_from_slice(record);
        if stream.len() > 1_000 {
            to.write_all(&std::mem::take(&mut stream))?;
        }
    }
    to.write_all(&stream)?;
    to.flush()
}

/// Bytes of the header of a DBN file that is not packed: its records lie behind.
pub fn header(raw: &[u8]) -> usize {
    8 + u32::from_le_bytes(raw[4..8].try_into().unwrap()) as usize
}

/// Symbols by id, of the header of a DBN file that is not packed.
pub fn names(raw: &[u8]) -> BTreeMap<u32, String> {
    let metadata = MetadataDecoder::new(raw).decode().unwrap();
    let mapped = metadata.mappings.iter().flat_map(|mapping| {
        mapping.intervals.iter().map(|interval| (interval.symbol.parse().unwrap(), mapping.raw_symbol.clone()))
    });
    mapped.collect()
}

/// Reads the gateway into a stream as a client does: connects again where the line drops, from the last second that came.
/// Returns how many connections it took.
pub fn play(gateway: &Gateway, to: &mut impl Write) -> usize {
    let (mut connections, mut last) = (0, 0);
    loop {
        connections += 1;
        let mut line = TcpStream::connect(gateway.address).unwrap();
        let mut from = BufReader::new(line.try_clone().unwrap());
        let mut said = String::new();
        from.read_line(&mut said).unwrap();
        from.read_line(&mut said).unwrap();
        assert!(said.ends_with("cram=challenge\n"), "{said}");
        line.write_all(b"auth=hash-12345|dataset=GLBX.MDP3|encoding=dbn|ts_out=0\n").unwrap();
        let mut accepted = String::new();
        from.read_line(&mut accepted).unwrap();
        assert!(accepted.starts_with("success=1|"), "{accepted}");
        let start = if last == 0 { String::new() } else { format!("|start={last}") };
        let subscription = format!("schema=ohlcv-1s|stype_in=parent|symbols=ES.FUT|id=1{start}\nstart_session\n");
        line.write_all(subscription.as_bytes()).unwrap();
        let mut all = Vec::new();
        from.read_to_end(&mut all).unwrap();
        let header = header(&all);
        // A record that the line cut in two is not handed on.
        let (mut at, mut bars, mut whole) = (header, 0, true);
        while at < all.len() {
            let length = 4 * usize::from(all[at]);
            whole = at + length <= all.len();
            if !whole {
                break;
            }
            if all[at + 1] == 0x20 {
                last = u64::from_le_bytes(all[at + 8..at + 16].try_into().unwrap()) / NANOS * NANOS;
                bars += 1;
            }
            at += length;
        }
        assert!(bars > 0);
        to.write_all(&all[..at]).unwrap();
        if whole {
            return connections;
        }
    }
}
