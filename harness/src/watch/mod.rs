//! How runs and months get on, for those who watch: heartbeats, status, criteria, alerts, metrics.

pub mod alerts;
pub mod criteria;
pub mod figures;
pub mod heartbeat;
pub mod metrics;
pub mod status;
