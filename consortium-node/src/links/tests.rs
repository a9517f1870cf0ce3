//! Orders of patients, and what somebody who opens a link gets.
#![allow(clippy::unwrap_used)]
use super::*;
use crate::testing::{World, now};
use amulet_contracts::testing::{Actor, records};
use amulet_crypto::digest::sm3;
use amulet_crypto::entropy::SeededEntropy;
use amulet_protocol::calls::Call;
use amulet_protocol::ids::RecordId;
use amulet_protocol::links::{LinkRequest, PasscodeCheck};

const HOUR: u64 = 3_600_000;
const FILE: &[u8] = b"eyJhbGciOiJkaXIifQ..a.b.c";

/// A world in which hospital 0 has registered a record of the patient.
fn world() -> (World, RecordId) {
    let mut world = World::new();
    let call = records(1..1 + 1, world.hospitals[0].did, &world.patient);
    let id = call.records[0].id;
    let chain = world.chain();
    let transaction = world.hospitals[0].sign(chain, Call::RegisterRecords(call));
    world.commit(vec![transaction]);
    (world, id)
}

fn link(number: u8, voucher: RecordId, passcode: Option<&str>) -> ServeLink {
    let check = |passcode: &str| {
        let (salt, hash) = PasscodeHash::new(passcode, &mut SeededEntropy::new(1)).unwrap().parts();
        PasscodeCheck { salt, hash }
    };
    ServeLink {
        id: LinkId([number; 32]),
        url: format!("https://hospital.example/shl/{number}"),
        ends: Timestamp(now().0 + HOUR),
        passcode: passcode.map(check),
        single_file: false,
        file: FILE.to_vec(),
        voucher,
    }
}

fn ask(world: &World, who: &Actor, order: LinkOrder) -> Result<Vec<LinkStatus>, LightRefusal> {
    let holder = world.hospitals[0].did;
    let request = LinkRequest { chain: world.chain(), patient: who.did, holder, time: now(), order };
    world.links().order(now(), &request.sign(&who.signing))
}

fn serve(world: &World, link: ServeLink) -> Result<Vec<LinkStatus>, LightRefusal> {
    ask(world, &world.patient, LinkOrder::Serve(Box::new(link)))
}

fn open(world: &World, number: u8, passcode: Option<&str>) -> Opened {
    world.links().open(now(), LinkId([number; 32]), false, "Dr. Vega, Lisbon", passcode).unwrap()
}

#[test]
fn a_link_gives_its_file_and_the_patient_sees_to_whom_until_it_is_taken_back() {
    let (world, record) = world();
    let made = serve(&world, link(1, record, None)).unwrap();
    assert_eq!((made.len(), made[0].standing, made[0].attempts_left), (1, LinkStanding::Open, None));
    let url = "https://hospital.example/shl/1".to_owned();
    assert_eq!(open(&world, 1, None), Opened::File { file: FILE.to_vec(), url });
    assert_eq!(open(&world, 2, None), Opened::Unknown);
    let ticket = world.links().ticket(now(), LinkId([1; 32]));
    let seen = ask(&world, &world.patient, LinkOrder::List).unwrap();
    assert_eq!((seen[0].openings_total, seen[0].openings[0].recipient.as_str()), (1, "Dr. Vega, Lisbon"));
    let left = ask(&world, &world.patient, LinkOrder::Revoke(LinkId([1; 32]))).unwrap();
    assert_eq!(left[0].standing, LinkStanding::Revoked);
    assert_eq!(open(&world, 1, None), Opened::Not(Answer::Closed(Closed::Revoked)));
    assert_eq!(world.links().fetch(now(), ticket).unwrap(), None, "a ticket does not outlive the link");
    assert_eq!(world.links.file(LinkId([1; 32])).unwrap(), None, "the file is gone");
    // The same order, heard once more by somebody else, does not bring it back.
    assert_eq!(serve(&world, link(1, record, None)), Err(LightRefusal::Link(LinkRefusal::NoSuchLink)));
}

#[test]
fn guesses_are_counted_on_the_disk_and_the_last_one_deletes_the_file() {
    let (world, record) = world();
    serve(&world, link(1, record, Some("246810"))).unwrap();
    let most = amulet_health_link::ATTEMPTS_MAX;
    for guess in 1..=most {
        assert_eq!(
            open(&world, 1, Some("000000")),
            Opened::Not(Answer::Passcode { remaining: most - guess })
        );
        // Another desk over the same file: what was not on the disk would be forgotten.
        serve(&world, link(1, record, Some("246810"))).ok();
    }
    assert_eq!(open(&world, 1, Some("246810")), Opened::Not(Answer::Closed(Closed::Guessed)));
    assert_eq!(world.links.file(LinkId([1; 32])).unwrap(), None);
    let seen = ask(&world, &world.patient, LinkOrder::List).unwrap();
    assert_eq!((seen[0].standing, seen[0].attempts_left), (LinkStanding::Guessed, Some(0)));
}

#[test]
fn guesses_at_the_same_moment_are_not_more_than_the_life_of_a_link_allows() {
    let (world, record) = world();
    serve(&world, link(1, record, Some("246810"))).unwrap();
    let desk = world.links();
    let guess = |n: u32| {
        let desk = desk.clone();
        let code = format!("{n:06}");
        std::thread::spawn(move || desk.open(now(), LinkId([1; 32]), false, "guesser", Some(&code)).unwrap())
    };
    let answers: Vec<Opened> =
        (0..24).map(guess).collect::<Vec<_>>().into_iter().map(|one| one.join().unwrap()).collect();
    let judged =
        answers.iter().filter(|answer| matches!(answer, Opened::Not(Answer::Passcode { .. }))).count();
    assert_eq!(judged, amulet_health_link::ATTEMPTS_MAX as usize, "{answers:?}");
}

#[test]
fn a_hospital_serves_its_own_patients_and_obeys_nobody_else() {
    let (mut world, record) = world();
    assert_eq!(
        serve(&world, link(1, RecordId(sm3(b"none")), None)),
        Err(LightRefusal::Link(LinkRefusal::NotAPatient))
    );
    // Another hospital's record of the same patient does not vouch here.
    let call = records(2..2 + 1, world.hospitals[1].did, &world.patient);
    let elsewhere = call.records[0].id;
    let chain = world.chain();
    let transaction = world.hospitals[1].sign(chain, Call::RegisterRecords(call));
    world.commit(vec![transaction]);
    assert_eq!(serve(&world, link(1, elsewhere, None)), Err(LightRefusal::Link(LinkRefusal::NotAPatient)));
    serve(&world, link(1, record, None)).unwrap();
    let stranger = LinkOrder::Serve(Box::new(link(2, record, None)));
    assert_eq!(ask(&world, &world.stranger, stranger), Err(LightRefusal::Link(LinkRefusal::NotAPatient)));
    let foreign = ask(&world, &world.stranger, LinkOrder::Revoke(LinkId([1; 32])));
    assert_eq!(foreign, Err(LightRefusal::Link(LinkRefusal::NoSuchLink)));
    assert_eq!(ask(&world, &world.stranger, LinkOrder::List), Ok(vec![]));
    let (chain, patient, holder) = (world.chain(), world.patient.did, world.hospitals[0].did);
    let request = |holder, time| LinkRequest { chain, patient, holder, time, order: LinkOrder::List };
    let forged = request(holder, now()).sign(&world.stranger.signing);
    assert_eq!(world.links().order(now(), &forged), Err(LightRefusal::NotSigned { did: patient }));
    let elsewhere = request(world.hospitals[1].did, now()).sign(&world.patient.signing);
    assert_eq!(world.links().order(now(), &elsewhere), Err(LightRefusal::NotSigned { did: patient }));
    let old = Timestamp(now().0 - READ_REQUEST_AGE_MAX_MS - 1);
    let late = world.links().order(now(), &request(holder, old).sign(&world.patient.signing));
    assert_eq!(late, Err(LightRefusal::Clock { dated: old, now: now() }));
}

#[test]
fn wishes_beyond_the_limits_are_refused_and_leave_nothing() {
    let (world, record) = world();
    let good = || link(1, record, None);
    let far = Timestamp(now().0 + LINK_TIME_MAX_MS + 1);
    let bad = [
        ServeLink { ends: now(), ..good() },
        ServeLink { ends: far, ..good() },
        ServeLink { url: "ftp://hospital.example/x".to_owned(), ..good() },
        ServeLink { url: "https://a/\"onload=\"".to_owned(), ..good() },
        ServeLink { url: format!("https://a/{}", "x".repeat(LINK_URL_BYTES_MAX)), ..good() },
        ServeLink { file: vec![], ..good() },
        ServeLink { file: vec![b'a'; LINK_FILE_BYTES_MAX + 1], ..good() },
        ServeLink { file: b"<script>".to_vec(), ..good() },
        ServeLink { single_file: true, ..link(1, record, Some("1")) },
    ];
    for (number, wish) in bad.into_iter().enumerate() {
        assert_eq!(serve(&world, wish), Err(LightRefusal::Malformed), "wish {number}");
    }
    assert_eq!(ask(&world, &world.patient, LinkOrder::List), Ok(vec![]));
    let most = u8::try_from(LINKS_PER_PATIENT_MAX).unwrap();
    for number in 0..most {
        serve(&world, link(number, record, None)).unwrap();
    }
    let max = u16::from(most);
    assert_eq!(
        serve(&world, link(most, record, None)),
        Err(LightRefusal::Link(LinkRefusal::TooMany { max }))
    );
    ask(&world, &world.patient, LinkOrder::Revoke(LinkId([3; 32]))).unwrap();
    let after = serve(&world, link(most, record, None)).unwrap();
    assert_eq!(after.len(), LINKS_PER_PATIENT_MAX, "the closed one gives way");
    assert!(after.iter().all(|link| link.id != LinkId([3; 32])));
}

#[test]
fn a_links_time_ends_it_and_the_sweep_deletes_its_file() {
    let (world, record) = world();
    serve(&world, link(1, record, None)).unwrap();
    let (desk, end) = (world.links(), Timestamp(now().0 + HOUR));
    desk.sweep(Timestamp(end.0 - 1_000)).unwrap();
    assert!(world.links.file(LinkId([1; 32])).unwrap().is_some());
    let late = desk.open(end, LinkId([1; 32]), false, "late", None).unwrap();
    assert_eq!(late, Opened::Not(Answer::Closed(Closed::Expired)));
    serve(&world, link(2, record, None)).unwrap();
    desk.sweep(end).unwrap();
    assert_eq!(world.links.file(LinkId([2; 32])).unwrap(), None);
}

#[test]
fn a_ticket_is_good_once_and_for_minutes() {
    let (world, record) = world();
    serve(&world, link(1, record, None)).unwrap();
    let (desk, id) = (world.links(), LinkId([1; 32]));
    let (first, second) = (desk.ticket(now(), id), desk.ticket(now(), id));
    assert_eq!(desk.fetch(now(), first).unwrap().as_deref(), Some(FILE));
    assert_eq!(desk.fetch(now(), first).unwrap(), None);
    let late = Timestamp(now().0 + TICKET_SECONDS * MS);
    assert_eq!(desk.fetch(late, second).unwrap(), None);
}

#[test]
fn a_name_as_long_as_a_request_keeps_no_patient_from_their_links() {
    let (world, record) = world();
    serve(&world, link(1, record, None)).unwrap();
    let padded = format!("a{}", " ".repeat(3_900));
    let long = "\u{6c49}".repeat(1_300);
    let id = LinkId([1; 32]);
    for opening in 0..100u64 {
        let name = if opening % 2 == 0 { &padded } else { &long };
        let at = Timestamp(now().0 + opening * 3 * MS);
        assert!(matches!(world.links().open(at, id, false, name, None).unwrap(), Opened::File { .. }));
    }
    let seen = ask(&world, &world.patient, LinkOrder::List).unwrap();
    assert!(seen[0].openings.iter().any(|one| one.recipient == "a"));
    assert!(seen[0].openings.iter().all(|one| one.recipient.len() <= LINK_RECIPIENT_BYTES_MAX));
    let left = ask(&world, &world.patient, LinkOrder::Revoke(id)).unwrap();
    assert_eq!(left[0].standing, LinkStanding::Revoked);
}

#[test]
fn long_names_of_before_are_told_cut_and_a_damaged_entry_is_nobody_elses_harm() {
    let (world, record) = world();
    serve(&world, link(1, record, None)).unwrap();
    serve(&world, link(2, record, None)).unwrap();
    let padded = format!("a{}", " ".repeat(3_900));
    let made: Result<(), LinkStoreError> = world.links.change(|links| {
        let mut old = links.get(LinkId([1; 32]))?.unwrap();
        for opening in 0..100 {
            assert_eq!(old.link.ask(now().0 / MS + opening * 3, &padded, None), Answer::Files);
        }
        links.put(LinkId([1; 32]), &old)?;
        let damaged = Row { url: "x".repeat(store::ROW_BYTES_MAX), ..old };
        links.put(LinkId([3; 32]), &damaged)
    });
    made.unwrap();
    let seen = ask(&world, &world.patient, LinkOrder::List).unwrap();
    assert_eq!(seen.len(), 2, "all but the damaged one");
    let old = seen.iter().find(|link| link.id == LinkId([1; 32])).unwrap();
    assert_eq!(old.openings_total, 100);
    assert!(old.openings.iter().all(|one| one.recipient == "a"));
    for number in [1, 2] {
        ask(&world, &world.patient, LinkOrder::Revoke(LinkId([number; 32]))).unwrap();
    }
}
