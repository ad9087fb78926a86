//! Writes documents of a directory: durably, one after the other, and never half.
//!
//! A hidden directory beside the documents holds what writing needs: a lock against other processes, the file that is being written, and
//! for each bucket the time that its last write was signed. The time is written before the document: after a crash between the two a
//! write that is signed again succeeds, and no earlier one.

use super::document::text_of;
use super::{Found, Stored};
use crate::rules::write::{Write, WriteError};
use s3_cors::CorsConfiguration;
use std::fs::{DirBuilder, DirEntry, File, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Where what writing needs is kept; hidden names are no documents.
const OWN: &str = ".s3cors";
/// A signature is valid for seven days at most (S3 API, query string authentication): a time that is older guards against nothing. One
/// more day is for clocks that disagree.
const LONGEST_SIGNATURE: Duration = Duration::from_secs(8 * 24 * 60 * 60);

/// The mode of a document: its owner writes it, and its group reads it. Rules that others can write are anyone's rules.
const MODE: u32 = 0o640;

type Done<T> = Result<T, WriteError>;

/// Writes a document to a directory, or removes it there.
pub(super) fn write(directory: &Path, write: &Write<'_>) -> Done<Option<Stored>> {
    let place = Place::lock(directory)?;
    write.follows(place.last_signed(write.bucket)?)?;
    match write.document {
        None => {
            place.sign(write)?;
            place.remove(&["xml", "json"].map(|form| place.document(write.bucket, form)))?;
            place.forget_old_times();
            Ok(None)
        }
        Some(configuration) => {
            let (path, other) = place.form(write.bucket);
            let (text, document) = text_of(&path, configuration)?;
            place.sign(write)?;
            place.replace(&path, &text)?;
            place.remove(&[other])?;
            // The version comes with the next look: one from before it would not show a change in the same moment.
            Ok(Some(Stored { found: Found { path, version: None }, document }))
        }
    }
}

/// Writes a document that no one signed; the time of the last signed write stays. Returns its path, and whether it replaced another.
pub(super) fn import(directory: &Path, bucket: &str, configuration: &CorsConfiguration) -> Done<(PathBuf, bool)> {
    let place = Place::lock(directory)?;
    let (path, other) = place.form(bucket);
    let is_replaced = path.exists();
    place.replace(&path, &text_of(&path, configuration)?.0)?;
    place.remove(&[other])?;
    Ok((path, is_replaced))
}

/// Writes a document that no one signed where there is none. Returns its path.
pub(super) fn create_only(directory: &Path, bucket: &str, configuration: &CorsConfiguration) -> Done<PathBuf> {
    let place = Place::lock(directory)?;
    let (path, _) = place.form(bucket);
    if path.exists() {
        let reason = "a document is there, and stays; add the rules to it, or name another directory".to_owned();
        return Err(WriteError::Failed { place: path, reason });
    }
    place.replace(&path, &text_of(&path, configuration)?.0)?;
    Ok(path)
}

/// A directory that no one else writes to through us until it is dropped.
struct Place<'d> {
    directory: &'d Path,
    own: PathBuf,
    _lock: File,
}

impl<'d> Place<'d> {
    fn lock(directory: &'d Path) -> Done<Self> {
        if directory.is_file() {
            return Err(WriteError::read_only(directory, "it is one document for every bucket, not a directory"));
        }
        // The kubelet replaces all files of such a volume together, and would undo the write.
        if directory.join("..data").is_symlink() {
            return Err(WriteError::read_only(directory, "it is the volume of a ConfigMap or Secret"));
        }
        let own = directory.join(OWN);
        match DirBuilder::new().mode(0o700).create(&own) {
            Ok(()) => sync(directory)?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(WriteError::of_io(directory, &error)),
        }
        let path = own.join("lock");
        let lock = File::create(&path).and_then(|file| file.lock().map(|()| file));
        Ok(Self { directory, _lock: lock.map_err(|error| WriteError::of_io(&path, &error))?, own })
    }

    fn document(&self, bucket: &str, form: &str) -> PathBuf {
        self.directory.join(format!("{bucket}.{form}"))
    }

    /// The file to write, and the one that must not be there as well. A document written by hand keeps its form: two files for one
    /// bucket are an error.
    fn form(&self, bucket: &str) -> (PathBuf, PathBuf) {
        let [xml, json] = ["xml", "json"].map(|form| self.document(bucket, form));
        if json.exists() && !xml.exists() { (json, xml) } else { (xml, json) }
    }

    fn time(&self, bucket: &str) -> PathBuf {
        self.own.join(format!("{bucket}.signed"))
    }

    /// When the last write of a bucket that was applied was signed.
    fn last_signed(&self, bucket: &str) -> Done<Option<SystemTime>> {
        let path = self.time(bucket);
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let time = humantime::parse_rfc3339(text.trim_end());
                let damaged = |_| WriteError::Failed {
                    place: path,
                    reason: "not a time; remove the file to allow writes again".into(),
                };
                time.map(Some).map_err(damaged)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(WriteError::of_io(&path, &error)),
        }
    }

    fn sign(&self, write: &Write<'_>) -> Done<()> {
        self.replace(&self.time(write.bucket), &format!("{}\n", humantime::format_rfc3339(write.signed.at)))
    }

    /// Replaces a file, or creates it: at every moment it is the old one or the new one, also after the power failed.
    fn replace(&self, path: &Path, text: &str) -> Done<()> {
        // One name, which the lock keeps ours: what a crash leaves is overwritten by the next write.
        let new = self.own.join("new");
        // An older file may be closed to its group, and stays so.
        let old = std::fs::metadata(path).map_or(MODE, |old| old.permissions().mode());
        let written = create(&new, MODE & old).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        written.and_then(|()| std::fs::rename(&new, path)).map_err(|error| WriteError::of_io(path, &error))?;
        sync(path.parent().unwrap_or(self.directory))
    }

    /// Removes those of the files that are there.
    fn remove(&self, paths: &[PathBuf]) -> Done<()> {
        let mut is_removed = false;
        for path in paths {
            match std::fs::remove_file(path) {
                Ok(()) => is_removed = true,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(WriteError::of_io(path, &error)),
            }
        }
        if is_removed { sync(self.directory) } else { Ok(()) }
    }

    /// Removes the times that guard against no signature any more: without this, those of removed documents would pile up.
    fn forget_old_times(&self) {
        let is_old = |entry: &DirEntry| {
            let age = entry.metadata().ok()?.modified().ok()?.elapsed().ok()?;
            Some(age > LONGEST_SIGNATURE && entry.path().extension()? == "signed")
        };
        for entry in std::fs::read_dir(&self.own).into_iter().flatten().flatten() {
            if is_old(&entry) == Some(true) {
                // One that stays does no harm.
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}

/// Creates or empties a file with the mode of a document, whatever the umask of the process.
pub(in crate::rules::source) fn create_document(path: &Path) -> io::Result<File> {
    create(path, MODE)
}

fn create(path: &Path, mode: u32) -> io::Result<File> {
    let file = File::create(path)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    Ok(file)
}

/// Makes the names in a directory durable. Some network file systems have no such call, and need none.
fn sync(directory: &Path) -> Done<()> {
    match File::open(directory).and_then(|directory| directory.sync_all()) {
        Err(error) if !matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
            Err(WriteError::of_io(directory, &error))
        }
        _ => Ok(()),
    }
}
