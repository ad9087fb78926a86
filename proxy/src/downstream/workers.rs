//! The threads that serve connections. Each has a runtime of its own and owns the connections that it was given, from the first byte to
//! the last.
//!
//! No task moves to another thread, and no two threads wait at the same reactor. So a connection must not begin where others already
//! wait: it goes to the thread with the fewest.

use crate::exchange::{Count, Counted};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot::{Sender, channel};

/// The threads of a service.
pub(super) struct Workers {
    workers: Box<[Worker]>,
    /// The first worker that is looked at for the next connection.
    turn: AtomicUsize,
    threads: Vec<Thread>,
}

/// A thread that serves connections.
struct Worker {
    runtime: Handle,
    connections: Count,
}

impl Worker {
    fn new(runtime: Handle) -> Self {
        Self { runtime, connections: Count::default() }
    }
}

/// A thread of ours. It ends when `end` is dropped.
struct Thread {
    end: Option<Sender<()>>,
    handle: Option<JoinHandle<()>>,
}

impl Workers {
    /// Starts so many threads. A single worker is the thread that calls: its runtime has nothing else to do.
    ///
    /// # Errors
    /// When the system gives no more threads or descriptors.
    pub(super) fn start(name: &str, count: usize) -> io::Result<Self> {
        let (mut workers, mut threads) = (Vec::new(), Vec::new());
        if count <= 1 {
            workers.push(Worker::new(Handle::current()));
        } else {
            for index in 0..count {
                let (runtime, thread) = Thread::start(&format!("{name}-{index}"))?;
                workers.push(Worker::new(runtime));
                threads.push(thread);
            }
        }
        Ok(Self { workers: workers.into(), turn: AtomicUsize::new(0), threads })
    }

    /// Serves a connection to its end, on the thread with the fewest. Among equals they take turns.
    pub(super) fn serve(&self, connection: impl Future<Output = ()> + Send + 'static) {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.workers.len().max(1);
        let in_turn = self.workers.iter().cycle().skip(turn).take(self.workers.len());
        // There is one at least.
        let Some(worker) = in_turn.min_by_key(|worker| worker.connections.get()) else { return };
        let counted: Counted = worker.connections.enter();
        worker.runtime.spawn(async move {
            connection.await;
            drop(counted);
        });
    }
}

impl Drop for Workers {
    /// Ends the threads, and with them what is still open.
    fn drop(&mut self) {
        self.threads.iter_mut().for_each(|thread| drop(thread.end.take()));
        for thread in self.threads.iter_mut().filter_map(|thread| thread.handle.take()) {
            // A panic was logged where it happened.
            let _ = thread.join();
        }
    }
}

impl Thread {
    fn start(name: &str) -> io::Result<(Handle, Self)> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        let handle = runtime.handle().clone();
        let (end, ended) = channel::<()>();
        let run = move || {
            // Nothing is sent: this ends when the sender is dropped.
            let _ = runtime.block_on(ended);
            // Blocking work may go on: no connection waits for it.
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run)?;
        Ok((handle, Self { end: Some(end), handle: Some(thread) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread::ThreadId;
    use tokio::sync::oneshot;

    /// Gives the workers a connection. Returns its thread, and what ends it.
    fn open(workers: &Workers) -> (ThreadId, oneshot::Sender<()>) {
        let (on, thread) = mpsc::channel();
        let (end, ended) = oneshot::channel();
        workers.serve(async move {
            on.send(std::thread::current().id()).unwrap();
            let _ = ended.await;
        });
        (thread.recv().unwrap(), end)
    }

    #[test]
    fn a_connection_goes_to_the_thread_with_the_fewest() {
        let workers = Workers::start("test", 3).unwrap();
        let mut open_on: Vec<_> = (0..9).map(|_| open(&workers)).collect();
        let on = |thread, open_on: &[(ThreadId, _)]| open_on.iter().filter(|(other, _)| *other == thread).count();
        for (thread, _) in &open_on {
            assert_eq!(on(*thread, &open_on), 3);
        }
        // Two of one thread end: the next two are its.
        let thread = open_on[0].0;
        for _ in 0..2 {
            let at = open_on.iter().position(|(other, _)| *other == thread).unwrap();
            drop(open_on.remove(at));
        }
        let left = || workers.workers.iter().map(|worker| worker.connections.get()).sum::<usize>();
        while left() > 7 {
            std::thread::yield_now();
        }
        let next: Vec<_> = (0..2).map(|_| open(&workers)).collect();
        assert_eq!(next.iter().map(|(thread, _)| *thread).collect::<Vec<_>>(), [thread; 2]);
    }

    #[test]
    fn one_worker_is_the_thread_that_accepts() {
        let runtime = Builder::new_current_thread().build().unwrap();
        let served = runtime.block_on(async {
            let (on, thread) = oneshot::channel();
            let workers = Workers::start("test", 1).unwrap();
            workers.serve(async move { on.send(std::thread::current().id()).unwrap() });
            thread.await.unwrap()
        });
        assert_eq!(served, std::thread::current().id());
    }

    #[test]
    fn what_is_open_ends_with_the_workers() {
        let workers = Workers::start("test", 2).unwrap();
        let (_, end) = open(&workers);
        drop(workers);
        assert!(end.is_closed());
        drop(end);
    }
}
