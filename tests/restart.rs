//! A restart that no client notices: the sockets pass from the process that runs to the one that takes its place.

use crate::support::http::request;
use crate::support::process::{ConfigFile, free_address, run, s3cors};
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::tls::Authority;
use crate::support::upstream::Upstream;
use crate::support::{DEADLINE, curl, eventually};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What every process of a test is started with.
struct Setup {
    rules: Rules,
    authority: Authority,
    config: ConfigFile,
    directory: TempDir,
    address: SocketAddr,
    admin: SocketAddr,
    tls: SocketAddr,
}

impl Setup {
    fn new(upstream: &Upstream) -> Self {
        let (rules, authority, directory) = (Rules::usual(), Authority::new(), tempfile::tempdir().unwrap());
        authority.install(&authority.issue("s3.example.test"));
        let [address, admin, tls] = [free_address(), free_address(), free_address()];
        let config = ConfigFile::new(&format!(
            "listen: [{address}, {}]\nadmin: {admin}\nupstream: {{url: 'http://{}'}}\nrules: {{path: '{}'}}\n\
             shutdown: {{handover: '{}'}}\n",
            authority.listener().replace("127.0.0.1:0", &tls.to_string()),
            upstream.address,
            rules.path().display(),
            directory.path().join("handover.sock").display(),
        ));
        Self { rules, authority, config, directory, address, admin, tls }
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("handover.sock")
    }

    fn start(&self) -> Proxy {
        Proxy::spawn(s3cors(&["serve", "--config", &self.config.argument()]))
    }
}

/// Clients that never stop, each in its own way; every failure counts.
struct Load {
    requests: AtomicUsize,
    is_over: AtomicBool,
}

impl Load {
    fn run(clients: &[&(dyn Fn() -> usize + Sync)], during: impl FnOnce()) -> usize {
        let load = Self { requests: AtomicUsize::new(0), is_over: AtomicBool::new(false) };
        std::thread::scope(|scope| {
            for client in clients {
                let load = &load;
                scope.spawn(move || {
                    let _end = OnDrop(|| load.is_over.store(true, Ordering::Release));
                    while !load.is_over.load(Ordering::Acquire) {
                        load.requests.fetch_add(client(), Ordering::Relaxed);
                    }
                });
            }
            // Ends the clients also when this side of the test fails.
            let _end = OnDrop(|| load.is_over.store(true, Ordering::Release));
            during();
        });
        load.requests.into_inner()
    }
}

struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Requests on one connection until the server says that it closes it.
fn keep_alive(address: SocketAddr) -> usize {
    let mut connection = crate::support::http::Connection::open(address);
    for sent in 1..=200 {
        let answer = connection.send(request("GET", "/bucket/key", &[("Origin", "https://app.example")], "")).receive();
        assert_eq!((answer.status, answer.text().as_str()), (200, "body"));
        if answer.header("connection") == Some("close") {
            return sent;
        }
    }
    200
}

fn preflight(address: SocketAddr) -> usize {
    let headers = [("Origin", "https://app.example"), ("Access-Control-Request-Method", "GET")];
    assert_eq!(crate::support::http::fetch(address, "OPTIONS", "/bucket/key", &headers).status, 200);
    1
}

#[test]
fn fifty_restarts_under_load_fail_no_request() {
    let upstream = Upstream::ok("body");
    let setup = Setup::new(&upstream);
    let Setup { address, tls, authority, .. } = &setup;
    let http2 = || {
        let url = format!("https://s3.example.test:{}/bucket/key?[1-20]", tls.port());
        let usual = authority.curl(*tls);
        let arguments = usual.iter().map(String::as_str).chain(["--http2", "--fail", &url]);
        let ended = curl::try_curl(&arguments.collect::<Vec<_>>(), "");
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(ended.stdout.matches("HTTP/2 200").count(), 20, "{ended:?}");
        20
    };
    let over_tls = || usize::from(authority.connect(*tls).get("/bucket/key") == 200);
    let mut running = vec![setup.start()];
    let mut slowest = Duration::ZERO;
    let clients: [&(dyn Fn() -> usize + Sync); 5] =
        [&|| keep_alive(*address), &|| keep_alive(*address), &|| preflight(*address), &over_tls, &http2];
    let requests = Load::run(&clients, || {
        for _ in 0..50 {
            let began = Instant::now();
            running.push(setup.start());
            slowest = slowest.max(began.elapsed());
            // The one before the last has had time enough.
            if running.len() > 3 {
                assert!(running.remove(0).wait_for_exit().success());
            }
        }
    });
    let mut last = running.pop().unwrap();
    for mut ended in running {
        assert!(ended.wait_for_exit().success());
    }
    println!("50 restarts, {requests} requests, none failed; the slowest start took {slowest:?}");
    assert!(requests > 500, "{requests}");
    last.signal("TERM");
    assert!(last.wait_for_exit().success());
    eventually("the ports are closed", || TcpStream::connect(address).is_err().then_some(()));
    assert!(!setup.socket().exists(), "the last one takes its socket away");
}

#[test]
fn what_is_in_flight_ends_on_the_process_that_has_it() {
    let (go, wait) = channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let upstream = Upstream::scripted(move |served| {
        while let Some(request) = served.request() {
            served.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
            if request.request_line().contains("slow") {
                wait.lock().unwrap().recv_timeout(DEADLINE).unwrap();
            }
            served.send("rest");
        }
    });
    let setup = Setup::new(&upstream);
    let mut first = setup.start();
    let mut download = first.connect();
    download.send(request("GET", "/bucket/slow", &[], ""));
    eventually("it is in flight", || (upstream.received().len() == 1).then_some(()));
    let second = setup.start();
    first.wait_for_log("another process serves; draining");
    assert_eq!(second.fetch("GET", "/bucket/key", &[]).text(), "halfrest");
    assert_eq!(second.ask("GET", "/readyz").status, 200, "the admin listener is handed over, too");
    assert!(first.is_running());
    go.send(()).unwrap();
    assert!(download.rest().ends_with(b"rest"));
    assert!(first.wait_for_exit().success());
    assert_eq!(second.fetch("GET", "/bucket/key", &[]).text(), "halfrest");
}

#[test]
fn a_successor_that_does_not_start_changes_nothing() {
    let upstream = Upstream::ok("body");
    let setup = Setup::new(&upstream);
    let mut first = setup.start();
    setup.rules.write("broken.xml", "<CORSConfiguration/>");
    let ended = run(&["serve", "--config", &setup.config.argument()]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("broken.xml"), "{}", ended.stderr);
    first.wait_for_log("a process asked for the listening sockets and does not serve");
    assert_eq!(first.ask("GET", "/readyz").status, 200);
    assert_eq!(first.fetch("GET", "/bucket/key", &[]).text(), "body");
    std::fs::remove_file(setup.rules.file("broken.xml")).unwrap();
    let second = setup.start();
    assert!(first.wait_for_exit().success());
    assert_eq!(second.fetch("GET", "/bucket/key", &[]).text(), "body");
}

#[test]
fn sigusr2_starts_the_successor_and_the_service_manager_is_told_its_number() {
    let upstream = Upstream::ok("body");
    let setup = Setup::new(&upstream);
    let notify = setup.directory.path().join("notify");
    let socket = UnixDatagram::bind(&notify).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let mut told = Vec::new();
    let mut main_process = |not: u32| {
        eventually("the main process is told", || {
            let mut message = [0; 256];
            let length = socket.recv(&mut message).unwrap_or_default();
            told.extend(String::from_utf8_lossy(&message[..length]).lines().map(str::to_owned));
            let mut numbers = told.iter().filter_map(|line| line.strip_prefix("MAINPID=")?.parse::<u32>().ok());
            let number = numbers.rfind(|number| *number != not)?;
            assert!(!told.contains(&"STOPPING=1".to_owned()), "the service goes on");
            Some(number)
        })
    };
    let mut command = s3cors(&["serve", "--config", &setup.config.argument()]);
    command.env("NOTIFY_SOCKET", &notify);
    let mut first = Proxy::spawn(command);
    assert_eq!(main_process(0), first.pid());
    first.signal("USR2");
    let successor = main_process(first.pid());
    assert!(first.wait_for_exit().success());
    assert_eq!(crate::support::http::fetch(setup.address, "GET", "/bucket/key", &[]).text(), "body");
    assert_eq!(crate::support::http::fetch(setup.admin, "GET", "/readyz", &[]).status, 200);
    // It is no one's child here: it is ended by its number.
    let kill = std::process::Command::new("kill").arg(successor.to_string()).status().unwrap();
    assert!(kill.success());
    eventually("it has ended", || TcpStream::connect(setup.address).is_err().then_some(()));
}

#[test]
fn sigusr2_without_a_place_to_hand_over_changes_nothing() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let mut proxy = Proxy::start(rules.path(), upstream.address);
    proxy.signal("USR2");
    proxy.wait_for_log("SIGUSR2: set shutdown.handover, over which a new process can take the listening sockets");
    assert_eq!(proxy.fetch("GET", "/bucket/key", &[]).text(), "body");
}

#[test]
fn the_place_to_hand_over_is_for_the_owner_alone_and_may_be_a_stale_one() {
    let upstream = Upstream::ok("body");
    let setup = Setup::new(&upstream);
    // As a process leaves it that was killed.
    drop(UnixListener::bind(setup.socket()).unwrap());
    let first = setup.start();
    let mode = eventually("it is published", || {
        let mode = setup.socket().metadata().unwrap().permissions().mode();
        (mode & 0o777 == 0o600).then_some(mode)
    });
    assert_eq!(mode & 0o777, 0o600);
    drop(first);
    let killed = setup.start();
    assert_eq!(killed.fetch("GET", "/bucket/key", &[]).text(), "body");
}

#[test]
fn who_listens_there_and_hands_nothing_over_is_named() {
    let upstream = Upstream::ok("body");
    let setup = Setup::new(&upstream);
    let other = UnixListener::bind(setup.socket()).unwrap();
    std::thread::spawn(move || drop(other.accept()));
    let ended = run(&["serve", "--config", &setup.config.argument()]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("does not hand its sockets over"), "{}", ended.stderr);
    std::fs::remove_file(setup.socket()).unwrap();
    std::fs::create_dir(setup.socket()).unwrap();
    let ended = run(&["serve", "--config", &setup.config.argument()]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("shutdown.handover: "), "{}", ended.stderr);
}
