//! warroom: the screen that a war room looks at and acts from while production is on fire.
//!
//! # One flow
//!
//! ```text
//!  source ──event──▶ journal ──▶ reduce ──▶ state ──▶ view
//!     ▲                            │
//!     └───── outcome ◀── effect ◀──┘
//! ```
//!
//! Live, demo and replay are one program with other sources: the live screen is a replay that has not ended.
//!
//! # Map, in the order of the flow
//!
//! | module | what is in it |
//! |---|---|
//! | [`cli`] | arguments, commands, exit codes |
//! | [`config`], [`data`] | settings and their folders; strict TOML with file, line and nearest name |
//! | [`session`] | puts one together: connections, sources, executor, journal |
//! | [`runtime`], [`terminal`] | the loop with a screen, without one, over a recording; the terminal |
//! | [`net`] | what carries bytes: clients, credentials, discovery, HTTP, the clock |
//! | [`event`] | the closed list of facts |
//! | [`clean`] | the one place where text from outside becomes safe to show, and secrets are taken out |
//! | [`source`] | cluster watches, Prometheus, Alertmanager, Kafka, keyboard; a registry of all |
//! | [`journal`] | records on disk: segments, checksums, hash chain, reading back |
//! | [`reduce`](mod@reduce) | `(state, record) → effects`, pure: routes to pages, panes and what works everywhere |
//! | [`state`] | what is so (`world`), what is concluded (`detect`), what is shown of it (`select`), the viewer's place (`screen`: `pages`, `panes`) |
//! | [`runbook`] | which steps there are, as data |
//! | [`step`] | what each kind of step does: reads, plan, checks, undo; whether it may be sent now |
//! | [`effect`] | requests to the outside: prepare, send once, resolve by reading, run programs, follow logs |
//! | [`keymap`], [`theme`] | keys and colours as data |
//! | [`view`] | cells from a frame, pure: `panes`, `pages`, `primitives` |
//! | [`sim`] | the simulated cluster behind `warroom demo` and most tests |
//! | [`logtext`] | what a line of a log says: its level, its message and fields |
//! | [`units`] | numbers as people read them |
//!
//! # Where a change goes
//!
//! | to add | touch |
//! |---|---|
//! | a kind of step | a file of [`step`], a line of its table |
//! | a kind of check | a file of [`step::check`], a line of its table |
//! | a page | a file of `state/screen/pages`, one of `view/pages`, a row of the table in the former's `mod.rs` |
//! | a pane | a file of `state/screen/panes`, one of `view/panes`, a row of the table |
//! | a source | a file of [`source`], a line of its registry, a row of the table in [`event::SourceId`]'s file |
//! | a command that an import knows | its program's file in `runbook/import` |
//! | a theme | a file of `themes/`, a name in `theme/built_in.rs` |
//! | an action | a row of the table in [`keymap::Action`]'s file, and an arm where it is carried out |
//!
//! Where single rules and figures stand:
//!
//! | what | where |
//! |---|---|
//! | a period, a deadline, when silence counts; the wait after a failure | [`net::timing`], [`net::backoff`] |
//! | a right of RBAC that reading needs | [`event::grant`] |
//! | why a pod is not well; why its row is, from other objects | `state/detect/pod_diagnosis.rs`, `row_diagnosis.rs` |
//! | when a group is lagging, stalled, stopped | `state/world/lag/burrow.rs` |
//! | what is common to changes of a template: checks, undo | `step/template.rs` |
//! | the words of a refused or doubtful answer | `effect/send.rs` |
//! | whether something may be sent now | [`step::guard`] |
//! | how much is kept of what a command prints | `effect/output.rs` |
//! | how a program is ended with all that it started | [`net::process`] |
//! | how much a recording gathers before it writes, and how large a segment gets | `journal/limits.rs` |
//! | which names mark a secret | `clean/redact/secret_names.rs` |
//! | an exit code | `cli/exit.rs` |
//! | a duration that somebody types | [`units::duration`] |
//! | what a key or a click means here and now | `runtime/input.rs` |
//! | a mark, an arrow, a symbol | `view/primitives/symbols.rs` |
//! | how wide a screen must be for which layout | `view/primitives/layout.rs` |
//!
//! # Invariants, each with a test
//!
//! 1. [`reduce`](mod@reduce), [`state`] and [`view`] do no I/O and read no clock; [`view`] knows neither
//!    [`source`] nor [`effect`] (`tests/tidy.rs`).
//! 2. A journal replays to the world of the live session, at every checkpoint (`tests/sessions.rs`).
//! 3. A replay has no executor: [`runtime::replay`] is given none and can make none (`tests/tidy.rs`).
//! 4. Text from outside is shown, recorded and printed only as [`clean::Clean`] (`clean`,
//!    `tests/hostile.rs`).
//! 5. An intent is on disk before its request leaves; each request is sent at most once; a lost answer is
//!    read, never sent again (`tests/faults.rs`).
//! 6. A change is bound to cluster, kind, namespace, name and uid; an object recreated under the same name is
//!    refused (`tests/faults.rs`), and so is a name that two contexts have (`tests/contexts.rs`).
//! 7. A mistake in settings, keymap, theme or runbook is told with file, line and nearest name before the
//!    screen is taken (`config`).
//! 8. What is stale, blind or lost says so, since when (`source`, `tests/faults.rs`).
//!
//! # Glossary
//!
//! A **source** makes **events**; an event with its place and time is a **record**; records are the
//! **journal**, which is the recording. **State** is the fold of records by **reduce**, which asks for
//! **effects**. A **step** of the **runbook**, with inputs, is a call; prepared, it is a **plan**; confirmed,
//! an **intent**; answered, it has an **outcome**: applied, rejected or unknown; looked after, a **verdict**.
//! Of several **contexts** the first is the main one; an object's **key** says which it is of, and a
//! **target** which cluster. A Kubernetes Event is a **notice**, and a ReplicaSet a **revision**, because
//! their names mean something else here.

#[cfg(test)]
#[path = "../tests/support/chance.rs"]
#[allow(dead_code, reason = "chance itself is proptest's here")]
mod chance;
pub mod clean;
pub mod cli;
pub mod config;
pub mod data;
pub mod effect;
pub mod event;
pub mod journal;
pub mod keymap;
pub mod logtext;
pub mod net;
pub mod reduce;
pub mod runbook;
pub mod runtime;
pub mod session;
#[cfg(feature = "sim")]
pub mod sim;
pub mod source;
pub mod state;
pub mod step;
pub mod terminal;
pub mod theme;
pub mod units;
pub mod view;
