//! Which peer a request gets. Nothing here locks or allocates.
//!
//! Not `LoadBalancer` of pingora-load-balancing (0.9.1), which provides the health checks: its `select` builds a set for every request,
//! it cannot choose by requests in flight, it returns nothing when every backend is unhealthy, and where it passes one over it takes
//! further turns from the counter that all requests share, so that concurrent requests send each other back to what is down.

use super::peers::Peer;
use crate::config::Balance;
use std::sync::Arc;

/// Chooses a peer that is healthy and reachable, else one that is reachable, else the one whose turn it is.
pub(super) fn choose(peers: &[Arc<Peer>], balance: Balance, turn: usize, now: impl Fn() -> u64) -> Option<&Arc<Peer>> {
    let healthy = peers.iter().filter(|peer| peer.is_healthy());
    pick(healthy, balance, turn, &now)
        .or_else(|| pick(peers.iter(), balance, turn, now))
        .or_else(|| peers.get(turn.checked_rem(peers.len())?))
}

fn pick<'a>(
    candidates: impl Iterator<Item = &'a Arc<Peer>> + Clone,
    balance: Balance,
    turn: usize,
    now: impl Fn() -> u64,
) -> Option<&'a Arc<Peer>> {
    if let Some(trial) = candidates.clone().find(|peer| peer.takes_a_trial(&now)) {
        return Some(trial);
    }
    // Turns go round among the peers that are left: if the next in the list were taken instead, the one after a dead peer would get
    // twice its share.
    let reachable = candidates.filter(|peer| peer.is_reachable());
    let count = reachable.clone().count();
    let first = turn.checked_rem(count)?;
    match balance {
        Balance::RoundRobin => reachable.clone().nth(first),
        // From that turn on, so that peers with as many requests share them.
        Balance::LeastConnections => reachable.cycle().skip(first).take(count).min_by_key(|peer| peer.in_flight()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::kept::Kept;
    use super::super::peers::{PASS_OVER, PeerLease, Security};
    use super::*;
    use pingora::upstreams::peer::HttpPeer;

    const ROUND: Balance = Balance::RoundRobin;
    const LEAST: Balance = Balance::LeastConnections;

    fn peers(count: u16) -> Vec<Arc<Peer>> {
        let peer = |port| {
            let address = ([127, 0, 0, 1], port).into();
            let http = HttpPeer::new(address, false, String::new());
            Arc::new(Peer::new(http, Security::Plain, "h".into(), address, 0, Kept::new(1)))
        };
        (0..count).map(peer).collect()
    }

    /// The ports that ten turns come to.
    fn chosen(peers: &[Arc<Peer>], balance: Balance, now: u64) -> Vec<u16> {
        (0..10).map(|turn| choose(peers, balance, turn, || now).unwrap().address.port()).collect()
    }

    #[test]
    fn turns_go_round_and_pass_over_what_is_down_without_a_double_share() {
        let peers = peers(3);
        assert_eq!(chosen(&peers, ROUND, 1), [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]);
        assert!(peers[0].pass_over(1) && !peers[0].pass_over(1), "new only once");
        assert_eq!(chosen(&peers, ROUND, 2), [1, 2, 1, 2, 1, 2, 1, 2, 1, 2]);
        assert!(peers[0].reached() && !peers[0].reached(), "new only once");
        assert_eq!(chosen(&peers, ROUND, 3), [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]);
    }

    #[test]
    fn a_peer_is_known_once_it_has_answered_or_failed() {
        let peers = peers(3);
        assert!(peers.iter().all(|peer| peer.is_reachable() && !peer.is_known() && !peer.takes_a_trial(|| u64::MAX)));
        assert!(!peers[0].reached(), "no news: it was never passed over");
        assert!(peers[1].pass_over(1), "news");
        assert!(!peers[2].failed_check() && peers[2].failed_check());
        assert_eq!(peers.iter().map(|peer| peer.is_known()).collect::<Vec<_>>(), [true; 3]);
        assert_eq!(peers.iter().map(|peer| peer.is_reachable()).collect::<Vec<_>>(), [true, false, true]);
    }

    #[test]
    fn a_peer_whose_time_is_over_is_tried_by_one_request_at_a_time() {
        let peers = peers(2);
        peers[0].pass_over(1);
        assert_eq!(chosen(&peers, ROUND, PASS_OVER), [1; 10]);
        assert_eq!(chosen(&peers, ROUND, PASS_OVER + 1), [0, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
        assert_eq!(chosen(&peers, LEAST, 2 * PASS_OVER + 1), [0, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    }

    #[test]
    fn unhealthy_takes_two_failures_and_healthy_one_success() {
        let peers = peers(2);
        assert!(!peers[0].failed_check());
        assert!(chosen(&peers, ROUND, 1).contains(&0));
        assert!(peers[0].failed_check() && !peers[0].failed_check(), "new only once");
        assert_eq!(chosen(&peers, ROUND, 1), [1; 10]);
        assert_eq!(chosen(&peers, LEAST, 1), [1; 10]);
        assert!(peers[0].passed_check() && !peers[0].passed_check(), "new only once");
        assert!(chosen(&peers, ROUND, 1).contains(&0));
    }

    #[test]
    fn when_all_are_down_they_are_used_all_the_same() {
        let peers = peers(2);
        for peer in &peers {
            peer.failed_check();
            peer.failed_check();
        }
        assert_eq!(chosen(&peers, ROUND, 1), [0, 1, 0, 1, 0, 1, 0, 1, 0, 1], "unhealthy, all of them");
        peers[0].pass_over(1);
        assert_eq!(chosen(&peers, ROUND, 1), [1; 10], "unhealthy, and one is not there at all");
        peers[1].pass_over(1);
        assert_eq!(chosen(&peers, ROUND, 1), [0, 1, 0, 1, 0, 1, 0, 1, 0, 1], "none is there");
        assert!(choose(&[], ROUND, 7, || 1).is_none());
    }

    #[test]
    fn fewest_in_flight_wins_and_equals_share() {
        let peers = peers(3);
        assert_eq!(chosen(&peers, LEAST, 1), [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]);
        let (first, second) = (PeerLease::on(&peers[0]), PeerLease::on(&peers[2]));
        assert_eq!(chosen(&peers, LEAST, 1), [1; 10]);
        drop(first);
        assert!(!chosen(&peers, LEAST, 1).contains(&2));
        drop(second);
        assert_eq!(chosen(&peers, LEAST, 1), [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]);
    }
}
