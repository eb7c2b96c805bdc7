//! The words of a command → pipelines that follow one another, each of programs with their words.

use super::lex::{Token, Word};

/// Programs whose output goes from one into the next.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Pipeline {
    /// The programs with their arguments.
    pub stages: Vec<Vec<Word>>,
    /// What is left out of it, in words.
    pub left_out: Vec<String>,
    /// Whether something reads a file or a here document.
    pub is_fed: bool,
    /// Whether what it prints is written to a file.
    pub writes: bool,
}

/// Splits words into pipelines.
///
/// # Errors
/// Why only a shell could run it.
pub(super) fn pipelines(tokens: &[Token]) -> Result<Vec<Pipeline>, String> {
    let mut all = vec![Pipeline { stages: vec![Vec::new()], ..Pipeline::default() }];
    let mut tokens = tokens.iter().peekable();
    let mut dropping = false; // what follows `||`, until the next command
    while let Some(token) = tokens.next() {
        let Some(current) = all.last_mut() else { break };
        match token {
            Token::Word(word) if dropping => keeps_quiet(word, current)?,
            Token::Word(word) => {
                if let Some(stage) = current.stages.last_mut() {
                    stage.push(word.clone());
                }
            }
            Token::Operator("|") if !dropping => current.stages.push(Vec::new()),
            Token::Operator("|") => {}
            Token::Operator("||") => dropping = true,
            Token::Operator("&&" | ";") => {
                dropping = false;
                all.push(Pipeline { stages: vec![Vec::new()], ..Pipeline::default() });
            }
            Token::Operator("&") => return Err("it runs in the background".to_owned()),
            Token::Operator(_) => return Err("it has a subshell or a function".to_owned()),
            Token::Redirect(sign) => {
                let to = tokens.next_if(|token| matches!(token, Token::Word(_)));
                current.redirect(sign, to);
            }
        }
    }
    all.retain(|pipeline| pipeline.stages.iter().any(|stage| !stage.is_empty()));
    Ok(all)
}

/// What stands behind `||` only says that something failed, or that it may.
fn keeps_quiet(word: &Word, pipeline: &mut Pipeline) -> Result<(), String> {
    if pipeline.left_out.iter().any(|left| left.starts_with("what stands behind ||")) {
        return Ok(());
    }
    if !word.literal().is_some_and(|word| ["echo", "true", ":", "exit", "printf"].contains(&word)) {
        return Err("what is done where it fails is for a person to decide".to_owned());
    }
    pipeline.left_out.push("what stands behind || is left out: the step says whether it failed".to_owned());
    Ok(())
}

impl Pipeline {
    fn redirect(&mut self, sign: &str, to: Option<&Token>) {
        let file = to.and_then(|token| if let Token::Word(word) = token { word.literal() } else { None });
        if sign.contains('<') {
            self.is_fed = true;
        } else if !sign.ends_with('&') && file != Some("/dev/null") {
            self.writes = true;
            self.left_out.push("its output is shown and not written to a file".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::lex::tokens;
    use super::*;

    fn told(line: &str) -> Result<Vec<String>, String> {
        let words = |stage: &Vec<Word>| {
            stage.iter().map(|word| word.literal().unwrap_or("?")).collect::<Vec<_>>().join(" ")
        };
        let one = |p: &Pipeline| {
            format!(
                "{} {}{}",
                p.stages.iter().map(words).collect::<Vec<_>>().join(" | "),
                p.left_out.len(),
                p.is_fed
            )
        };
        Ok(pipelines(&tokens(line).unwrap())?.iter().map(one).collect())
    }

    #[test]
    fn what_follows_one_another_is_apart_and_what_only_says_that_it_failed_is_left_out() {
        let split = told("a 1 | b && c 2>&1 > f || echo no; d >/dev/null 2>&1").unwrap();
        assert_eq!(split, ["a 1 | b 0false", "c 2false", "d 0false"]);
        assert_eq!(told("psql < f").unwrap(), ["psql 0true"]);
        for (line, why) in [("a || b", "for a person"), ("a &", "background"), ("(a)", "subshell")] {
            assert!(told(line).unwrap_err().contains(why), "{line}");
        }
    }
}
