//! What can stand behind a key: numbers, texts, lists, and closed sets of names.

use toml::Spanned;
use toml::de::DeValue;

use super::{Location, Log, Problem};

/// A value with its place in the file.
pub type Value<'a> = Spanned<DeValue<'a>>;

/// What can stand behind a key.
pub trait Field: Sized {
    /// Turns a value into `Self`, or reports why it cannot.
    fn read(value: &Value<'_>, log: &Log<'_>) -> Option<Self>;
}

/// Reports that something else stands where `what` belongs.
pub(super) fn expected<T>(value: &Value<'_>, log: &Log<'_>, what: &str) -> Option<T> {
    let found = value.get_ref().type_str();
    log.report(value.span(), Problem::new(format!("expected {what}, found {found}")));
    None
}

impl Field for bool {
    fn read(value: &Value<'_>, log: &Log<'_>) -> Option<Self> {
        value.get_ref().as_bool().or_else(|| expected(value, log, "true or false"))
    }
}

impl Field for String {
    fn read(value: &Value<'_>, log: &Log<'_>) -> Option<Self> {
        value.get_ref().as_str().map(str::to_owned).or_else(|| expected(value, log, "a text in quotes"))
    }
}

macro_rules! whole_numbers {
    ($($type:ty),+) => { $(
        impl Field for $type {
            fn read(value: &Value<'_>, log: &Log<'_>) -> Option<Self> {
                let digits = value.get_ref().as_integer();
                let number = digits.and_then(|it| Self::from_str_radix(it.as_str(), it.radix()).ok());
                number.or_else(|| expected(value, log, &format!("a whole number from {} to {}", Self::MIN, Self::MAX)))
            }
        }
    )+ };
}

whole_numbers!(i64, u32, u16);

impl Field for f64 {
    fn read(value: &Value<'_>, log: &Log<'_>) -> Option<Self> {
        let digits = value.get_ref().as_float().map(toml::de::DeFloat::as_str);
        let digits = digits.or_else(|| value.get_ref().as_integer().map(toml::de::DeInteger::as_str));
        digits.and_then(|digits| digits.parse().ok()).or_else(|| expected(value, log, "a number"))
    }
}

/// Every wrong element is reported, not only the first.
impl<T: Field> Field for Vec<T> {
    fn read(value: &Value<'_>, log: &Log<'_>) -> Option<Self> {
        let Some(array) = value.get_ref().as_array() else { return expected(value, log, "a list") };
        let elements: Vec<Option<T>> = array.iter().map(|element| T::read(element, log)).collect();
        elements.into_iter().collect()
    }
}

/// For what must be judged later, with its place.
impl<T: Field> Field for (T, Location) {
    fn read(value: &Value<'_>, log: &Log<'_>) -> Option<Self> {
        Some((T::read(value, log)?, log.place(&value.span())))
    }
}

/// Makes types that parse from a text with a [`Problem`] readable as fields.
macro_rules! text_fields {
    ($($type:ty),+ $(,)?) => { $(
        impl $crate::data::Field for $type {
            fn read(value: &$crate::data::Value<'_>, log: &$crate::data::Log<'_>) -> Option<Self> {
                let text = <String as $crate::data::Field>::read(value, log)?;
                text.parse().map_err(|fault| log.report(value.span(), fault)).ok()
            }
        }
    )+ };
}
pub(crate) use text_fields;

/// A closed set of names that data files may use: the enum, its `FromStr` with the nearest name, its
/// `Display`.
macro_rules! names {
    ($(#[$doc:meta])+ $type:ident $noun:literal {
        $($(#[doc = $each:literal])+ $variant:ident $name:literal,)+
    }) => {
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type { $($(#[doc = $each])+ $variant,)+ }

        impl $type {
            /// All of them, in the order of their discriminants.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name in data files.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What it means, in a sentence.
            #[allow(dead_code, reason = "asked of some of them")]
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => concat!($($each,)+),)+ }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::data::Problem;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($name => Ok(Self::$variant),)+
                    _ => Err($crate::data::Problem::unknown($noun, text, [$($name),+])),
                }
            }
        }

        $crate::data::text_fields!($type);
    };
}
pub(crate) use names;
