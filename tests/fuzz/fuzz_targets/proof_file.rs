#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (amulet_fuzz_targets::target("proof_file").run)(bytes));
