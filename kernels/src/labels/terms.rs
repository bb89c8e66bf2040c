//! What the weight of a win is made of besides its age.

/// clip(2 - 1.5*(seconds - 300)/600, 0.5, 2) for each number of rows an [`Outcome`] can hold, and so for more: 0.5 from 900 on.
pub(crate) const VELOCITY: [f64; 1024] = {
    let mut table = [0.0; 1024];
    let mut seconds = 0;
    while seconds < table.len() {
        table[seconds] = clip(2.0 - 1.5 * (seconds as f64 - 300.0) / 600.0);
        seconds += 1;
    }
    table
};

pub(crate) const fn clip(value: f64) -> f64 {
    value.clamp(0.5, 2.0)
}
