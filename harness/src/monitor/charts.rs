//! The charts of the page: those of the reports, with the months that are running.

use archive::store::Store;
use bytes::Bytes;
use data::Month;
use report::{
    archive::{Archive, Entry},
    archive_figures as figures, html,
};

use crate::watch::status::Snapshot;

/// The charts of the last look.
#[derive(Default)]
pub struct Charts {
    months: Vec<Entry>,
    running: Vec<Month>,
    html: Bytes,
}

impl Charts {
    /// As HTML, for a page with the style of the reports. Only what has changed is read, and drawn if anything has.
    pub fn look(&mut self, store: &Store, snapshot: &Snapshot) -> Bytes {
        let archive = Archive::of(store, &snapshot.holdings, &snapshot.raw, None, &self.months);
        let running = snapshot.running();
        if self.html.is_empty() || archive.months != self.months || running != self.running {
            self.html = draw(&archive, &running).into();
        }
        (self.months, self.running) = (archive.months, running);
        self.html.clone()
    }
}

fn draw(archive: &Archive, running: &[Month]) -> String {
    let mut charts = vec![figures::calendar(archive, running), figures::scores(archive)];
    charts.extend(figures::win_rates(archive));
    charts.extend([figures::stage_times(archive), figures::clock(archive), figures::memory(archive)]);
    html::figures(&charts)
}
