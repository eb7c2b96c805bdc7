//! Documents → runbooks and back, by the program itself: what is printed, what is told, and what `check` says when
//! a document has moved on; the schema, and what it holds to be right and wrong.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod pty;

/// A build for tests is slower than the one that is held to a minute, and shares the machine with other tests.
const SLOWER: u64 = 5;

use std::fs;
use std::path::Path;

use pty::{Cluster, Home};
use serde_json::{Value, json};
use warroom::runbook::{BUILT_IN, schema};

fn data(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/runbooks").join(name)).unwrap()
}

#[test]
fn an_import_prints_a_runbook_and_tells_what_became_of_each_command() {
    let home = Home::new();
    home.write("runbook.md", &data("incident-response.md"));
    let path = home.path("runbook.md").display().to_string();
    let ran = home.run(&["runbook", "import", &path]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.out.starts_with("# Imported from ") && ran.out.contains("\nkind = \"traffic-divert\"\n"),
        "{ran:?}"
    );
    for told in [
        "runbook.md:110  kubectl get pods -A | grep -v Running → pods-not-running\n",
        "runbook.md:78  /incident declare [SEV1-4] [description] → create-incident-channel (by hand: not a program)\n",
        "runbook.md:248  ./scripts/rollback-migration.sh --version=v1.2.2 → for-migrations-see-data-recovery-runbook (command)\n",
        "35 commands: 34 can be run as steps, 1 left to a person",
    ] {
        assert!(ran.err.contains(told), "{told}: {}", ran.err);
    }
    let out = home.path("ours.toml").display().to_string();
    let written = home.run(&["runbook", "import", &path, "--out", &out]);
    assert_eq!((written.code, written.out.as_str()), (0, ""), "{written:?}");
    assert_eq!(fs::read_to_string(out).unwrap(), ran.out);
    let missing = home.run(&["runbook", "import", "/nowhere.md"]);
    assert_eq!((missing.code, missing.out.as_str()), (2, ""), "{missing:?}");
    assert!(missing.err.contains("cannot read /nowhere.md"), "{missing:?}");
    home.write("plugins.yaml", "plugins: [");
    let broken = home.run(&["runbook", "import", &home.path("plugins.yaml").display().to_string()]);
    assert_eq!(broken.code, 2, "{broken:?}");
}

/// A document whose steps are all of kinds that are there.
const DOCUMENT: &str = "## Look\n```sh\n# All of them\nkubectl get nodes\n\n# More of it\nkubectl scale deploy/api --replicas=3 -n shop\n/incident declare\n```\nSee [the other](./other.md).\n";

#[test]
fn what_is_imported_has_no_mistakes_and_check_says_when_the_document_moves_on() {
    let home = Home::new();
    let document = home.write("docs/runbook.md", DOCUMENT).display().to_string();
    let out = home.path("docs/ours.toml").display().to_string();
    assert_eq!(home.run(&["runbook", "import", &document, "--out", &out]).code, 0);
    let check = || home.run(&["check", &out]);
    let ran = check();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.out.contains("there is no ./other.md; looked for ") && ran.out.contains("no mistakes"),
        "{ran:?}"
    );
    home.write("docs/other.md", "");
    assert_eq!(check().out, "no mistakes\n");
    home.write("docs/runbook.md", &format!("# Title\n\n{DOCUMENT}"));
    assert_eq!(check().out, "no mistakes\n", "lines may move");
    home.write("docs/runbook.md", &format!("# Title\n\n{}", DOCUMENT.replace("replicas=3", "replicas=5")));
    let ran = check();
    assert_eq!(ran.code, 2, "{ran:?}");
    let told = "the document has moved on since scale was imported from line 7: ";
    assert!(
        ran.out.contains(told)
            && ran.out.contains("runbook.md:9 says kubectl scale deploy/api --replicas=5 -n shop"),
        "{ran:?}"
    );
    assert_eq!(ran.out.lines().count(), 1, "{ran:?}");
    fs::remove_file(&document).unwrap();
    let ran = check();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.out.contains("runbook.md cannot be read; looked for ") && ran.out.contains("(warning)"),
        "{ran:?}"
    );
    // As one of the settings' runbooks its steps are there, with what is to be known of them.
    home.write(
        "config/runbooks/ours.toml",
        &fs::read_to_string(&out)
            .unwrap()
            .replace("kind = \"nodes\"", "kind = \"nodes\"\nnotes = 'Look twice.'"),
    );
    let steps = home.run(&["steps", "--json"]).rows();
    let step = |id: &str| steps.iter().find(|step| step["id"] == id).unwrap();
    assert_eq!((&step("nodes")["notes"], &step("restart")["notes"]), (&json!("Look twice."), &Value::Null));
    assert_eq!(step("scale")["inputs"][0]["default"], "shop/api");
}

#[test]
fn a_step_by_hand_shows_its_words_and_sends_nothing() {
    let cluster = Cluster::calm();
    let ran = cluster.home.run(&["run", "declare-incident", "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let told = ran.json();
    assert_eq!((&told["outcome"], &told["writes"]), (&json!("read"), &json!(0)), "{told}");
    assert_eq!(
        told["output"]["table"]["rows"],
        json!([["/incident declare [SEV1-4] [description]"]]),
        "{told}"
    );
}

#[test]
fn an_export_needs_no_cluster_and_runs_nothing() {
    let home = Home::new();
    let ran = home.run(&["runbook", "export"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.starts_with("# Kubernetes incident response\n"), "{ran:?}");
    assert!(ran.out.contains("```sh\nkubectl rollout undo deployment/<deployment>\n```"), "{ran:?}");
    let path = home.path("out.md").display().to_string();
    assert_eq!(home.run(&["runbook", "export", "--out", &path]).code, 0);
    assert_eq!(fs::read_to_string(&path).unwrap(), ran.out);
    let nowhere = home.run(&["runbook", "export", "--out", "/nowhere/out.md"]);
    assert_eq!((nowhere.code, nowhere.err.contains("/nowhere/out.md")), (1, true), "{nowhere:?}");
}

#[test]
fn the_schema_is_the_one_that_the_program_makes() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/runbook.schema.json");
    let same = fs::read_to_string(&file).is_ok_and(|text| text == schema::json());
    assert!(
        same,
        "docs/runbook.schema.json: make it by `cargo run -- runbook schema > docs/runbook.schema.json`"
    );
    let printed = Home::new().run(&["runbook", "schema"]);
    assert_eq!((printed.code, printed.out), (0, schema::json()));
}

#[test]
fn the_schema_takes_what_is_right_and_nothing_that_is_wrong() {
    let schema: Value = serde_json::from_str(&schema::json()).unwrap();
    let wrong = |text: &str| {
        let file: Value = toml::from_str(text).unwrap();
        let mut found = Vec::new();
        validate(&schema, &schema, &file, "", &mut found);
        found
    };
    for (file, text) in BUILT_IN {
        assert_eq!(wrong(text), [] as [String; 0], "{file}");
    }
    let step = |more: &str| format!("[[steps]]\nid = 'x'\ntitle = 'X'\n{more}");
    assert_eq!(wrong(&step("danger = 'change'\nkind = 'scale'")), [] as [String; 0]);
    for (text, place) in [
        ("nmae = 'x'".to_owned(), "/nmae"),
        (step("danger = 'change'"), "/steps/0"),
        (step("danger = 'chnge'\nkind = 'scale'"), "/steps/0/danger"),
        (step("danger = 'read'\nkind = 'scale'"), "/steps/0/danger"),
        (step("danger = 'change'\nkind = 'scael'"), "/steps/0/kind"),
        (step("danger = 'change'\nkind = 'scale'\nverifi = []"), "/steps/0/verifi"),
        (step("danger = 'change'\nkind = 'scale'\nverify = ['redy']"), "/steps/0/verify/0"),
        (step("danger = 'change'\nkind = 'scale'\nverify_within = -1"), "/steps/0/verify_within"),
        (
            step("danger = 'change'\nkind = 'scale'\ninputs = [{ name = 'replics' }]"),
            "/steps/0/inputs/0/name",
        ),
        (
            step("danger = 'change'\nkind = 'scale'\ninputs = [{ name = 'replicas', kind = 'cout' }]"),
            "/steps/0/inputs/0/kind",
        ),
        (step("danger = 'read'\nkind = 'nodes'\ninputs = [{ name = 'x' }]"), "/steps/0/inputs"),
        (step("danger = 'read'\nkind = 'by-hand'"), "/steps/0"),
        (step("danger = 'read'\nkind = 'by-hand'\nwith = { txt = 'x' }"), "/steps/0/with/txt"),
        (step("danger = 'read'\nkind = 'nodes'\nsource = { file = 'x', line = 1 }"), "/steps/0/source"),
    ] {
        let found = wrong(&text);
        assert!(found.iter().any(|one| one == place), "{text}: {found:?}");
    }
}

/// What of draft-07 the schema uses; places of what is wrong are added to `found`.
fn validate(root: &Value, schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    let holds = |schema: &Value, value: &Value| {
        let mut found = Vec::new();
        validate(root, schema, value, "", &mut found);
        found.is_empty()
    };
    for (keyword, rule) in schema.as_object().unwrap() {
        let is_wrong = match keyword.as_str() {
            "$ref" => {
                let pointer = rule.as_str().unwrap().trim_start_matches('#');
                validate(root, root.pointer(pointer).unwrap(), value, place, found);
                false
            }
            "type" => !is_of(value, rule.as_str().unwrap()),
            "const" => value != rule,
            "enum" => !rule.as_array().unwrap().contains(value),
            "minimum" => value.as_i64().is_some_and(|number| number < rule.as_i64().unwrap()),
            "maxItems" => value.as_array().is_some_and(|all| all.len() as u64 > rule.as_u64().unwrap()),
            "required" => {
                rule.as_array().unwrap().iter().any(|key| value.get(key.as_str().unwrap()).is_none())
            }
            "anyOf" => !rule.as_array().unwrap().iter().any(|one| holds(one, value)),
            "allOf" => {
                rule.as_array().unwrap().iter().for_each(|one| validate(root, one, value, place, found));
                false
            }
            "if" => {
                if holds(rule, value) {
                    validate(root, &schema["then"], value, place, found);
                }
                false
            }
            "properties" => {
                for (key, rule) in rule.as_object().unwrap() {
                    if let Some(inner) = value.get(key) {
                        validate(root, rule, inner, &format!("{place}/{key}"), found);
                    }
                }
                false
            }
            "additionalProperties" => {
                let known = |key: &String| schema["properties"].get(key).is_some();
                let others = value.as_object().into_iter().flatten().filter(|(key, _)| !known(key));
                let wrong = others.filter(|(_, value)| rule.is_boolean() || !holds(rule, value));
                found.extend(wrong.map(|(key, _)| format!("{place}/{key}")));
                false
            }
            "items" => {
                for (at, inner) in value.as_array().into_iter().flatten().enumerate() {
                    validate(root, rule, inner, &format!("{place}/{at}"), found);
                }
                false
            }
            "$schema" | "title" | "description" | "definitions" | "then" => false,
            other => panic!("the schema uses {other}, which this does not know"),
        };
        found.extend(is_wrong.then(|| place.to_owned()));
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        other => panic!("the schema uses type {other}, which this does not know"),
    }
}

#[test]
fn the_tests_of_the_built_in_steps_pass() {
    let home = Home::new();
    home.write("config/config.toml", "runbook = \"medcontracthub\"\n");
    let began = std::time::Instant::now();
    let ran = home.run(&["runbook", "test"]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    let without = ran.out.lines().find(|line| line.starts_with("– no test: ")).unwrap();
    let without: Vec<&str> = without.trim_start_matches("– no test: ").split(", ").collect();
    let programs = [
        "collect-incident-logs",
        "export-incident-metrics",
        "preserve-incident-data",
        "scale-nodegroup",
        "rollback-migration",
        "slo-impact",
    ];
    let others: Vec<&&str> = without.iter().filter(|id| !programs.contains(id)).collect();
    // What one is taken back by is tested as its undo; the other names a file of the team's.
    assert_eq!(others, [&"manifest-revert", &"maintenance-page"], "{without:?}");
    assert!(began.elapsed().as_secs() < 60 * SLOWER, "{:?}", began.elapsed());
}
