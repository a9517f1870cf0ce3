//! `amulet-node`: see `amulet-node --help`.

fn main() {}
