//! `alerts`: rules over runs, months and disks, and ways to tell people, each incident once.

mod incidents;
mod readings;

pub use self::incidents::{Incident, Incidents};
use super::{criteria::Reading, figures, status::Snapshot};
use crate::{
    channels::{Item, News},
    cli::{AlertsArgs, AlertsCommand},
    output,
    rules::Severity,
    settings::{Alerts, Settings},
};
use archive::store::Store;
use base::exit::{self, Usage};
use serde::Serialize;

/// Name of the right to tell.
const RIGHT: &str = "alerts";

/// What a look came to.
pub struct Look {
    /// What is kept.
    pub incidents: Incidents,
    /// Channels that did not take what they were to tell, and why.
    pub dead: Vec<(String, String)>,
    /// What was read.
    pub readings: Vec<Reading>,
}

/// What `alerts check` came to.
#[derive(Serialize)]
struct Checked<'a> {
    /// What is wrong now, the worst first.
    firing: Vec<&'a Incident>,
    /// Channels that could not be told.
    dead_channels: Vec<Told<'a>>,
}

/// A channel and what became of telling it.
#[derive(Serialize)]
struct Told<'a> {
    /// Name of the channel.
    channel: &'a str,
    /// Why it could not be told; `null` where it was.
    error: Option<&'a str>,
}

/// Runs the command.
pub fn run(args: &AlertsArgs, settings: &Settings) -> crate::Result<u8> {
    match args.command {
        AlertsCommand::Check { json } => run_check(settings, json),
        AlertsCommand::Test { json } => run_test(settings, json),
    }
}

fn run_check(settings: &Settings, json: bool) -> crate::Result<u8> {
    let store = Store::open(settings.text("store"), settings.access)?;
    let snapshot = Snapshot::of(&store, settings)?;
    let Look { incidents, dead, .. } = look(&store, &snapshot, settings)?;
    let firing = incidents.firing();
    if json {
        let dead_channels = dead.iter().map(|(channel, why)| Told { channel, error: Some(why) }).collect();
        println!("{}", serde_json::to_string_pretty(&Checked { firing: firing.clone(), dead_channels })?);
    } else {
        for Incident { severity, text, since, .. } in &firing {
            println!("{:8}  {text}, since {}", severity.text(), output::time(*since));
        }
        println!("{} firing", firing.len());
    }
    for (name, why) in &dead {
        tracing::error!("alerts cannot be sent to {name}: {why}");
    }
    Ok(if firing.is_empty() && dead.is_empty() { 0 } else { exit::PARTLY })
}

/// Looks at everything and tells what is new.
pub fn look(store: &Store, snapshot: &Snapshot, settings: &Settings) -> crate::Result<Look> {
    let alerts = settings.alerts();
    let channels: Vec<(String, Severity)> =
        alerts.channels.iter().map(|channel| (channel.name.clone(), channel.severity)).collect();
    let mut figures = None;
    let raw = settings.raw_store(store).ok();
    let mut found = Vec::new();
    let mut updated = |mut incidents: Incidents, figures: &mut Option<_>| {
        let months = figures
            .get_or_insert_with(|| figures::of(store, raw.as_ref(), &snapshot.holdings, &incidents.figures))
            .clone();
        let readings = readings::all(store, snapshot, &months, settings);
        incidents.figures = months;
        incidents.update(&readings, &alerts.rules, &channels);
        found = readings;
        incidents
    };
    let before = Incidents::read(store)?;
    let mut after = updated(before.clone(), &mut figures);
    let news = |incidents: &Incidents| incidents.open.values().any(|incident| !incident.untold.is_empty());
    if !after.differs(&before) && !news(&after) {
        return Ok(Look { incidents: after, dead: Vec::new(), readings: found });
    }
    // One tells. Who comes second looks again at what the first has written down.
    let Some(_right) = store.exclusive_now(RIGHT)? else {
        return Ok(Look { incidents: after, dead: Vec::new(), readings: found });
    };
    after = updated(Incidents::read(store)?, &mut figures);
    let dead = tell(&mut after, alerts, store.name());
    after.forget();
    after.write(store)?;
    Ok(Look { incidents: after, dead, readings: found })
}

/// Tells each channel what it has not been told; one that is dead does not keep the others.
fn tell(incidents: &mut Incidents, alerts: &Alerts, store: &str) -> Vec<(String, String)> {
    let mut dead = Vec::new();
    for channel in &alerts.channels {
        let untold: Vec<&mut Incident> =
            incidents.open.values_mut().filter(|incident| incident.untold.contains(&channel.name)).collect();
        if untold.is_empty() {
            continue;
        }
        let items = untold.iter().map(|incident| Item::of(incident)).collect();
        match channel.tell(&News::of(store, items)) {
            Ok(()) => untold.into_iter().for_each(|incident| _ = incident.untold.remove(&channel.name)),
            Err(error) => dead.push((channel.name.clone(), exit::sentence(&error))),
        }
    }
    dead
}

fn run_test(settings: &Settings, json: bool) -> crate::Result<u8> {
    let channels = &settings.alerts().channels;
    if channels.is_empty() {
        return Err(Usage(format!(
            "no channels: expected [[alerts.channels]] with webhook, email, command or file in {}",
            settings.file().display()
        ))
        .into());
    }
    let told: Vec<(&str, Option<String>)> = channels
        .iter()
        .map(|channel| {
            let news = News::of(settings.text("store"), vec![Item::test()]);
            (channel.name.as_str(), channel.tell(&news).err().map(|error| exit::sentence(&error)))
        })
        .collect();
    if json {
        let told: Vec<_> = told.iter().map(|(channel, error)| Told { channel, error: error.as_deref() }).collect();
        println!("{}", serde_json::to_string_pretty(&told)?);
    } else {
        for (name, error) in &told {
            println!("{name:12}  {}", error.as_ref().map_or("told".to_owned(), |error| format!("FAILED: {error}")));
        }
    }
    Ok(if told.iter().any(|(_, error)| error.is_some()) { exit::PARTLY } else { 0 })
}

impl Item {
    fn of(incident: &Incident) -> Self {
        let Incident { rule, subject, severity, since, value, text, recovered, .. } = incident.clone();
        let state = if recovered.is_some() { "recovered" } else { "firing" };
        Self { state, severity, rule: rule.name().into(), subject, value, text, since }
    }

    fn test() -> Self {
        Self {
            state: "test",
            severity: Severity::Critical,
            rule: "test".into(),
            subject: "test".into(),
            value: 0.0,
            text: "this is a test alert: nothing is wrong".into(),
            since: jiff::Timestamp::now(),
        }
    }
}
