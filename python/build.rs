//! What the linker does beside Cargo's settings: functions of the same code are kept once, and no symbol tables. Together a
//! fifth of the wheel.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = std::env::var("TARGET").unwrap_or_default();
    // There Rust links with its own lld, which knows the first.
    if target == "x86_64-unknown-linux-gnu" {
        println!("cargo::rustc-link-arg-cdylib=-Wl,--icf=safe");
        println!("cargo::rustc-link-arg-cdylib=-Wl,--strip-all");
    }
}
