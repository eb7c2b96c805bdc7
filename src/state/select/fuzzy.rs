//! How well a typed text fits a name: all its characters must stand in the name in their order. For a few
//! hundred names a line of scoring does what a matcher library would; whole words and what stands together
//! come first.

/// Returns how well `typed` fits `name`, the more the better; `None` where it does not. Case does not matter,
/// blanks in `typed` neither.
pub fn fit(typed: &str, name: &str) -> Option<i32> {
    let mut score = 0;
    let mut rest = name.chars().enumerate().peekable();
    let mut before = ' ';
    let mut last = None;
    for wanted in typed.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase) {
        loop {
            let (at, c) = rest.next()?;
            let starts = !before.is_alphanumeric();
            before = c;
            if c.to_lowercase().eq([wanted]) {
                score +=
                    if last.is_some_and(|last| last + 1 == at) { 8 } else { 1 } + if starts { 6 } else { 0 };
                last = Some(at);
                break;
            }
        }
    }
    // Of two that fit as well the shorter is the nearer.
    Some(score * 16 - i32::try_from(name.len()).unwrap_or(i32::MAX / 32).min(255))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ranked<'a>(typed: &str, names: &[&'a str]) -> Vec<&'a str> {
        let mut found: Vec<_> = names.iter().filter_map(|name| Some((fit(typed, name)?, *name))).collect();
        found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        found.into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn what_was_meant_comes_first() {
        let names = [
            "focus-pods",
            "focus-previous",
            "full-diff",
            "page-down",
            "pods",
            "step rollout-undo",
            "theme nord",
            "theme-next",
        ];
        for (typed, first) in [
            ("pods", "pods"),
            ("fp", "focus-pods"),
            ("rollund", "step rollout-undo"),
            ("tn", "theme nord"),
            ("FD", "full-diff"),
        ] {
            assert_eq!(ranked(typed, &names).first(), Some(&first), "{typed}");
        }
        assert_eq!(ranked("xyz", &names), Vec::<&str>::new());
        assert_eq!(ranked("", &names).len(), names.len());
    }

    proptest! {
        #[test]
        fn a_name_fits_itself_best_of_all_that_begin_with_it(name in "[a-z-]{1,20}", more in "[a-z]{1,5}") {
            let longer = format!("{name}{more}");
            prop_assert!(fit(&name, &name) > fit(&name, &longer));
        }

        #[test]
        fn any_text_fits_or_does_not(typed in "\\PC{0,12}", name in "\\PC{0,24}") {
            let _ = fit(&typed, &name);
        }
    }
}
