use super::*;
use std::sync::atomic::AtomicU64;

const PATIENCE: Duration = Duration::from_secs(3);

/// A limit, and how many requests have waited.
fn limit_of(connections: usize) -> (Arc<Limit>, Arc<AtomicU64>) {
    let waited = Arc::<AtomicU64>::default();
    let count = Arc::clone(&waited);
    let note = Box::new(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    (Arc::new(Limit::new(connections, PATIENCE, note)), waited)
}

/// Takes as much for a client as it can have without waiting.
fn greed(limit: &Arc<Limit>, share: &Share) -> Vec<Permit> {
    let mut permits = Vec::new();
    while let Some(permit) = limit.take(Some(share)) {
        permits.push(permit);
    }
    permits
}

#[tokio::test(start_paused = true)]
async fn clients_with_one_request_each_get_every_connection_and_the_next_waits_in_vain() {
    let (limit, waited) = limit_of(3);
    let mut permits = Vec::new();
    for _ in 0..3 {
        permits.push(limit.admit(None).await.unwrap());
    }
    let started = tokio::time::Instant::now();
    assert!(limit.admit(None).await.is_none());
    assert_eq!((started.elapsed(), waited.load(Ordering::Relaxed)), (PATIENCE, 1));
    drop(permits.pop());
    assert!(limit.admit(None).await.is_some());
    assert_eq!(waited.load(Ordering::Relaxed), 1, "no wait");
}

#[tokio::test(start_paused = true)]
async fn a_client_leaves_connections_for_the_next_even_where_none_comes_back() {
    let (limit, _) = limit_of(60);
    let shares: Vec<Share> = (0..5).map(|_| Share::default()).collect();
    let mut held: Vec<Vec<Permit>> = shares.iter().map(|_| Vec::new()).collect();
    // As streams come: one of each client after the other.
    for _ in 0..256 {
        for (share, permits) in shares.iter().zip(&mut held) {
            permits.extend(limit.take(Some(share)));
        }
    }
    let counts: Vec<_> = held.iter().map(Vec::len).collect();
    assert_eq!(counts, [7; 5]);
    assert!(limit.admit(None).await.is_some(), "another client");
    let (alone, share) = (limit_of(60).0, Share::default());
    assert_eq!(greed(&alone, &share).len(), 12, "a client alone");
}

#[tokio::test(start_paused = true)]
async fn requests_that_wait_are_taken_in_turns_of_clients() {
    let (limit, _) = limit_of(1);
    let (order, large, small) = (Arc::<Mutex<Vec<&str>>>::default(), Share::default(), Share::default());
    let first = limit.admit(None).await.unwrap();
    let mut tasks = Vec::new();
    for (name, share, requests) in [("large", &large, 256), ("small", &small, 1)] {
        for _ in 0..requests {
            let (limit, share, order) = (Arc::clone(&limit), share.clone(), Arc::clone(&order));
            tasks.push(tokio::spawn(async move {
                let permit = limit.admit(Some(&share)).await;
                order.lock().unwrap().push(if permit.is_some() { name } else { "none" });
            }));
            tokio::task::yield_now().await;
        }
    }
    drop(first);
    for task in tasks {
        task.await.unwrap();
    }
    let order = order.lock().unwrap();
    assert_eq!(order.iter().position(|name| *name == "small"), Some(1), "{order:?}");
    assert_eq!(order.iter().filter(|name| **name == "large").count(), 256);
    assert_eq!(limit.free.load(Ordering::SeqCst), 1);
    assert!(limit.queue().requests.is_empty() && limit.queue().turns.is_empty());
}

#[tokio::test(start_paused = true)]
async fn requests_that_gave_up_leave_nothing_behind() {
    let (limit, _) = limit_of(1);
    let held = limit.admit(None).await.unwrap();
    let share = Share::default();
    for round in 0..10 {
        let requests: Vec<_> = (0..100)
            .map(|number| {
                let (limit, share) = (Arc::clone(&limit), share.clone());
                tokio::spawn(async move { limit.admit((number % 2 == 0).then_some(&share)).await.is_none() })
            })
            .collect();
        tokio::task::yield_now().await;
        for (number, request) in requests.into_iter().enumerate() {
            if number % 5 == 0 {
                request.abort();
                let _ = request.await;
            } else {
                assert!(request.await.unwrap());
            }
        }
        let left: usize = limit.queue().requests.values().map(VecDeque::len).sum();
        assert!(left <= 2 * TIDY, "{left} in round {round}");
    }
    assert_eq!(limit.waiting.load(Ordering::SeqCst), 0);
    drop(held);
    assert_eq!((limit.free.load(Ordering::SeqCst), share.0.load(Ordering::SeqCst)), (1, 0));
    assert!(limit.admit(Some(&share)).await.is_some());
}

#[tokio::test]
async fn no_permit_is_lost_between_threads() {
    let (limit, _) = limit_of(2);
    let shares: Vec<Share> = (0..3).map(|_| Share::default()).collect();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (limit, share) = (&limit, shares.get(thread));
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
                runtime.block_on(async {
                    for _ in 0..2_000 {
                        let permit = limit.admit(share).await;
                        assert!(permit.is_some(), "it waits for a moment only");
                        tokio::task::yield_now().await;
                    }
                });
            });
        }
    });
    assert_eq!(limit.free.load(Ordering::SeqCst), 2);
    assert!(shares.iter().all(|share| share.0.load(Ordering::SeqCst) == 0));
}
