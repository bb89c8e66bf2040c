//! Nothing. A build that names an example chooses features as `cargo test --workspace` does, so `scripts/fuzz` finds
//! everybody else's crates built.

fn main() {}
