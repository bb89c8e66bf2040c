//! Which contract is served: by its symbol, or by what traded in the session before.

use archive::{manifest, published, store::Store};
use base::exit::Usage;
use data::{
    Instrument,
    collector::{Identity, Name},
    live::Front,
    symbol::{self, Kind},
    volumes::{Day, Traded, Volumes},
};

use crate::settings::Settings;

/// The front contract, or how it is chosen; `saved` where a state has volumes of its own.
pub fn front(symbol: Option<&str>, saved: bool, settings: &Settings) -> crate::Result<Front> {
    match symbol {
        Some(symbol) => Ok(Front::Symbol(of_root(symbol, &settings.instrument)?)),
        None if saved => Ok(Front::VolumePrevious(Volumes::default())),
        None => Ok(Front::VolumePrevious(of_store(settings)?)),
    }
}

fn of_root(symbol: &str, instrument: &Instrument) -> Result<String, Usage> {
    let root = &instrument.root;
    let kind = symbol::classify(symbol, root);
    let known = symbol::name(kind, root).filter(|_| matches!(kind, Kind::Outright { .. }));
    known.ok_or_else(|| Usage(format!("--symbol {symbol}: expected a contract of {root}, such as {root}Z5")))
}

/// What the last published session of a store traded.
fn of_store(settings: &Settings) -> crate::Result<Volumes> {
    let nothing = "nothing is known of the session before the stream, so what trades before the first session chooses its \
                   contract; --symbol names it, --state remembers it";
    let store = match Store::existing(settings.text("store"), settings.access) {
        Ok(store) => store,
        Err(error) if settings.is_default("store") => {
            tracing::debug!("no store: {error}");
            eprintln!("{nothing}");
            return Ok(Volumes::default());
        }
        Err(error) => return Err(error.into()),
    };
    let last = published::months(&store)?.last().copied();
    let Some((manifest, _)) = last.map(|month| manifest::read(&store, month)).transpose()?.flatten() else {
        eprintln!("{nothing}");
        return Ok(Volumes::default());
    };
    let statistics = published::statistics(&store, &manifest.current)?;
    if statistics.settings["contract"] != "volume" {
        return Err(Usage(format!(
            "{}: its months are made with contract = volume-previous, so they do not say what its last session traded \
             most; name the contract with --symbol, or go on from a --state",
            settings.text("store")
        ))
        .into());
    }
    let Some(session) = statistics.sessions.last() else { return Ok(Volumes::default()) };
    eprintln!(
        "{}: {} traded most in the last published session; the archive is made with contract = volume, which chooses by \
         the volume of the day itself: on the first day of a new contract its rows are of another one than those served",
        session.date, session.contract
    );
    let identity = Identity::of(&session.contract, Name::Symbol, &settings.instrument.root, statistics.month);
    let traded = Traded {
        symbol: session.contract.clone(),
        expiry: identity.expiry,
        before: 0,
        session: session.volume,
        close: None,
        rolled: false,
    };
    Ok(Volumes::of_day(Day { date: session.date, contracts: vec![traded] }))
}
