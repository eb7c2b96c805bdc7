//! Files out of containers: whole, private, with size and checksum; and the heap of a JVM, which is written for
//! the copy and does not stay.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod pty;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use pty::Cluster;
use serde_json::{Value, json};

fn run(cluster: &Cluster, step: &str, inputs: &[&str], flags: &[&str]) -> (i32, Value) {
    let set = inputs.iter().flat_map(|input| ["--set", input]);
    let args: Vec<&str> =
        ["run", step, "--json"].into_iter().chain(set).chain(flags.iter().copied()).collect();
    let ran = cluster.run(&args);
    (ran.code, ran.json())
}

fn lines(told: &Value) -> Vec<String> {
    let lines = told["output"]["lines"].as_array().unwrap();
    lines.iter().map(|line| line.as_str().unwrap().to_owned()).collect()
}

/// The files of the incidents.
fn kept(cluster: &Cluster) -> Vec<PathBuf> {
    let below = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    };
    below(&cluster.home.path("data/incidents")).iter().flat_map(|day| below(day)).collect()
}

#[test]
fn a_file_comes_whole_for_its_owner_alone() {
    let cluster = Cluster::calm();
    let (code, told) = run(&cluster, "copy-out", &["pod=kafka-0", "path=/etc/hostname"], &[]);
    assert_eq!((code, &told["outcome"], &told["output"]["exit"]), (0, &json!("read"), &json!(0)), "{told}");
    let [file] = &kept(&cluster)[..] else { panic!("{:?}", kept(&cluster)) };
    assert_eq!(fs::read_to_string(file).unwrap(), "kafka-0\n");
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    let lines = lines(&told);
    assert_eq!(lines[0], format!("copied 8 bytes to {}", file.display()));
    assert_eq!(lines[2], "the file in the container has the same sha256");
}

#[test]
fn what_is_not_there_or_may_not_be_read_leaves_nothing_behind() {
    let cluster = Cluster::calm();
    let (code, told) = run(&cluster, "copy-out", &["pod=kafka-0", "path=/no/such"], &[]);
    assert_eq!((code, &told["outcome"]), (1, &json!("read")), "{told}");
    assert_eq!(told["reason"], "not copied: tar: /no/such: No such file or directory", "{told}");
    let (code, told) = run(&cluster, "copy-out", &["pod=kafka-0", "path=--help"], &[]);
    assert!(code == 2 && told["reason"].as_str().unwrap().starts_with("path is none of a file"), "{told}");
    let forbidden =
        cluster.run(&["--no-exec", "run", "copy-out", "--set", "pod=kafka-0", "--set", "path=/etc/hostname"]);
    assert_eq!(forbidden.code, 3, "{forbidden:?}");
    assert_eq!(kept(&cluster), [] as [PathBuf; 0]);
}

#[test]
fn a_heap_is_dumped_copied_and_removed() {
    let cluster = Cluster::calm();
    let (code, told) = run(&cluster, "heap-dump", &["pod=kafka-0"], &[]);
    assert_eq!((code, &told["outcome"]), (3, &json!("not_sent")), "it changes something: {told}");
    let (_, plan) = run(&cluster, "heap-dump", &["pod=kafka-0"], &["--dry-run"]);
    let would = plan["would_send"][0].as_str().unwrap();
    assert!(would.starts_with("runs jmap and copies /tmp/heap-") && plan["undo"].is_null(), "{plan}");
    let (code, told) = run(&cluster, "heap-dump", &["pod=kafka-0"], &["--yes"]);
    assert_eq!((code, &told["outcome"]), (0, &json!("applied")), "{told}");
    let [file] = &kept(&cluster)[..] else { panic!("{:?}", kept(&cluster)) };
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("heap-") && file.extension().unwrap() == "bin", "{name}");
    assert_eq!(fs::metadata(file).unwrap().len(), 3 << 20);
    let lines = lines(&told);
    assert!(lines[0].starts_with("copied 3145728 bytes to "), "{lines:?}");
    let path = lines[3].strip_suffix(" was removed from the container").unwrap();
    let (_, gone) = run(&cluster, "copy-out", &["pod=kafka-0", &format!("path={path}")], &[]);
    assert!(gone["reason"].as_str().unwrap().ends_with("No such file or directory"), "{gone}");
}

#[test]
fn where_there_is_no_jvm_its_words_are_told_and_nothing_is_copied() {
    let cluster = Cluster::calm();
    let (code, told) = run(&cluster, "heap-dump", &["pod=redis-cluster-0"], &["--yes"]);
    assert_eq!(code, 1, "{told}");
    assert!(told["reason"].as_str().unwrap().starts_with("exit 127"), "{told}");
    assert!(lines(&told)[0].contains("executable file not found"), "{told}");
    let (code, told) = run(&cluster, "heap-dump", &["pod=kafka-0", "process=7"], &["--yes"]);
    assert!(code == 1 && lines(&told)[0].contains("No such process"), "{told}");
    assert_eq!(kept(&cluster), [] as [PathBuf; 0]);
}
