//! Compiles only if nothing in the verifier's dependencies needs the standard library.
//!
//! A program has one panic handler, and the standard library brings one. This crate brings another: where any dependency
//! links `std`, the compiler finds two and refuses (`E0152`). That needs no target without an operating system, which most
//! machines lack.
#![no_std]

#[cfg(feature = "alone")]
mod alone {
    use amulet_protocol as _;
    use amulet_verifier as _;

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        loop {}
    }
}
