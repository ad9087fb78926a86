//! A long body takes turns with the thread's other connections.
//!
//! A thread serves its connections one after the other. One whose bytes are always there, from a fast upstream to a fast client, would keep it
//! until the runtime interrupts it, after some MiB: with TLS that is ten milliseconds in which no other connection is looked at.

use tokio::task::yield_now;

/// The bytes of a turn: some hundred microseconds. To wait for the next one costs a call of the system, a hundredth of that.
const TURN: u64 = 512 * 1024;

/// The turns of one body.
#[derive(Debug, Default)]
pub(super) struct Turns {
    ended: u64,
}

impl Turns {
    /// Lets the others go first if so many bytes, of the whole body, end a turn.
    pub(super) async fn pass(&mut self, moved: u64) {
        if moved.saturating_sub(self.ended) >= TURN {
            self.ended = moved;
            yield_now().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::future::poll_fn;
    use std::rc::Rc;
    use std::task::Poll;

    #[test]
    fn a_body_that_is_always_there_lets_others_go_first() {
        const STEP: u64 = 128 * 1024;
        let moved = Rc::new(Cell::new(0));
        let body = async {
            let mut turns = Turns::default();
            while moved.get() < 20 * TURN {
                moved.set(moved.get() + STEP);
                turns.pass(moved.get()).await;
            }
        };
        let (seen, other) = (Rc::new(Cell::new(0)), Rc::clone(&moved));
        let counted = Rc::clone(&seen);
        let neighbour = async move {
            let mut before = 0;
            poll_fn(|context| {
                let now: u64 = other.get();
                assert!(now - before <= TURN + STEP, "{before} to {now}");
                before = now;
                counted.set(counted.get() + 1);
                context.waker().wake_by_ref();
                if now < 20 * TURN { Poll::Pending } else { Poll::Ready(()) }
            })
            .await;
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let neighbour = tokio::task::spawn_local(neighbour);
            body.await;
            neighbour.await.unwrap();
        });
        assert!(seen.get() >= 20, "{}", seen.get());
    }
}
