//! Features of a live session: what to do with seconds without a trade, a bar that is still forming, and a restart.
//!
//! `cargo run --release -p harness-kernels --example live`

use kernels::features::FLOAT_NAMES;
use kernels::{Bar, Error, Profile, Stream, Tick};

fn main() -> Result<(), Error> {
    let tick = Tick::from_nanos(250_000_000)?; // ES
    let mut stream = Stream::new(Profile::Session, tick);
    let atr = FLOAT_NAMES.iter().position(|name| *name == "atr_30s").unwrap_or_default();

    let mut last: Option<Bar> = None;
    for trade in feed() {
        // Every second has a row: one without a trade repeats the close before it, with volume 0.
        while let Some(Bar { close, second, .. }) = last.filter(|last| last.second + 1 < trade.second) {
            let quiet = Bar { open: close, high: close, low: close, close, volume: 0, second: second + 1 };
            stream.push::<f32>(quiet)?;
            last = Some(quiet);
        }
        let forming = stream.peek::<f32>(Bar { volume: trade.volume / 2, ..trade })?; // as often as the bar grows
        let row = stream.push::<f32>(trade)?; // once, when its second has ended
        println!(
            "{}: atr_30s {:6.3} points, while it formed {:6.3}",
            trade.second, row.floats[atr], forming.floats[atr]
        );
        last = Some(trade);

        // A process that starts again goes on with the same bits. Bytes of another profile or tick are refused.
        let file = stream.to_bytes();
        stream = Stream::from_bytes(Profile::Session, tick, &file)?;
    }
    stream.next_session(); // tomorrow begins with empty windows, as the batch's session does
    Ok(())
}

/// Bars of a random walk from 08:30:00 on, two seconds in three without a trade.
fn feed() -> impl Iterator<Item = Bar> {
    let (mut state, mut close) = (1_u64, 20_000);
    (30_600..30_660).filter_map(move |second| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let open = close;
        close += (state >> 33) as i32 % 5 - 2;
        let (high, low) = (open.max(close), open.min(close));
        (state >> 50).is_multiple_of(3).then_some(Bar { open, high, low, close, volume: 7, second })
    })
}
