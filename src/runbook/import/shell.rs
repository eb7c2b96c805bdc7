//! A block of a shell's lines → its commands: prompts, continued lines, comments, here documents, loops.

use super::document::phrase;
use super::lex::{Token, Word, tokens};

/// A command of a block.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Command {
    /// Line that it begins in.
    pub line: usize,
    /// The command as it stands there, without prompts and indentation.
    pub text: String,
    /// The comment above it; empty where there is none.
    pub comment: String,
    /// Whether the comment stands above other commands too.
    pub shared: bool,
    /// What it says.
    pub body: Body,
}

/// What a command says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Body {
    /// Words and what joins them, with the here document that they are given.
    Line(Vec<Token>, Option<String>),
    /// `for variable in items; do …; done`
    Loop {
        /// Name of the variable.
        variable: String,
        /// What it stands for, one after another.
        items: Vec<Word>,
        /// What is done with each.
        body: Vec<Token>,
    },
    /// Nothing that could be run, and why.
    Prose(&'static str),
}

/// Lines that a command has at most, here documents aside: each line more is read again with those before it.
const LONGEST: usize = 200;

type Lines<'a> = [(usize, &'a str)];

/// Reads the commands of a block. What is printed below a prompt is none.
pub(super) fn commands(lines: &[(usize, String)]) -> Vec<Command> {
    let lines = prompted(lines);
    let mut found: Vec<Command> = Vec::new();
    let mut comment = String::new();
    let mut first = 0; // of those below the comment
    let mut at = 0;
    while let Some((number, line)) = lines.get(at).copied() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            let follows = at > 0 && lines[at - 1].1.trim().starts_with('#');
            if line.is_empty() || !follows {
                comment = phrase(line.trim_start_matches('#'));
                first = found.len();
            }
            at += 1;
            continue;
        }
        let (taken, body) = command(&lines[at..]);
        let text = lines[at..at + taken].iter().map(|(_, line)| line.trim()).collect::<Vec<_>>().join("\n");
        at += taken;
        found.push(Command { line: number, text, comment: comment.clone(), shared: false, body });
        let many = found.len() - first > 1;
        found[first..].iter_mut().for_each(|one| one.shared = many && !comment.is_empty());
    }
    found
}

/// The lines that somebody typed, without their prompts; all of them where there is no prompt.
fn prompted(lines: &[(usize, String)]) -> Vec<(usize, &str)> {
    let plain: Vec<(usize, &str)> = lines.iter().map(|(number, line)| (*number, line.as_str())).collect();
    if !plain.iter().any(|(_, line)| prompt(line).is_some()) {
        return plain;
    }
    let mut goes_on = false;
    let mut typed = Vec::new();
    for (number, line) in plain {
        let comment = line.trim_start().starts_with('#') || line.trim().is_empty();
        let kept = match prompt(line) {
            Some(rest) => Some(rest),
            None if goes_on => Some(line.strip_prefix("> ").unwrap_or(line)),
            None => comment.then_some(line),
        };
        goes_on = kept.is_some_and(|kept| kept.ends_with('\\'));
        typed.extend(kept.map(|kept| (number, kept)));
    }
    typed
}

/// What stands behind a prompt: `$ `, `% `, `user@host:~$ `.
fn prompt(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let bare =
        line.strip_prefix("$ ").or_else(|| line.strip_prefix("% ")).or_else(|| line.strip_prefix("❯ "));
    bare.or_else(|| {
        let (host, rest) = line.split_once("$ ").or_else(|| line.split_once("# "))?;
        (host.contains('@') && !host.contains(' ')).then_some(rest)
    })
}

/// The command that begins here, and how many lines it has.
fn command(lines: &Lines<'_>) -> (usize, Body) {
    if is_item(lines[0].1) {
        let taken = lines.iter().take_while(|(_, line)| is_item(line)).count();
        return (taken, Body::Prose("a list, not a command"));
    }
    let whole = (1..=lines.len().min(LONGEST)).find_map(|taken| {
        let text = lines[..taken].iter().map(|(_, line)| *line).collect::<Vec<_>>().join("\n");
        let odd = text.len() - text.trim_end_matches('\\').len();
        let tokens = tokens(&text).ok().filter(|tokens| odd % 2 == 0 && !is_open(tokens))?;
        Some((taken, tokens))
    });
    let Some((taken, tokens)) = whole else {
        return (lines.len(), Body::Prose("a quote, a loop or a condition that does not close"));
    };
    match here(&tokens) {
        Some(end) => {
            let rest = &lines[taken..];
            let inside = rest.iter().take_while(|(_, line)| line.trim() != end).count();
            let document: Vec<&str> = rest[..inside].iter().map(|(_, line)| *line).collect();
            (taken + (inside + 1).min(rest.len()), Body::Line(tokens, Some(document.join("\n"))))
        }
        None => (taken, read_loop(&tokens).unwrap_or(Body::Line(tokens, None))),
    }
}

fn is_item(line: &str) -> bool {
    let line = line.trim_start();
    let numbered = line.trim_start_matches(|c: char| c.is_ascii_digit());
    ["- ", "* ", "• "].iter().any(|mark| line.starts_with(mark))
        || (numbered.len() < line.len() && numbered.starts_with(". "))
}

/// Words that open something, and what closes it.
const BLOCKS: [(&str, &str); 4] = [("do", "done"), ("then", "fi"), ("case", "esac"), ("{", "}")];

/// Whether the words stop within a loop or a condition.
fn is_open(tokens: &[Token]) -> bool {
    let count = |wanted: &str| {
        let starts = |at: usize| {
            at == 0 || matches!(tokens[at - 1], Token::Operator(_)) || is_word(&tokens[at - 1], "do")
        };
        (0..tokens.len()).filter(|at| starts(*at) && is_word(&tokens[*at], wanted)).count()
    };
    let begun = ["for", "while", "until"].iter().map(|word| count(word)).sum::<usize>() > count("done");
    begun || count("if") > count("fi") || BLOCKS.iter().any(|(open, close)| count(open) > count(close))
}

fn is_word(token: &Token, text: &str) -> bool {
    matches!(token, Token::Word(word) if word.literal() == Some(text))
}

/// The word that ends a here document.
fn here(tokens: &[Token]) -> Option<&str> {
    tokens.windows(2).find_map(|pair| match pair {
        [Token::Redirect(sign), Token::Word(end)] if sign.starts_with("<<") && sign != "<<<" => end.literal(),
        _ => None,
    })
}

fn read_loop(tokens: &[Token]) -> Option<Body> {
    let [Token::Word(begin), Token::Word(variable), rest @ ..] = tokens else { return None };
    if begin.literal() != Some("for") || !rest.first().is_some_and(|token| is_word(token, "in")) {
        return None;
    }
    let begins = rest.iter().position(|token| is_word(token, "do"))?;
    let ends = rest.iter().rposition(|token| is_word(token, "done"))?;
    let word = |token: &Token| if let Token::Word(word) = token { Some(word.clone()) } else { None };
    let items = rest[1..begins].iter().filter_map(word).collect();
    let body = rest.get(begins + 1..ends)?.to_vec();
    let last = rest[ends + 1..].iter().all(|token| *token == Token::Operator(";"));
    last.then(|| Body::Loop { variable: variable.literal().unwrap_or_default().to_owned(), items, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let lines: Vec<(usize, String)> = (1..).zip(text.lines().map(str::to_owned)).collect();
        let body = |body: &Body| match body {
            Body::Line(tokens, document) => format!("{} tokens {document:?}", tokens.len()),
            Body::Loop { variable, items, body } => format!("{variable} {} {}", items.len(), body.len()),
            Body::Prose(why) => (*why).to_owned(),
        };
        let one =
            |c: &Command| format!("{} {:?} {:?} {} {}", c.line, c.text, c.comment, c.shared, body(&c.body));
        commands(&lines).iter().map(one).collect()
    }

    #[test]
    fn comments_continued_lines_and_documents() {
        let text = "# Look:\na \\\n  b\nc\n\nkubectl apply -f - <<EOF\nkind: X\n# not a comment\nEOF\n# Ask\n- Is it?\n- Or not?\n";
        assert_eq!(
            told(text),
            [
                r#"2 "a \\\nb" "Look" true 2 tokens None"#,
                r#"4 "c" "Look" true 1 tokens None"#,
                r#"6 "kubectl apply -f - <<EOF\nkind: X\n# not a comment\nEOF" "" false 6 tokens Some("kind: X\n# not a comment")"#,
                r#"11 "- Is it?\n- Or not?" "Ask" false a list, not a command"#,
            ]
        );
    }

    #[test]
    fn loops_and_what_does_not_close() {
        assert_eq!(
            told("for s in a b; do\n  echo $s || x\ndone\nls")[0],
            "1 \"for s in a b; do\\necho $s || x\\ndone\" \"\" false s 2 6"
        );
        assert_eq!(
            told("echo 'a\nb"),
            [r#"1 "echo 'a\nb" "" false a quote, a loop or a condition that does not close"#]
        );
    }

    #[test]
    fn the_end_of_a_command_is_looked_for_in_so_many_lines() {
        let quoted = |lines: usize| told(&format!("echo '{}'", "a\n".repeat(lines - 1)));
        let (near, far) = (quoted(LONGEST), quoted(20_000));
        assert!(near.len() == 1 && near[0].ends_with(" 2 tokens None"), "{}", near.len());
        assert!(far.len() == 1 && far[0].ends_with(" that does not close"), "{}", far.len());
    }

    #[test]
    fn of_a_session_only_what_was_typed_is_a_command() {
        let text = "ops@bastion:~$ kubectl get nodes\nNAME  STATUS\n$ kubectl top \\\n> nodes\nNAME";
        assert_eq!(
            told(text),
            [
                r#"1 "kubectl get nodes" "" false 3 tokens None"#,
                r#"3 "kubectl top \\\nnodes" "" false 3 tokens None"#
            ]
        );
    }
}
