//! The simulation's only source of chance: `SplitMix64` (Steele, Lea, Flood 2014), the same numbers for the
//! same seed on every machine.

/// A stream of pseudo-random numbers.
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in `0.0..1.0`, of 32 random bits.
    pub(crate) fn ratio(&mut self) -> f64 {
        let [a, b, c, d, ..] = self.next().to_be_bytes();
        f64::from(u32::from_be_bytes([a, b, c, d])) / (f64::from(u32::MAX) + 1.0)
    }

    /// A number in `0..bound`; 0 for a bound of 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// `length` characters that Kubernetes uses in generated names (no vowels, no look-alikes).
    pub(crate) fn suffix(&mut self, length: usize) -> String {
        suffix(length, || self.next())
    }

    /// A random (version 4) UUID.
    pub(crate) fn uuid(&mut self) -> String {
        let high = self.next();
        let low = self.next();
        let version = (high & 0x0fff) | 0x4000;
        let variant = ((low >> 48) & 0x3fff) | 0x8000;
        format!(
            "{:08x}-{:04x}-{version:04x}-{variant:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            low & 0xffff_ffff_ffff
        )
    }
}

/// A suffix of `length` characters from a source of numbers.
pub(crate) fn suffix(length: usize, mut next: impl FnMut() -> u64) -> String {
    const LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    (0..length)
        .map(|_| usize::try_from(next() % 27).map_or('b', |index| char::from(LETTERS[index])))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_published_sequence() {
        let mut rng = Rng::new(1_234_567);
        assert_eq!([rng.next(), rng.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn a_uuid_is_of_version_4() {
        let uuid = Rng::new(7).uuid();
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
    }
}
