//! How serde reads the fields of settings: as a checked value, with a default, as one value or a list.
//!
//! [`As`], [`OrDefault`] and the sections stand in `#[serde(with = "…")]`, which serde and the schema both follow.

use crate::s3::domain::without_user;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;
use std::fmt;
use std::marker::PhantomData;

/// A field that is written as a `T` and kept as what `T` converts into.
///
/// Its default belongs to the section, not to `T`, so a key without a value (null in YAML) is an error.
pub(super) struct As<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> As<T> {
    pub(super) fn deserialize<D: Deserializer<'de>, Kept: From<T>>(deserializer: D) -> Result<Kept, D::Error> {
        let value = Option::<T>::deserialize(deserializer)?;
        value.map(Into::into).ok_or_else(|| D::Error::custom("no value; leave the key out for its default"))
    }
}

/// A field without a value (null in YAML, as a section whose keys are all commented out) has the default of its type.
pub(super) struct OrDefault<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Default> OrDefault<T> {
    pub(super) fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        Option::deserialize(deserializer).map(Option::unwrap_or_default)
    }
}

/// A list with at least one value: an empty one can only be a mistake. Without a value it has the default of its type.
pub(super) struct AtLeastOne<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> AtLeastOne<OneOrMany<T>> {
    pub(super) fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OneOrMany<T>, D::Error> {
        match Option::<OneOrMany<T>>::deserialize(deserializer)? {
            Some(OneOrMany(values)) if values.is_empty() => {
                Err(D::Error::custom("an empty list; leave the key out for its default"))
            }
            values => Ok(values.unwrap_or_default()),
        }
    }
}

/// A value that cannot be judged alone, with its place in the file for when it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Placed<T> {
    pub(super) value: T,
    /// The line and the column, from 1.
    pub(super) place: (u64, u64),
}

impl<T> Placed<T> {
    fn of<W: Into<T>>(Spanned { value, referenced, .. }: Spanned<W>) -> Self {
        Self { value: value.into(), place: (referenced.line(), referenced.column()) }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Placed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::<T>::deserialize(deserializer).map(Self::of)
    }
}

/// Settings are compared as they are shown, and the same value may stand elsewhere.
impl<T: fmt::Debug> fmt::Debug for Placed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

/// A field that is written as a `T` and kept with its place. Without a value it has a default that depends on others.
pub(super) struct WithPlace<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> WithPlace<T> {
    pub(super) fn deserialize<D: Deserializer<'de>, Kept: From<T>>(
        deserializer: D,
    ) -> Result<Option<Placed<Kept>>, D::Error> {
        let written = Option::<Spanned<T>>::deserialize(deserializer)?;
        Ok(written.map(Placed::of))
    }
}

/// A section of the file: an object.
pub(super) trait Section {
    /// Its key.
    const NAME: &'static str;
    /// The key in it that someone means who writes only a value.
    const KEY: &'static str;
}

/// Reads a section; `None` where it has no value. The error for one value in place of all of it says how to write it.
fn section<'de, T: Section + Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    struct Object<T>(PhantomData<T>);

    impl<T: Section> Object<T> {
        fn instead<E: Error>(value: &str) -> E {
            E::custom(format_args!("{name} is an object; write `{name}: {{{}: {value}}}`", T::KEY, name = T::NAME))
        }
    }

    impl<'de, T: Section + Deserialize<'de>> Visitor<'de> for Object<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "an object, such as `{}: {{{}: ...}}`", T::NAME, T::KEY)
        }

        fn visit_unit<E: Error>(self) -> Result<Option<T>, E> {
            Ok(None)
        }

        fn visit_map<A: MapAccess<'de>>(self, section: A) -> Result<Option<T>, A::Error> {
            T::deserialize(MapAccessDeserializer::new(section)).map(Some)
        }

        fn visit_str<E: Error>(self, value: &str) -> Result<Option<T>, E> {
            Err(Self::instead(&without_user(value)))
        }

        fn visit_bool<E: Error>(self, value: bool) -> Result<Option<T>, E> {
            Err(Self::instead(&value.to_string()))
        }

        fn visit_u64<E: Error>(self, value: u64) -> Result<Option<T>, E> {
            Err(Self::instead(&value.to_string()))
        }
    }

    deserializer.deserialize_any(Object(PhantomData))
}

/// A section that has its defaults where it has no value.
pub(super) struct SectionOrDefault<T>(PhantomData<T>);

impl<'de, T: Section + Deserialize<'de> + Default> SectionOrDefault<T> {
    pub(super) fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        section(deserializer).map(Option::unwrap_or_default)
    }
}

/// A section that turns something on.
pub(super) struct OptionalSection<T>(PhantomData<T>);

impl<'de, T: Section + Deserialize<'de>> OptionalSection<T> {
    pub(super) fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
        section(deserializer)
    }
}

/// A single value or a list of values.
///
/// Not an untagged enum: its error would name neither the problem nor the element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneOrMany<T>(pub(super) Vec<T>);

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Values<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value or a list of values")
            }

            fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Self::Value, E> {
                T::deserialize(value.into_deserializer()).map(|value| OneOrMany(vec![value]))
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Self::Value, E> {
                T::deserialize(value.into_deserializer()).map(|value| OneOrMany(vec![value]))
            }

            fn visit_map<A: MapAccess<'de>>(self, value: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(value)).map(|value| OneOrMany(vec![value]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(values)).map(OneOrMany)
            }
        }

        deserializer.deserialize_any(Values(PhantomData))
    }
}
