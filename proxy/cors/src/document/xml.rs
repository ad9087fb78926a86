//! The XML form: `CORSConfiguration` of the S3 API.
//!
//! Decides: what is well-formed and follows the schema. Must not know: which values are valid.
//!
//! Read with quick-xml's event reader and not through serde: quick-xml's deserializer does not look at the root's name, accepts
//! what follows the root, and stops at its first error without a place.

use super::error::Problems;
use super::hint::similar;
use super::namespace::ElementNamespace;
use super::problem::{Problem, name};
use super::raw::{RawRule, RawValue};
use super::syntax::{self, Mistake};
use super::{NAMESPACE, RULE_ELEMENTS};
use quick_xml::events::attributes::AttrError;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;
use std::collections::HashSet;

/// Reads the rules and notes what is wrong. After a syntax error nothing more can be read.
pub(crate) fn read(text: &str, problems: &mut Problems) -> Vec<RawRule> {
    if let Some((offset, character)) = not_a_character(text) {
        problems.push(offset, Problem::Character(character));
        return Vec::new();
    }
    let mut reader = NsReader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    // XML 1.0 §2.5: no `--` in a comment.
    reader.config_mut().check_comments = true;
    let mut document = Reading { reader, start: 0, rules: Vec::new(), problems };
    if let Err(Stop { offset, problem }) = document.prolog_and_root() {
        document.problems.push(offset, problem);
    }
    document.rules
}

/// `Char` of XML 1.0 §2.2: what a document may contain, as itself or as a reference.
pub(crate) const fn is_character(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

/// The first character that no document may contain, with its place.
fn not_a_character(text: &str) -> Option<(usize, char)> {
    // Nearly every document can be told by its bytes: those characters are control characters, or begin with 0xEF.
    let is_control = |byte| (byte < b' ') & (byte != b'\t') & (byte != b'\n') & (byte != b'\r');
    let is_suspect = text.bytes().fold(false, |suspect, byte| suspect | is_control(byte) | (byte == 0xef));
    let mut found = text.char_indices().filter(|(_, character)| !is_character(*character));
    is_suspect.then(|| found.next()).flatten()
}

/// Reading cannot go on.
struct Stop {
    offset: usize,
    problem: Problem,
}

struct Reading<'t, 'p> {
    reader: NsReader<&'t [u8]>,
    /// Where the last event starts.
    start: usize,
    rules: Vec<RawRule>,
    problems: &'p mut Problems,
}

impl<'t> Reading<'t, '_> {
    fn next(&mut self) -> Result<Event<'t>, Stop> {
        self.start = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
        match self.reader.read_event() {
            Ok(Event::DocType(_)) => Err(self.stop(Problem::DocumentType)),
            Ok(Event::Decl(_)) if self.start != 0 => Err(self.stop(Problem::MisplacedDeclaration)),
            Ok(Event::Decl(declaration)) if !syntax::is_declaration(&declaration) => {
                Err(self.stop(Problem::InvalidDeclaration))
            }
            Ok(Event::PI(instruction)) if !syntax::is_target(instruction.target()) => {
                Err(self.stop(Problem::Syntax("a processing instruction without a name".into())))
            }
            Ok(event) => {
                if let Event::Start(element) = &event {
                    self.check_tag(element)?;
                }
                Ok(event)
            }
            Err(error @ (quick_xml::Error::Syntax(_) | quick_xml::Error::IllFormed(_))) => Err(Stop {
                offset: usize::try_from(self.reader.error_position()).unwrap_or(usize::MAX),
                problem: in_words(error),
            }),
            // For the others quick-xml notes no place.
            Err(error) => Err(self.stop(in_words(error))),
        }
    }

    /// What quick-xml does not look at by itself. Its own search for doubled attributes compares each with each, which a hostile
    /// tag of 64 KiB makes slow.
    fn check_tag(&self, element: &BytesStart<'_>) -> Result<(), Stop> {
        if element.name().into_inner().is_empty() {
            return Err(self.stop(Problem::UnnamedElement));
        }
        if element.attributes_raw().is_empty() {
            return Ok(());
        }
        let mut seen = HashSet::new();
        for attribute in element.attributes().with_checks(false) {
            let ill_formed = |error: AttrError| {
                let mistake = Mistake::in_tag(element.attributes_raw());
                self.stop(Problem::of_syntax(error.to_string().into(), mistake))
            };
            let attribute = attribute.map_err(ill_formed)?.key.into_inner();
            if !seen.insert(attribute) {
                return Err(self.stop(Problem::DuplicateAttribute(name(attribute))));
            }
        }
        Ok(())
    }

    const fn stop(&self, problem: Problem) -> Stop {
        Stop { offset: self.start, problem }
    }

    fn prolog_and_root(&mut self) -> Result<(), Stop> {
        loop {
            match self.next()? {
                Event::Start(root) => {
                    if !self.is_ours(&root, "CORSConfiguration") {
                        let (name, namespace) = (shown(&root), self.namespace(&root));
                        return Err(self.stop(Problem::WrongRoot { name, namespace }));
                    }
                    self.configuration()?;
                    return self.epilog();
                }
                Event::Eof => return Err(self.stop(Problem::NoRoot)),
                other => self.expect_nothing(&other)?,
            }
        }
    }

    fn configuration(&mut self) -> Result<(), Stop> {
        loop {
            match self.next()? {
                Event::Start(element) if self.is_ours(&element, "CORSRule") => {
                    let rule = RawRule { offset: self.start, ..RawRule::default() };
                    let rule = self.rule(rule)?;
                    self.rules.push(rule);
                }
                Event::Start(element) => self.skip_unknown(&element, "CORSConfiguration")?,
                Event::End(_) => return Ok(()),
                Event::Eof => return Err(self.stop(Problem::Unclosed("CORSConfiguration".into()))),
                other => self.expect_nothing(&other)?,
            }
        }
    }

    fn rule(&mut self, mut rule: RawRule) -> Result<RawRule, Stop> {
        loop {
            match self.next()? {
                Event::Start(element) => {
                    let ours = self.namespace(&element).is_s3();
                    let list = match element.local_name().into_inner() {
                        "ID" if ours => &mut rule.ids,
                        "AllowedOrigin" if ours => &mut rule.origins,
                        "AllowedMethod" if ours => &mut rule.methods,
                        "AllowedHeader" if ours => &mut rule.headers,
                        "ExposeHeader" if ours => &mut rule.expose,
                        "MaxAgeSeconds" if ours => &mut rule.max_ages,
                        other => {
                            rule.note_unread(similar(other, &RULE_ELEMENTS));
                            self.skip_unknown(&element, "CORSRule")?;
                            continue;
                        }
                    };
                    list.push(self.value(&element)?);
                }
                Event::End(_) => return Ok(rule),
                Event::Eof => return Err(self.stop(Problem::Unclosed("CORSRule".into()))),
                other => self.expect_nothing(&other)?,
            }
        }
    }

    /// The text of an element: text, CDATA and references joined, comments left out, line ends as XML has them (XML 1.0 §2.11).
    fn value(&mut self, element: &BytesStart<'_>) -> Result<RawValue, Stop> {
        let mut value = RawValue { text: String::new(), offset: self.start };
        loop {
            match self.next()? {
                Event::Text(text) => value.text.push_str(&text.xml10_content()),
                Event::CData(text) => value.text.push_str(&text.xml10_content()),
                Event::GeneralRef(reference) => value.text.push(self.character(&reference)?),
                Event::Start(inner) => self.skip_unknown(&inner, &shown(element))?,
                Event::End(_) => return Ok(value),
                Event::Eof => return Err(self.stop(Problem::Unclosed(shown(element)))),
                _ => {}
            }
        }
    }

    /// A character reference, or one of XML's own five entities; there is no DOCTYPE that could define more.
    fn character(&self, reference: &BytesRef<'_>) -> Result<char, Stop> {
        if let Some(character) = reference.resolve_char_ref().map_err(|error| self.stop(in_words(error)))? {
            let refused = || self.stop(Problem::Character(character));
            return is_character(character).then_some(character).ok_or_else(refused);
        }
        match &**reference {
            "lt" => Ok('<'),
            "gt" => Ok('>'),
            "amp" => Ok('&'),
            "apos" => Ok('\''),
            "quot" => Ok('"'),
            other => Err(self.stop(Problem::UnknownEntity(name(other)))),
        }
    }

    fn epilog(&mut self) -> Result<(), Stop> {
        loop {
            match self.next()? {
                Event::Eof => return Ok(()),
                Event::Start(_) => return Err(self.stop(Problem::SecondRoot)),
                other => self.expect_nothing(&other)?,
            }
        }
    }

    /// White space, comments, the declaration and processing instructions are allowed between elements, text is not.
    fn expect_nothing(&mut self, event: &Event<'_>) -> Result<(), Stop> {
        match event {
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => Ok(()),
            Event::Text(text) => match text.find(|character| !matches!(character, ' ' | '\t' | '\r' | '\n')) {
                None => Ok(()),
                Some(place) => Err(Stop { offset: self.start + place, problem: Problem::MisplacedText }),
            },
            _ => Err(self.stop(Problem::MisplacedText)),
        }
    }

    /// Reads over an element with all that is in it, by counting and not by recursion: it may be nested deeply.
    fn skip_unknown(&mut self, element: &BytesStart<'_>, parent: &str) -> Result<(), Stop> {
        let (name, namespace) = (shown(element), self.namespace(element));
        self.problems.push(self.start, Problem::UnknownElement { name, parent: parent.into(), namespace });
        let mut depth = 1_usize;
        while depth > 0 {
            match self.next()? {
                Event::Start(_) => depth += 1,
                Event::End(_) => depth -= 1,
                Event::Eof => return Err(self.stop(Problem::Unclosed(shown(element)))),
                _ => {}
            }
        }
        Ok(())
    }

    fn is_ours(&self, element: &BytesStart<'_>, name: &str) -> bool {
        element.local_name().into_inner() == name && self.namespace(element).is_s3()
    }

    fn namespace(&self, element: &BytesStart<'_>) -> ElementNamespace {
        match self.reader.resolver().resolve_element(element.name()).0 {
            ResolveResult::Unbound => ElementNamespace::S3,
            ResolveResult::Bound(Namespace(namespace)) if namespace == NAMESPACE => ElementNamespace::S3,
            ResolveResult::Bound(Namespace(namespace)) => ElementNamespace::Foreign(name(namespace)),
            ResolveResult::Unknown(prefix) => ElementNamespace::Undeclared(name(&prefix)),
        }
    }
}

fn shown(element: &BytesStart<'_>) -> Box<str> {
    name(element.name().into_inner())
}

#[expect(clippy::needless_pass_by_value, reason = "given to `map_err`")]
fn in_words(error: impl ToString) -> Problem {
    Problem::Syntax(error.to_string().into())
}
