//! Grants: a presigned URL of a playlist opens the playlist's folder to readers without keys.
//!
//! Decides: which requests open a folder and until when, which folder that is, what a token says and whether it holds, where a path has
//! one. Must not know: the clock, files, how a request is signed or answered.
//!
//! The token is all the state that there is. It stands in the path, so that relative URLs in a playlist carry it, and any process with
//! its key can check it.

mod folder;
mod keys;
mod opening;
mod path;
mod token;

pub use folder::folder_of;
pub use keys::{GrantKeys, NoRandomBytes};
pub use opening::opens_until;
pub use path::{TokenPath, location, shown};
pub use token::{GrantRefusal, HeldGrant};
