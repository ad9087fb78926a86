//! The certificates in use, and their replacement while connections stay open.

use super::TlsError;
use super::life::{Expiry, Life};
use super::pair::{Contents, Pair};
use super::server::Server;
use crate::config::TlsFiles;
use arc_swap::ArcSwap;
use async_trait::async_trait;
use pingora::server::ShutdownWatch;
use pingora::services::background::BackgroundService;
use rustls::ServerConfig;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// How often the files are read. They are compared by content: a secret that a kubelet mounts changes by a link, perhaps with the same
/// time.
const LOOK: Duration = Duration::from_millis(500);

/// One certificate, as its files last held it when they were valid.
pub struct LiveCertificate {
    files: TlsFiles,
    current: ArcSwap<Server>,
    life: ArcSwap<Life>,
    judged: Mutex<Judged>,
}

/// What was read from the files, by digest.
struct Judged {
    /// What was accepted or refused last.
    last: u64,
    /// Invalid contents that were seen once: the two files are seldom replaced at the same moment, so a fault must be seen twice.
    suspect: Option<u64>,
}

impl LiveCertificate {
    /// The settings of a handshake that begins now; connections that are open keep their certificate.
    #[must_use]
    pub fn server_config(&self, speaks_http2: bool) -> Arc<ServerConfig> {
        self.current.load().config(speaks_http2)
    }

    /// The life of the certificate that new connections get.
    #[must_use]
    pub fn life(&self) -> Life {
        **self.life.load()
    }

    /// The warning about the certificate, where its life is over or nearly so: the file, and what to say of it.
    #[must_use]
    pub fn warning(&self) -> Option<(&Path, String)> {
        let warning = self.life().warning(SystemTime::now())?;
        Some((&self.files.certificate, warning))
    }

    fn open(files: &TlsFiles) -> Result<Self, TlsError> {
        let contents = Contents::read(files)?;
        let pair = contents.pair(files)?;
        let current = ArcSwap::from_pointee(Server::new(Arc::clone(&pair.certified))?);
        log_pair(files, &pair, "certificate loaded");
        Ok(Self {
            files: files.clone(),
            current,
            life: ArcSwap::from_pointee(pair.life),
            judged: Mutex::new(Judged { last: contents.digest(), suspect: None }),
        })
    }

    /// Reads the files again, and takes their contents if they are new and valid. Blocks.
    fn look(&self) {
        let (digest, judgement) = match Contents::read(&self.files) {
            Ok(contents) => (contents.digest(), Ok(contents)),
            Err(error) => (digest_of(&error), Err(error)),
        };
        let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        if judged.last == digest {
            judged.suspect = None;
            return;
        }
        let pair = judgement.and_then(|contents| contents.pair(&self.files));
        match pair.and_then(|pair| Ok((Server::new(Arc::clone(&pair.certified))?, pair))) {
            Ok((server, pair)) => {
                *judged = Judged { last: digest, suspect: None };
                self.current.store(Arc::new(server));
                self.life.store(Arc::new(pair.life));
                log_pair(&self.files, &pair, "certificate replaced");
            }
            Err(error) if judged.suspect == Some(digest) => {
                *judged = Judged { last: digest, suspect: None };
                tracing::error!(%error, "certificate not replaced; the last good one stays");
            }
            Err(_) => judged.suspect = Some(digest),
        }
    }
}

fn digest_of(error: &TlsError) -> u64 {
    let mut hasher = DefaultHasher::new();
    error.to_string().hash(&mut hasher);
    hasher.finish()
}

fn log_pair(files: &TlsFiles, pair: &Pair, message: &'static str) {
    let certificate = files.certificate.display();
    let not_after = pair.life;
    match pair.life.expiry(SystemTime::now()) {
        Some(expiry) => tracing::warn!(%certificate, %not_after, expired = expiry == Expiry::Expired, message),
        None => tracing::info!(%certificate, %not_after, message),
    }
}

/// Without the key.
impl fmt::Debug for LiveCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveCertificate").field("files", &self.files).finish_non_exhaustive()
    }
}

/// The certificates of all listeners, each pair of files once.
#[derive(Clone, Debug, Default)]
pub struct Certificates(Vec<Arc<LiveCertificate>>);

impl Certificates {
    /// The certificate from these files, read and checked the first time.
    ///
    /// # Errors
    /// [`TlsError`] names the file and says what is wrong with it.
    pub fn of(&mut self, files: &TlsFiles) -> Result<Arc<LiveCertificate>, TlsError> {
        if let Some(open) = self.0.iter().find(|certificate| certificate.files == *files) {
            return Ok(Arc::clone(open));
        }
        let certificate = Arc::new(LiveCertificate::open(files)?);
        self.0.push(Arc::clone(&certificate));
        Ok(certificate)
    }
}

impl Certificates {
    /// Every certificate, once.
    pub fn all(&self) -> impl Iterator<Item = &Arc<LiveCertificate>> {
        self.0.iter()
    }
}

#[async_trait]
impl BackgroundService for Certificates {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        while !self.0.is_empty() {
            tokio::select! {
                _ = shutdown.changed() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            let all = self.clone();
            // Files may be on a network: they are read where waiting blocks no request.
            let _ = tokio::task::spawn_blocking(move || all.0.iter().for_each(|certificate| certificate.look())).await;
        }
    }
}
