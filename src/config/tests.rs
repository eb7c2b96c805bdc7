use std::fs;
use std::path::Path;

use super::*;
use crate::event::{Signal, Unit};
use crate::theme::{ColorDepth, Role, Theme};

/// A settings' folder with these files.
fn home(files: &[(&str, &str)]) -> (tempfile::TempDir, Paths) {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let paths = Paths { config_dir: dir.path().to_owned(), data_dir: dir.path().join("data") };
    (dir, paths)
}

fn loaded(files: &[(&str, &str)]) -> Config {
    let (_dir, paths) = home(files);
    load(&paths, ColorDepth::TrueColor).unwrap()
}

fn query(query: &str, unit: Unit, threshold: Option<f64>) -> Query {
    Query { query: query.into(), unit, threshold }
}

/// The mistakes, with the folder's own path left out.
fn mistakes(files: &[(&str, &str)]) -> Vec<String> {
    let (dir, paths) = home(files);
    let root = format!("{}/", dir.path().display());
    check(&paths, &[]).mistakes.iter().map(|mistake| mistake.to_string().replace(&root, "")).collect()
}

#[test]
fn without_files_everything_is_as_it_is_built_in() {
    let config = loaded(&[]);
    assert_eq!(config.settings.arm_minutes, 15);
    assert_eq!((config.settings.kafka, config.settings.prometheus), (None, Endpoint::default()));
    assert!(config.settings.rates == Rates::default());
    assert_eq!(config.themes.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), Theme::names(&[]));
    assert_eq!(
        config.keymaps.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["default", "k9s", "vim"]
    );
    assert!(config.runbook.step("rollout-undo").is_some());
}

#[test]
fn every_setting_is_read() {
    let text = r#"
theme = "light"
keymap = "mine"
context = "prod-eu"
namespace = "medcontract-prod"
read_only = ["prod-us"]
no_exec = true
runbook = "team.toml"
arm_minutes = 5
mouse = false
notify.bell = false
prometheus.url = "http://prometheus:9090/"
alertmanager.url = "https://alerts.example/base"
kafka = { mode = "exec", namespace = "data", pod = "kafka-1", bootstrap = "broker:9093" }
[rates]
threshold = 0.1
thresholds = { payments = 0.01 }
service = "app"
window = 60
errors = { query = "sum by ($service) (rate(e[$window]))", unit = "%" }
latency = { query = "l", unit = "ms", threshold = 500 }
"#;
    let step = "[[steps]]\nid = 'ours'\ntitle = 'Ours'\ndanger = 'change'\nkind = 'scale'\n";
    let keys = "global = [{ on = ['o'], run = 'step ours' }]";
    let config = loaded(&[("config.toml", text), ("team.toml", step), ("keymaps/mine.toml", keys)]);
    let expected = Settings {
        theme: Some("light".into()),
        keymap: Some("mine".into()),
        contexts: vec!["prod-eu".into()],
        namespaces: Some(vec!["medcontract-prod".into()]),
        read_only: ReadOnly::In(vec!["prod-us".into()]),
        no_exec: true,
        prometheus: "http://prometheus:9090".parse::<Where>().unwrap().into(),
        alertmanager: "https://alerts.example/base".parse::<Where>().unwrap().into(),
        kafka: Some(Kafka {
            namespace: Some("data".into()),
            pod: "kafka-1".into(),
            bootstrap: "broker:9093".parse().unwrap(),
            ..Kafka::default()
        }),
        rates: Rates {
            threshold: 0.1,
            thresholds: [("payments".into(), 0.01)].into(),
            window: Some(60),
            label: Some("app".into()),
            queries: [
                (Signal::Errors, query("sum by ($service) (rate(e[$window]))", Unit::Percent, None)),
                (Signal::Latency, query("l", Unit::Millis, Some(500.0))),
            ]
            .into(),
        },
        runbook: Some("team.toml".into()),
        mouse: false,
        notify: CallBy { bell: false, desktop: true },
        arm_minutes: 5,
        guardrails: Vec::new(),
    };
    assert_eq!(config.settings, expected);
    assert_eq!(config.themes[0].0, "light");
    assert!(config.runbook.step("ours").is_some());
    assert!(config.keymap().markdown().contains("`step ours`"));
}

#[test]
fn what_prometheus_is_asked_is_checked() {
    let settings = "[rates]\nthresholds = { a = 2 }\nwindow = 5\nerrors = { query = 'x', unit = 's', threshold = 1 }\n\
                    latency = { unit = 'sec' }\nlatncy = { query = 'x' }\n";
    let found = mistakes(&[("config.toml", settings)]);
    for expected in [
        "the threshold of a is 2, but must lie between 0 and 1",
        "window is 5, but must lie between 10 and 86400",
        "errors cannot be measured in \"s\": it can be \"/s\", \"/min\", \"ratio\", \"%\"",
        "errors have no threshold of their own",
        "\"query\" is missing",
        "no such unit \"sec\"",
        "no such setting of rates \"latncy\"; did you mean \"latency\"?",
    ] {
        assert!(found.iter().any(|told| told.contains(expected)), "{expected}: {found:#?}");
    }
}

#[test]
fn contexts_are_named_once() {
    for (settings, expected) in [
        ("contexts = ['eu', 'us', 'eu']", "context \"eu\" is named twice: once is enough"),
        (
            "context = 'eu'\ncontexts = ['us']",
            "\"context\" and \"contexts\" say the same thing: keep one of them",
        ),
    ] {
        let found = mistakes(&[("config.toml", settings)]);
        assert!(found.len() == 1 && found[0].contains(expected), "{expected}: {found:#?}");
    }
}

#[test]
fn the_mistakes_of_all_files_are_reported_at_once() {
    let settings = "thme = \"dark\"\ntheme = \"drak\"\nkeymap = \"mien\"\nrunbook = \"none.toml\"\narm_minutes = 0\nread_only = \"yes\"\n\
                    prometheus = { url = \"prometheus:9090\" }\nkafka.mode = \"exce\"\nrates = { treshold = 2 }\n";
    let found = mistakes(&[
        ("config.toml", settings),
        ("keymaps/mine.toml", "pods = [{ on = ['l'], run = 'lgos' }]"),
        ("keymaps/other.toml", "pods = [{ on = ['o'], run = 'step scael' }]"),
        ("themes/mine.toml", "roles = { txt = 'red' }"),
        ("themes/broken.toml", "inherits = mine"),
        ("runbooks/ours.toml", "[[steps]]\nid = 'x'"),
        ("themes/notes.txt", "not a theme"),
    ]);
    assert_eq!(
        found,
        [
            r#"config.toml:1:1: no such setting "thme"; did you mean "theme"?"#,
            r#"config.toml:2:9: no such theme "drak"; did you mean "dark"?"#,
            r#"config.toml:3:10: no such keymap "mien"; did you mean "mine"?"#,
            "config.toml:4:11: cannot read none.toml: No such file or directory (os error 2)",
            "config.toml:5:15: arm_minutes is 0, but must lie between 1 and 240",
            "config.toml:6:13: expected true or false, found string",
            r#"config.toml:7:22: "prometheus:9090" is not an address such as "http://prometheus:9090""#,
            r#"config.toml:8:14: no such way to read Kafka "exce"; did you mean "exec"?"#,
            r#"config.toml:9:11: no such setting of rates "treshold"; did you mean "threshold"?"#,
            r#"keymaps/mine.toml:1:29: no such action "lgos"; did you mean "logs"?"#,
            r#"keymaps/other.toml:1:9: no such step "scael"; did you mean "scale"?"#,
            r#"runbooks/ours.toml:1:1: "danger" is missing"#,
            r#"runbooks/ours.toml:1:1: "kind" is missing"#,
            r#"runbooks/ours.toml:1:1: "title" is missing"#,
            "themes/broken.toml:1:12: string values must be quoted, expected literal string",
            r#"themes/mine.toml:1:11: no such role "txt"; did you mean "text"?"#,
        ]
    );
}

#[test]
fn a_file_that_is_named_is_checked_as_what_its_folder_says() {
    let (dir, paths) = home(&[]);
    for (name, text, expected) in [
        ("a/config.toml", "theem = 'dark'", r#"1:1: no such setting "theem"; did you mean "theme"?"#),
        ("a/keymaps/k.toml", "pod = []", r#"1:1: no such context "pod"; did you mean "pods"?"#),
        ("a/themes/t.toml", "inherits = 'dork'", r#"1:12: no such theme "dork"; did you mean "dark"?"#),
        ("a/runbooks/r.toml", "nmae = 'x'", r#"1:1: no such setting "nmae"; did you mean "name"?"#),
        (
            "a/x.toml",
            "",
            "1:1: cannot tell what this file is: it is not config.toml, nor in a folder keymaps, themes or runbooks, and has no [[steps]]",
        ),
    ] {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        let found: Vec<_> =
            check(&paths, std::slice::from_ref(&path)).mistakes.iter().map(ToString::to_string).collect();
        assert_eq!(found, [format!("{}:{expected}", path.display())]);
    }
    let absent = check(&paths, &[dir.path().join("keymaps/none.toml")]).mistakes;
    assert!(absent[0].message.starts_with("cannot read "), "{}", absent[0]);
}

#[test]
fn a_terminal_with_few_colours_gets_the_theme_made_for_it() {
    let (_dir, paths) = home(&[]);
    for (depth, name) in
        [(ColorDepth::None, "sixteen"), (ColorDepth::Sixteen, "sixteen"), (ColorDepth::Indexed256, "dark")]
    {
        let config = load(&paths, depth).unwrap();
        assert_eq!(config.themes[0].0, name);
        assert_eq!(*config.themes[0].1, config.themes[0].1.at_depth(depth));
        assert_eq!(config.themes[0].1.style(Role::Text).fg.is_none(), depth == ColorDepth::None);
    }
}

#[test]
fn a_keymap_named_default_needs_no_setting() {
    let config =
        loaded(&[("keymaps/default.toml", "global = [{ on = ['Z'], run = 'zoom', desc = 'Ours' }]")]);
    assert!(config.keymap().markdown().contains("<kbd>Z</kbd>"));
}

#[test]
fn the_environment_moves_both_folders() {
    let env = |name: &str| Some(if name == "WARROOM_CONFIG_DIR" { "/c" } else { "/d" }.to_owned());
    let paths = Paths::find(env).unwrap();
    assert_eq!((paths.config_dir.as_path(), paths.data_dir.as_path()), (Path::new("/c"), Path::new("/d")));
}

#[test]
fn read_only_covers_what_it_lists() {
    assert!(ReadOnly::Everywhere.covers("prod") && !ReadOnly::Nowhere.covers("prod"));
    let some = ReadOnly::In(vec!["prod".into()]);
    assert!(some.covers("prod") && !some.covers("stage"));
}
