//! The two meanings a window can have at a session's edge.

/// How windows, look-ahead and running values treat the edge between two sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// Everything restarts with the session: a [`crate::Series`] is one session.
    Session,
    /// The whole month is one series; gaps of price are excluded instead: a [`crate::Series`] is one month.
    Rolling,
}
