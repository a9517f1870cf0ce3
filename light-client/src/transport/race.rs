//! Several ways to one node, tried one after the other with a short stagger (Happy Eyeballs, RFC 8305 section 5).

use super::TransportError;
use crate::platform;
use futures::StreamExt;
use futures::future::{Either, select};
use futures::stream::FuturesUnordered;
use std::future::Future;
use std::time::Duration;

/// Pause between two attempts, as RFC 8305 recommends.
pub(super) const STAGGER: Duration = Duration::from_millis(250);

/// The first answer. The next attempt starts when the last one failed, or has not answered after `stagger`; those that are
/// under way when there is an answer are dropped. If all fail, the error that says most.
pub(super) async fn race<T, F>(
    attempts: impl IntoIterator<Item = F>,
    stagger: Duration,
) -> Result<T, TransportError>
where
    F: Future<Output = Result<T, TransportError>>,
{
    let mut attempts = attempts.into_iter();
    let mut under_way = FuturesUnordered::new();
    let mut said = None;
    loop {
        let next = attempts.next();
        let is_last = next.is_none();
        under_way.extend(next);
        let finished = if is_last {
            under_way.next().await
        } else {
            let pause = std::pin::pin!(platform::sleep(stagger));
            match select(under_way.next(), pause).await {
                Either::Left((finished, _)) => finished,
                Either::Right(_) => continue,
            }
        };
        match finished {
            Some(Ok(answer)) => return Ok(answer),
            Some(Err(error)) => said = Some(says_more(said, error)),
            None if is_last => return Err(said.unwrap_or(TransportError::NoAddress)),
            None => {}
        }
    }
}

/// That something else answers is said before that something is wrong with the answer, and both before silence.
fn says_more(before: Option<TransportError>, now: TransportError) -> TransportError {
    let rank = |error: &TransportError| match error {
        TransportError::Intercepted { .. } => 3,
        TransportError::NoAddress => 0,
        TransportError::Connect | TransportError::Timeout { .. } => 1,
        _ => 2,
    };
    match before {
        Some(before) if rank(&before) >= rank(&now) => before,
        _ => now,
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use crate::transport::Interception;
    use futures::FutureExt;
    use futures::future::{BoxFuture, pending, ready};
    use std::sync::atomic::{AtomicUsize, Ordering};

    type Attempt<'a> = BoxFuture<'a, Result<u8, TransportError>>;

    fn fails<'a>(error: TransportError) -> Attempt<'a> {
        ready(Err(error)).boxed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_way_that_hangs_does_not_hold_up_the_next_and_a_good_one_spares_the_rest() {
        let started = AtomicUsize::new(0);
        let hangs = || pending().boxed();
        let good: Attempt<'_> = ready(Ok(7)).boxed();
        let attempts: Vec<Attempt<'_>> = vec![hangs(), hangs(), good, hangs()];
        let counted = attempts.into_iter().inspect(|_| {
            started.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(race(counted, STAGGER).await, Ok(7));
        assert_eq!(started.into_inner(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_way_still_wins_when_the_later_ones_fail() {
        let slow: Attempt<'_> = platform::sleep(STAGGER * 5).map(|()| Ok(1)).boxed();
        assert_eq!(race([slow, fails(TransportError::Connect)], STAGGER).await, Ok(1));
    }

    #[tokio::test(start_paused = true)]
    async fn when_all_fail_the_error_that_says_most_is_given() {
        let portal = TransportError::Intercepted { by: Interception::Page };
        let errors = [TransportError::Connect, portal.clone(), TransportError::Closed];
        assert_eq!(race(errors.map(fails), STAGGER).await, Err(portal));
        let errors = [TransportError::Closed, TransportError::Connect];
        assert_eq!(race(errors.map(fails), STAGGER).await, Err(TransportError::Closed));
        assert_eq!(race(Vec::<Attempt<'_>>::new(), STAGGER).await, Err(TransportError::NoAddress));
    }
}
