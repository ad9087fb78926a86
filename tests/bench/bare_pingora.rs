//! Bare Pingora as a peer of the benchmark: its `HttpProxy` with one thread and nothing added, not even CORS. What s3cors costs above it is
//! ours; what it costs above nginx is Pingora's.
//!
//!     bare-pingora LISTEN UPSTREAM

use async_trait::async_trait;
use pingora::listeners::ListenerConfig;
use pingora::prelude::*;
use pingora::protocols::l4::stream::L4BufferSettings;
use pingora::server::configuration::ServerConf;

// As s3cors has it: the allocator is not what is compared.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

struct Forward {
    upstream: HttpPeer,
}

#[async_trait]
impl ProxyHttp for Forward {
    type CTX = ();

    fn new_ctx(&self) {}

    async fn upstream_peer(&self, _: &mut Session, (): &mut ()) -> Result<Box<HttpPeer>> {
        Ok(Box::new(self.upstream.clone()))
    }
}

#[expect(clippy::print_stderr, reason = "a program's usage")]
fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(listen), Some(upstream)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: bare-pingora LISTEN UPSTREAM");
        std::process::exit(2);
    };
    let settings = ServerConf {
        threads: 1,
        upstream_keepalive_pool_size: 256,
        grace_period_seconds: Some(0),
        graceful_shutdown_timeout_seconds: Some(1),
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, settings);
    server.bootstrap();
    let forward = Forward { upstream: HttpPeer::new(upstream, false, String::new()) };
    let mut service = http_proxy_service(&server.configuration, forward);
    // Pingora's defaults send head and body in two writes and keep a read buffer of 64 KiB for each connection.
    let buffers = L4BufferSettings::default().read(0).write(4096);
    service.add_listener(ListenerConfig::tcp(listen).l4_buffer(buffers));
    server.add_service(service);
    server.run_forever();
}
