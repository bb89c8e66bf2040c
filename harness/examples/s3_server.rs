//! The tests' S3 server for those who want to try one: says by which settings it is found, and serves until its input
//! ends.
#![allow(clippy::unwrap_used)]

#[path = "../tests/it/server/mod.rs"]
mod server;

fn main() {
    let server = server::Server::start();
    for (name, value) in server.environment() {
        println!("export {name}={value}");
    }
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).unwrap();
}
