//! How serde reads the fields of settings: as a checked value, with a default, as one value or a list.
//!
//! [`As`] and [`OrDefault`] stand in `#[serde(with = "…")]`, which serde and the schema both follow.

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
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

/// A single value or a list of values.
///
/// Not an untagged enum: its error would name neither the problem nor the element.
#[derive(Clone, Debug)]
pub(super) struct OneOrMany<T>(pub(super) Vec<T>);

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
