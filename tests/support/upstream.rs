//! An upstream for what a real server will not do: it answers with exactly the bytes that it is told, and keeps what it received.

use super::eventually;
use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read as _, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// A scripted server on a port of its own.
pub struct Upstream {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    connections: Arc<Mutex<HashMap<usize, TcpStream>>>,
    killed: Arc<AtomicBool>,
    listener: JoinHandle<()>,
    wire: Arc<Mutex<Vec<Read>>>,
}

/// The bytes of one read, of which none is an end, and the connection that it was on.
pub type Read = (usize, Vec<u8>);

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Which connection it came on, from 0.
    pub connection: usize,
    /// The head's bytes, up to and with the empty line.
    pub head: Vec<u8>,
    /// The body, after any chunked coding is undone.
    pub body: Vec<u8>,
}

impl Received {
    pub fn head_text(&self) -> String {
        String::from_utf8_lossy(&self.head).into_owned()
    }

    pub fn request_line(&self) -> String {
        self.head_text().split("\r\n").next().unwrap().to_owned()
    }

    /// The headers in order, names as they were written.
    pub fn headers(&self) -> Vec<(String, String)> {
        let text = self.head_text();
        let lines = text.split("\r\n").skip(1).filter(|line| !line.is_empty());
        lines.map(|line| line.split_once(':').unwrap()).map(|(n, v)| (n.to_owned(), v.trim().to_owned())).collect()
    }

    pub fn header(&self, name: &str) -> Option<String> {
        self.headers().into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// A connection to the scripted server, in the hands of its script.
pub struct Served {
    stream: BufReader<Wire>,
    connection: usize,
    received: Arc<Mutex<Vec<Received>>>,
}

/// A stream that can keep what is read from it.
struct Wire {
    stream: TcpStream,
    connection: usize,
    read: Arc<Mutex<Vec<Read>>>,
    is_kept: bool,
}

impl io::Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.stream.read(buffer)?;
        if self.is_kept {
            self.read.lock().unwrap().push((self.connection, buffer[..length].to_vec()));
        }
        Ok(length)
    }
}

impl Upstream {
    /// Answers every request with these bytes.
    pub fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::scripted(move |served| {
            while served.request().is_some() {
                if !served.send(&answer) {
                    return;
                }
            }
        })
    }

    /// Answers every request with 200 and this body.
    pub fn ok(body: &str) -> Self {
        Self::answering(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
    }

    /// Answers every request with its own first line, and keeps every byte that it is sent.
    pub fn echo() -> Self {
        Self::scripted(|served| {
            served.keep_every_byte();
            while let Some(request) = served.request() {
                let line = request.head.split(|byte| *byte == b'\r').next().unwrap_or_default();
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", line.len());
                if !served.send([head.as_bytes(), line].concat()) {
                    return;
                }
            }
        })
    }

    /// Runs a script for each connection, each on a thread of its own.
    pub fn scripted(script: impl Fn(&mut Served) + Send + Sync + 'static) -> Self {
        Self::at(([127, 0, 0, 1], 0).into(), script)
    }

    /// The same at an address that is given.
    pub fn at(address: SocketAddr, script: impl Fn(&mut Served) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(Mutex::new(HashMap::new()));
        let killed = Arc::new(AtomicBool::new(false));
        let wire = Arc::new(Mutex::new(Vec::new()));
        let (kept, open, ends) = (Arc::clone(&received), Arc::clone(&connections), Arc::clone(&killed));
        let read = Arc::clone(&wire);
        let script = Arc::new(script);
        let listener = std::thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                let Ok(stream) = stream else { return };
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                open.lock().unwrap().insert(connection, stream.try_clone().unwrap());
                let (script, received, open) = (Arc::clone(&script), Arc::clone(&kept), Arc::clone(&open));
                let read = Arc::clone(&read);
                std::thread::spawn(move || {
                    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
                    let wire = Wire { stream, connection, read, is_kept: false };
                    script(&mut Served { stream: BufReader::new(wire), connection, received });
                    // The other handle of it, without which it would stay open.
                    open.lock().unwrap().remove(&connection);
                });
            }
        });
        Self { address, received, connections, killed, listener, wire }
    }

    /// Ends as a process that is killed: no one listens any more, and every connection is closed at once.
    pub fn kill(self) -> SocketAddr {
        self.killed.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        self.listener.join().unwrap();
        for connection in self.connections.lock().unwrap().values() {
            let _ = connection.shutdown(Shutdown::Both);
        }
        self.address
    }

    /// Everything that came so far.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Every read of connections whose scripts keep every byte, in the order in which they came.
    pub fn wire(&self) -> Vec<Read> {
        self.wire.lock().unwrap().clone()
    }

    /// The reads since so many of them.
    pub fn wire_since(&self, mark: usize) -> Vec<Read> {
        self.wire.lock().unwrap()[mark..].to_vec()
    }

    /// The only request that came.
    pub fn only_request(&self) -> Received {
        let mut all =
            eventually("the upstream receives a request", || Some(self.received()).filter(|all| !all.is_empty()));
        assert_eq!(all.len(), 1, "{all:#?}");
        all.remove(0)
    }
}

impl Served {
    /// From here on every byte is kept, whatever it is taken for.
    pub fn keep_every_byte(&mut self) {
        self.stream.get_mut().is_kept = true;
    }

    /// Reads a whole request and keeps it; `None` when the connection ends first.
    pub fn request(&mut self) -> Option<Received> {
        let head = self.head()?;
        let mut received = Received { connection: self.connection, head, body: Vec::new() };
        received.body = self.body(&received)?;
        self.received.lock().unwrap().push(received.clone());
        Some(received)
    }

    /// Reads a request's head only, and keeps that.
    pub fn request_head(&mut self) -> Option<Received> {
        let received = Received { connection: self.connection, head: self.head()?, body: Vec::new() };
        self.received.lock().unwrap().push(received.clone());
        Some(received)
    }

    fn head(&mut self) -> Option<Vec<u8>> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if self.stream.read_until(b'\n', &mut head).ok()? == 0 {
                return None;
            }
        }
        Some(head)
    }

    /// Reads the body of a request whose head was read; `None` when the connection ends first.
    pub fn body(&mut self, request: &Received) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        if let Some(length) = request.header("content-length") {
            let length: u64 = length.parse().unwrap();
            (&mut self.stream).take(length).read_to_end(&mut body).ok()?;
            if body.len() as u64 != length {
                return None;
            }
        } else if request.header("transfer-encoding").is_some() {
            loop {
                let mut line = String::new();
                self.stream.read_line(&mut line).ok()?;
                let size = usize::from_str_radix(line.trim(), 16).ok()?;
                let start = body.len();
                body.resize(start + size + 2, 0);
                self.stream.read_exact(&mut body[start..]).ok()?;
                body.truncate(start + size);
                if size == 0 {
                    break;
                }
            }
        }
        Some(body)
    }

    /// Writes bytes; `false` when no one is there any more.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.get_mut().stream.write_all(bytes.as_ref()).is_ok()
    }

    /// From here on the connection gets no packet: nothing is acknowledged, as if the machine had vanished.
    pub fn receive_nothing_more(&self) {
        // A filter that returns 0 for every packet drops it before TCP sees it (socket(7), SO_ATTACH_FILTER).
        const RETURN: u16 = 0x06;
        let filter = [socket2::SockFilter::new(RETURN, 0, 0, 0)];
        socket2::SockRef::from(&self.stream.get_ref().stream).attach_filter(&filter).unwrap();
    }

    /// Waits until everything that was sent was read.
    pub fn wait_until_read(&self) {
        super::queues::wait_until_read(&self.stream.get_ref().stream);
    }

    /// Up to this many bytes of what comes next.
    pub fn read(&mut self, most: usize) -> Vec<u8> {
        let mut bytes = vec![0; most];
        let length = self.stream.read(&mut bytes).unwrap_or(0);
        bytes.truncate(length);
        bytes
    }
}
