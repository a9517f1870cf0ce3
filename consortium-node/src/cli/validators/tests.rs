//! The commands as an operator types them, against a node's HTTP interface over a real ledger.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::cli::init::NodeSetup;
use crate::genesis_file::GENESIS_FILE;
use crate::light_service::LightService;
use crate::testing::World;
use amulet_contracts::testing::{Actor, genesis};
use amulet_protocol::codec;
use amulet_protocol::light::LightRequest;
use amulet_protocol::receipt::RefusalCode;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use clap::Parser;
use std::net::SocketAddr;
use tempfile::TempDir;

#[derive(Parser)]
struct Typed {
    #[command(subcommand)]
    command: ValidatorsCommand,
}

async fn answer(State(service): State<LightService>, bytes: Bytes) -> Vec<u8> {
    let request: LightRequest = codec::decode(&bytes, usize::MAX).unwrap();
    codec::encode(&service.answer(request).await)
}

/// Folders of the hospitals 1 to 4 of [`World`], and of number 5, who wants to join.
pub(in crate::cli) struct Operators {
    world: World,
    http: SocketAddr,
    folder: TempDir,
}

impl Operators {
    pub(in crate::cli) async fn new() -> Self {
        let world = World::new();
        world.run_consensus();
        let light = world.light(&world.network(&[1, 2, 3]));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http = listener.local_addr().unwrap();
        let router = Router::new().route("/api/v1/light", post(answer)).with_state(light);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let founders: Vec<Actor> = (1..=4).map(Actor::new).collect();
        let operators = Self { world, http, folder: tempfile::tempdir().unwrap() };
        for hospital in 1..=5 {
            let data = operators.data(hospital);
            NodeSetup::create(&data, "Harbour", "港口医院", http, 9101).unwrap();
            genesis_file::save(&data.join(GENESIS_FILE), &genesis(&founders)).unwrap();
            if let Some(founder) = founders.get(hospital - 1) {
                let secret = hex::encode(founder.signing.expose_secret());
                std::fs::write(data.join("keys/organisation.key"), secret).unwrap();
            }
        }
        operators
    }

    pub(in crate::cli) fn world(&mut self) -> &mut World {
        &mut self.world
    }

    pub(in crate::cli) fn data(&self, hospital: usize) -> PathBuf {
        self.folder.path().join(hospital.to_string())
    }

    /// Base URL of the node.
    pub(in crate::cli) fn node(&self) -> String {
        format!("http://{}", self.http)
    }

    /// Types a command.
    async fn run(&self, line: &[&str]) -> Result<(), SeatError> {
        let typed = Typed::try_parse_from([&["validators"], line].concat()).unwrap();
        run(typed.command).await
    }

    async fn list(&self) -> String {
        list(&NodeLink::new(&format!("http://{}", self.http))).await.unwrap()
    }

    /// The only open proposal.
    async fn proposal(&self) -> String {
        let text = self.list().await;
        let line = text.lines().find_map(|line| line.strip_prefix("proposed: ")).unwrap();
        line.split(':').next().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hospital_asks_for_a_seat_and_the_members_give_it() {
    let operators = Operators::new().await;
    let file = operators.folder.path().join("seat.bin");
    let (file, new) = (file.to_str().unwrap(), operators.data(5));
    operators.run(&["request-seat", "--data", new.to_str().unwrap(), "--out", file]).await.unwrap();
    let data: Vec<_> =
        (1..=4).map(|hospital| operators.data(hospital).to_str().unwrap().to_owned()).collect();
    let misfit = operators.run(&["propose-replace", "--data", &data[0], file]).await;
    assert!(matches!(misfit, Err(SeatError::NewSeat(_))));
    operators.run(&["propose-add", "--data", &data[0], "--not-before", "1000", file]).await.unwrap();
    let (listed, proposal) = (operators.list().await, operators.proposal().await);
    assert!(
        listed.contains("add Harbour (港口医院)") && listed.contains("1 of 3 approve (Hospital 0)"),
        "{listed}"
    );
    operators.run(&["approve", "--data", &data[1], &proposal]).await.unwrap();
    let again = operators.run(&["approve", "--data", &data[1], &proposal]).await;
    assert!(matches!(again, Err(SeatError::Operator(OperatorError::Ledger(RefusalCode::AlreadyApproved)))));
    operators.run(&["withdraw", "--data", &data[1], &proposal]).await.unwrap();
    operators.run(&["approve", "--data", &data[2], &proposal]).await.unwrap();
    operators.run(&["approve", "--data", &data[3], &proposal]).await.unwrap();
    let listed = operators.list().await;
    assert!(listed.contains("decided: from block 1000 on seat 4 has key"), "{listed}");
    let few = operators.run(&["propose-remove", "--data", &data[0], "--seat", "1"]).await;
    assert!(matches!(few, Err(SeatError::Operator(OperatorError::Ledger(RefusalCode::SetSize)))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hospital_rotates_its_key_and_finds_the_new_one_in_its_folder() {
    let operators = Operators::new().await;
    let data = operators.data(2);
    operators.run(&["rotate-key", "--data", data.to_str().unwrap()]).await.unwrap();
    let next = NodeKeys::load(&data).unwrap().next_validator.unwrap();
    let key = next.public_key().fingerprint().to_string();
    let listed = operators.list().await;
    assert!(
        listed.starts_with("Epoch 1,") && listed.contains(&format!("seat 1: Hospital 1, key {key}")),
        "{listed}"
    );
    assert!(operators.world.ledger.validators().find(next.public_key()).is_some());
    let again = operators.run(&["rotate-key", "--data", data.to_str().unwrap()]).await;
    assert!(matches!(again, Err(SeatError::MoveFirst)));
}
