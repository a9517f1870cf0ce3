//! A small S3 service in memory: what the vault asks of one, with listing in pages, copies and uploads in parts.

#![allow(clippy::unwrap_used)]

use super::Vault;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, Method, Response, StatusCode};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// Objects in one page of a listing: few, so that tests see several pages.
const PAGE: usize = 2;
/// What the tests sign with.
const ACCESS_KEY: &str = "AKIATEST";

/// The service's objects, and uploads that have not ended.
#[derive(Clone, Default)]
pub(crate) struct FakeS3 {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    objects: BTreeMap<String, Bytes>,
    uploads: BTreeMap<String, BTreeMap<u32, Bytes>>,
    requests: u64,
}

impl FakeS3 {
    /// Starts the service; gives it and its base URL. It runs until the test ends.
    pub async fn start() -> (Self, String) {
        let service = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(service.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (service, url)
    }

    /// Starts the service, and a vault in a bucket of it; the folder gets the credentials.
    pub async fn start_with_vault(folder: &Path) -> (Self, Vault) {
        let (bucket, url) = Self::start().await;
        let secrets = format!("access_key = \"{ACCESS_KEY}\"\nsecret_key = \"hunter2\"\n");
        std::fs::write(folder.join("s3.toml"), secrets).unwrap();
        let text =
            format!("bucket = \"b\"\nendpoint = \"{url}\"\nprefix = \"city\"\ncredentials = \"s3.toml\"");
        let vault = Vault::configured(folder, &toml::from_str(&text).unwrap()).unwrap();
        vault.probe().await.unwrap();
        (bucket, vault)
    }

    /// Names of all objects, `bucket/key`.
    pub fn names(&self) -> Vec<String> {
        self.inner.lock().unwrap().objects.keys().cloned().collect()
    }

    /// Changes an object behind the vault's back.
    pub fn replace(&self, name: &str, bytes: &'static [u8]) {
        let mut inner = self.inner.lock().unwrap();
        *inner.objects.get_mut(name).unwrap() = Bytes::from_static(bytes);
    }

    /// Uploads in parts that have neither ended nor been given up.
    pub fn unended(&self) -> usize {
        self.inner.lock().unwrap().uploads.len()
    }
}

async fn answer(
    State(service): State<FakeS3>,
    Query(query): Query<BTreeMap<String, String>>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let signed = parts.headers.get("authorization").and_then(|value| value.to_str().ok());
    if !signed.is_some_and(|signed| signed.contains(ACCESS_KEY)) {
        return status(StatusCode::FORBIDDEN);
    }
    let name = parts.uri.path().trim_start_matches('/').to_owned();
    let mut inner = service.inner.lock().unwrap();
    inner.requests += 1;
    match parts.method {
        Method::GET if query.contains_key("list-type") => inner.list(&name, &query),
        Method::GET | Method::HEAD => inner.get(&name, &parts.headers),
        Method::PUT => inner.put(&name, &query, &parts.headers, body),
        Method::POST => inner.post(&name, &query),
        Method::DELETE => {
            match query.get("uploadId") {
                Some(upload) => drop(inner.uploads.remove(upload)),
                None => drop(inner.objects.remove(&name)),
            }
            status(StatusCode::NO_CONTENT)
        }
        _ => status(StatusCode::METHOD_NOT_ALLOWED),
    }
}

impl Inner {
    fn get(&self, name: &str, headers: &HeaderMap) -> Response<Body> {
        let Some(object) = self.objects.get(name) else {
            return Response::builder()
                .status(StatusCode::NOT_FOUND)
                .body("<Error><Code>NoSuchKey</Code></Error>".into())
                .unwrap();
        };
        let size = object.len();
        let range = headers.get("range").and_then(|range| range.to_str().ok()?.strip_prefix("bytes="));
        let (code, from, to) = match range.and_then(|range| range.split_once('-')) {
            Some((from, to)) => {
                let to = to.parse::<usize>().map_or(size, |last| size.min(last + 1));
                (StatusCode::PARTIAL_CONTENT, from.parse().unwrap(), to)
            }
            None => (StatusCode::OK, 0, size),
        };
        let mut response = Response::builder()
            .status(code)
            .header("etag", "\"tag\"")
            .header("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT");
        if code == StatusCode::PARTIAL_CONTENT {
            response = response.header("content-range", format!("bytes {from}-{}/{size}", to - 1));
        }
        response.body(Body::from(object.slice(from..to))).unwrap()
    }

    fn put(
        &mut self,
        name: &str,
        query: &BTreeMap<String, String>,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Response<Body> {
        if let Some(upload) = query.get("uploadId") {
            let number = query["partNumber"].parse().unwrap();
            self.uploads.get_mut(upload).unwrap().insert(number, body);
        } else if let Some(source) = headers.get("x-amz-copy-source") {
            let source = source.to_str().unwrap().trim_start_matches('/');
            let object = self.objects[source].clone();
            self.objects.insert(name.to_owned(), object);
            return xml("<CopyObjectResult><ETag>\"tag\"</ETag></CopyObjectResult>".to_owned());
        } else {
            self.objects.insert(name.to_owned(), body);
        }
        Response::builder().header("etag", "\"tag\"").body(Body::empty()).unwrap()
    }

    fn post(&mut self, name: &str, query: &BTreeMap<String, String>) -> Response<Body> {
        if query.contains_key("uploads") {
            let upload = format!("upload-{}", self.requests);
            self.uploads.insert(upload.clone(), BTreeMap::new());
            return xml(format!(
                "<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
            ));
        }
        let parts = self.uploads.remove(&query["uploadId"]).unwrap();
        let whole: Vec<u8> = parts.into_values().flatten().collect();
        self.objects.insert(name.to_owned(), whole.into());
        xml("<CompleteMultipartUploadResult><ETag>\"tag\"</ETag></CompleteMultipartUploadResult>".to_owned())
    }

    fn list(&self, bucket: &str, query: &BTreeMap<String, String>) -> Response<Body> {
        let prefix = format!("{bucket}/{}", query.get("prefix").map_or("", String::as_str));
        let after = query.get("continuation-token").cloned().unwrap_or_default();
        let mut found = self.objects.iter().filter(|(name, _)| name.starts_with(&prefix) && **name > after);
        let page: Vec<_> = found.by_ref().take(PAGE).collect();
        let mut text = String::from("<ListBucketResult>");
        for (name, object) in &page {
            let (key, size) = (&name[bucket.len() + 1..], object.len());
            text += &format!(
                "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>\"tag\"</ETag><Size>{size}</Size></Contents>"
            );
        }
        if found.next().is_some() {
            let (last, _) = page.last().unwrap();
            text += &format!("<NextContinuationToken>{last}</NextContinuationToken>");
        }
        xml(text + "</ListBucketResult>")
    }
}

fn xml(text: String) -> Response<Body> {
    Response::builder().header("content-type", "application/xml").body(text.into()).unwrap()
}

fn status(code: StatusCode) -> Response<Body> {
    Response::builder().status(code).body(Body::empty()).unwrap()
}
