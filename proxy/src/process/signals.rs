//! The signals that do not end the process: SIGHUP and SIGUSR2.

use async_trait::async_trait;
use pingora::server::ShutdownWatch;
use pingora::services::background::BackgroundService;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Something to do that may block on I/O.
pub type Action = Arc<dyn Fn() + Send + Sync>;

/// Reloads on SIGHUP.
pub struct ReloadOnHangup {
    /// Reloads.
    pub reload: Action,
    /// Is told once the signal no longer ends the process.
    pub handled: Sender<()>,
}

#[async_trait]
impl BackgroundService for ReloadOnHangup {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        let handled = listen_for(SignalKind::hangup(), "use POST /-/reload", &self.handled);
        let Some(mut hangup) = handled else { return };
        while next(&mut hangup, &mut shutdown).await {
            let reload = Arc::clone(&self.reload);
            let _ = tokio::task::spawn_blocking(move || reload()).await;
        }
    }
}

/// Starts the program once more on SIGUSR2, as nginx does: the file now installed under the name that started this process,
/// with the same arguments. The new process takes the listening sockets over as any process that starts does.
pub struct SucceedOnUser2 {
    /// Whether sockets can be handed over: otherwise the new process would find the ports in use.
    pub has_handover: bool,
    /// Is told once the signal no longer ends the process.
    pub handled: Sender<()>,
}

#[async_trait]
impl BackgroundService for SucceedOnUser2 {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        let handled = listen_for(SignalKind::user_defined2(), "start another process yourself", &self.handled);
        let Some(mut user2) = handled else { return };
        while next(&mut user2, &mut shutdown).await {
            if self.has_handover {
                start_successor();
            } else {
                tracing::error!(
                    "SIGUSR2: set shutdown.handover, over which a new process can take the listening sockets"
                );
            }
        }
    }
}

fn start_successor() {
    let mut arguments = std::env::args_os();
    let mut command = Command::new(arguments.next().unwrap_or_default());
    match command.args(arguments).spawn() {
        Ok(mut successor) => {
            tracing::info!(pid = successor.id(), "a new process starts, to take over");
            // Wait for it, so that one that fails leaves no zombie. One that succeeds outlives this process.
            let wait = move || match successor.wait() {
                Ok(status) => tracing::error!(%status, "the process that was to take over has ended; this one goes on"),
                Err(error) => tracing::error!(%error, "the process that was to take over cannot be waited for"),
            };
            let _ = std::thread::Builder::new().name("successor".into()).spawn(wait);
        }
        Err(error) => tracing::error!(%error, "the new process cannot be started; this one goes on"),
    }
}

/// Handles a signal. The process is announced as ready only after this: until then the signal ends it.
fn listen_for(kind: SignalKind, instead: &str, handled: &Sender<()>) -> Option<Signal> {
    let listening = signal(kind);
    // No one waits any more where the listeners did not start in time.
    let _ = handled.send(());
    match listening {
        Ok(signal) => Some(signal),
        Err(error) => {
            tracing::warn!(?kind, %error, instead, "a signal cannot be handled");
            None
        }
    }
}

/// Waits for the signal; `false` when the process ends.
async fn next(signal: &mut Signal, shutdown: &mut ShutdownWatch) -> bool {
    tokio::select! {
        _ = shutdown.changed() => false,
        received = signal.recv() => received.is_some(),
    }
}
