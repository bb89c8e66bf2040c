//! `monitor`: resident and read-only. A thread looks at the store, and what is asked for is answered from the last look.

mod charts;
mod server;

use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, PoisonError, RwLock},
    thread,
    time::{Duration, Instant},
};

use archive::store::Store;
use base::{error::Context, exit};
use bytes::Bytes;

use self::charts::Charts;
use crate::{
    cli::MonitorArgs,
    settings::Settings,
    watch::{
        alerts::{self, Incident},
        metrics::{self, Text},
        status::Snapshot,
    },
};

/// Between two looks, unless told otherwise.
pub const INTERVAL: Duration = Duration::from_secs(10);

/// The answers of the last look.
#[derive(Clone, Debug)]
struct Answers {
    status: Bytes,
    charts: Bytes,
    metrics: Bytes,
    /// When the store last answered.
    looked: Option<Instant>,
    /// Why it did not.
    trouble: Option<String>,
}

/// What looking and answering share.
struct Shared {
    answers: RwLock<Answers>,
    interval: Duration,
}

/// Runs the command, until it is interrupted.
pub fn run(args: &MonitorArgs, settings: &Settings) -> crate::Result<u8> {
    let serving = start(args.listen, Duration::from_secs(args.interval), settings)?;
    eprintln!("http://{}", serving.0);
    loop {
        thread::park();
    }
}

/// Begins to look and to answer, for as long as the process lives.
pub struct Serving(pub SocketAddr);

/// Listens, then looks and answers on threads of its own.
///
/// # Errors
/// Nobody can listen there, or there is no such store.
pub fn start(address: SocketAddr, interval: Duration, settings: &Settings) -> crate::Result<Serving> {
    let failed = || format!("{address}: cannot listen there; choose another address");
    let listener = TcpListener::bind(address).with_context(failed)?;
    listener.set_nonblocking(true).with_context(failed)?;
    let address = listener.local_addr().with_context(failed)?;
    let store = Store::open(settings.text("store"), settings.access)?;
    let nothing = Bytes::new;
    let answers = Answers { status: nothing(), charts: nothing(), metrics: nothing(), looked: None, trouble: None };
    let shared = Arc::new(Shared { answers: RwLock::new(answers), interval });
    let (looking, settings) = (Arc::clone(&shared), settings.clone());
    thread::spawn(move || {
        let mut charts = Charts::default();
        loop {
            looking.look(&store, &settings, &mut charts);
            thread::sleep(interval);
        }
    });
    server::start(listener, shared)?;
    Ok(Serving(address))
}

impl Shared {
    fn answers(&self) -> Answers {
        self.answers.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn look(&self, store: &Store, settings: &Settings, charts: &mut Charts) {
        let found = of(store, settings, self.interval, charts);
        let mut answers = self.answers.write().unwrap_or_else(PoisonError::into_inner);
        match found {
            Ok(found) => *answers = found,
            Err(error) => {
                let trouble = exit::sentence(&error);
                tracing::warn!("{trouble}");
                answers.trouble = Some(trouble);
            }
        }
    }
}

/// What one look finds.
fn of(store: &Store, settings: &Settings, interval: Duration, charts: &mut Charts) -> crate::Result<Answers> {
    let mut snapshot = Snapshot::of(store, settings)?;
    let look = alerts::look(store, &snapshot, settings)?;
    for (channel, why) in &look.dead {
        tracing::error!("alerts cannot be sent to {channel}: {why}");
    }
    snapshot.look_into(store, &look.incidents.figures)?;
    let firing = look.incidents.firing();
    let mut text = Text::default();
    metrics::of_snapshot(&mut text, &snapshot);
    of_months(&mut text, &look.incidents);
    metrics::of_archive(&mut text, &look.readings);
    of_alerts(&mut text, &firing);
    let status = serde_json::json!({
        "interval_seconds": interval.as_secs(),
        "status": snapshot,
        "figures": look.incidents.figures,
        "alerts": firing,
        "dead_channels": look.dead.iter().map(|(channel, _)| channel).collect::<Vec<_>>(),
    });
    Ok(Answers {
        status: serde_json::to_vec(&status)?.into(),
        charts: charts.look(store, &snapshot),
        metrics: text.finish().into(),
        looked: Some(Instant::now()),
        trouble: None,
    })
}

fn of_months(text: &mut Text, incidents: &alerts::Incidents) {
    text.family("harness_month_quality", "Score of a published month.");
    for (month, figures) in &incidents.figures {
        text.sample("harness_month_quality", &[("month", &month.to_string())], figures.score);
    }
    text.family("harness_month_seconds", "Time to build a published month.");
    for (month, figures) in &incidents.figures {
        text.sample("harness_month_seconds", &[("month", &month.to_string())], figures.seconds);
    }
    text.family("harness_month_peak_bytes", "Peak memory until a month was published.");
    for (month, figures) in &incidents.figures {
        if let Some(bytes) = figures.peak_bytes {
            text.sample("harness_month_peak_bytes", &[("month", &month.to_string())], bytes as f64);
        }
    }
    text.family("harness_month_nan_ratio", "Highest share of NaNs of a feature with a window.");
    for (month, figures) in &incidents.figures {
        if let Some((share, feature)) = &figures.windowed_nan {
            text.sample("harness_month_nan_ratio", &[("month", &month.to_string()), ("feature", feature)], *share);
        }
    }
    text.family("harness_month_win_ratio", "Share of wins of a published month by mode.");
    for (month, figures) in &incidents.figures {
        for (mode, rate) in &figures.win_rates {
            text.sample("harness_month_win_ratio", &[("month", &month.to_string()), ("mode", mode)], *rate);
        }
    }
}

fn of_alerts(text: &mut Text, firing: &[&Incident]) {
    text.family("harness_alert_firing", "1 for each alert that is firing.");
    for Incident { rule, subject, severity, .. } in firing {
        let labels = [("rule", rule.name()), ("severity", severity.text()), ("subject", subject.as_str())];
        text.sample("harness_alert_firing", &labels, 1.0);
    }
}
