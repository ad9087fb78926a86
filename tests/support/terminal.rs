//! A terminal: a shell on a pty, which `script` of util-linux opens.

use super::proxy::PROGRAM;
use super::{DEADLINE, eventually};
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;

/// A shell command that runs at a terminal; killed when dropped.
pub struct Terminal {
    script: Child,
    /// Kept open: when it closes, the user of the terminal has gone.
    keyboard: ChildStdin,
    screen: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
    /// Has the process group of the command: a closed terminal alone would not end it, since a hangup means a reload.
    group: NamedTempFile,
}

impl Terminal {
    /// Runs a command in which `s3cors` is the program under test, with these variables about colour and no others.
    pub fn run(command: &str, variables: &[(&str, &str)]) -> Self {
        let group = NamedTempFile::new().unwrap();
        let shell =
            format!("echo $$ >'{}'; s3cors() {{ '{PROGRAM}' \"$@\"; }}; {command}", group.path().to_str().unwrap());
        let mut script = Command::new("script");
        script.args(["-qefc", &shell, "/dev/null"]).env("SHELL", "/bin/sh").env("TERM", "xterm");
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("S3CORS_")) {
            script.env_remove(name);
        }
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI"] {
            script.env_remove(name);
        }
        script.envs(variables.iter().copied());
        let script = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut script = script.expect("script, of util-linux, is there");
        let (keyboard, mut output) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
        let screen = Arc::<Mutex<Vec<u8>>>::default();
        let shown = Arc::clone(&screen);
        let reader = std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut part) {
                shown.lock().unwrap().extend_from_slice(&part[..length]);
            }
        });
        Self { script, keyboard, screen, reader: Some(reader), group }
    }

    /// Everything that was shown so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().unwrap()).replace("\r\n", "\n")
    }

    /// Waits until a text is shown; returns all that is shown then.
    pub fn wait_for(&self, said: &str) -> String {
        let started = Instant::now();
        loop {
            let shown = self.text();
            if shown.contains(said) {
                return shown;
            }
            assert!(started.elapsed() < DEADLINE, "not shown: {said:?} in {shown:?}");
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }

    /// Types a text.
    pub fn enter(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Waits for the end of the command; returns its exit status and everything that was shown.
    pub fn ended(&mut self) -> (Option<i32>, String) {
        let status = eventually("the command ends", || self.script.try_wait().unwrap());
        self.reader.take().into_iter().for_each(|reader| reader.join().unwrap());
        (status.code(), self.text())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let group = std::fs::read_to_string(self.group.path()).unwrap_or_default();
        if !group.trim().is_empty() {
            let _ = Command::new("kill")
                .args(["-KILL", "--", &format!("-{}", group.trim())])
                .stderr(Stdio::null())
                .status();
        }
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}
