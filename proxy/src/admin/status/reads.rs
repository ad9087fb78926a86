//! The prefixes that strangers read, and the credentials that the proxy signs with.

use super::layout::{Rows, Tone, foreign, moment, more, rows, table, visible};
use crate::admin::{Admin, NamedCredentials};
use crate::config::{SignWhen, SignedPrefix};
use crate::credentials::CredentialsSnapshot;
use maud::{Markup, html};
use std::time::SystemTime;

/// The most prefixes that the page shows.
const MOST: usize = 50;
/// The longest reason for missing credentials, in characters.
const MAX_REASON: usize = 300;

const COLUMNS: [&str; 4] = ["Bucket", "Below", "Read by", "Pages"];

/// `None` where nothing is signed here.
pub(super) fn body(admin: &Admin) -> Option<Markup> {
    let signing = admin.signing.as_ref()?;
    let Rows { html, left_out } = rows(&signing.prefixes, MOST, row);
    Some(html! {
        p { "Objects below these prefixes are read without a signature of the reader's: this proxy signs for them." }
        @for each in &signing.credentials { (credentials(each)) }
        (table("signed-prefixes", "Signed reads", &COLUMNS, &html! { tbody { (html) } }))
        (more(left_out, "metrics"))
    })
}

fn row(entry: &SignedPrefix) -> Markup {
    let prefix = entry.prefix.as_str();
    let pages = [("index", &entry.index), ("error", &entry.error)];
    html! {
        tr {
            th scope="row" { (foreign(&entry.bucket)) }
            td { @if prefix.is_empty() { "the whole bucket" } @else { (foreign(prefix)) } }
            td { @match entry.when {
                SignWhen::Always => "everyone",
                SignWhen::Granted => "readers of a presigned playlist of their folder",
            } }
            td { @for (name, key) in pages.iter().filter_map(|(name, key)| Some((name, key.as_deref()?))) {
                (name) " " (foreign(key)) " "
            } }
        }
    }
}

fn credentials(NamedCredentials { upstream, state }: &NamedCredentials) -> Markup {
    let seen: CredentialsSnapshot = state.snapshot(SystemTime::now());
    let tone = if seen.is_available { Tone::Good } else { Tone::Bad };
    html! {
        p {
            "Credentials" @if let Some(upstream) = upstream { " for " (upstream) } ": "
            strong.(tone.class()) { @if seen.is_available { "available" } @else { "missing" } }
            " since " (moment(seen.since))
            @if let Some(access_key) = &seen.access_key { ", access key " (foreign(access_key)) }
            @if let Some(source) = seen.source { " (" (source.as_str()) ")" }
            @if let Some(end) = seen.end { ", until " (moment(end)) }
            "."
            @if let Some(error) = &seen.error { " The last attempt to renew them failed: " (visible(error, MAX_REASON)) "." }
        }
    }
}
