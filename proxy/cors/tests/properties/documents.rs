//! Documents that are written and read again, and documents that no one would write.

use super::configuration;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use s3_cors::{CorsConfiguration, Document, DocumentErrors, Format, MAX_LISTED_ERRORS};

/// Reads in both forms whatever it is, and asks for all that can be asked.
fn read(bytes: &[u8]) -> [Result<Document, DocumentErrors>; 2] {
    [Format::Xml, Format::Json].map(|format| {
        let read = Document::parse(bytes, format);
        match &read {
            Ok(document) => drop(document.warnings()),
            Err(errors) => {
                let _ = errors.warnings();
                let listed = errors.iter().count();
                assert!((1..=MAX_LISTED_ERRORS).contains(&listed) && !errors.to_string().is_empty());
                let lines = bytes.split(|byte| *byte == b'\n').count();
                assert!(errors.iter().all(|error| (1..=lines).contains(&error.position().line)), "{errors}");
                let columns = bytes.split(|byte| *byte == b'\n').map(<[u8]>::len).max().unwrap_or_default() + 1;
                assert!(errors.iter().all(|error| (1..=columns).contains(&error.position().column)), "{errors}");
            }
        }
        read
    })
}

fn in_both_forms(configuration: &CorsConfiguration) -> [String; 2] {
    [configuration.to_xml().unwrap(), configuration.to_json().unwrap()]
}

/// Something to put into a document that is meant to be another document then.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let known = select(vec![
        "<",
        ">",
        "/",
        "&",
        ";",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<!DOCTYPE x>",
        "<?",
        "?>",
        "<CORSRule>",
        "</CORSRule>",
        "<ID/>",
        "xmlns='u'",
        "&#0;",
        "&#xd;",
        "*",
        "\"",
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "null",
        "-",
        "\\ud800",
        "\n",
        "\r",
        "\u{feff}",
        "é",
        "\0",
    ]);
    prop_oneof![4 => known.prop_map(|text| text.as_bytes().to_vec()), 1 => vec(any::<u8>(), 0..4)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_configuration_that_is_written_is_read_as_the_same(configuration in configuration()) {
        let [xml, json] = in_both_forms(&configuration);
        prop_assert_eq!(Format::detect(xml.as_bytes()), Format::Xml);
        prop_assert_eq!(Format::detect(json.as_bytes()), Format::Json);
        for (text, format) in [(&xml, Format::Xml), (&json, Format::Json)] {
            let again = Document::parse(text.as_bytes(), format).map(Document::into_configuration);
            prop_assert_eq!(again.as_ref(), Ok(&configuration), "{}", text);
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in vec(any::<u8>(), 0..64)) {
        let _ = read(&bytes);
    }

    #[test]
    fn no_change_to_a_document_makes_the_reader_panic(
        configuration in configuration(),
        changes in vec((any::<Index>(), 0_usize..24, piece()), 1..4),
    ) {
        for text in in_both_forms(&configuration) {
            let mut bytes = text.into_bytes();
            for (place, removed, piece) in &changes {
                let from = place.index(bytes.len() + 1);
                let to = (from + removed).min(bytes.len());
                bytes.splice(from..to, piece.iter().copied());
            }
            // What is still read after the change can be written and read again.
            for document in read(&bytes).into_iter().flatten() {
                for (text, format) in in_both_forms(document.configuration()).iter().zip([Format::Xml, Format::Json]) {
                    let again = Document::parse(text.as_bytes(), format).map(Document::into_configuration);
                    prop_assert_eq!(again.as_ref(), Ok(document.configuration()));
                }
            }
        }
    }
}

#[test]
fn a_value_that_xml_cannot_carry_is_not_written() {
    let text = r#"[{"ID": "a", "AllowedOrigins": ["*"], "AllowedMethods": ["GET"]}]"#;
    let rules = Document::parse(text.as_bytes(), Format::Json).unwrap().configuration().rules().to_vec();
    for id in ["\0", "\u{1b}", "\u{ffff}"] {
        let rules = rules.iter().map(|rule| rule.clone().with_id(id.to_owned())).collect();
        let error = CorsConfiguration::new(rules).unwrap().to_xml().unwrap_err().to_string();
        assert!(error.starts_with("the configuration cannot be written as XML: "), "{error}");
    }
}
