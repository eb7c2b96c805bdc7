//! Chance that can be repeated, and how much of it.

/// How many seeds (or sessions, or frames) a long test goes through: `few`, and `all` of them with
/// `WARROOM_SEEDS=all`.
///
/// # Panics
/// If the variable says something else.
pub fn seeds(few: u64, all: u64) -> u64 {
    match std::env::var("WARROOM_SEEDS").as_deref() {
        Ok("all") => all,
        Ok(other) => panic!("WARROOM_SEEDS is {other:?}: give \"all\", or leave it out"),
        Err(_) => few,
    }
}

/// Chances that are the same for the same seed (splitmix64).
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// 0 up to `end`, which is not reached.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}
