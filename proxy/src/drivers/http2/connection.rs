//! A connection: its requests, which are served side by side, and its end.
//!
//! Decides: when a connection without a request is closed, how long a head may take, and how many requests go to upstreams at once. The
//! process's end is announced to the client (RFC 9113 §6.8), and what it has begun is served.

use super::Http2Driver;
use super::rejected::HeadFault;
use super::windows::Windows;
use super::wire::{Look, Wire};
use crate::drivers::peer;
use crate::drivers::place::Place;
use crate::drivers::timer::Timer;
use crate::upstream::Share;
use bytes::Bytes;
use h2::server::{Builder, Connection, SendResponse};
use h2::{Reason, RecvStream};
use http::Request;
use pingora::protocols::Stream;
use pingora::server::ShutdownWatch;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

/// How long a client may take to end a connection that has nothing left.
const END_LIMIT: Duration = Duration::from_secs(1);

/// The most requests of one connection that are at upstreams at once; more wait for their turn. RFC 9113 §6.5.2 advises against fewer, and
/// more would let one client have the connections to upstreams of all others (nginx serves 128 at once, Go 250).
const FORWARDED: usize = 100;

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
    /// The process ends, or a new client needs the place of this one.
    Ending,
    /// It is time to look whether the connection is idle.
    Look,
    /// The client sends what no connection may go on after.
    Fault(Reason),
    /// The head that is still being read is rejected.
    GiveUp(HeadFault),
}

/// The memory of a head that is still being read, counted among those of all clients.
struct HeadShare<'d> {
    all: &'d AtomicUsize,
    bytes: usize,
}

impl HeadShare<'_> {
    /// Counts anew, and returns what all take.
    fn set(&mut self, bytes: usize) -> usize {
        let before = std::mem::replace(&mut self.bytes, bytes);
        if bytes > before {
            return self.all.fetch_add(bytes - before, Ordering::Relaxed) + (bytes - before);
        }
        if bytes < before {
            self.all.fetch_sub(before - bytes, Ordering::Relaxed);
        }
        // A head that does not grow is not the one too many.
        0
    }
}

impl Drop for HeadShare<'_> {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// A connection with what is known about it.
struct ServedConnection<'d> {
    connection: Connection<Wire, Bytes>,
    wire: Wire,
    windows: Windows,
    head: HeadShare<'d>,
    timer: Timer,
    place: &'d mut Place,
}

impl Http2Driver {
    /// Serves a connection to its end.
    pub async fn serve(
        self: &Arc<Self>,
        stream: Stream,
        options: &Builder,
        mut shutdown: ShutdownWatch,
        place: &mut Place,
    ) {
        let peer = peer::of_stream(&stream, &self.policy);
        let wire = Wire::new(stream, self.limits.header_size.0);
        let made = tokio::select! {
            biased;
            made = timeout(self.limits.header_read, handshake(&wire, options)) => made,
            () = place.called() => return,
        };
        let Ok(Ok(connection)) = made else { return };
        let head = HeadShare { all: &self.heads, bytes: 0 };
        let (windows, timer) = (Windows::default(), Timer::default());
        let mut served = ServedConnection { connection, wire, windows, head, timer, place };
        let (opened, active) = (Instant::now(), Arc::<Active>::default());
        let forwarded = Arc::new(Semaphore::new(FORWARDED));
        let mut look = opened + self.limits.idle;
        let mut is_ending = false;
        // All requests on it share what one client may take of the connections to upstreams.
        let share = Share::default();
        loop {
            match self.next(&mut served, (!is_ending).then_some(&mut shutdown), look).await {
                Event::Closed => return,
                Event::Request(request, respond) => {
                    let note = served.wire.take_note(respond.stream_id().as_u32());
                    let Some(stream) = self.begin(request, respond, note, peer, &share) else {
                        active.last.store(millis(opened), Ordering::Relaxed);
                        continue;
                    };
                    active.count.fetch_add(1, Ordering::Relaxed);
                    let running = Running { active: Arc::clone(&active), opened };
                    let (driver, forwarded) = (Arc::clone(self), Arc::clone(&forwarded));
                    tokio::spawn(async move {
                        driver.serve_stream(stream, &forwarded).await;
                        drop(running);
                    });
                    continue;
                }
                Event::Look => match self.idle_until(&served.connection, &active, opened, is_ending) {
                    Some(later) => {
                        look = later;
                        continue;
                    }
                    None if is_ending => return,
                    None => served.connection.graceful_shutdown(),
                },
                Event::Ending => served.connection.graceful_shutdown(),
                Event::Fault(reason) => served.connection.abrupt_shutdown(reason),
                Event::GiveUp(fault) => {
                    served.wire.give_up(fault);
                    served.connection.graceful_shutdown();
                }
            }
            (is_ending, look) = (true, Instant::now() + END_LIMIT);
        }
    }

    /// Waits for what comes first. It is what reads and writes on the connection.
    async fn next(
        &self,
        served: &mut ServedConnection<'_>,
        shutdown: Option<&mut ShutdownWatch>,
        look: Instant,
    ) -> Event {
        let is_ending = shutdown.is_none();
        let mut ending = pin!(async {
            match shutdown {
                // The sender lives as long as the process.
                Some(shutdown) => drop(shutdown.wait_for(|ending| *ending).await),
                None => std::future::pending().await,
            }
        });
        let ServedConnection { connection, wire, windows, head, timer, place } = served;
        let deadline = self.head_deadline(wire.unfinished()).map_or(look, |deadline| look.min(deadline));
        let event = poll_fn(|context| {
            if ending.as_mut().poll(context).is_ready() {
                return Poll::Ready(Event::Ending);
            }
            match pin!(connection.accept()).poll(context) {
                Poll::Ready(Some(Ok((request, respond)))) => {
                    place.set_busy();
                    return Poll::Ready(Event::Request(request, respond));
                }
                Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(Event::Closed),
                Poll::Pending => {}
            }
            let Look { fault, unfinished, open, has_more } = wire.look();
            if let Some(reason) = fault {
                return Poll::Ready(Event::Fault(reason));
            }
            if head.set(unfinished.map_or(0, |(_, bytes)| bytes)) > self.limits.heads.0 {
                return Poll::Ready(Event::GiveUp(HeadFault::TooMany));
            }
            if self.head_deadline(unfinished.map(|(since, _)| since)).is_some_and(|other| other < deadline) {
                return Poll::Ready(Event::Look);
            }
            windows.adjust(connection, open);
            if has_more {
                context.waker().wake_by_ref();
            }
            // There is nothing more to do: what was done is sent.
            match wire.poll_send(context) {
                Poll::Ready(Err(_)) => Poll::Ready(Event::Closed),
                // A response is on its way as long as its stream is open, or bytes of it wait.
                Poll::Ready(Ok(())) if !is_ending && !connection.has_streams() => {
                    place.set_waiting();
                    place.poll_called(context).map(|()| Event::Ending)
                }
                Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
            }
        });
        match timer.until(deadline, event).await {
            Ok(event) => event,
            Err(_) if self.head_deadline(wire.unfinished()).is_some_and(|deadline| deadline <= Instant::now()) => {
                Event::GiveUp(HeadFault::TooSlow)
            }
            Err(_) => Event::Look,
        }
    }

    fn head_deadline(&self, since: Option<Instant>) -> Option<Instant> {
        since.map(|since| since + self.limits.header_read)
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
