use proptest::prelude::*;

use super::*;
use crate::step::samples::cases;

const SEED: &str = include_str!("../../../tests/data/runbooks/incident-response.md");
const CHECKOUT: &str = include_str!("../../../tests/data/runbooks/checkout.md");
const SEARCH: &str = include_str!("../../../tests/data/runbooks/search.md");
const PLUGINS: &str = include_str!("../../../tests/data/runbooks/plugins.yaml");

fn table(import: &Import) -> Vec<toml::Table> {
    let read: toml::Table =
        toml::from_str(&import.toml).unwrap_or_else(|error| panic!("{error}\n{}", import.toml));
    let steps = read.get("steps").and_then(|steps| steps.as_array()).cloned().unwrap_or_default();
    steps.into_iter().map(|step| step.as_table().unwrap().clone()).collect()
}

fn step<'a>(steps: &'a [toml::Table], id: &str) -> &'a toml::Table {
    let ids = || steps.iter().map(|step| step["id"].as_str().unwrap()).collect::<Vec<_>>();
    steps
        .iter()
        .find(|step| step["id"].as_str() == Some(id))
        .unwrap_or_else(|| panic!("no {id}: {:?}", ids()))
}

/// Commands that became steps, and all commands.
fn counts(import: &Import) -> (usize, usize) {
    let is = |wanted: fn(&Became) -> bool| import.findings.iter().filter(|f| wanted(&f.became)).count();
    let made = is(|became| matches!(became, Became::Steps(_)));
    (made, made + is(|became| matches!(became, Became::ByHand(..))))
}

/// No step runs a line of a shell.
fn runs_no_shell(import: &Import) {
    for step in table(import) {
        let Some(argv) = step.get("with").and_then(|with| with.get("argv")) else { continue };
        let argv: Vec<&str> = argv.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        let inline =
            |at: usize| argv.get(at + 1).is_some_and(|next| next.starts_with('-') && next.ends_with('c'));
        let shell = |at: usize| ["sh", "bash", "zsh", "dash", "ksh"].contains(&judge::name(argv[at]));
        assert!(!(0..argv.len()).any(|at| shell(at) && inline(at)), "{argv:?}");
        assert!(!["eval", "source", "xargs"].contains(&argv[0]), "{argv:?}");
    }
}

#[test]
fn every_command_of_the_incident_runbook_is_accounted_for() {
    let import = import("runbook.md", SEED).unwrap();
    assert_eq!(counts(&import), (34, 35));
    runs_no_shell(&import);
    let inside = |number: usize| {
        let holds =
            |finding: &Finding| (finding.line..finding.line + finding.text.lines().count()).contains(&number);
        import.findings.iter().any(holds)
    };
    let mut fence = false;
    for (number, line) in (1..).zip(SEED.lines()) {
        if line.starts_with("```") {
            fence = !fence;
        } else if fence && !line.trim().is_empty() && !line.starts_with('#') {
            assert!(inside(number), "line {number} is not accounted for: {line}");
        }
    }
    let steps = table(&import);
    let kinds = |kind: &str| steps.iter().filter(|step| step["kind"].as_str() == Some(kind)).count();
    assert_eq!(
        (kinds("exec-check"), kinds("checklist"), kinds("command"), kinds("rollout-undo")),
        (11, 1, 9, 2)
    );
    let mut checks = steps.iter().filter(|step| step["kind"].as_str() == Some("exec-check"));
    assert!(checks.all(|step| step["danger"].as_str() == Some("read")), "{steps:?}");
}

#[test]
fn steps_keep_title_section_and_source() {
    let steps = table(&import("docs/runbook.md", SEED).unwrap());
    let undo = step(&steps, "rollback-to-specific-revision");
    assert_eq!(undo["section"].as_str(), Some("Rollback Procedures: Application Rollback"));
    assert_eq!(undo["title"].as_str(), Some("Rollback to specific revision"));
    let source = undo["source"].as_table().unwrap();
    assert_eq!((source["file"].as_str(), source["line"].as_integer()), (Some("docs/runbook.md"), Some(242)));
    let text = "kubectl rollout undo deployment/<service-name> --to-revision=5 -n medcontract-prod";
    assert_eq!(source["blake3"].as_str(), Some(blake3::hash(text.as_bytes()).to_hex().as_str()));
    let nodes = step(&steps, "nodes");
    assert_eq!(nodes["section"].as_str(), Some("Initial Triage Checklist: System status"));
    let list = step(&steps, "check-service-health")["with"]["steps"].as_array().unwrap();
    assert_eq!((list.len(), list[0].as_str()), (5, Some("check-service-health-ocr-service")));
    let migration = step(&steps, "for-migrations-see-data-recovery-runbook");
    assert_eq!(migration["danger"].as_str(), Some("destructive"));
    assert_eq!(migration["with"]["typed"].as_str(), Some("version"));
    let links = step(&steps, "references")["links"].as_array().unwrap();
    assert_eq!((links.len(), links[0].as_str()), (5, Some("./service-down.md")));
}

#[test]
fn most_of_what_others_write_becomes_steps() {
    for (file, text) in [("checkout.md", CHECKOUT), ("search.md", SEARCH)] {
        let import = import(file, text).unwrap();
        let (made, all) = counts(&import);
        assert!(made * 10 >= all * 7, "{file}: {made} of {all}\n{:#?}", import.findings);
        runs_no_shell(&import);
    }
    let steps = table(&import("checkout.md", CHECKOUT).unwrap());
    assert_eq!(step(&steps, "delete-pod")["title"].as_str(), Some("Evicted pods pile up"));
    assert_eq!(step(&steps, "scale")["title"].as_str(), Some("Scale it"));
    let queue = step(&steps, "aws-sqs-get-queue-attributes");
    assert!(queue["with"].to_string().contains(r#""env", "QUEUE_REGION=eu-west-1""#), "{queue}");
    let steps = table(&import("search.md", SEARCH).unwrap());
    let namespace = &step(&steps, "logs")["inputs"].as_array().unwrap()[1];
    assert_eq!(
        (namespace["name"].as_str(), namespace["default"].as_str()),
        (Some("namespace"), Some("search"))
    );
}

#[test]
fn plugins_of_k9s_become_commands_and_their_shell_lines_do_not() {
    let import = import("plugins.yaml", PLUGINS).unwrap();
    assert_eq!(counts(&import), (3, 4));
    runs_no_shell(&import);
    let steps = table(&import);
    let stern = step(&steps, "logs-stern");
    let argv = r#"["stern", "--tail", "50", "{filter}", "-n", "{namespace}", "--context", "{context}"]"#;
    assert_eq!(stern["with"]["argv"].to_string(), argv);
    assert_eq!(stern["source"]["line"].as_integer(), Some(3));
    let remove = step(&steps, "removes-all-finalizers");
    assert_eq!(remove["danger"].as_str(), Some("destructive"));
    let patch = remove["with"]["argv"].as_array().unwrap()[8].as_str().unwrap();
    assert_eq!(patch, r#"{{"metadata":{{"finalizers":null}}}}"#);
    let reboot: Vec<String> = step(&steps, "reboot")["inputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|input| format!("{}:{}", input["name"].as_str().unwrap(), input["kind"].as_str().unwrap()))
        .collect();
    assert_eq!(reboot, ["name:node", "col-zone:text", "input-minutes:count"]);
    assert_eq!(step(&steps, "get-events")["kind"].as_str(), Some("by-hand"));
    assert!(super::import("plugins.yaml", "a: [").is_err());
    assert!(super::import("plugins.yaml", "views: {}").is_err());
}

#[test]
fn a_document_that_moved_is_the_same_and_one_that_changed_says_where() {
    use crate::data::Location;
    use crate::runbook::{Drift, Source};
    let text = "## A\n```sh\nkubectl get nodes\nkubectl top nodes\n```\n";
    let then = import("a.md", text).unwrap();
    let blake3 = then.findings[1].blake3();
    let nodes = then.findings[0].blake3();
    let known = [nodes.as_str(), blake3.as_str()].into();
    let source =
        Source { file: "a.md".into(), line: 4, blake3: blake3.clone(), place: Location::start_of("r.toml") };
    let drift = |text: &str| source.drift(&import("a.md", text).unwrap(), &known);
    assert_eq!(drift(text), Drift::None(4));
    assert_eq!(drift(&format!("# T\n\n{text}").replace("kubectl top", "  kubectl top")), Drift::None(6));
    assert_eq!(
        drift(&text.replace("top nodes", "top pods")),
        Drift::Changed(4, "kubectl top pods".to_owned())
    );
    let moved = format!("# T\n\n{}", text.replace("top nodes", "top pods"));
    assert_eq!(drift(&moved), Drift::Changed(6, "kubectl top pods".to_owned()));
    assert_eq!(drift("nothing"), Drift::Gone);
}

/// Fragments that commands are made of, and what makes them hard.
const FRAGMENTS: &[&str] = &[
    "kubectl ",
    "get pods ",
    "exec ",
    "-- ",
    "-n ",
    "ns ",
    "sh -c ",
    "docker exec ",
    "'a b' ",
    "\"$X\" ",
    "$(rm -rf /) ",
    "`x` ",
    "| ",
    "|| ",
    "&& ",
    "; ",
    "> f ",
    "<<EOF\n",
    "EOF\n",
    "\\\n",
    "\n",
    "for x in a b; do ",
    "done ",
    "<pod> ",
    "[x] ",
    "{y} ",
    "# c\n",
    "```\n",
    "```bash\n",
    "## H\n",
    "- ",
    "🔥",
    "\u{1b}[31m",
    "\"",
    "'",
    "deploy/x ",
    "xargs ",
    "curl ",
    "http://p/api/v1/query?query=",
    "apply -f - ",
    "patch svc x -p '{' ",
    "| a |\n|---|\n",
    "set env deploy/x A=b ",
    "${",
    "-",
];

proptest! {
    #![proptest_config(cases(64, 4096))]
    #[test]
    fn whatever_is_imported_is_toml_and_runs_no_shell(
        parts in proptest::collection::vec(proptest::sample::select(FRAGMENTS), 0..40)
    ) {
        let import = import("x.md", &format!("```bash\n{}", parts.concat())).unwrap();
        runs_no_shell(&import);
        let ids: Vec<String> = table(&import).iter().map(|step| step["id"].to_string()).collect();
        let once: std::collections::BTreeSet<&String> = ids.iter().collect();
        prop_assert_eq!(once.len(), ids.len());
    }
}
