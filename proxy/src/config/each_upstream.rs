//! A value for each upstream of the configuration.

/// The number of an upstream among all; 0 is the default one. Only the configuration makes others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct UpstreamIndex(pub(super) u16);

impl UpstreamIndex {
    /// The index of the default upstream.
    pub const DEFAULT: Self = Self(0);
}

/// A value for each upstream. There is always one: that of the default upstream, which gets every request that no route takes elsewhere.
#[derive(Clone, Debug, Default)]
pub struct EachUpstream<T> {
    default: T,
    others: Box<[T]>,
}

/// The value of the only upstream.
impl<T> From<T> for EachUpstream<T> {
    fn from(default: T) -> Self {
        Self::new(default, [])
    }
}

impl<T> EachUpstream<T> {
    pub(super) fn new(default: T, others: impl IntoIterator<Item = T>) -> Self {
        Self { default, others: others.into_iter().collect() }
    }

    /// The value of one upstream.
    #[must_use]
    pub fn get(&self, index: UpstreamIndex) -> &T {
        let other = usize::from(index.0).checked_sub(1).and_then(|other| self.others.get(other));
        other.unwrap_or(&self.default)
    }

    /// The value of the default upstream.
    #[must_use]
    pub const fn default_one(&self) -> &T {
        &self.default
    }

    /// The values, the default one first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.default).chain(&self.others)
    }

    /// The values with their indices.
    pub fn indexed(&self) -> impl Iterator<Item = (UpstreamIndex, &T)> {
        (0..=u16::MAX).map(UpstreamIndex).zip(self.iter())
    }

    /// Returns true if there are others than the default one.
    #[must_use]
    pub const fn has_several(&self) -> bool {
        !self.others.is_empty()
    }

    /// The results of a function of each value.
    #[must_use]
    pub fn map<U>(&self, mut follows: impl FnMut(&T) -> U) -> EachUpstream<U> {
        let default = follows(&self.default);
        EachUpstream { default, others: self.others.iter().map(follows).collect() }
    }

    /// The results of a function of each index and value, if it succeeds for all.
    ///
    /// # Errors
    /// The first that `follows` returns.
    pub fn try_map_indexed<U, E>(
        &self,
        mut follows: impl FnMut(UpstreamIndex, &T) -> Result<U, E>,
    ) -> Result<EachUpstream<U>, E> {
        let default = follows(UpstreamIndex::DEFAULT, &self.default)?;
        let others = self.indexed().skip(1).map(|(index, value)| follows(index, value));
        Ok(EachUpstream { default, others: others.collect::<Result<_, E>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_index_has_its_value_and_an_unknown_one_the_defaults() {
        let values = EachUpstream::new("default", ["one", "two"]);
        let got = [0, 1, 2, 3, u16::MAX].map(|index| *values.get(UpstreamIndex(index)));
        assert_eq!(got, ["default", "one", "two", "default", "default"]);
        assert_eq!(values.iter().copied().collect::<Vec<_>>(), ["default", "one", "two"]);
        assert_eq!(values.map(|value| value.len()).iter().copied().collect::<Vec<_>>(), [7, 3, 3]);
        let refused = values.try_map_indexed(|index, value| if *value == "two" { Err(index) } else { Ok(()) });
        assert_eq!(refused.err(), Some(UpstreamIndex(2)));
        assert!(values.has_several() && !EachUpstream::new((), []).has_several());
    }
}
