//! Each thing a run does to a store, done once to an object of our own.

use archive::store::{Store, StoreError};
use base::exit;

use super::{Check, State};
use crate::settings::Settings;

/// What a run does to the store, and what else must be there.
pub fn stores(settings: &Settings) -> Vec<Check> {
    let (name, raw) = (settings.text("store"), settings.text("raw"));
    let mut checks = match Store::create(name, settings.access) {
        Ok(store) => writing(&store),
        Err(error) => vec![failed("store", error)],
    };
    if !raw.is_empty() {
        checks.push(match Store::existing(raw, settings.access).and_then(|store| listing(&store)) {
            Ok(found) => Check::new("raw: list", State::Ok, found, ""),
            Err(error) => failed("raw: list", error),
        });
    }
    checks
}

fn listing(store: &Store) -> Result<String, StoreError> {
    store.list("", None).map(|objects| format!("{} objects in {}", objects.len(), store.name()))
}

fn failed(name: &str, error: StoreError) -> Check {
    let permission = match name {
        "store: list" | "raw: list" => "s3:ListBucket on the bucket",
        "store: write" | "store: conditional write" => "s3:PutObject",
        "store: read" => "s3:GetObject",
        "store: delete" => "s3:DeleteObject",
        _ => "",
    };
    let denied = matches!(&error, StoreError::Refused { source, .. } if source.status == 403);
    let advice =
        if denied && !permission.is_empty() { format!("the credentials need {permission}") } else { String::new() };
    Check::new(name, State::Failed, exit::sentence(&error.into()), advice)
}

/// List, write, read, write conditionally, delete.
fn writing(store: &Store) -> Vec<Check> {
    let name = format!("doctor-{:016x}", fastrand::u64(..));
    let key = format!("{name}.txt");
    let mut checks = Vec::new();
    let mut check = |what: &str, result: Result<String, StoreError>| {
        let name = format!("store: {what}");
        let ok = result.is_ok();
        checks.push(match result {
            Ok(found) => Check::new(name, State::Ok, found, ""),
            Err(error) => failed(&name, error),
        });
        ok
    };
    check("list", listing(store));
    if check("write", store.put(&key, "written".into()).map(|()| key.clone())) {
        let differs = || StoreError::ReadBack {
            store: store.name().to_owned(),
            key: key.clone(),
            found: "something else".into(),
            expected: "what was written".into(),
        };
        let read = store.read(&key).and_then(|found| match found {
            Some((bytes, _)) if bytes == "written" => Ok("what was written".to_owned()),
            _ => Err(differs()),
        });
        check("read", read);
        check("conditional write", conditional(store, &name, &key));
        check("delete", store.delete(&key).map(|()| key.clone()));
    }
    checks
}

/// Of two writers that know the same state the second must be refused.
fn conditional(store: &Store, name: &str, key: &str) -> Result<String, StoreError> {
    let ignored = || StoreError::Conditions { store: store.name().to_owned() };
    let right = store.exclusive(name)?;
    if store.exclusive_now(name)?.is_some() {
        return Err(ignored());
    }
    let refused = |result: Result<(), StoreError>| match result {
        Err(StoreError::Conflict { .. }) => Ok(()),
        Ok(()) => Err(ignored()),
        Err(error) => Err(error),
    };
    let Some((_, tag)) = store.read(key)? else { return Err(ignored()) };
    refused(store.put_if(&right, key, "by whom".into(), None))?;
    store.put_if(&right, key, "again".into(), Some(&tag))?;
    refused(store.put_if(&right, key, "too late".into(), Some(&tag)))?;
    Ok("of two writers the second is refused".into())
}
