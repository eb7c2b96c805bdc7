//! Folders and an environment of one test's own, and the program run in them to its end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

/// The program under test.
pub const WARROOM: &str = env!("CARGO_BIN_EXE_warroom");

/// A home that knows nothing of the machine that the test runs on.
pub struct Home(TempDir);

impl Home {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A home whose kubeconfig has one context, `test`, for this API server and namespace.
    pub fn on(server: &str, namespace: &str) -> Self {
        let home = Self::new();
        home.write("kubeconfig", &kubeconfig(server, namespace).to_string());
        home
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// The whole environment of the program.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        let at = |name: &str| self.path(name).display().to_string();
        vec![
            ("PATH", std::env::var("PATH").unwrap()),
            ("HOME", at("")),
            ("KUBECONFIG", at("kubeconfig")),
            ("WARROOM_CONFIG_DIR", at("config")),
            ("WARROOM_DATA_DIR", at("data")),
            ("TERM", "xterm-256color".into()),
            ("LANG", "C.UTF-8".into()),
            ("USER", "tester".into()),
        ]
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(WARROOM);
        command.env_clear().envs(self.env()).args(args).stdin(std::process::Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args).output().unwrap())
    }

    /// What `warroom recordings list --json` says, newest first.
    pub fn recordings(&self) -> Vec<Value> {
        self.run(&["recordings", "list", "--json"]).rows()
    }

    /// The folder of the only recording, which ended well.
    pub fn sealed(&self) -> PathBuf {
        let all = self.recordings();
        assert_eq!(all.len(), 1, "{all:?}");
        assert_eq!(all[0]["sealed"], true, "{}", all[0]);
        Path::new(all[0]["path"].as_str().unwrap()).to_owned()
    }
}

/// A kubeconfig with one context, `test`, and its namespace.
pub fn kubeconfig(server: &str, namespace: &str) -> Value {
    let context = json!({"cluster": "test", "user": "test", "namespace": namespace});
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "test", "users": [{"name": "test", "user": {}}],
        "clusters": [{"name": "test", "cluster": {"server": server}}], "contexts": [{"name": "test", "context": context}],
    })
}

/// How a run ended and what it said.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn of(output: Output) -> Self {
        let code = output.status.code().unwrap_or_else(|| panic!("ended by a signal: {output:?}"));
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code, out: text(output.stdout), err: text(output.stderr) }
    }

    /// The one object printed.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// One object a line.
    pub fn rows(&self) -> Vec<Value> {
        self.out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:?}")))
            .collect()
    }
}
