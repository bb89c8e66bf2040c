//! A gateway on loopback that plays bars as a live service does: text handshake, session start, symbol mappings,
//! heartbeats, a warning to a slow reader, a line that drops, and replay from a time.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
};

use dbn::{
    Metadata, SType, SymbolMappingMsg, SystemMsg,
    encode::{DbnEncodable, EncodeRecord, dbn::Encoder},
};

/// Bytes of a bar's record.
const RECORD: usize = 56;
const NANOS: u64 = 1_000_000_000;
const ID: &str = "glbx-mdp3";

/// Serves the same bars to every connection, from the time that it asks for.
pub struct Gateway {
    address: SocketAddr,
}

impl Gateway {
    /// Serves these records of bars in order of time; the line drops so many times before the end.
    pub fn start(bars: &[u8], drops: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, bars) = (listener.local_addr().unwrap(), bars.to_vec());
        thread::spawn(move || {
            for (number, line) in listener.incoming().enumerate() {
                let count = bars.len() / RECORD;
                // In the middle of a record, and of a second of several contracts.
                let until = if number < drops { (number + 1) * count / (drops + 1) * RECORD + 17 } else { bars.len() };
                // A reader that has gone is no matter.
                let _ = serve(&line.unwrap(), &bars[..until]);
            }
        });
        Self { address }
    }
}

fn serve(line: &TcpStream, bars: &[u8]) -> io::Result<()> {
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
    let start = subscription.split('|').find_map(|field| field.strip_prefix("start=")?.parse().ok()).unwrap_or(0);
    assert_eq!(said()?, "start_session");

    let first = u64::from_le_bytes(bars[8..16].try_into().unwrap());
    let metadata = Metadata::builder().dataset("GLBX.MDP3").schema(None).start(start.max(first));
    let metadata = metadata.stype_in(Some(SType::Parent)).stype_out(SType::InstrumentId).build();
    let mut stream = Vec::new();
    let mut encoder = Encoder::new(&mut stream, &metadata).unwrap();
    fn put(encoder: &mut Encoder<&mut Vec<u8>>, record: &impl DbnEncodable) {
        encoder.encode_record(record).unwrap();
    }
    let mapping = |id: u32, symbol: &str| {
        SymbolMappingMsg::new(id, start, SType::Parent, "ES.FUT", SType::RawSymbol, symbol, 0, u64::MAX).unwrap()
    };
    for (id, symbol) in contracts(bars) {
        put(&mut encoder, &mapping(id, &symbol));
    }
    put(&mut encoder, &SystemMsg::heartbeat(start));
    put(&mut encoder, &SystemMsg::new(start, None, "slow reader: the stream is 2 s behind").unwrap());
    to.write_all(&stream)?;
    let time = |record: &[u8]| u64::from_le_bytes(record[8..16].try_into().unwrap());
    let whole = bars.chunks(RECORD).position(|record| record.len() < RECORD || time(record) >= start);
    for part in bars[whole.unwrap_or(0) * RECORD..].chunks(1_000) {
        to.write_all(part)?;
    }
    to.flush()
}

/// The contracts of the synthetic month by id: those that its header names.
fn contracts(bars: &[u8]) -> Vec<(u32, String)> {
    let mut ids: Vec<u32> =
        bars.chunks_exact(RECORD).map(|record| u32::from_le_bytes(record[4..8].try_into().unwrap())).collect();
    ids.sort_unstable();
    ids.dedup();
    let names = crate::live::names();
    ids.into_iter().map(|id| (id, names[&id].clone())).collect()
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
        let header = 8 + u32::from_le_bytes(all[4..8].try_into().unwrap()) as usize;
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
