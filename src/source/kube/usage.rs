//! What nodes and pods use, from metrics.k8s.io: only of the namespaces that are watched, and told only where
//! it moved, so that ten thousand quiet pods cost nothing in the recording.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::time::Duration;

use serde::Deserialize;

use super::api::{ApiScope, get};
use crate::clean::Clean;
use crate::event::{Amount, ContextId, Event, ObjectKey, SourceId, Usage, Used};
use crate::net::clock::Clock;
use crate::net::failure::Failure;
use crate::net::timing::Timing;
use crate::source::handle::SourceHandle;
use crate::units::resource::Quantities;

const GROUP: &str = "/apis/metrics.k8s.io/v1beta1";

/// Processor time in thousandths of a core, and memory in KiB.
type Measured = (u32, u32);

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow, default)]
    items: Vec<Item<'a>>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow)]
    metadata: Name<'a>,
    /// Of a node.
    #[serde(default)]
    usage: Quantities,
    /// Of a pod.
    #[serde(default)]
    containers: Vec<Container>,
}

#[derive(Deserialize)]
struct Name<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    namespace: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Container {
    #[serde(default)]
    usage: Quantities,
}

impl Item<'_> {
    fn name(&self, context: ContextId) -> ObjectKey {
        let name = &*self.metadata.name;
        let namespace = self.metadata.namespace.as_ref();
        ObjectKey::new(
            context,
            namespace.map_or_else(|| name.to_owned(), |namespace| format!("{namespace}/{name}")),
        )
    }

    fn measured(&self) -> Measured {
        let amounts =
            self.containers.iter().map(|container| container.usage.amount()).chain([self.usage.amount()]);
        amounts.fold((0, 0), |sum, Amount { cpu, memory }| (add(sum.0, cpu), add(sum.1, memory)))
    }
}

fn add(sum: u32, more: Option<NonZeroU32>) -> u32 {
    sum.saturating_add(more.map_or(0, NonZeroU32::get))
}

/// Reads every quarter of a minute, which is how often metrics-server does.
pub async fn run(
    place: ApiScope,
    namespaces: Vec<Clean>,
    mut handle: SourceHandle,
    clock: Clock,
    timing: Timing,
) {
    let mut told = BTreeMap::new();
    loop {
        let nodes = nodes(&place, timing.answer).await;
        let pods = pods(&place, &namespaces, timing.answer).await;
        let remark = match (&nodes, &pods) {
            (Err(failure), Err(_)) => Err(failure.clone()),
            (Ok(_), Ok(_)) => Ok(None),
            (Err(failure), Ok(_)) | (Ok(_), Err(failure)) => Ok(Some(failure.to_string())),
        };
        let whole = nodes.is_ok() && pods.is_ok();
        let measured = nodes.unwrap_or_default().into_iter().chain(pods.unwrap_or_default());
        let usage = news(&mut told, measured.collect(), whole, clock.now());
        match remark {
            Ok(remark) => {
                handle.tell(Event::Usage(usage)).await;
                handle.live(remark).await;
            }
            Err(Failure::Missing(_)) => {
                handle
                    .off("this cluster does not measure itself: install metrics-server to see cpu and memory")
                    .await;
            }
            Err(failure) => handle.fail(&failure).await,
        }
        clock.sleep(timing.usage).await;
    }
}

async fn nodes(
    ApiScope { client, context, .. }: &ApiScope,
    span: Duration,
) -> Result<Vec<(ObjectKey, Measured)>, Failure> {
    read(*context, &ask(client, &format!("{GROUP}/nodes"), "nodes (metrics.k8s.io)", span).await?)
}

async fn pods(
    ApiScope { client, context, .. }: &ApiScope,
    namespaces: &[Clean],
    span: Duration,
) -> Result<Vec<(ObjectKey, Measured)>, Failure> {
    if namespaces.is_empty() {
        return read(*context, &ask(client, &format!("{GROUP}/pods"), "pods (metrics.k8s.io)", span).await?);
    }
    let mut all = Vec::new();
    for namespace in namespaces {
        let what = format!("pods (metrics.k8s.io) in namespace {namespace}");
        all.extend(read(
            *context,
            &ask(client, &format!("{GROUP}/namespaces/{namespace}/pods"), &what, span).await?,
        )?);
    }
    Ok(all)
}

async fn ask(client: &kube::Client, path: &str, what: &str, span: Duration) -> Result<Vec<u8>, Failure> {
    get(client, SourceId::Usage, (path, what), span).await
}

fn read(context: ContextId, text: &[u8]) -> Result<Vec<(ObjectKey, Measured)>, Failure> {
    let unreadable = |error| Failure::Lost(format!("the answer of metrics.k8s.io cannot be read: {error}"));
    let list: List<'_> = serde_json::from_slice(text).map_err(unreadable)?;
    Ok(list.items.iter().map(|item| (item.name(context), item.measured())).collect())
}

/// What is worth telling since the last time. Of a reading that is not whole nobody can say who is gone.
fn news(
    told: &mut BTreeMap<ObjectKey, Measured>,
    now: BTreeMap<ObjectKey, Measured>,
    whole: bool,
    at: chrono::DateTime<chrono::Utc>,
) -> Usage {
    let gone: BTreeSet<ObjectKey> =
        told.keys().filter(|name| whole && !now.contains_key(*name)).cloned().collect();
    told.retain(|name, _| !gone.contains(name));
    let mut used = Vec::new();
    for (name, (cpu, memory)) in now {
        let before = told.get(&name).copied();
        if before.is_none_or(|before| moved(before.0, cpu, 10) || moved(before.1, memory, 4 << 10)) {
            told.insert(name.clone(), (cpu, memory));
            used.push(Used { name, cpu, memory });
        }
    }
    Usage { at, used, gone: gone.into_iter().collect() }
}

/// By a tenth, and by more than noise.
fn moved(before: u32, now: u32, noise: u32) -> bool {
    before.abs_diff(now) > noise.max(before / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_of_the_bed_is_read() {
        let text = br#"{"kind":"PodMetricsList","items":[{"metadata":{"name":"app-1","namespace":"shop","creationTimestamp":"2026-11-23T08:00:00Z"},
            "timestamp":"2026-11-23T08:00:00Z","window":"15s","containers":[{"name":"a","usage":{"cpu":"2500000n","memory":"5Mi"}},
            {"name":"b","usage":{"cpu":"1m","memory":"1024Ki"}}]}]}"#;
        assert_eq!(
            read(ContextId::MAIN, text).unwrap(),
            [(ObjectKey::new(ContextId::MAIN, "shop/app-1"), (4, 6144))]
        );
        let node = br#"{"items":[{"metadata":{"name":"n1"},"usage":{"cpu":"1500m","memory":"2Gi"}}]}"#;
        assert_eq!(
            read(ContextId(1), node).unwrap(),
            [(ObjectKey::new(ContextId(1), "n1"), (1500, 2_097_152))]
        );
    }

    #[test]
    fn only_what_moved_is_told() {
        let now = |cpu| BTreeMap::from([(ObjectKey::from("a"), (cpu, 1000)), ("b".into(), (500, 9000))]);
        let at = chrono::DateTime::UNIX_EPOCH;
        let mut told = BTreeMap::new();
        assert_eq!(news(&mut told, now(100), true, at).used.len(), 2);
        assert_eq!(news(&mut told, now(105), true, at).used, [], "noise");
        assert_eq!(
            news(&mut told, now(120), true, at).used,
            [Used { name: "a".into(), cpu: 120, memory: 1000 }]
        );
        assert_eq!(news(&mut told, BTreeMap::new(), false, at).gone, [] as [ObjectKey; 0]);
        assert_eq!(news(&mut told, BTreeMap::new(), true, at).gone.len(), 2);
    }
}
