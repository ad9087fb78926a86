//! Values that are not what their author sees: with a placeholder that nothing replaced, or in quotes that belong to another syntax.

/// Says what is wrong with how a value is written, where that is known. What is not in the value as it is `shown` is not told either.
#[must_use]
pub fn as_written(value: &str, shown: &str) -> Option<String> {
    if let Some((name, placeholder)) = placeholder(value) {
        let placeholder = if shown.contains(&name) { &placeholder } else { "its placeholder" };
        return Some(format!(
            "nothing replaces {placeholder}, since a value is read as it is written; write the value itself, or let envsubst or the tool \
             that has the value write it"
        ));
    }
    is_quoted(value).then(|| {
        "the quotes are a part of the value: the env files of Docker and many other tools keep them; leave them out"
            .to_owned()
    })
}

/// Returns true if a value has a quote at an end. The parts of a list in quotes have one each.
fn is_quoted(value: &str) -> bool {
    value.len() > 1 && (value.starts_with(['"', '\'']) || value.ends_with(['"', '\'']))
}

/// The name in a placeholder of a shell, Compose, Kubernetes or a template, and the placeholder without a default that it has: that may be
/// a secret.
fn placeholder(value: &str) -> Option<(String, String)> {
    for (begin, end) in [("${", "}"), ("$(", ")"), ("{{", "}}")] {
        if let Some((_, rest)) = value.split_once(begin)
            && let Some((inner, _)) = rest.split_once(end)
        {
            let name: String = inner.trim().chars().take_while(|&each| is_of_name(each)).collect();
            let placeholder = format!("{begin}{name}{end}");
            return Some((name, placeholder));
        }
    }
    let name = value.strip_prefix('$').filter(|name| !name.is_empty() && name.chars().all(is_of_name))?;
    Some((name.to_owned(), format!("${name}")))
}

fn is_of_name(each: char) -> bool {
    each.is_ascii_alphanumeric() || matches!(each, '_' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_something_else_was_to_change_is_recognised() {
        for (value, said) in [
            ("${UPSTREAM}", Some("replaces ${UPSTREAM},")),
            ("http://${HOST:-minio}:9000", Some("replaces ${HOST},")),
            ("http://user:${PASSWORD:?5ECRET}@minio", Some("replaces ${PASSWORD},")),
            ("$(HOST):9000", Some("replaces $(HOST),")),
            ("$HOST", Some("replaces $HOST,")),
            ("{{ .Values.host }}", Some("replaces {{.Values.host}},")),
            ("\"http://minio:9000\"", Some("the quotes are a part of the value")),
            ("'x'", Some("the quotes are a part of the value")),
            ("\"http://minio1:9000", Some("the quotes are a part of the value")),
            ("http://minio2:9000\"", Some("the quotes are a part of the value")),
            ("http://minio{1...4}:9000", None),
            ("${", None),
            ("$", None),
            ("a$b", None),
            ("\"", None),
            ("it's", None),
            ("", None),
        ] {
            let words = as_written(value, value);
            assert_eq!(words.is_some(), said.is_some(), "{value}: {words:?}");
            assert!(words.is_none_or(|words| words.contains(said.unwrap()) && !words.contains("5ECRET")), "{value}");
        }
        let hidden = as_written("http://user:$(5ECRET)@minio", "http://...@minio").unwrap();
        assert!(hidden.starts_with("nothing replaces its placeholder, "), "{hidden}");
    }
}
