//! Bad input against real processes: each is refused with an error that names the thing, nothing is lost, and nothing is
//! half done.

#![allow(clippy::unwrap_used)]

mod card;
mod fhir;
mod sockets;

use amulet_tests::localnet::Localnet;
use amulet_tests::{run, step};

#[test]
fn bad_input_is_refused_by_name_and_does_no_harm() {
    let net = Localnet::start();
    run(async {
        step("FHIR files");
        fhir::bad_files_are_named(&net).await;
        step("records in doubt");
        fhir::a_person_decides_about_what_is_in_doubt(&net).await;
        step("tokens and addresses");
        fhir::only_the_hospitals_own_systems_bring_files(&net).await;
        step("cards");
        card::revoked_cut_and_foreign(&net).await;
        step("messages over the limit, over HTTP");
        sockets::over_http(&net);
        step("messages over the limit, and nonsense, over libp2p");
        sockets::over_libp2p(&net).await;
        step("everybody is still well");
        fhir::good_files_still_arrive(&net).await;
    });
}
