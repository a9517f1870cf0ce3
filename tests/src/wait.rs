//! Waiting for something, for a bounded time.

use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(100);

/// Asks `check` until it gives a value.
///
/// # Panics
/// When `limit` is over; `what` says what was waited for.
pub fn until<T>(what: &str, limit: Duration, mut check: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = check() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited {limit:?} in vain for {what}");
        std::thread::sleep(POLL);
    }
}

/// The same without blocking a thread.
///
/// # Panics
/// When `limit` is over.
pub async fn until_async<T, F>(what: &str, limit: Duration, mut check: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = check().await {
            return value;
        }
        assert!(Instant::now() < deadline, "waited {limit:?} in vain for {what}");
        tokio::time::sleep(POLL).await;
    }
}

/// Waits for a future's output.
///
/// # Panics
/// When `limit` is over.
pub async fn within<F: Future>(what: &str, limit: Duration, work: F) -> F::Output {
    match tokio::time::timeout(limit, work).await {
        Ok(output) => output,
        Err(_) => panic!("waited {limit:?} in vain for {what}"),
    }
}
