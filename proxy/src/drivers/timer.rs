//! One timer for a connection, for all its waits.
//!
//! A request waits several times, and hardly ever until its limit. A timer of its own for each wait costs a place in the runtime's
//! wheel, a lock and often a wake-up. So one timer stays set: a wait for which it would ring too late pulls it forward, and when it
//! rings too early it is set anew.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

/// Later than any wait: the timer is not set yet.
const UNSET: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The timer of a connection.
pub struct Timer(Pin<Box<Sleep>>);

impl Default for Timer {
    /// A timer that is not set.
    fn default() -> Self {
        Self(Box::pin(sleep(UNSET)))
    }
}

impl Timer {
    /// Waits no longer than `limit`, which begins when there is something to wait for.
    ///
    /// # Errors
    /// [`ErrorKind::TimedOut`].
    pub async fn within<T>(&mut self, limit: Duration, future: impl Future<Output = T>) -> io::Result<T> {
        let mut deadline = None;
        self.wait(|| *deadline.get_or_insert_with(|| Instant::now() + limit), future).await
    }

    /// Waits no longer than to `deadline`.
    ///
    /// # Errors
    /// [`ErrorKind::TimedOut`].
    pub async fn until<T>(&mut self, deadline: Instant, future: impl Future<Output = T>) -> io::Result<T> {
        self.wait(|| deadline, future).await
    }

    async fn wait<T>(
        &mut self,
        mut deadline: impl FnMut() -> Instant,
        future: impl Future<Output = T>,
    ) -> io::Result<T> {
        let mut future = pin!(future);
        poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => self.poll_passed(deadline(), context).map(|()| Err(ErrorKind::TimedOut.into())),
        })
        .await
    }

    /// Ready when the deadline has passed.
    fn poll_passed(&mut self, deadline: Instant, context: &mut Context<'_>) -> Poll<()> {
        let mut sleep = self.0.as_mut();
        if deadline < sleep.deadline() {
            sleep.as_mut().reset(deadline);
        }
        loop {
            ready!(sleep.as_mut().poll(context));
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};

    const SHORT: Duration = Duration::from_secs(1);
    const LONG: Duration = Duration::from_secs(60);

    /// How long a wait took that ends by its limit, in whole seconds.
    async fn waited(timer: &mut Timer, limit: Duration) -> u64 {
        let started = Instant::now();
        assert_eq!(timer.within(limit, pending::<()>()).await.unwrap_err().kind(), ErrorKind::TimedOut);
        started.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn each_wait_has_its_own_limit_whatever_came_before() {
        let mut timer = Timer::default();
        for limit in [LONG, SHORT, LONG, LONG, SHORT, SHORT] {
            assert_eq!(waited(&mut timer, limit).await, limit.as_secs());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_that_was_set_for_an_earlier_wait_ends_no_later_one() {
        let mut timer = Timer::default();
        let slow = async {
            sleep(SHORT / 2).await;
            "done"
        };
        assert_eq!(timer.within(SHORT, slow).await.unwrap(), "done");
        assert_eq!(waited(&mut timer, LONG).await, LONG.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_ready_does_not_wait_even_past_its_deadline() {
        let mut timer = Timer::default();
        let deadline = Instant::now();
        sleep(SHORT).await;
        assert_eq!(timer.until(deadline, ready(1)).await.unwrap(), 1);
        assert!(timer.until(deadline, pending::<()>()).await.is_err());
    }
}
