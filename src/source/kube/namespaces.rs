//! Whether the namespaces that are watched are still there, and which others there are where that may be
//! asked.
//!
//! A namespace that is deleted takes its objects along one by one, and a watch in it ends as a quiet one
//! does; only the namespace itself says what happened. Reading one by its name needs no right to list them.

use std::collections::BTreeMap;
use std::time::Duration;

use kube::Client;
use serde::Deserialize;

use super::api::{ApiScope, get};
use super::wire::Metadata;
use crate::clean::Clean;
use crate::event::{Event, Namespace, NamespacePhase, SourceId};
use crate::net::clock::Clock;
use crate::net::failure::Failure;
use crate::net::timing::Timing;
use crate::source::handle::SourceHandle;

/// Rounds between two listings of all: they only complete what is typed.
const ROUNDS: u32 = 15;

/// Said while only those that are watched can be read.
const UNLISTED: &str = "namespaces may not be listed (403): only those that are watched are known";

#[derive(Deserialize)]
struct Bare {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct List {
    items: Option<Vec<Bare>>,
}

type Phases = BTreeMap<Clean, NamespacePhase>;

/// Looks at them again and again; tells what changed.
pub async fn run(
    ApiScope { client, context, .. }: ApiScope,
    watched: Vec<Clean>,
    mut handle: SourceHandle,
    clock: Clock,
    timing: Timing,
) {
    let mut known = Phases::new();
    let mut unlisted = None;
    for round in 0_u32.. {
        match read(&client, &watched, round % ROUNDS == 0, &known, timing.answer).await {
            Ok((now, listed)) => {
                let changed = now.iter().filter(|(name, phase)| known.get(*name) != Some(*phase));
                let told: Vec<Namespace> = changed
                    .map(|(name, phase)| Namespace { name: name.clone(), phase: *phase, context })
                    .collect();
                if !told.is_empty() {
                    handle.tell(Event::Namespaces(told)).await;
                }
                known = now;
                unlisted = listed.map_or(unlisted, |listed| (!listed).then(|| UNLISTED.to_owned()));
                handle.live(unlisted.clone()).await;
            }
            Err(failure) => handle.fail(&failure).await,
        }
        clock.sleep(timing.namespaces).await;
    }
}

/// What is known now; of a whole reading also whether all could be listed.
async fn read(
    client: &Client,
    watched: &[Clean],
    whole: bool,
    known: &Phases,
    span: Duration,
) -> Result<(Phases, Option<bool>), Failure> {
    let mut now = known.clone();
    let mut listed = None;
    if whole {
        match list(client, span).await {
            Ok(all) => {
                let gone = known
                    .keys()
                    .filter(|name| !all.contains_key(*name))
                    .map(|name| (name.clone(), NamespacePhase::Gone));
                now.extend(gone);
                now.extend(all);
                listed = Some(true);
            }
            Err(Failure::Forbidden(_)) if !watched.is_empty() => listed = Some(false),
            Err(failure) => return Err(failure),
        }
    }
    for name in watched {
        now.insert(name.clone(), one(client, name, span).await?);
    }
    Ok((now, listed))
}

async fn one(client: &Client, name: &Clean, span: Duration) -> Result<NamespacePhase, Failure> {
    match get(
        client,
        SourceId::Namespaces,
        (&format!("/api/v1/namespaces/{name}"), &format!("namespace {name}")),
        span,
    )
    .await
    {
        Ok(text) => Ok(phase(&parsed::<Bare>(&text)?)),
        Err(Failure::Missing(_)) => Ok(NamespacePhase::Gone),
        Err(failure) => Err(failure),
    }
}

async fn list(client: &Client, span: Duration) -> Result<Phases, Failure> {
    let text =
        get(client, SourceId::Namespaces, ("/api/v1/namespaces?limit=5000", "namespaces"), span).await?;
    let list: List = parsed(&text)?;
    Ok(list
        .items
        .unwrap_or_default()
        .into_iter()
        .map(|one| (one.metadata.name.clone(), phase(&one)))
        .collect())
}

fn phase(namespace: &Bare) -> NamespacePhase {
    if namespace.metadata.deletion_timestamp.is_some() {
        NamespacePhase::Terminating
    } else {
        NamespacePhase::Active
    }
}

fn parsed<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, Failure> {
    serde_json::from_slice(text).map_err(|error| {
        Failure::Lost(format!("the API server's answer about namespaces cannot be read: {error}"))
    })
}
