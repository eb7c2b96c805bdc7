//! A program of this machine → an external command: its words as an argument vector, holes as typed inputs.

use super::args::Args;
use super::draft::{Draft, Input, Variables, With, argument, input_kind, input_name};
use super::judge;
use super::lex::{Piece, Word};
use crate::clean::redact::is_secret_key;
use crate::event::{Danger, StepCall};
use crate::step::input::InputKind;

/// Makes a step of these words; `before` are words that it is run by: `sudo`, `env A=b`.
///
/// # Errors
/// Why a person has to do it.
pub(super) fn program(before: &[Word], words: &[Word], variables: &Variables) -> Result<Draft, String> {
    let Some(program) = words.first().and_then(Word::literal).filter(|program| is_program(program)) else {
        return Err("not a program".to_owned());
    };
    if let Some(why) = judge::wants_a_person(words) {
        return Err(why.to_owned());
    }
    if judge::runs_a_program_as_text(&words.iter().map(argument).collect::<Vec<_>>()) {
        return Err("a program as text, which is never run".to_owned());
    }
    if let Some(text) = before.iter().chain(words).find_map(Word::expands) {
        return Err(format!("only a shell could work out {text}"));
    }
    let danger = judge::danger(words);
    let mut made = Draft::new("command", danger, title(words));
    let mut argv = Vec::new();
    for word in before {
        holes(word, "", variables, &mut made)?;
        argv.push(escaped(word));
    }
    argv.extend(context(program, words));
    let mut flag = String::new();
    for word in &words[1..] {
        let word = if is_script(program) { with_input(word, &mut made) } else { word.clone() };
        holes(&word, &flag, variables, &mut made)?;
        argv.push(escaped(&word));
        flag = word.split_once('=').map_or_else(|| argument(&word), |(name, _)| name);
    }
    let typed =
        made.inputs.iter().find(|input| input.name.contains("version") || input.name.contains("revision"));
    let typed = typed.filter(|_| danger == Danger::Destructive).map(|input| input.name.clone());
    made.with.push(("argv", With::List(argv)));
    made.with.extend(typed.map(|name| ("typed", With::Text(name))));
    Ok(made)
}

/// A word that a program could be called by.
fn is_program(word: &str) -> bool {
    let name = judge::name(word);
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.+-".contains(c);
    let slash_command = word.starts_with('/') && word.matches('/').count() == 1;
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    begins && name.chars().all(fits) && !slash_command && !word.ends_with(':')
}

/// A file beside the runbook, whose arguments are examples rather than rules.
fn is_script(program: &str) -> bool {
    program.starts_with("./") || judge::is_script(program) || program == "eksctl"
}

/// The program, bound to the cluster that the step is done in.
fn context(program: &str, words: &[Word]) -> Vec<String> {
    let flag = match judge::name(program) {
        "kubectl" => "--context",
        "helm" => "--kube-context",
        _ => "",
    };
    let given = words.iter().any(|word| argument(word).starts_with(flag));
    let bound = (!flag.is_empty() && !given).then(|| format!("{flag}={{context}}"));
    [program.to_owned()].into_iter().chain(bound).collect()
}

/// `--version=v1.2.2` of a script: an input that is `v1.2.2` unless another is given.
fn with_input(word: &Word, made: &mut Draft) -> Word {
    let value = word.split_once('=').filter(|(name, _)| name.starts_with("--"));
    let Some((name, value)) = value else { return word.clone() };
    let Some(default) = value.literal().filter(|value| !value.is_empty()) else { return word.clone() };
    let hole = name.trim_start_matches('-').to_owned();
    let kind = if default.parse::<u16>().is_ok() { InputKind::Count } else { InputKind::Text };
    made.inputs.push(Input { name: input_name(&hole), kind: Some(kind), default: Some(default.to_owned()) });
    Word(vec![Piece::Text(format!("{name}=")), Piece::Hole(hole)])
}

/// Adds an input for each hole of a word.
fn holes(word: &Word, flag: &str, variables: &Variables, made: &mut Draft) -> Result<(), String> {
    for piece in &word.0 {
        let Piece::Hole(hole) = piece else { continue };
        if is_secret_key(hole) {
            return Err(format!("{hole} is a secret, and an argument can be read by others"));
        }
        let name = input_name(hole);
        if name.is_empty() || name == StepCall::CONTEXT || made.inputs.iter().any(|input| input.name == name)
        {
            continue;
        }
        let default = variables.get(hole).and_then(Word::literal).map(str::to_owned);
        made.inputs.push(Input { name, kind: Some(input_kind(hole, flag)), default });
    }
    Ok(())
}

/// The word as an argument, its own braces doubled.
fn escaped(word: &Word) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => Piece::Text(text.replace('{', "{{").replace('}', "}}")),
        other => other.clone(),
    };
    argument(&Word(word.0.iter().map(piece).collect()))
}

/// `kubectl describe pod`: the program and its first words.
pub(super) fn title(words: &[Word]) -> String {
    let program = words.first().and_then(Word::literal).map(judge::name).unwrap_or_default();
    let args = Args::of(words.get(1..).unwrap_or_default(), &["-n", "--namespace", "-X", "-u"]);
    let plain = args
        .words
        .iter()
        .filter_map(Word::literal)
        .filter(|word| word.len() < 40 && !word.contains(['{', '\n']));
    [program].into_iter().chain(plain.take(2)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::lex::{Token, tokens};
    use super::*;

    fn made(line: &str) -> Result<String, String> {
        let words: Vec<Word> = tokens(line)
            .unwrap()
            .into_iter()
            .filter_map(|token| if let Token::Word(word) = token { Some(word) } else { None })
            .collect();
        let draft = program(&[], &words, &Variables::new())?;
        let inputs = draft
            .inputs
            .iter()
            .map(|i| format!("{}:{}={}", i.name, i.kind.unwrap(), i.default.as_deref().unwrap_or("?")));
        Ok(format!("{} {:?} {}", draft.danger, draft.with, inputs.collect::<Vec<_>>().join(" ")))
    }

    #[test]
    fn words_become_an_argument_vector_and_holes_inputs() {
        for (line, expected) in [
            (
                "pd-cli incident acknowledge <incident-id>",
                r#"change [("argv", List(["pd-cli", "incident", "acknowledge", "{incident-id}"]))] incident-id:text=?"#,
            ),
            (
                "./scripts/rollback-migration.sh --version=v1.2.2",
                r#"destructive [("argv", List(["./scripts/rollback-migration.sh", "--version={version}"])), ("typed", Text("version"))] version:text=v1.2.2"#,
            ),
            (
                "eksctl scale nodegroup --cluster=prod --nodes=10",
                r#"change [("argv", List(["eksctl", "scale", "nodegroup", "--cluster={cluster}", "--nodes={nodes}"]))] cluster:text=prod nodes:count=10"#,
            ),
            (
                "docker inspect --format '{{.State}}' x",
                r#"read [("argv", List(["docker", "inspect", "--format", "{{{{.State}}}}", "x"]))] "#,
            ),
            (
                "kubectl describe pod $POD -n $NAMESPACE",
                r#"read [("argv", List(["kubectl", "--context={context}", "describe", "pod", "{pod}", "-n", "{namespace}"]))] pod:pod=? namespace:namespace=?"#,
            ),
        ] {
            assert_eq!(made(line).unwrap(), expected, "{line}");
        }
    }

    #[test]
    fn what_only_a_shell_or_a_person_can_do_is_no_external_command() {
        for (line, why) in [
            ("rm *.log", "only a shell could work out *"),
            ("curl -H \"Authorization: Bearer $API_TOKEN\" x", "API_TOKEN is a secret"),
            ("/incident declare", "not a program"),
            ("Check the dashboards", "not a program"),
            ("bash -c 'rm -rf /'", "a shell line"),
            ("docker exec web bash -ex -c 'rm -rf /data'", "a shell line"),
            ("docker exec web python3 -Ic 'x()'", "a program as text"),
            ("perl -ne x", "a program as text"),
        ] {
            assert!(made(line).unwrap_err().starts_with(why), "{line}");
        }
    }
}
