//! The limit on connections to upstreams, and the request that gets the next one.
//!
//! Decides: whether a request may have a connection now, has to wait, or gets none. Must not know: which address it goes to.
//!
//! A client may take another connection while it has less than a quarter of those that are free. So one client gets a fifth of all at
//! most, the next a fifth of what is left, and there are some for further clients, even where no connection ever comes back (Choudhury
//! and Hahne, "Dynamic Queue Length Thresholds for Shared-Memory Packet Switches", 1998). Requests that wait are taken in turns, one of
//! each client.
//!
//! The limit holds for all threads together, in one number. Nothing else is shared while there is enough: a thread that owns its
//! connections can take several permits at a time and hand them out itself, since a permit does not say which connection it is for.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot::{Receiver, Sender, channel};
use tokio::time::timeout;

/// The connections that have to be free for each that a client has.
const FREE_FOR_EACH: usize = 4;
/// The queue is tidied of so many requests that gave up their wait.
const TIDY: usize = 64;

/// The connections that one client has: how many, whatever it does with them.
#[derive(Clone, Default)]
pub struct Share(Arc<AtomicUsize>);

impl Share {
    /// The same for clones, and for nothing else that lives.
    fn key(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

/// Notes how long a request waited.
pub type NoteWait = Box<dyn Fn(Duration) + Send + Sync>;

/// Limits the connections that requests have.
pub(super) struct Limit {
    /// Connections that no request has. Kept ones are among them, since they give way.
    free: AtomicUsize,
    /// The longest that a request waits.
    patience: Duration,
    /// Requests that wait. Read before the queue is locked, so that nothing is where no one waits.
    waiting: AtomicUsize,
    queue: Mutex<Queue>,
    note_wait: NoteWait,
}

/// Requests that wait, by client.
#[derive(Default)]
struct Queue {
    /// The clients, in their turns.
    turns: VecDeque<Share>,
    requests: HashMap<usize, VecDeque<Sender<Permit>>>,
    /// Requests that do not wait any more and may still be here.
    abandoned: usize,
}

/// Allows a request to have a connection, for as long as this lives.
pub struct Permit {
    limit: Arc<Limit>,
    share: Option<Share>,
    is_given_back: bool,
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.is_given_back {
            return;
        }
        self.give_back();
        // In this order, as in `enqueue`: either this sees the request that waits, or that sees what is free.
        if self.limit.waiting.load(Ordering::SeqCst) > 0 {
            self.limit.dispatch(&mut self.limit.queue());
        }
    }
}

impl Permit {
    fn give_back(&mut self) {
        self.is_given_back = true;
        if let Some(share) = &self.share {
            share.0.fetch_sub(1, Ordering::Relaxed);
        }
        self.limit.free.fetch_add(1, Ordering::SeqCst);
    }
}

/// A request that waits.
struct Waiting<'l> {
    limit: &'l Limit,
    permit: Receiver<Permit>,
    is_admitted: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.limit.waiting.fetch_sub(1, Ordering::SeqCst);
        if !self.is_admitted {
            self.permit.close();
            self.limit.abandon();
        }
    }
}

impl Limit {
    pub(super) fn new(connections: usize, patience: Duration, note_wait: NoteWait) -> Self {
        let (free, waiting, queue) = (AtomicUsize::new(connections), AtomicUsize::default(), Mutex::default());
        Self { free, patience, waiting, queue, note_wait }
    }

    /// Waits for a permit; `None` when none came in time.
    pub(super) async fn admit(self: &Arc<Self>, share: Option<&Share>) -> Option<Permit> {
        // No one overtakes a request that waits.
        if self.waiting.load(Ordering::SeqCst) == 0
            && let Some(permit) = self.take(share)
        {
            return Some(permit);
        }
        Box::pin(self.wait(share)).await
    }

    async fn wait(self: &Arc<Self>, share: Option<&Share>) -> Option<Permit> {
        let started = Instant::now();
        let mut waiting = Waiting { limit: self, permit: self.enqueue(share), is_admitted: false };
        let mut permit = waiting.permit.try_recv().ok();
        if permit.is_none() {
            permit = timeout(self.patience, &mut waiting.permit).await.ok().and_then(Result::ok);
            (self.note_wait)(started.elapsed());
        }
        waiting.is_admitted = permit.is_some();
        permit
    }

    fn enqueue(self: &Arc<Self>, share: Option<&Share>) -> Receiver<Permit> {
        let (sender, receiver) = channel();
        let mut queue = self.queue();
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let share = share.cloned().unwrap_or_default();
        let requests = queue.requests.entry(share.key()).or_default();
        requests.push_back(sender);
        if requests.len() == 1 {
            queue.turns.push_back(share);
        }
        self.dispatch(&mut queue);
        receiver
    }

    /// Gives what is free to those whose turn it is.
    fn dispatch(self: &Arc<Self>, queue: &mut Queue) {
        for _ in 0..queue.turns.len() {
            if self.free.load(Ordering::SeqCst) == 0 {
                return;
            }
            let Some(share) = queue.turns.pop_front() else { return };
            let Some(requests) = queue.requests.get_mut(&share.key()) else { continue };
            self.dispatch_one(&share, requests);
            if requests.is_empty() {
                queue.requests.remove(&share.key());
            } else {
                queue.turns.push_back(share);
            }
        }
    }

    /// Gives the next request of a client a permit, if it may have one.
    fn dispatch_one(self: &Arc<Self>, share: &Share, requests: &mut VecDeque<Sender<Permit>>) {
        while requests.front().is_some_and(Sender::is_closed) {
            requests.pop_front();
        }
        if requests.is_empty() {
            return;
        }
        let Some(mut permit) = self.take(Some(share)) else { return };
        while let Some(request) = requests.pop_front() {
            match request.send(permit) {
                Ok(()) => return,
                Err(back) => permit = back,
            }
        }
        // Before it is dropped, which would lock the queue once more.
        permit.give_back();
    }

    /// Takes a permit if one is free and the client has not too many.
    fn take(self: &Arc<Self>, share: Option<&Share>) -> Option<Permit> {
        let has = share.map_or(0, |share| share.0.fetch_add(1, Ordering::Relaxed));
        let one_less = |free: usize| free.checked_sub(1).filter(|_| has.saturating_mul(FREE_FOR_EACH) < free);
        if self.free.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_err() {
            if let Some(share) = share {
                share.0.fetch_sub(1, Ordering::Relaxed);
            }
            return None;
        }
        Some(Permit { limit: Arc::clone(self), share: share.cloned(), is_given_back: false })
    }

    /// A request gave up. Its place in the queue is dropped now and then, so that the queue does not grow while nothing comes back.
    fn abandon(&self) {
        let mut queue = self.queue();
        queue.abandoned += 1;
        if queue.abandoned < TIDY.max(self.waiting.load(Ordering::SeqCst)) {
            return;
        }
        let Queue { turns, requests, abandoned } = &mut *queue;
        *abandoned = 0;
        requests.retain(|_, requests| {
            requests.retain(|request| !request.is_closed());
            !requests.is_empty()
        });
        turns.retain(|share| requests.contains_key(&share.key()));
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
