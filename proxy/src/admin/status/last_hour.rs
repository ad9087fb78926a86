//! The last hour in two pictures, which are there before any request.

use super::{decisions, durations};
use crate::admin::Admin;
use maud::{Markup, html};
use std::time::SystemTime;

pub(super) fn body(admin: &Admin) -> Markup {
    let (minutes, now) = (admin.last_hour.minutes(), SystemTime::now());
    html! { div.charts { (decisions::chart(&minutes, now)) (durations::chart(&minutes, now)) } }
}
