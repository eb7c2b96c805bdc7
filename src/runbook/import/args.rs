//! The arguments of a program: words, flags with their values, and what follows `--`.

use super::lex::{Piece, Word};

/// Arguments, told apart.
#[derive(Clone, Debug, Default)]
pub(super) struct Args {
    /// Words that are no flags.
    pub words: Vec<Word>,
    /// Flags, each with its value if it has one.
    flags: Vec<(String, Option<Word>)>,
    /// What follows `--`; `None` where there is none.
    pub rest: Option<Vec<Word>>,
}

impl Args {
    /// Tells words and flags apart; these flags have a value.
    pub fn of(words: &[Word], with_value: &[&str]) -> Self {
        let mut args = Self::default();
        let mut words = words.iter().cloned();
        while let Some(word) = words.next() {
            if word.literal() == Some("--") {
                args.rest = Some(words.collect());
                break;
            }
            match flag(&word) {
                None => args.words.push(word),
                Some((name, Some(value))) => args.flags.push((name, Some(value))),
                Some((name, None)) => {
                    let value = if with_value.contains(&name.as_str()) { words.next() } else { None };
                    args.flags.push((name, value));
                }
            }
        }
        args
    }

    /// Returns the value of a flag, by any of its names.
    pub fn value(&self, names: &[&str]) -> Option<&Word> {
        self.flags
            .iter()
            .find(|(name, _)| names.contains(&name.as_str()))
            .and_then(|(_, value)| value.as_ref())
    }

    /// Returns whether a flag is there, by any of its names.
    pub fn has(&self, names: &[&str]) -> bool {
        self.flags.iter().any(|(name, _)| names.contains(&name.as_str()))
    }

    /// Returns whether there are no other flags than these.
    pub fn only(&self, names: &[&str]) -> bool {
        self.flags.iter().all(|(name, _)| names.contains(&name.as_str()))
    }

    /// Returns the text of the word at a place; empty where it is a hole or missing.
    pub fn text(&self, at: usize) -> &str {
        self.words.get(at).and_then(Word::literal).unwrap_or_default()
    }
}

fn flag(word: &Word) -> Option<(String, Option<Word>)> {
    let Some(Piece::Text(text)) = word.0.first() else { return None };
    if !text.starts_with('-') || text.len() < 2 {
        return None;
    }
    Some(
        word.split_once('=')
            .map_or_else(|| (super::draft::argument(word), None), |(name, value)| (name, Some(value))),
    )
}

/// The number of lines of `tail -20`, `tail -n 20`, `head -n20`.
pub(super) fn lines(words: &[Word]) -> Option<u32> {
    let number = |word: &Word| {
        word.literal()?.trim_start_matches(['-', 'n', '=']).trim_start_matches("lines=").parse().ok()
    };
    words.iter().skip(1).find_map(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_flags_and_the_rest_are_told_apart() {
        let words: Vec<Word> = ["a", "-n", "ns", "--tail=5", "-it", "b", "--", "-c"].map(Word::text).to_vec();
        let args = Args::of(&words, &["-n"]);
        assert_eq!((args.text(0), args.text(1), args.text(2)), ("a", "b", ""));
        assert_eq!(args.value(&["--namespace", "-n"]).and_then(Word::literal), Some("ns"));
        assert_eq!(args.value(&["--tail"]).and_then(Word::literal), Some("5"));
        assert!(args.has(&["-it"]) && args.only(&["-n", "--tail", "-it"]) && !args.only(&["-n"]));
        assert_eq!(args.rest, Some(vec![Word::text("-c")]));
    }

    #[test]
    fn how_many_lines_are_wanted() {
        for line in [&["tail", "-20"][..], &["tail", "-n", "20"], &["head", "-n20"], &["tail", "--lines=20"]]
        {
            let words: Vec<Word> = line.iter().map(|word| Word::text(word)).collect();
            assert_eq!(lines(&words), Some(20), "{line:?}");
        }
    }
}
