//! Quantities (apimachinery `resource.Quantity`): `250m`, `1.5`, `256Mi`, `16384000Ki`, `1e3`.

use std::fmt;
use std::num::NonZeroU32;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer};

use crate::event::Amount;

/// `requests`, `limits`, `allocatable` and `usage` have the same form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Quantities {
    cpu: Option<Quantity>,
    memory: Option<Quantity>,
}

/// The number that a quantity stands for, where it can be read. Read in place: every container has four of
/// them.
#[derive(Clone, Copy, Debug)]
struct Quantity(Option<f64>);

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Quantity;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a quantity")
            }

            fn visit_str<E>(self, text: &str) -> Result<Quantity, E> {
                Ok(Quantity(number(text)))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl Quantities {
    /// By the text of each.
    pub fn of<'a>(text: impl Fn(&str) -> Option<&'a str>) -> Self {
        let read = |name| text(name).map(|text| Quantity(number(text)));
        Self { cpu: read("cpu"), memory: read("memory") }
    }

    /// As far as it can be read.
    pub fn amount(&self) -> Amount {
        let read =
            |quantity: Option<Quantity>, unit: f64| quantity.and_then(|Quantity(n)| whole(scaled(n?, unit)));
        Amount { cpu: read(self.cpu, 1e-3), memory: read(self.memory, 1024.0) }
    }
}

/// Returns the number that a quantity stands for, in cores or bytes; `None` where it cannot be read.
pub fn number(text: &str) -> Option<f64> {
    const SUFFIXES: [(&str, f64); 14] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
    ];
    let suffix = SUFFIXES.iter().find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, *factor)));
    let (digits, factor) = suffix.unwrap_or((text, 1.0));
    digits.parse::<f64>().ok().map(|n| n * factor)
}

/// Returns a number in units of `unit`, rounded up to a whole one as `Quantity.ScaledValue` does: 0.0015 is 2
/// of `1e-3`. What arithmetic adds beyond six decimals does not count.
pub fn scaled(number: f64, unit: f64) -> f64 {
    ((number / unit * 1e6).round() / 1e6).ceil()
}

/// A whole number, where it is neither 0 nor too large.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked first")]
fn whole(number: f64) -> Option<NonZeroU32> {
    (number > 0.0 && number < f64::from(u32::MAX)).then(|| NonZeroU32::new(number as u32)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_of_every_form_are_read() {
        let read = |cpu: &str, memory: &str| {
            let amount =
                serde_json::from_str::<Quantities>(&format!(r#"{{"cpu":"{cpu}","memory":"{memory}"}}"#))
                    .unwrap()
                    .amount();
            (amount.cpu.map_or(0, NonZeroU32::get), amount.memory.map_or(0, NonZeroU32::get))
        };
        let cases = [
            (("250m", "256Mi"), (250, 262_144)),
            (("2", "16384000Ki"), (2_000, 16_384_000)),
            (("1.5", "1G"), (1_500, 976_563)),
            (("12345678n", "1e3"), (13, 1)),
            (("1001m", "1025"), (1_001, 2)),
            (("0", "x"), (0, 0)),
            (("-1", "99Pi"), (0, 0)),
        ];
        for ((cpu, memory), expected) in cases {
            assert_eq!(read(cpu, memory), expected, "{cpu} {memory}");
        }
    }
}
