#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (amulet_fuzz_targets::target("fork_file").run)(bytes));
