//! `stream`: the rows of a session as its seconds end.

mod front;
mod rows;
mod source;
mod state;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base::{error::Context, interrupt};
use data::{
    input::{Event, Events, InputError},
    live::{Dropped, Live, LiveError, LiveRow},
};

pub use self::rows::names;
use self::rows::{Cell, Writer};
use crate::{cli::StreamArgs, run::named::Named, settings::Settings};

/// Events that wait to be served.
const AHEAD: usize = 1024;
/// How often signals and the clock are looked at.
const TICK: Duration = Duration::from_millis(50);
/// Rows from one writing of the state to the next.
const STATE_ROWS: u64 = 60;
/// How many seconds the latest record may be old while the clock counts: what is replayed is older.
const CAUGHT_UP: i64 = 10;

/// Runs the command.
pub fn run(args: &StreamArgs, settings: &Settings) -> crate::Result<u8> {
    if settings.float64 { serve::<f64>(args, settings) } else { serve::<f32>(args, settings) }
}

fn serve<F: Cell>(args: &StreamArgs, settings: &Settings) -> crate::Result<u8> {
    let saved = args.state.as_deref().map(state::read).transpose()?.flatten();
    let front = front::front(args.symbol.as_deref(), saved.is_some(), settings)?;
    let mut live = Live::new(&settings.instrument, settings.profile, front)?;
    if let (Some(bytes), Some(path)) = (saved, &args.state) {
        live = live.resume(&bytes).with_context(|| path.display().to_string())?;
    }
    let writer = Writer::new(args.format, &args.chosen, settings.instrument.tick()?)?;
    let mut served = Served { writer, rows: 0, front: None };
    let events = events(args, settings)?;
    let (stop, stopped) = stopping();
    let done = take_all::<F>(args, &mut live, &mut served, &events, &stop);
    // What was served is in the state, also where an error ends the stream.
    let saved = args.state.as_ref().map_or(Ok(()), |path| state::write(path, &live.to_bytes()));
    let Dropped { repeated, late, unclean } = live.dropped();
    let rows = served.rows;
    eprintln!("{rows} rows; records dropped: {repeated} sent again, {late} late, {unclean} that cleaning drops");
    drop(stopped);
    interrupt::give_way();
    done.and(saved).map(|()| 0)
}

type Next = Result<Option<Event>, InputError>;

/// The events of the input, read on a thread of its own: it may wait for bytes that never come.
fn events(args: &StreamArgs, settings: &Settings) -> crate::Result<Receiver<Next>> {
    let named = Named::beside(&args.input)?;
    let reader = source::open(&args.input, args.follow)?;
    let (root, path) = (settings.instrument.root.clone(), args.input.display().to_string());
    let (sender, events) = mpsc::sync_channel(AHEAD);
    thread::spawn(move || {
        let mut events = Events::new(reader, &root, named.symbology());
        loop {
            let next = events.next().transpose();
            let next = next.map_err(|source| InputError::File { path: path.clone(), source: Box::new(source) });
            let ends = !matches!(next, Ok(Some(_)));
            if sender.send(next).is_err() || ends {
                return;
            }
        }
    });
    Ok(events)
}

/// Says when a signal has come, and keeps the program until what it answers is dropped: the state is written first.
fn stopping() -> (Arc<AtomicBool>, impl Drop) {
    struct Answer(#[expect(dead_code, reason = "dropped with it")] interrupt::Guard, mpsc::Sender<()>);
    impl Drop for Answer {
        fn drop(&mut self) {
            let _ = self.1.send(());
        }
    }
    let stop = Arc::new(AtomicBool::new(false));
    let (sender, done) = mpsc::channel();
    let asked = Arc::clone(&stop);
    let guard = interrupt::on_exit(move || {
        asked.store(true, Ordering::Relaxed);
        let _ = done.recv_timeout(Duration::from_secs(1));
    });
    (stop, Answer(guard, sender))
}

fn take_all<F: Cell>(
    args: &StreamArgs,
    live: &mut Live<'_>,
    served: &mut Served,
    events: &Receiver<Next>,
    stop: &AtomicBool,
) -> crate::Result<()> {
    let (mut latest, mut saved, mut late) = (None, 0, 0);
    while !stop.load(Ordering::Relaxed) {
        match events.recv_timeout(TICK) {
            Ok(next) => {
                let Some(event) = next? else { return Ok(()) };
                match &event {
                    Event::Bar { bar, .. } => latest = i64::try_from(bar.nanos / 1_000_000_000).ok(),
                    // What follows may be a replay, of seconds that the clock has left behind.
                    Event::Header { .. } => latest = None,
                    Event::Said(text) => eprintln!("the gateway says: {text}"),
                }
                live.take::<F, Stopped>(&event, &mut |row| served.row(&row)).map_err(Stopped::into_error)?;
                if live.dropped().late > late {
                    late = live.dropped().late;
                    eprintln!("{}: a record came after its second was served without it: dropped", name(&event));
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(crate::Error::program("the reader has gone")),
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() as i64;
        if let (Some(allowance), Some(second)) = (args.clock, latest)
            && now - second <= i64::from(allowance) + CAUGHT_UP
        {
            let until = now - i64::from(allowance);
            live.pass::<F, Stopped>(until, &mut |row| served.row(&row)).map_err(Stopped::into_error)?;
            // Where nothing trades the clock goes on by itself.
            latest = Some(second.max(until));
        }
        if let Some(path) = args.state.as_ref().filter(|_| served.rows >= saved + STATE_ROWS) {
            state::write(path, &live.to_bytes())?;
            saved = served.rows;
        }
    }
    Ok(())
}

fn name(event: &Event) -> String {
    match event {
        Event::Bar { contract, bar, record } => {
            let time = jiff::Timestamp::from_nanosecond(bar.nanos.into()).unwrap_or_default();
            format!("record {record}, {} of {time}", contract.symbol)
        }
        Event::Header { .. } | Event::Said(_) => String::new(),
    }
}

/// What has been served.
struct Served {
    writer: Writer,
    rows: u64,
    /// Date and contract of the latest row.
    front: Option<(jiff::civil::Date, String)>,
}

impl Served {
    fn row<F: Cell>(&mut self, row: &LiveRow<'_, F>) -> Result<(), Stopped> {
        if self.front.as_ref().is_none_or(|(date, contract)| (*date, contract.as_str()) != (row.date, row.contract)) {
            eprintln!("{}: serving {}", row.date, row.contract);
            self.front = Some((row.date, row.contract.to_owned()));
        }
        self.writer.write(row).map_err(Stopped::Output)?;
        self.rows += 1;
        Ok(())
    }
}

/// Why no more rows are served.
#[derive(Debug)]
enum Stopped {
    Live(LiveError),
    Output(io::Error),
}

impl From<LiveError> for Stopped {
    fn from(error: LiveError) -> Self {
        Self::Live(error)
    }
}

impl Stopped {
    fn into_error(self) -> crate::Error {
        match self {
            Self::Live(error) => error.into(),
            Self::Output(error) => crate::Error::from(error).context("stdout"),
        }
    }
}
