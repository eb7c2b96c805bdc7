//! The flags of a program that is known, told apart as getopt does it: `-sX POST`, `-d'{…}'`, `--data=x`.

/// Flags that a program has; each list is of words with blanks between.
pub(super) struct Known {
    /// Letters of those without a value.
    pub bare: &'static str,
    /// Letters of those with a value.
    pub valued: &'static str,
    /// Names of those without a value.
    pub long_bare: &'static str,
    /// Names of those with a value.
    pub long_valued: &'static str,
}

/// What a program was given.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Given<'a> {
    /// Flags without their dashes, each with its value; that of a flag without one is empty.
    pub flags: Vec<(&'a str, &'a str)>,
    /// Words that are no flags.
    pub words: Vec<&'a str>,
}

impl Given<'_> {
    /// Returns whether any of these flags is there.
    pub fn has(&self, names: &[&str]) -> bool {
        self.flags.iter().any(|(name, _)| names.contains(name))
    }

    /// Returns the values of these flags, in their order.
    pub fn values(&self, names: &[&str]) -> Vec<&str> {
        self.flags.iter().filter(|(name, _)| names.contains(name)).map(|(_, value)| *value).collect()
    }
}

impl Known {
    /// Tells flags and words apart; `None` where a flag is not known, or its value is missing.
    pub fn read<'a>(&self, args: &'a [String]) -> Option<Given<'a>> {
        let mut given = Given::default();
        let mut args = args.iter().map(String::as_str);
        while let Some(arg) = args.next() {
            if arg == "--" {
                given.words.extend(args.by_ref());
            } else if let Some(long) = arg.strip_prefix("--") {
                let flag = self.long(long, &mut args)?;
                given.flags.push(flag);
            } else if arg.len() > 1 && arg.starts_with('-') {
                self.letters(&arg[1..], &mut args, &mut given)?;
            } else {
                given.words.push(arg);
            }
        }
        Some(given)
    }

    /// `name=value`, `name value`, `name`.
    fn long<'a>(
        &self,
        flag: &'a str,
        rest: &mut impl Iterator<Item = &'a str>,
    ) -> Option<(&'a str, &'a str)> {
        match flag.split_once('=') {
            Some((name, value)) => listed(self.long_valued, name).then_some((name, value)),
            None if listed(self.long_bare, flag) => Some((flag, "")),
            None if listed(self.long_valued, flag) => Some((flag, rest.next()?)),
            None => None,
        }
    }

    /// `sX`: what follows a letter with a value is that value.
    fn letters<'a>(
        &self,
        cluster: &'a str,
        rest: &mut impl Iterator<Item = &'a str>,
        given: &mut Given<'a>,
    ) -> Option<()> {
        for (at, letter) in cluster.char_indices() {
            let (name, value) = cluster[at..].split_at(letter.len_utf8());
            if self.valued.contains(letter) {
                given.flags.push((name, if value.is_empty() { rest.next()? } else { value }));
                return Some(());
            }
            if !self.bare.contains(letter) {
                return None;
            }
            given.flags.push((name, ""));
        }
        Some(())
    }
}

/// Whether a word is one of a list with blanks between.
pub(super) fn listed(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|one| one == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOME: Known = Known { bare: "sG", valued: "Xd", long_bare: "get iso", long_valued: "data iso" };

    #[test]
    fn letters_stand_together_and_what_is_not_known_is_told() {
        let args = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<String>>();
        let line = args("-sX POST -d{} u --data=x --data y --get --iso=z --iso -- -q");
        let given = SOME.read(&line).unwrap();
        let flags = [
            ("s", ""),
            ("X", "POST"),
            ("d", "{}"),
            ("data", "x"),
            ("data", "y"),
            ("get", ""),
            ("iso", "z"),
            ("iso", ""),
        ];
        assert_eq!((given.flags.as_slice(), given.words.as_slice()), (&flags[..], &["u", "-q"][..]));
        assert!(given.has(&["G", "get"]) && given.values(&["data"]) == ["x", "y"]);
        for line in ["-q", "-sq", "--dat x", "--get=x", "-X"] {
            assert_eq!(SOME.read(&args(line)), None, "{line}");
        }
    }
}
