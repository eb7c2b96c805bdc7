use std::process::Command as Process;

use proptest::prelude::*;

use super::*;
use crate::step::samples::cases;

/// The words that a shell makes of a line.
fn split(shell: &str, line: &str) -> Vec<String> {
    let script = format!("for word in {line}; do printf '%s\\0' \"$word\"; done");
    let output = Process::new(shell).arg("-c").arg(script).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_terminator('\0').map(str::to_owned).collect()
}

fn shells() -> Vec<&'static str> {
    ["sh", "bash", "dash"]
        .into_iter()
        .filter(|shell| Process::new(shell).arg("-c").arg(":").output().is_ok())
        .collect()
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z-]{1,8}",
        "[ -~]{0,12}",
        "\\PC{0,8}",
        "[\\x01-\\x1f\\x7f'\"$`\\\\ !*?~#;&|<>%-]{0,10}",
        Just("\n".to_owned()),
        Just("a\n\n".to_owned()),
        Just("$(rm -rf /)".to_owned()),
        Just("-n".to_owned()),
        Just("-\u{1b}x".to_owned()),
        Just("\u{202e}'\u{200b}%s\\n".to_owned()),
        Just(String::new()),
    ]
}

proptest! {
    #![proptest_config(cases(40, 400))]

    #[test]
    fn a_shell_splits_a_command_into_exactly_the_words_that_were_meant(words in prop::collection::vec(hostile(), 1..24)) {
        let line = line(&words.iter().map(|word| Word::from(word.as_str())).collect::<Vec<_>>());
        let text = line.to_copy().unwrap();
        prop_assert_eq!(cleaned(&text), text.as_str(), "it is one clean line");
        for shell in shells() {
            prop_assert_eq!(&split(shell, &text), &words, "{}: {}", shell, text);
        }
    }
}

#[test]
fn what_hides_is_marked_and_a_secret_is_not_copied() {
    let flag = [Word::from("set"), Word::hiding("F=off", "F=‹set›", "F", false)];
    let command = line(&flag);
    assert_eq!((command.shown.as_str(), command.to_copy().as_deref()), ("set 'F=‹set›'", Some("set F=off")));
    let secret = line(&[Word::hiding("P=x", "P=‹set›", "P", true)]);
    assert_eq!((secret.to_copy(), secret.hides), (None, vec!["P".into()]));
    let read: Command = serde_json::from_str(&serde_json::to_string(&command).unwrap()).unwrap();
    assert_eq!((read.to_copy(), read == command), (None, true), "a recording does not have it");
    let old: Command = serde_json::from_str("\"kubectl get pods\"").unwrap();
    assert_eq!(old.to_copy().unwrap(), "kubectl get pods");
}
