//! What is wrong since when, and who was told: kept in the store, so that every incident is told once, whoever looks.

use std::collections::{BTreeMap, BTreeSet};

use archive::store::{Store, StoreError};
use data::Month;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    rules::{Rule, Severity, Thresholds},
    watch::{criteria::Reading, figures::Figures, heartbeat},
};

/// One thing that is wrong, or was until somebody still has to be told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// The rule.
    pub rule: Rule,
    /// The month, run or disk.
    pub subject: String,
    /// How bad it is.
    pub severity: Severity,
    /// Since when.
    pub since: Timestamp,
    /// The value that was looked at.
    pub value: f64,
    /// It as a sentence.
    pub text: String,
    /// When it was over.
    pub recovered: Option<Timestamp>,
    /// Channels that have not taken the news.
    pub untold: BTreeSet<String>,
}

/// The object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Incidents {
    /// By rule and subject.
    pub open: BTreeMap<String, Incident>,
    /// What is known of months: their statistics are not read at every look.
    #[serde(default)]
    pub figures: BTreeMap<Month, Figures>,
}

/// Key of the object.
pub fn key() -> String {
    format!("{}/alerts.json", heartbeat::FOLDER)
}

impl Incidents {
    /// Reads them; an object that makes no sense is begun anew.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn read(store: &Store) -> Result<Self, StoreError> {
        let Some((bytes, _)) = store.read(&key())? else { return Ok(Self::default()) };
        Ok(serde_json::from_slice(&bytes).unwrap_or_else(|error| {
            tracing::warn!("{}: {error}; every alert is sent again", key());
            Self::default()
        }))
    }

    /// Writes them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn write(&self, store: &Store) -> crate::Result<()> {
        Ok(store.put(&key(), serde_json::to_vec_pretty(self)?.into())?)
    }

    /// Takes in what was read; what is new, worse or over is news for the channels that take its severity.
    pub fn update(&mut self, readings: &[Reading], thresholds: &Thresholds, channels: &[(String, Severity)]) {
        let now = Timestamp::now();
        let told = |severity: Severity| -> BTreeSet<String> {
            let takes = channels.iter().filter(|(_, least)| severity >= *least);
            takes.map(|(name, _)| name.clone()).collect()
        };
        // Of several readings of one thing the worst counts.
        let mut firing: BTreeMap<String, (Severity, &Reading)> = BTreeMap::new();
        for reading in readings {
            let name = format!("{} {}", reading.rule.name(), reading.subject);
            let before = self.open.get(&name).filter(|incident| incident.recovered.is_none());
            let Some(severity) = thresholds.severity(reading.rule, reading.value, before.map(|before| before.severity))
            else {
                continue;
            };
            if firing.get(&name).is_none_or(|(known, _)| *known < severity) {
                firing.insert(name, (severity, reading));
            }
        }
        for (name, incident) in &mut self.open {
            if incident.recovered.is_none() && !firing.contains_key(name) {
                (incident.recovered, incident.untold) = (Some(now), told(incident.severity));
            }
        }
        for (name, (severity, reading)) in firing {
            let Reading { rule, subject, value, text, .. } = reading.clone();
            match self.open.get_mut(&name).filter(|incident| incident.recovered.is_none()) {
                Some(incident) => {
                    if severity > incident.severity {
                        incident.untold = told(severity);
                    }
                    (incident.severity, incident.value, incident.text) = (severity, value, text);
                }
                None => {
                    let untold = told(severity);
                    let incident =
                        Incident { rule, subject, severity, since: now, value, text, recovered: None, untold };
                    self.open.insert(name, incident);
                }
            }
        }
        for incident in self.open.values_mut() {
            incident.untold.retain(|name| channels.iter().any(|(channel, _)| channel == name));
        }
    }

    /// Forgets what is over and was told.
    pub fn forget(&mut self) {
        self.open.retain(|_, incident| incident.recovered.is_none() || !incident.untold.is_empty());
    }

    /// What is wrong now, the worst first.
    pub fn firing(&self) -> Vec<&Incident> {
        let mut firing: Vec<&Incident> = self.open.values().filter(|incident| incident.recovered.is_none()).collect();
        firing.sort_by_key(|incident| (std::cmp::Reverse(incident.severity), incident.since));
        firing
    }

    /// Whether what is kept has changed, values aside.
    pub fn differs(&self, before: &Self) -> bool {
        let kept = |incidents: &Self| -> Vec<(String, Severity, bool, BTreeSet<String>)> {
            let of = |(name, incident): (&String, &Incident)| {
                (name.clone(), incident.severity, incident.recovered.is_some(), incident.untold.clone())
            };
            incidents.open.iter().map(of).collect()
        };
        self.figures != before.figures || kept(self) != kept(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_is_news_once_when_it_gets_worse_and_when_it_is_over() {
        let channels = [("all".to_owned(), Severity::Warning), ("night".to_owned(), Severity::Critical)];
        let mut incidents = Incidents::default();
        let look = |incidents: &mut Incidents, value: Option<f64>| {
            let reading = value.map(|value| Reading {
                rule: Rule::MemoryGb,
                subject: "run".into(),
                value,
                note: String::new(),
                text: format!("{value}"),
            });
            incidents.update(&reading.into_iter().collect::<Vec<_>>(), &Thresholds::default(), &channels);
            let news: Vec<String> =
                incidents.open.values_mut().flat_map(|incident| std::mem::take(&mut incident.untold)).collect();
            incidents.forget();
            (news, incidents.firing().len())
        };
        let news = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(look(&mut incidents, Some(8.0)), (news(&[]), 0));
        assert_eq!(look(&mut incidents, Some(8.5)), (news(&["all"]), 1));
        assert_eq!(look(&mut incidents, Some(9.0)), (news(&[]), 1));
        assert_eq!(look(&mut incidents, Some(10.5)), (news(&["all", "night"]), 1));
        assert_eq!(look(&mut incidents, Some(9.0)), (news(&[]), 1), "better, not over");
        assert_eq!(look(&mut incidents, Some(7.7)), (news(&[]), 1), "not well back");
        assert_eq!(look(&mut incidents, None), (news(&["all"]), 0), "gone is over");
        assert_eq!(look(&mut incidents, Some(8.5)), (news(&["all"]), 1), "and may begin anew");
    }
}
