//! A second cluster beside the one of the story: the same names, and a release that goes wrong there too.

use std::sync::Arc;

use warroom::event::{
    ClusterEvent, ContextId, ContextInfo, Event, Meta, Operator, Plan, Scope, Session, Uid,
};

use super::story;

pub const US: ContextId = ContextId(1);

fn session() -> Session {
    let us = ContextInfo {
        id: US,
        context: "prod-us".into(),
        label: "prod-us".into(),
        cluster: "https://10.0.0.2:6443".into(),
        read_only: false,
    };
    let mut session = story::session();
    session.contexts.push(us);
    session
}

/// What a cluster's event is when the second one says it.
fn of_us(event: ClusterEvent) -> ClusterEvent {
    fn mark(mut meta: Meta) -> Meta {
        meta.uid = Uid::new(US, meta.uid.id());
        meta
    }
    let owned = |owner: Option<warroom::event::Owner>| {
        owner.map(|owner| warroom::event::Owner { uid: Uid::new(US, owner.uid.id()), ..owner })
    };
    let scope = |scope: Scope| Scope { context: US, ..scope };
    match event {
        ClusterEvent::Listing(of) => ClusterEvent::Listing(scope(of)),
        ClusterEvent::Listed(of) => ClusterEvent::Listed(scope(of)),
        ClusterEvent::Pods(all) => {
            let marked = all.into_iter().map(|pod| {
                let mut pod = (*pod).clone();
                pod.meta = mark(pod.meta);
                pod.owner = owned(pod.owner.map(Arc::unwrap_or_clone)).map(Arc::new);
                Arc::new(pod)
            });
            ClusterEvent::Pods(marked.collect())
        }
        ClusterEvent::Workloads(mut all) => {
            for one in &mut all {
                one.meta = mark(one.meta.clone());
            }
            ClusterEvent::Workloads(all)
        }
        ClusterEvent::Revisions(mut all) => {
            for one in &mut all {
                one.meta = mark(one.meta.clone());
                one.owner = owned(one.owner.clone());
            }
            ClusterEvent::Revisions(all)
        }
        ClusterEvent::Nodes(mut all) => {
            for one in &mut all {
                one.meta = mark(one.meta.clone());
            }
            ClusterEvent::Nodes(all)
        }
        other => other,
    }
}

/// The bad release in the main context, and in the second one as well.
pub fn two() -> Vec<(i64, Event)> {
    let mut told = Vec::new();
    for (second, event) in story::release() {
        match event {
            Event::Started(_) => told.push((second, Event::Started(session()))),
            Event::Cluster(ClusterEvent::Notices(_)) => told.push((second, event)),
            Event::Cluster(event) => {
                told.push((second, Event::Cluster(event.clone())));
                told.push((second, Event::Cluster(of_us(event))));
            }
            event => told.push((second, event)),
        }
    }
    told
}

/// The same, with the second context armed.
pub fn armed() -> Vec<(i64, Event)> {
    let mut told = two();
    told.push((-30, Event::Operator(Operator::Armed(US))));
    told
}

/// A rollback in the second context.
pub fn plan() -> Plan {
    let mut plan = story::plan();
    plan.intent.target.cluster = "https://10.0.0.2:6443".into();
    plan.intent.target.context = "prod-us".into();
    plan
}
