use super::*;

fn shown(add: impl FnOnce(&mut ConsoleLine<'_>)) -> String {
    let mut scratch = Scratch::default();
    let mut line = scratch.console_line(false);
    add(&mut line);
    let text = String::from_utf8(line.end().to_vec()).unwrap();
    text.trim_end_matches('\n')["07:08:09 ".len()..].to_owned()
}

#[test]
fn a_value_from_a_request_cannot_steer_a_terminal_or_look_like_two() {
    for (value, expected) in [
        ("/a/%20~!*'();:@&=+$,[]\"\\", "/a/%20~!*'();:@&=+$,[]\"\\"),
        ("/\x1b[2J\x1b]0;title\x07", "/\\u{1b}[2J\\u{1b}]0;title\\u{7}"),
        ("/\r\n12:00:00 200", "/\\r\\n12:00:00\\x20200"),
        ("/\u{9b}31m\u{202e}\u{2066}\u{200b}\u{feff}", "/\\u{9b}31m\\u{202e}\\u{2066}\\u{200b}\\u{feff}"),
        ("/ü…", "/ü…"),
        ("\u{7f}\0", "\\u{7f}\\0"),
    ] {
        let line = shown(|line| {
            line.foreign(value);
        });
        assert_eq!(line, expected);
    }
    let long = shown(|line| {
        line.foreign(&"ü".repeat(200));
    });
    assert_eq!(long, format!("{}…", "ü".repeat(128)));
}

#[test]
fn a_duration_has_as_many_digits_as_tell_something() {
    for (seconds, expected) in [
        (0.000_04, "0.0 ms"),
        (0.000_06, "0.1 ms"),
        (0.009_94, "9.9 ms"),
        (0.010_04, "10 ms"),
        (1.234_56, "1234 ms"),
        (12.34, "12.3 s"),
        (f64::NAN, "0.0 ms"),
        (-1.0, "0.0 ms"),
    ] {
        let line = shown(|line| {
            line.duration(seconds);
        });
        assert_eq!(line, expected, "{seconds}");
    }
}

#[test]
fn a_line_about_an_event_is_short_and_one_line_whatever_is_in_it() {
    for (has_colour, expected) in [
        (false, " WARN  not\\nread path=/\\xe2 error=\"a b\" who=\\u{1b}[31m said=[\"x\"]\n"),
        (
            true,
            "\x1b[0m \x1b[33mWARN \x1b[0m not\\nread \x1b[2mpath=\x1b[0m/\\xe2 \x1b[2merror=\x1b[0m\"a b\" \
             \x1b[2mwho=\x1b[0m\\u{1b}[31m \x1b[2msaid=\x1b[0m[\"x\"]\n",
        ),
    ] {
        let queue = std::sync::Arc::new(crate::telemetry::log::queue::Queue::default());
        let writer = crate::telemetry::log::EventLines(std::sync::Arc::clone(&queue));
        let subscriber = tracing_subscriber::fmt().with_writer(writer).event_format(ConsoleEvents { has_colour });
        tracing::subscriber::with_default(subscriber.finish(), || {
            tracing::warn!(path = "/\\xe2", error = "a b", who = %"\x1b[31m", said = ?["x"], "not\nread");
        });
        let mut written = Vec::new();
        std::thread::scope(|scope| {
            scope.spawn(|| queue.write_to(&mut written));
            queue.close();
        });
        let text = String::from_utf8(written).unwrap();
        assert!(text.ends_with(expected), "{text:?}");
    }
}
