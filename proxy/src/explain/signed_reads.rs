//! The objects of a bucket that are read without a signature of the reader's, told for people.

use super::Explained;
use crate::config::{SignWhen, SignedPrefix};

impl Explained {
    /// Tells which objects of the bucket strangers can read, whatever its rules say: CORS is about pages only.
    pub(super) fn tell_of_signed_reads(&mut self, signed: &[SignedPrefix]) {
        let of_bucket = signed.iter().filter(|entry| Some(&*entry.bucket) == self.bucket.as_deref());
        self.notes.extend(of_bucket.map(sentence));
    }
}

fn sentence(entry: &SignedPrefix) -> String {
    let what = match entry.prefix.as_str() {
        "" => "each object of the bucket".to_owned(),
        prefix => format!("each object below {prefix}"),
    };
    match entry.when {
        SignWhen::Always => {
            format!("everyone can read {what}, without keys and from any program: s3cors signs for them (sign)")
        }
        SignWhen::Granted => format!(
            "{what} can be read without keys while a presigned playlist has its folder open: s3cors signs then (sign, grants)"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, ConfigFile, Flags};
    use std::path::Path;

    #[test]
    fn what_everyone_can_read_is_said() {
        let text =
            "sign: [{bucket: photos}, {bucket: site, prefix: docs/}, {bucket: site, prefix: video/, when: granted}]";
        let signed = Config::merge(Flags::default(), ConfigFile::parse(text, Path::new("f")).unwrap()).0.sign;
        let said: Vec<_> = signed.iter().map(sentence).collect();
        for (place, part) in
            [(0, "everyone can read each object of the bucket"), (1, "below docs/"), (2, "while a presigned playlist")]
        {
            assert!(said[place].contains(part), "{said:?}");
        }
    }
}
