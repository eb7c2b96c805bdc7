//! The arguments, as clap reads them; help and manual page come from here.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args as ClapArgs, Parser, Subcommand};
use clap_complete::Shell;

use crate::config::{KafkaWay, Namespace, Where};
#[cfg(feature = "sim")]
use crate::sim::scenario::Scenario;

/// A full-screen war room: pods, 5xx, Kafka lag and the incident's timeline side by side; the runbook's steps
/// one key away; everything recorded and replayable.
#[derive(Debug, Parser)]
#[command(name = "warroom", version, arg_required_else_help = false)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Args {
    /// The kube-context; given several times they are looked at side by side, and Prometheus, Alertmanager
    /// and Kafka are the first one's [default: the settings' or the kubeconfig's current one]
    #[arg(long = "context", global = true, value_name = "NAME")]
    pub contexts: Vec<String>,
    /// A namespace; may be given several times [default: the settings' or the context's; without one all of
    /// them]
    #[arg(long = "namespace", short, global = true, value_name = "NAME", value_delimiter = ',')]
    pub namespaces: Vec<Namespace>,
    /// All namespaces
    #[arg(long, short = 'A', global = true, conflicts_with = "namespaces")]
    pub all_namespaces: bool,
    /// Nothing can be changed from this session
    #[arg(long, global = true)]
    pub read_only: bool,
    /// No exec into pods, not even to read
    #[arg(long, global = true)]
    pub no_exec: bool,
    /// Prometheus: its address, or NAMESPACE/SERVICE:PORT to go through the API server [default: the
    /// settings' or the cluster's own]
    #[arg(long, global = true, value_name = "URL", env = "WARROOM_PROMETHEUS_URL")]
    pub prometheus: Option<Given>,
    /// Alertmanager, likewise
    #[arg(long, global = true, value_name = "URL", env = "WARROOM_ALERTMANAGER_URL")]
    pub alertmanager: Option<Given>,
    /// How consumer groups are read: exec, brokers, brokers:HOST:PORT[,HOST:PORT…] or prometheus
    #[arg(long, global = true, value_name = "WAY")]
    pub kafka: Option<KafkaWay>,
    /// Only ASCII on the screen
    #[arg(long, global = true)]
    pub ascii: bool,
    /// What to do; nothing: the full screen on a cluster
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// A place, or none: a variable that is empty is one that is not set.
#[derive(Clone, Debug)]
pub struct Given(Option<Where>);

impl Given {
    /// The place, if one is given.
    pub fn place(&self) -> Option<&Where> {
        self.0.as_ref()
    }
}

impl FromStr for Given {
    type Err = <Where as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() { Ok(Self(None)) } else { text.parse().map(|place| Self(Some(place))) }
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The full screen on a simulated incident; needs nothing
    #[cfg(feature = "sim")]
    Demo(Demo),
    /// Play a recording
    Replay {
        /// The recording's folder
        path: PathBuf,
        /// Where to begin: a time (14:46:32, +2m) or a text of the timeline
        #[arg(long, value_name = "T")]
        at: Option<String>,
    },
    /// The runbook's steps, their inputs and danger
    Steps {
        /// One JSON object a step
        #[arg(long)]
        json: bool,
    },
    /// Turn documents into runbooks, and runbooks into documents
    Runbook {
        /// What to do with them
        #[command(subcommand)]
        what: Runbook,
    },
    /// Do one step, and wait until its effect is seen
    Run(Run),
    /// What is wrong right now
    Status {
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Find Prometheus, Alertmanager and Kafka in the cluster, test them, and write them into the settings
    Init(Init),
    /// Every connection, right and setting: what is wrong and how to mend it
    Doctor {
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Check settings, keymaps, themes and runbooks
    Check {
        /// Further files
        files: Vec<PathBuf>,
    },
    /// Recorded sessions
    Recordings {
        /// What to do with them
        #[command(subcommand)]
        what: Recordings,
    },
    /// Completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Manual pages
    Man(Man),
}

/// `warroom demo`
#[cfg(feature = "sim")]
#[derive(Debug, ClapArgs)]
pub struct Demo {
    /// What goes wrong: bad-release, ocr-crash, lag or calm
    #[arg(default_value = "bad-release")]
    pub scenario: Scenario,
    /// Decides every chance in it
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How fast time goes by
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR")]
    pub speed: f64,
    /// Seconds until the incident begins
    #[arg(long, default_value_t = 8, value_name = "SECONDS")]
    pub onset: u64,
}

/// `warroom man`
#[derive(Debug, ClapArgs)]
pub struct Man {
    /// The subcommand whose page is printed, such as `run` or `recordings list` [default: the page of warroom
    /// itself]
    pub subcommand: Vec<String>,
    /// Write every page into this folder instead of printing one
    #[arg(long, value_name = "FOLDER", conflicts_with = "subcommand")]
    pub dir: Option<PathBuf>,
}

/// `warroom init`
#[derive(Clone, Copy, Debug, ClapArgs)]
pub struct Init {
    /// Take the best that is found, without asking; what is set already stays
    #[arg(long)]
    pub yes: bool,
    /// Show what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `warroom run`
#[derive(Debug, ClapArgs)]
#[allow(
    clippy::struct_excessive_bools,
    clippy::struct_field_names,
    reason = "each is a flag of the command line, named as it is there"
)]
pub struct Run {
    /// The step's id
    pub step: String,
    /// An input
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// Stop after the preflight; nothing is changed
    #[arg(long)]
    pub dry_run: bool,
    /// Arm for this one run, and confirm it
    #[arg(long)]
    pub yes: bool,
    /// The target's name, where nothing brings back what the step does
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,
    /// Do not wait for the effect
    #[arg(long)]
    pub no_wait: bool,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

/// `warroom runbook`
#[derive(Debug, Subcommand)]
pub enum Runbook {
    /// Make steps of a Markdown runbook's commands, or of k9s's plugins; what has no step is left to a person
    Import {
        /// The document, or k9s's plugins.yaml
        file: PathBuf,
        /// Write the runbook into this file instead of printing it
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Write the runbook in use as Markdown, with each step's command; nothing is run
    Export {
        /// Write it into this file instead of printing it
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Run its tests on the simulated cluster: each step succeeds, is refused, and loses its answer
    #[cfg(feature = "sim")]
    Test {
        /// Only those of these steps
        steps: Vec<String>,
    },
    /// The JSON schema of runbooks, for editors
    Schema,
}

/// `warroom recordings`
#[derive(Debug, Subcommand)]
pub enum Recordings {
    /// All of them, newest first
    List {
        /// One JSON object a recording
        #[arg(long)]
        json: bool,
    },
    /// One recording: what it is of, and its timeline
    Show {
        /// Its folder
        path: PathBuf,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Check every checksum and the hash chain, and print the chain's head
    Verify {
        /// Its folder
        path: PathBuf,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
}
