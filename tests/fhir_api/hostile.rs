//! What nobody means well by: each is refused with an OperationOutcome, and the gateway goes on.

use crate::gateway::Gateway;
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

pub async fn is_refused(gateway: &Gateway, id: &str) {
    let url = |path: &str| format!("{}/fhir/{path}", gateway.address);
    let search = format!("Observation?patient={id}");
    for token in ["Bearer wrong", "Bearer ", "Basic Zm9vOmJhcg==", "wrong"] {
        let refused = gateway.raw(&url(&search), &[("authorization", token)]).await;
        assert_eq!((refused.0, &refused.1["resourceType"]), (401, &json!("OperationOutcome")), "{token:?}");
    }
    assert_eq!(gateway.raw(&url(&search), &[]).await.0, 401);
    assert_eq!(gateway.raw(&url("metadata"), &[]).await.0, 200, "what the server can do is no secret");
    let many = "&code=x".repeat(100);
    for (path, headers, status) in [
        (format!("{search}&code={}", "a".repeat(8_000)), vec![], 414),
        (format!("{search}{many}"), vec![], 400),
        (format!("{search}&date=yesterday"), vec![], 400),
        (format!("{search}&code:text=x"), vec![], 400),
        (format!("{search}&colour=red"), vec![("prefer", "handling=strict")], 400),
        (format!("{search}&colour=red"), vec![], 200),
        (format!("{search}&_format=xml"), vec![], 406),
        (search.clone(), vec![("accept", "application/fhir+xml")], 406),
        ("Observation".to_owned(), vec![], 400),
        ("Observation/%00".to_owned(), vec![], 400),
        ("Observation/..%2f..%2fetc".to_owned(), vec![], 400),
        ("$export".to_owned(), vec![], 404),
    ] {
        let answer = gateway.get(&path, &headers).await;
        let kind = if status == 200 { "Bundle" } else { "OperationOutcome" };
        let shown: String = path.chars().take(120).collect();
        assert_eq!((answer.0, &answer.1["resourceType"]), (status, &json!(kind)), "{shown}");
    }
    let lenient = gateway.get(&format!("{search}&colour=red&_count=0"), &[]).await.1;
    assert_eq!(lenient["entry"][0]["search"]["mode"], "outcome", "what was ignored is said: {lenient}");
    gateway.valid(&[lenient]);
    raw_bytes(gateway);
    let posted = raw(gateway, b"DELETE /fhir/Observation/x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert!(posted.starts_with("HTTP/1.1 405") && posted.contains("OperationOutcome"), "{posted}");
    assert_eq!(gateway.get(&search, &[]).await.0, 200, "it answers on");
}

/// What is no HTTP, and heads without end.
fn raw_bytes(gateway: &Gateway) {
    for bytes in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        [b"GET /fhir/".as_slice(), &[b'a'; 200_000], b" HTTP/1.1\r\n\r\n"].concat(),
        [b"GET / HTTP/1.1\r\n".as_slice(), &b"x: y\r\n".repeat(1_000), b"\r\n"].concat(),
    ] {
        let answer = raw(gateway, &bytes);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
}

fn raw(gateway: &Gateway, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(gateway.address.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    // The gateway may hang up before it has read everything.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}
