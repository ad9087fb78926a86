use super::*;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// An output that takes a write when the test lets it.
struct Gated {
    begun: Sender<Vec<u8>>,
    results: Receiver<std::io::Result<usize>>,
}

impl Write for Gated {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let _ = self.begun.send(bytes.to_vec());
        // When the test has ended its end, everything is accepted.
        self.results.recv().unwrap_or(Ok(bytes.len()))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A queue with its writer, and both ends of its output.
struct Scene {
    queue: Arc<Queue>,
    writer: JoinHandle<()>,
    begun: Receiver<Vec<u8>>,
    results: Sender<std::io::Result<usize>>,
}

impl Scene {
    fn new() -> Self {
        let ((begin, begun), (results, to_return)) = (channel(), channel());
        let queue = Arc::new(Queue::default());
        let writing = Arc::clone(&queue);
        let writer = std::thread::spawn(move || writing.write_to(Gated { begun: begin, results: to_return }));
        Self { queue, writer, begun, results }
    }

    /// The bytes of the write that has begun or will.
    fn begun(&self) -> String {
        String::from_utf8(self.begun.recv_timeout(Duration::from_secs(20)).unwrap()).unwrap()
    }

    /// Lets everything through, closes the queue, and returns the writes that were not looked at.
    fn end(self) -> String {
        drop(self.results);
        self.queue.close();
        self.writer.join().unwrap();
        self.begun.try_iter().map(|bytes| String::from_utf8(bytes).unwrap()).collect()
    }
}

#[test]
fn lines_that_come_during_a_write_leave_together_and_in_order() {
    let scene = Scene::new();
    scene.queue.push(b"first\n", Lane::Events);
    assert_eq!(scene.begun(), "first\n");
    for line in ["second\n", "third\n", "fourth\n"] {
        scene.queue.push(line.as_bytes(), Lane::Access);
    }
    scene.results.send(Ok(6)).unwrap();
    assert_eq!(scene.begun(), "second\nthird\nfourth\n");
    assert_eq!(scene.queue.dropped(), 0);
    assert_eq!(scene.end(), "");
}

#[test]
fn a_stuck_output_blocks_no_one_and_what_does_not_fit_is_counted() {
    let scene = Scene::new();
    scene.queue.push(b"stuck\n", Lane::Events);
    assert_eq!(scene.begun(), "stuck\n");
    let line = format!("{}\n", "x".repeat(1023));
    for _ in 0..CAPACITY / line.len() + 7 {
        scene.queue.push(line.as_bytes(), Lane::Access);
    }
    assert_eq!(scene.queue.dropped(), 7);
    scene.results.send(Ok(6)).unwrap();
    assert_eq!(scene.begun(), line.repeat(CAPACITY / line.len()));
    // There is room again.
    scene.queue.push(b"after\n", Lane::Access);
    scene.results.send(Ok(CAPACITY)).unwrap();
    assert_eq!(scene.begun(), "after\n");
    assert_eq!(scene.queue.dropped(), 7);
    assert_eq!(scene.end(), "");
}

#[test]
fn no_lane_takes_the_room_of_another() {
    const ALL: [Lane; 3] = [Lane::Access, Lane::Events, Lane::Audit];
    for flooded in ALL {
        let scene = Scene::new();
        scene.queue.push(b"stuck\n", Lane::Events);
        assert_eq!(scene.begun(), "stuck\n");
        let line = format!("{}\n", "x".repeat(1023));
        let fit = flooded.room() / line.len();
        for _ in 0..fit + 100 {
            scene.queue.push(line.as_bytes(), flooded);
        }
        assert_eq!(scene.queue.dropped(), 100, "{flooded:?}: bounded");
        let others: Vec<_> = ALL.into_iter().filter(|lane| *lane != flooded).collect();
        for lane in &others {
            scene.queue.push(format!("{lane:?}\n").as_bytes(), *lane);
        }
        scene.queue.push(b"y\n", flooded);
        assert_eq!(scene.queue.dropped(), 101, "{flooded:?}: only its own lines are dropped");
        scene.results.send(Ok(6)).unwrap();
        let expected: String = others.iter().map(|lane| format!("{lane:?}\n")).collect();
        assert_eq!(scene.begun(), line.repeat(fit) + &expected, "{flooded:?}");
        // There is room again.
        scene.queue.push(b"after\n", flooded);
        assert_eq!(scene.queue.dropped(), 101, "{flooded:?}");
        scene.end();
    }
}

#[test]
fn closing_writes_what_is_queued_and_accepts_nothing_more() {
    let scene = Scene::new();
    scene.queue.push(b"first\n", Lane::Events);
    assert_eq!(scene.begun(), "first\n");
    scene.queue.push(b"second\n", Lane::Access);
    let queue = Arc::clone(&scene.queue);
    assert_eq!(scene.end(), "second\n");
    queue.push(b"late\n", Lane::Events);
    assert!(queue.lock().lines.is_empty());
}

#[test]
fn closing_does_not_wait_for_ever_for_a_stuck_output() {
    let scene = Scene::new();
    scene.queue.push(b"stuck\n", Lane::Events);
    assert_eq!(scene.begun(), "stuck\n");
    scene.queue.close();
    assert!(!scene.queue.lock().has_ended);
}

#[test]
fn an_error_costs_the_lines_that_it_cut_off_and_no_others() {
    let error = |kind: ErrorKind| Err(std::io::Error::from(kind));
    let scene = Scene::new();
    scene.queue.push(b"one\ntwo\nthree\n", Lane::Events);
    assert_eq!(scene.begun(), "one\ntwo\nthree\n");
    scene.results.send(error(ErrorKind::Interrupted)).unwrap();
    assert_eq!(scene.begun(), "one\ntwo\nthree\n");
    scene.results.send(error(ErrorKind::WouldBlock)).unwrap();
    assert_eq!(scene.begun(), "one\ntwo\nthree\n");
    scene.results.send(Ok(5)).unwrap();
    assert_eq!(scene.begun(), "wo\nthree\n");
    scene.results.send(error(ErrorKind::StorageFull)).unwrap();
    scene.queue.push(b"next\n", Lane::Events);
    assert_eq!(scene.begun(), "\n", "the torn line is ended first");
    assert_eq!(scene.queue.dropped(), 2);
    scene.results.send(Ok(1)).unwrap();
    assert_eq!(scene.begun(), "next\n");
    assert_eq!(scene.end(), "");
}
