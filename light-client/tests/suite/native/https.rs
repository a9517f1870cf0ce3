//! The HTTPS transport against servers on the loopback interface that misbehave in every way a network does.

use crate::chain::Chain;
use amulet_light_client::transport::https::HttpsTransport;
use amulet_light_client::transport::libp2p::{Libp2pTransport, NodeAddresses};
use amulet_light_client::transport::{FallbackTransport, SMALL_ANSWER_BYTES_MAX};
use amulet_light_client::{Interception, NodeIndex, Transport, TransportError};
use amulet_protocol::addresses::NodeAddress;
use amulet_protocol::codec::{DecodeError, encode};
use amulet_protocol::ids::Height;
use amulet_protocol::light::{LightRequest, LightResponse, UntrustedHeaders};
use amulet_protocol::range::UntrustedRangeBatch;
use amulet_protocol::state_batch::UntrustedStateBatch;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A server that reads a question and then sends these pieces, with a pause before each but the first; then it closes,
/// unless it `holds` the line.
async fn serve(pieces: Vec<Vec<u8>>, pause: Duration, holds: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let pieces = pieces.clone();
            tokio::spawn(answer(stream, pieces, pause, holds));
        }
    });
    address
}

async fn answer(mut stream: TcpStream, pieces: Vec<Vec<u8>>, pause: Duration, holds: bool) {
    let mut head = [0; 4096];
    let _ = stream.read(&mut head).await;
    for (number, piece) in pieces.into_iter().enumerate() {
        if number > 0 {
            tokio::time::sleep(pause).await;
        }
        if stream.write_all(&piece).await.is_err() {
            return;
        }
    }
    if holds {
        std::future::pending::<()>().await;
    }
    // What the client still sends is read, or closing would throw away what it has not read.
    let _ = stream.shutdown().await;
    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
}

fn response(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

async fn good() -> String {
    let body = encode(&LightResponse::NotFound);
    serve(
        vec![response("200 OK", "content-type: application/octet-stream\r\n", &body)],
        Duration::ZERO,
        false,
    )
    .await
}

async fn dead() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

async fn ask(addresses: Vec<String>) -> Result<LightResponse, TransportError> {
    HttpsTransport::new(vec![addresses]).ask(NodeIndex(0), &LightRequest::Latest).await
}

async fn ask_server_of(answer: Vec<u8>) -> Result<LightResponse, TransportError> {
    ask(vec![serve(vec![answer], Duration::ZERO, false).await]).await
}

#[tokio::test]
async fn an_answer_comes_through() {
    assert_eq!(ask(vec![good().await]).await, Ok(LightResponse::NotFound));
    let transport = HttpsTransport::new(vec![]);
    let unknown = TransportError::UnknownNode { node: NodeIndex(0), known: 0 };
    assert_eq!(transport.ask(NodeIndex(0), &LightRequest::Latest).await, Err(unknown));
    assert_eq!(ask(vec![]).await, Err(TransportError::NoAddress));
}

#[tokio::test]
async fn a_captive_portal_is_recognised_and_no_hospital_accused() {
    let page = b"<!doctype html><title>Welcome to this hotel</title>";
    let portals = [
        (response("302 Found", "location: http://login.example/\r\n", b""), Interception::Redirect),
        (response("307 Temporary Redirect", "location: /\r\n", page), Interception::Redirect),
        (response("511 Network Authentication Required", "", page), Interception::SignIn),
        (response("200 OK", "content-type: text/html; charset=utf-8\r\n", page), Interception::Page),
        (response("200 OK", "content-type: application/octet-stream\r\n", page), Interception::Page),
        (response("200 OK", "", page), Interception::Page),
    ];
    for (answer, by) in portals {
        assert_eq!(ask_server_of(answer).await, Err(TransportError::Intercepted { by }));
    }
}

#[tokio::test]
async fn an_answer_that_begins_like_a_page_is_an_answer() {
    // In borsh sixty is "<", and the numbers of these answers are white space in a text.
    let values = UntrustedStateBatch { values: vec![None; 60], nodes: vec![] };
    let proof = UntrustedRangeBatch { heights: vec![], hashes: vec![] };
    let headers = UntrustedHeaders { headers: vec![Chain::new(1).signed_at(1); 60], proof };
    for answer in [LightResponse::StateBatch(values), LightResponse::Headers(Box::new(headers))] {
        let server = serve(vec![response("200 OK", "", &encode(&answer))], Duration::ZERO, false).await;
        let question = LightRequest::StateBatch { height: Height(1), keys: vec![] };
        let transport = HttpsTransport::new(vec![vec![server]]);
        assert_eq!(transport.ask(NodeIndex(0), &question).await, Ok(answer));
    }
}

#[tokio::test]
async fn other_statuses_and_garbage_are_told_apart() {
    let status = ask_server_of(response("503 Service Unavailable", "", b"busy")).await;
    assert_eq!(status, Err(TransportError::Status { code: 503 }));
    let malformed = DecodeError::Malformed { expected: "LightResponse" };
    for body in [vec![], vec![255; 40], [encode(&LightResponse::NotFound), vec![0]].concat()] {
        let answered = ask_server_of(response("200 OK", "", &body)).await;
        assert_eq!(answered, Err(TransportError::Decode(malformed.clone())));
    }
    assert_eq!(ask_server_of(b"this is not HTTP\r\n\r\n".to_vec()).await, Err(TransportError::Connect));
}

#[tokio::test]
async fn an_oversized_answer_is_cut_off_at_what_the_question_may_have() {
    let limit = SMALL_ANSWER_BYTES_MAX;
    let large = ask_server_of(response("200 OK", "", &vec![0; limit + 1])).await;
    assert_eq!(large, Err(TransportError::TooLarge { limit }));
    // Without a length, it goes on for ever.
    let endless = [b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec(), vec![0; 2 * limit]].concat();
    let endless = serve(vec![endless, vec![0; limit]], Duration::from_millis(10), true).await;
    assert_eq!(ask(vec![endless]).await, Err(TransportError::TooLarge { limit }));
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_said_to() {
    let whole = response("200 OK", "", &[1; 100]);
    let cut = whole[..whole.len() - 50].to_vec();
    assert_eq!(ask_server_of(cut).await, Err(TransportError::Closed));
}

#[tokio::test]
async fn one_that_sends_a_byte_at_a_time_or_nothing_is_not_waited_for_when_there_is_another() {
    let drop_by_drop = response("200 OK", "", &[1; 60]).into_iter().map(|byte| vec![byte]).collect();
    let slow_loris = serve(drop_by_drop, Duration::from_millis(500), true).await;
    let half_open = serve(vec![], Duration::ZERO, true).await;
    let addresses = vec![dead().await, half_open, slow_loris, good().await];
    assert_eq!(ask(addresses).await, Ok(LightResponse::NotFound));
}

#[tokio::test]
async fn addresses_learned_from_the_ledger_are_tried_beside_those_that_were_given() {
    let transport = HttpsTransport::new(vec![vec![dead().await]]);
    assert_eq!(transport.ask(NodeIndex(0), &LightRequest::Latest).await, Err(TransportError::Connect));
    // Only HTTPS comes from the ledger; the server here has no certificate, so what is seen is that it was asked.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let address = NodeAddress::parse(&url).unwrap();
    transport.learn(NodeIndex(0), &[address.clone(), address]);
    transport.learn(NodeIndex(9), &[]);
    let asked = tokio::spawn(async move { transport.ask(NodeIndex(0), &LightRequest::Latest).await });
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut hello = [0; 1];
    stream.read_exact(&mut hello).await.unwrap();
    assert_eq!(hello, [22], "a TLS handshake (RFC 8446 section 5.1)");
    drop(stream);
    assert_eq!(asked.await.unwrap(), Err(TransportError::Connect));
}

#[tokio::test]
async fn where_libp2p_does_not_get_through_the_web_does() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let nowhere = format!("/ip4/127.0.0.1/tcp/{port}/p2p/{}", libp2p::PeerId::random());
    let blocked = Libp2pTransport::start(vec![NodeAddresses::parse(&[nowhere]).unwrap()]).unwrap();
    let web = HttpsTransport::new(vec![vec![good().await]]);
    let transport = FallbackTransport::new(Arc::new(blocked), Arc::new(web));
    assert_eq!(transport.ask(NodeIndex(0), &LightRequest::Latest).await, Ok(LightResponse::NotFound));
}
