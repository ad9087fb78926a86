//! A connection: its requests, which are served side by side, and its end.
//!
//! Decides: when a connection without a request is closed. The process's end is announced to the client (RFC 9113 §6.8), and what it
//! has begun is served.

use super::Http2Driver;
use super::wire::Wire;
use crate::drivers::peer;
use crate::drivers::timer::Timer;
use crate::upstream::Share;
use bytes::Bytes;
use h2::RecvStream;
use h2::server::{Builder, Connection, SendResponse};
use http::Request;
use pingora::protocols::Stream;
use pingora::server::ShutdownWatch;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How long a client may take to end a connection that has nothing left.
const END_LIMIT: Duration = Duration::from_secs(1);

/// The requests of a connection that are being served.
#[derive(Default)]
struct Active {
    count: AtomicUsize,
    /// When the last one ended, in milliseconds since the connection began.
    last: AtomicU64,
}

/// One of them, until it is dropped: a panic drops it too.
struct Running {
    active: Arc<Active>,
    opened: Instant,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.active.last.store(millis(self.opened), Ordering::Relaxed);
        self.active.count.fetch_sub(1, Ordering::Release);
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// What happens on a connection.
#[expect(clippy::large_enum_variant, reason = "the large one is the usual one, and is not kept")]
enum Event {
    Request(Request<RecvStream>, SendResponse<Bytes>),
    /// The client is done, or the connection is broken.
    Closed,
    /// The process ends.
    Ending,
    /// It is time to look whether the connection is idle.
    Look,
}

impl Http2Driver {
    /// Serves a connection to its end.
    pub async fn serve(self: &Arc<Self>, stream: Stream, options: &Builder, mut shutdown: ShutdownWatch) {
        let peer = peer::of_stream(&stream, &self.policy);
        let wire = Wire::new(stream);
        let Ok(Ok(mut connection)) = timeout(self.limits.header_read, handshake(&wire, options)).await else { return };
        let (opened, active, mut timer) = (Instant::now(), Arc::<Active>::default(), Timer::default());
        let mut look = opened + self.limits.idle;
        let mut is_ending = false;
        // All requests on it share what one client may take of the connections to upstreams.
        let share = Share::default();
        loop {
            match next(&mut connection, &wire, (!is_ending).then_some(&mut shutdown), &mut timer, look).await {
                Event::Closed => return,
                Event::Request(request, respond) => {
                    let Some(stream) = self.begin(request, respond, peer, &share) else {
                        active.last.store(millis(opened), Ordering::Relaxed);
                        continue;
                    };
                    active.count.fetch_add(1, Ordering::Relaxed);
                    let running = Running { active: Arc::clone(&active), opened };
                    let driver = Arc::clone(self);
                    tokio::spawn(async move {
                        driver.serve_stream(stream).await;
                        drop(running);
                    });
                }
                Event::Ending => {
                    connection.graceful_shutdown();
                    (is_ending, look) = (true, Instant::now() + END_LIMIT);
                }
                Event::Look => match self.idle_until(&connection, &active, opened, is_ending) {
                    Some(later) => look = later,
                    None if is_ending => return,
                    None => {
                        connection.graceful_shutdown();
                        (is_ending, look) = (true, Instant::now() + END_LIMIT);
                    }
                },
            }
        }
    }

    /// When to look again; `None` when the connection had nothing to do for as long as it may.
    fn idle_until(
        &self,
        connection: &Connection<Wire, Bytes>,
        active: &Active,
        opened: Instant,
        is_ending: bool,
    ) -> Option<Instant> {
        let now = Instant::now();
        let patience = if is_ending { END_LIMIT } else { self.limits.idle };
        if active.count.load(Ordering::Acquire) > 0 {
            return Some(now + patience);
        }
        // A response that is on its way still has its client's time to take it.
        let patience = if connection.has_streams() { patience.max(self.limits.body_write) } else { patience };
        let until = opened + Duration::from_millis(active.last.load(Ordering::Relaxed)) + patience;
        (until > now).then_some(until)
    }
}

/// Waits for the client's first bytes (RFC 9113 §3.4).
async fn handshake(wire: &Wire, options: &Builder) -> Result<Connection<Wire, Bytes>, h2::Error> {
    let mut handshake = pin!(options.handshake(wire.clone()));
    poll_fn(|context| {
        let made = handshake.as_mut().poll(context);
        if made.is_pending() {
            // A client that is gone is noticed when it is read from.
            let _ = wire.poll_send(context);
        }
        made
    })
    .await
}

/// Waits for what comes first. It is what reads and writes on the connection.
async fn next(
    connection: &mut Connection<Wire, Bytes>,
    wire: &Wire,
    shutdown: Option<&mut ShutdownWatch>,
    timer: &mut Timer,
    look: Instant,
) -> Event {
    let mut ending = pin!(async {
        match shutdown {
            // The sender lives as long as the process.
            Some(shutdown) => drop(shutdown.wait_for(|ending| *ending).await),
            None => std::future::pending().await,
        }
    });
    let event = timer.until(
        look,
        poll_fn(|context| {
            if ending.as_mut().poll(context).is_ready() {
                return Poll::Ready(Event::Ending);
            }
            match pin!(connection.accept()).poll(context) {
                Poll::Ready(Some(Ok((request, respond)))) => Poll::Ready(Event::Request(request, respond)),
                Poll::Ready(Some(Err(_)) | None) => Poll::Ready(Event::Closed),
                // There is nothing more to do: what was done is sent.
                Poll::Pending => match wire.poll_send(context) {
                    Poll::Ready(Err(_)) => Poll::Ready(Event::Closed),
                    Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
                },
            }
        }),
    );
    event.await.unwrap_or(Event::Look)
}
