//! Every target over its seeds and a few of their neighbours, without libFuzzer.
#![allow(clippy::unwrap_used)]

use fuzz::seeds;

#[test]
fn every_target_takes_its_seeds_and_what_lies_near() {
    let mut tried = 0_usize;
    for (target, seeds) in seeds::all().unwrap() {
        let run = match target {
            "dbn" => fuzz::dbn,
            "bars" => fuzz::bars,
            "csv" => fuzz::csv,
            "mapping" => fuzz::mapping,
            "job" => fuzz::job,
            "column_file" => fuzz::column_file,
            "manifest" => fuzz::manifest,
            "table" => fuzz::table,
            "configuration" => fuzz::configuration,
            "environment" => fuzz::environment,
            "symbol" => fuzz::symbol,
            "kernels" => fuzz::kernels,
            "state" => fuzz::state,
            other => panic!("no target {other}"),
        };
        assert!(!seeds.is_empty());
        for seed in seeds {
            run(&seed);
            for number in 0..16_usize {
                let mut near = seed.clone();
                let Some(at) = (number * 7919 + tried).checked_rem(near.len()) else { continue };
                if number % 4 == 0 {
                    near.truncate(at)
                } else {
                    near[at] ^= 1 << (number % 8)
                }
                run(&near);
                tried += 1;
            }
        }
    }
    assert!(tried > 1000, "{tried}");
}
