//! Closed sets whose values have names.

/// Gives a closed set its names and the list of its values; the visibility is that of the list.
macro_rules! names {
    ($visibility:vis $type:ident: $($value:ident = $name:literal),+ $(,)?) => {
        impl $type {
            /// All values, in order.
            $visibility const ALL: [Self; [$($name),+].len()] = [$(Self::$value),+];

            /// The name, as metric labels, log fields and explanations have it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $name),+
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use names;
