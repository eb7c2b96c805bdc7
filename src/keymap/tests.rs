use super::Context::{Confirm, Detail, Dialog, Global, Input, Logs, Pods, Replay};
use super::*;
use proptest::prelude::*;

fn built_in() -> Keymap {
    Keymap::load(&[]).unwrap()
}

fn keys(text: &str) -> Vec<Key> {
    text.split(' ').map(|key| key.parse().unwrap()).collect()
}

/// Presses keys as the keyboard does and returns what the last one came to.
fn press(keymap: &Keymap, contexts: &[Context], text: &str) -> Resolution {
    let mut pending = Vec::new();
    let mut last = Resolution::None;
    for key in keys(text) {
        last = keymap.resolve(contexts, &pending, key);
        if matches!(last, Resolution::Pending(_)) { pending.push(key) } else { pending.clear() }
    }
    last
}

fn shown(resolution: &Resolution) -> String {
    match resolution {
        Resolution::Action(action) => action.to_string(),
        Resolution::Typed(c) => format!("types {c}"),
        Resolution::Pending(menu) => format!("{} ▸", menu.title),
        Resolution::None => "nothing".into(),
    }
}

fn mistakes(text: &str) -> Vec<String> {
    let found = Keymap::load(&[("mine.toml", text)]).err().unwrap_or_default();
    found.iter().map(Mistake::to_string).collect()
}

#[test]
fn keys_mean_what_the_innermost_context_says() {
    for (contexts, pressed, expected) in [
        (&[Pods, Global][..], "l", "logs"),
        (&[Global], "l", "nothing"),
        (&[Pods, Global], "m", "mitigate ▸"),
        (&[Pods, Global], "m u", "step rollout-undo"),
        (&[Pods, Global], "m z", "nothing"),
        (&[Pods, Global], "y", "manifest"),
        (&[Pods, Global], "c n", "copy-name"),
        (&[Pods, Global], "m esc j", "down"),
        (&[Pods, Global], "g", "top"),
        (&[Pods, Replay, Global], "g", "seek"),
        (&[Pods, Replay, Global], "space", "play-pause"),
        (&[Pods, Global], "space", "nothing"),
        (&[Logs, Global], "f", "follow"),
        (&[Confirm, Pods, Global], "y", "confirm"),
        (&[Confirm, Pods, Global], "m", "nothing"),
        (&[Confirm, Pods, Global], "A", "arm"),
        (&[Confirm, Pods, Global], "ctrl-x", "stop-all"),
        (&[Input, Confirm, Pods, Global], "y", "types y"),
        (&[Input, Confirm, Pods, Global], "space", "types  "),
        (&[Input, Confirm, Pods, Global], "enter", "input-accept"),
        (&[Input, Confirm, Pods, Global], "alt-y", "nothing"),
        (&[Input, Pods, Replay, Global], "ctrl-z", "suspend"),
        (&[Dialog, Global], "ctrl-l", "redraw"),
    ] {
        assert_eq!(shown(&press(&built_in(), contexts, pressed)), expected, "{pressed} in {contexts:?}");
    }
}

#[test]
fn a_menu_lists_the_rows_that_its_keys_resolve_to() {
    let keymap = Keymap::load(&[(
        "mine.toml",
        "pods = [{ on = ['m', 'x', 'y'], run = 'describe' }, { on = ['m', 'x'], title = 'more' }]",
    )])
    .unwrap();
    let Resolution::Pending(menu) = press(&keymap, &[Pods, Global], "m") else { panic!("m opens a menu") };
    assert_eq!(menu.title, "mitigate");
    let entries: Vec<_> =
        menu.entries.iter().map(|entry| (entry.key.to_string(), entry.label.as_str(), entry.opens)).collect();
    assert_eq!(entries[..2], [("x".into(), "more", true), ("u".into(), "Roll back a deployment", false)]);
    assert_eq!(shown(&press(&keymap, &[Pods, Global], "m x y")), "describe");
    assert_eq!(shown(&press(&keymap, &[Pods, Global], "m u")), "step rollout-undo");
}

#[test]
fn a_user_file_replaces_row_by_row() {
    let keymap = Keymap::load(&[(
        "mine.toml",
        "global = [{ on = ['q'], run = 'none' }, { on = ['Q'], run = 'quit' }, { on = ['m'], run = 'none' }, { on = ['m'], run = 'note' }]",
    )])
    .unwrap();
    for (pressed, expected) in
        [("q", "nothing"), ("Q", "quit"), ("m", "note"), ("ctrl-c", "quit"), ("T", "toggle-clock")]
    {
        assert_eq!(shown(&press(&keymap, &[Global], pressed)), expected, "{pressed}");
    }
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let text = r#"
[[pods]]
on = ["l"]
run = "lgos"

[[pods]]
on = ["ctrl-entre", "pagdown"]
run = "down"
decs = "x"

[[pots]]
on = ["x"]
run = "down"

[[global]]
on = ["m"]
run = "note"

[[global]]
on = ["m"]
title = "again"

[[global]]
on = ["Z", "a"]
run = "zoom"

[[global]]
on = ["Z"]
run = "redraw"

[[confirm]]
on = ["x"]
run = "quit"

[[input]]
on = ["x"]
run = "input-clear"

[[pods]]
on = ["X"]
run = "none"

[[pods]]
on = []
"#;
    assert_eq!(
        mistakes(text),
        [
            r#"mine.toml:4:7: no such action "lgos"; did you mean "logs"?"#,
            r#"mine.toml:7:7: no such key "ctrl-entre"; did you mean "ctrl-enter"?"#,
            r#"mine.toml:7:21: no such key "pagdown"; did you mean "pagedown"?"#,
            r#"mine.toml:9:1: no such field "decs"; did you mean "desc"?"#,
            r#"mine.toml:11:3: no such context "pots"; did you mean "pods"?"#,
            r#"mine.toml:15:1: m hides m u (step rollout-undo) in global; take the menu away first: on = ["m"], run = "none""#,
            "mine.toml:19:1: global has a row for m already, in line 15",
            "mine.toml:23:1: Z a can never be reached in global: Z runs redraw (mine.toml:27:1)",
            "mine.toml:31:1: quit does nothing in confirm",
            "mine.toml:35:1: x types in a text field and cannot be bound there",
            "mine.toml:39:1: nothing to take away: pods has no X",
            r#"mine.toml:43:1: a row has either "run" or "title""#,
        ]
    );
}

fn named(name: &str, files: &[(&str, &str)]) -> Result<Keymap, Vec<String>> {
    let mistakes = |found: Vec<Mistake>| found.iter().map(ToString::to_string).collect();
    Keymap::named(name, &Location::start_of("config.toml"), files).map_err(mistakes)
}

#[test]
fn every_built_in_keymap_is_without_mistakes_and_names_its_menus() {
    for name in Keymap::names(&[]) {
        let keymap = named(name, &[]).unwrap();
        for (context, layer) in &keymap.layers {
            for binding in layer.bindings.iter().filter(|binding| binding.on.len() > 1) {
                assert!(
                    (1..binding.on.len()).all(|length| layer.titles.contains_key(&binding.on[..length])),
                    "{name} {context} {:?}",
                    binding.on
                );
            }
        }
    }
}

#[test]
fn hands_find_what_they_know() {
    for (name, contexts, pressed, expected) in [
        ("k9s", &[Pods, Global][..], "s", "step scale"),
        ("k9s", &[Pods, Global], "ctrl-l", "step rollout-undo"),
        ("k9s", &[Pods, Global], "c", "copy-name"),
        ("k9s", &[Logs, Global], "c", "copy-name"),
        ("k9s", &[Pods, Global], "y", "manifest"),
        ("k9s", &[Pods, Global], "ctrl-z", "toggle-faults"),
        ("k9s", &[Pods, Global], "ctrl-d", "nothing"),
        ("k9s", &[Pods, Global], "ctrl-k", "nothing"),
        ("k9s", &[Pods, Global], "q", "cancel"),
        ("k9s", &[Pods, Global], "l", "logs"),
        ("vim", &[Pods, Global], "g g", "top"),
        ("vim", &[Pods, Global], "G", "bottom"),
        ("vim", &[Pods, Global], "ctrl-w w", "focus-next"),
        ("vim", &[Pods, Global], "y y", "copy-name"),
        ("vim", &[Detail, Global], "y l", "copy-link"),
        ("vim", &[Pods, Global], "g y", "manifest"),
        ("vim", &[Pods, Global], "c", "nothing"),
        ("vim", &[Pods, Global], "Z Z", "quit"),
        ("vim", &[Pods, Replay, Global], "g", "seek"),
    ] {
        assert_eq!(
            shown(&press(&named(name, &[]).unwrap(), contexts, pressed)),
            expected,
            "{name}: {pressed} in {contexts:?}"
        );
    }
}

#[test]
fn a_keymap_inherits_and_lies_over_the_built_in_one_of_its_name() {
    let files = [
        ("keymaps/mine.toml", "inherits = 'vim'\nglobal = [{ on = ['Q'], run = 'quit' }]"),
        ("keymaps/vim.toml", "global = [{ on = ['g', 'q'], run = 'quit' }]"),
        ("keymaps/a.toml", "inherits = 'b'"),
        ("keymaps/b.toml", "inherits = 'a'"),
    ];
    let mine = named("mine", &files).unwrap();
    for (pressed, expected) in [("Q", "quit"), ("g q", "quit"), ("g g", "top"), ("j", "down")] {
        assert_eq!(shown(&press(&mine, &[Pods, Global], pressed)), expected, "{pressed}");
    }
    assert_eq!(named("a", &files).unwrap_err(), [r#"keymaps/b.toml:1:12: keymap "a" inherits from itself"#]);
    assert_eq!(
        named("vmi", &files).unwrap_err(),
        [r#"config.toml:1:1: no such keymap "vmi"; did you mean "vim"?"#]
    );
    assert_eq!(Keymap::names(&files), ["default", "k9s", "vim", "mine", "a", "b"]);
    let lost = [("keymaps/c.toml", "inherits = 'vmi'\nglobal = [{ on = ['Q'], run = 'qiut' }]")];
    let mistakes = [
        r#"keymaps/c.toml:1:12: no such keymap "vmi"; did you mean "vim"?"#,
        r#"keymaps/c.toml:2:31: no such action "qiut"; did you mean "quit"?"#,
    ];
    assert_eq!(named("c", &lost).unwrap_err(), mistakes);
}

#[test]
fn what_stops_everything_keeps_a_key() {
    assert_eq!(
        mistakes("pods = [{ on = ['ctrl-x'], run = 'describe' }]"),
        ["mine.toml:1:1: stop-all has no key left in pods"]
    );
    assert_eq!(
        mistakes("confirm = [{ on = ['y'], run = 'none' }]"),
        ["mine.toml:1:1: confirm has no key left in confirm"]
    );
}

#[test]
fn the_footer_shows_the_innermost_hints_and_every_menu() {
    let labels = |contexts: &[Context]| {
        let hints = built_in().hints(contexts);
        hints
            .iter()
            .map(|hint| format!("{} {}{}", hint.key, hint.label, if hint.opens { " ▸" } else { "" }))
            .collect::<Vec<_>>()
    };
    let pods = labels(&[Pods, Global]);
    assert_eq!(pods[0], "l logs");
    assert_eq!(pods.iter().filter(|label| *label == "m mitigate ▸").count(), 1);
    let confirm = labels(&[Confirm, Pods, Global]);
    assert_eq!(confirm, ["y go ahead", "esc cancel", "A arm", "d full diff", "c copy", "ctrl-x stop all"]);
}

#[test]
fn help_shows_no_key_that_does_something_else() {
    let keymap = built_in();
    let contexts = [Pods, Replay, Global];
    for group in keymap.help(&contexts) {
        for row in group.rows {
            for keys in row.keys {
                let (key, pending) = keys.split_last().unwrap();
                assert_eq!(shown(&keymap.resolve(&contexts, pending, *key)), row.action);
            }
        }
    }
}

#[test]
fn every_menu_of_the_built_in_keymap_has_a_title() {
    let keymap = built_in();
    for (context, layer) in &keymap.layers {
        for binding in layer.bindings.iter().filter(|binding| binding.on.len() > 1) {
            for length in 1..binding.on.len() {
                assert!(layer.titles.contains_key(&binding.on[..length]), "{context} {:?}", binding.on);
            }
        }
        for title in layer.titles.keys() {
            assert!(
                layer
                    .bindings
                    .iter()
                    .any(|binding| binding.on.len() > title.len() && binding.on.starts_with(title))
            );
        }
    }
}

#[test]
fn every_action_has_a_key_or_a_reason() {
    let typed_only: [Action; 0] = [];
    let keymap = built_in();
    let bound: Vec<&Action> =
        keymap.layers.values().flat_map(|layer| &layer.bindings).map(|binding| &binding.run).collect();
    let unbound: Vec<&Action> = Action::PLAIN.iter().filter(|action| !bound.contains(action)).collect();
    assert_eq!(unbound, typed_only.iter().collect::<Vec<_>>());
}

#[test]
fn a_step_that_no_runbook_has_is_reported_where_it_is_bound() {
    let keymap = Keymap::load(&[("mine.toml", "pods = [{ on = ['R'], run = 'step rollout-und' }]")]).unwrap();
    let runbook = crate::runbook::embedded().unwrap();
    let known: Vec<&str> = runbook.steps.iter().map(|step| step.id.as_str()).collect();
    let found: Vec<_> = keymap.unknown_steps(&known).iter().map(Mistake::to_string).collect();
    assert_eq!(found, [r#"mine.toml:1:9: no such step "rollout-und"; did you mean "rollout-undo"?"#]);
}

#[test]
fn the_table_of_keys_names_every_action_that_has_one() {
    let table = built_in().markdown();
    assert!(table.contains("| global | <kbd>m u</kbd> | `step rollout-undo` | Roll back a deployment |\n"));
    assert!(
        table.lines().all(|line| line.matches(" | ").count() == 3 || line.starts_with("|---")),
        "{table}"
    );
}

proptest! {
    #[test]
    fn any_keys_in_any_contexts_resolve_and_a_menu_is_never_empty(
        contexts in prop::collection::vec(prop::sample::select(Context::ALL), 0..4),
        pressed in prop::collection::vec(prop::sample::select(vec!["m", "t", "c", "i", "u", "x", "esc", "ctrl-x", "space", "enter"]), 1..4),
    ) {
        let resolution = press(&built_in(), &contexts, &pressed.join(" "));
        if let Resolution::Pending(menu) = resolution {
            prop_assert!(!menu.entries.is_empty());
        }
    }

    #[test]
    fn no_text_makes_the_loader_panic(text in "[a-z\\[\\]=\"'{}, \n]{0,80}") {
        let _ = Keymap::load(&[("mine.toml", &text)]);
    }
}

#[test]
fn the_keys_told_of_an_action_run_it() {
    let keymap = built_in();
    for inner in Context::ALL {
        let contexts = [*inner, Global];
        for action in Action::PLAIN {
            let Some(keys) = keymap.keys_of(&contexts, action) else { continue };
            let (last, before) = keys.split_last().unwrap();
            assert_eq!(
                keymap.resolve(&contexts, before, *last),
                Resolution::Action(action.clone()),
                "{inner}: {action}"
            );
        }
    }
    assert_eq!(
        keymap.keys_of(&[Confirm, Global], &Action::Help),
        None,
        "a question keeps the keyboard to itself"
    );
    assert_eq!(keymap.keys_of(&[Confirm, Global], &Action::StopAll).map(sequence).as_deref(), Some("ctrl-x"));
}
