//! One-second bars of a root from Databento's live service, as DBN to stdout, for `harness stream -`:
//!
//! ```text
//! DATABENTO_API_KEY=... live-client ES 2024-03-14T22:00:00Z | harness stream - --state es.state
//! ```
//!
//! The time is that of the replay: the evening before the session, so that all of the session is known. A line that drops
//! is connected again with a replay from the last second that came; `harness stream` drops what it has already.
//! `GATEWAY=host:port` is asked instead of the service's own. Ends when five tries in a row bring nothing.

use std::{env, error::Error, io::Write, time::Duration};

use databento::{
    LiveClient,
    dbn::{
        OhlcvMsg, SType, Schema,
        encode::{EncodeRecordRef, dbn::Encoder},
    },
    live::Subscription,
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

const NANOS: i128 = 1_000_000_000;

/// Writes what comes until the line ends; `last` is the second of the last bar.
async fn copy(root: &str, last: &mut Option<OffsetDateTime>, to: &mut impl Write) -> Result<bool, Box<dyn Error>> {
    let mut builder = LiveClient::builder();
    if let Ok(gateway) = env::var("GATEWAY") {
        builder = builder.addr(gateway).await?;
    }
    let mut client = builder.key_from_env()?.dataset("GLBX.MDP3").build().await?;
    let bars = Subscription::builder().symbols(format!("{root}.FUT")).schema(Schema::Ohlcv1S).stype_in(SType::Parent);
    let mut bars = bars.build();
    bars.start = *last;
    client.subscribe(bars).await?;
    let mut encoder = Encoder::new(to, &client.start().await?)?;
    let mut came = false;
    while let Some(record) = client.next_record().await? {
        if let Some(bar) = record.get::<OhlcvMsg>() {
            let second = i128::from(bar.hd.ts_event) / NANOS * NANOS;
            *last = Some(OffsetDateTime::from_unix_timestamp_nanos(second)?);
            came = true;
        }
        encoder.encode_record_ref(record)?;
        encoder.get_mut().flush()?;
    }
    Ok(came)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let root = arguments.next().ok_or("usage: live-client ROOT [START]")?;
    let mut last = arguments.next().map(|start| OffsetDateTime::parse(&start, &Rfc3339)).transpose()?;
    let mut tries = 0;
    loop {
        match copy(&root, &mut last, &mut std::io::stdout().lock()).await {
            Ok(true) => tries = 0,
            Ok(false) => tries += 1,
            // Nobody reads any more.
            Err(error)
                if error
                    .downcast_ref::<std::io::Error>()
                    .is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe) =>
            {
                return Ok(());
            }
            Err(error) => {
                tries += 1;
                eprintln!("live-client: {error}");
                if tries == 5 {
                    return Err("no connection after 5 tries".into());
                }
            }
        }
        tokio::time::sleep(Duration::from_secs(tries)).await;
    }
}
