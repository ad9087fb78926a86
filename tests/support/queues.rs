//! Whether the other side of a connection on this machine has read what it was sent: so that two writes are two reads, without a wait
//! of a guessed length.

use super::eventually;
use std::net::{SocketAddr, TcpStream};

/// Waits until the other side has read everything that came, or has closed.
pub fn wait_until_read(stream: &TcpStream) {
    let (Ok(us), Ok(them)) = (stream.local_addr(), stream.peer_addr()) else { return };
    let entry = format!(" {} {} ", hexadecimal(them), hexadecimal(us));
    eventually("the other side reads", || {
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let Some(line) = table.lines().find(|line| line.contains(&entry)) else { return Some(()) };
        // sl local remote state tx:rx
        let received = line.split_whitespace().nth(4).and_then(|queues| queues.split_once(':')).unwrap().1;
        (u32::from_str_radix(received, 16).unwrap() == 0).then_some(())
    });
}

/// An address as the kernel writes it: the bytes of IPv4 as one number of the machine's own order.
fn hexadecimal(address: SocketAddr) -> String {
    let SocketAddr::V4(address) = address else { panic!("{address} is not IPv4") };
    format!("{:08X}:{:04X}", u32::from_ne_bytes(address.ip().octets()), address.port())
}
