//! The only place that knows what it runs on: the clock, sleeping, and giving up waiting.

use amulet_protocol::ids::Timestamp;
use std::future::Future;
use std::time::Duration;

/// Where the time comes from. Everything below the facade takes `now` as an argument.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// The device's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[cfg(not(target_arch = "wasm32"))]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    #[cfg(target_arch = "wasm32")]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn now(&self) -> Timestamp {
        Timestamp(js_sys::Date::now().max(0.0) as u64)
    }
}

/// Called while something long is under way. On the desktop it may be called from any thread.
#[cfg(not(target_arch = "wasm32"))]
pub type ProgressFn = dyn Fn(crate::client::Progress) + Send + Sync;
/// Called while something long is under way.
#[cfg(target_arch = "wasm32")]
pub type ProgressFn = dyn Fn(crate::client::Progress);

/// Waits.
pub async fn sleep(duration: Duration) {
    #[cfg(not(target_arch = "wasm32"))]
    tokio::time::sleep(duration).await;
    #[cfg(target_arch = "wasm32")]
    gloo_timers::future::sleep(duration).await;
}

/// The future's output, or `None` if it is not there after `limit`; the future is dropped then.
pub async fn timeout<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    let work = std::pin::pin!(future);
    let alarm = std::pin::pin!(sleep(limit));
    match futures::future::select(work, alarm).await {
        futures::future::Either::Left((output, _)) => Some(output),
        futures::future::Either::Right(_) => None,
    }
}
