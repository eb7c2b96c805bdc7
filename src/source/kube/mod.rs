//! The API server as a source: each kind is listed and watched on its own, with raw requests, and never
//! decoded whole.
//!
//! [`namespaces`] and [`usage`] are read again and again. [`watch`] keeps a kind in step, [`api`] makes its
//! requests, [`lines`] and [`decode`] read the answers, [`wire`] has the objects.

pub(super) mod api;
mod decode;
mod lines;
pub mod namespaces;
pub mod usage;
mod watch;
mod wire;

use futures::future::BoxFuture;

pub use self::decode::{Told, frame, line};
pub use self::wire::{Deployment, Names, Object, Pod, ReplicaSet};

pub use self::api::ApiScope;

use self::api::Api;
use self::watch::Watch;
use super::handle::SourceHandle;
use crate::event::Kind;
use crate::net::clock::Clock;
use crate::net::timing::Timing;

/// Keeps one kind in step until it is stopped.
pub fn run(
    kind: Kind,
    place: ApiScope,
    handle: SourceHandle,
    clock: Clock,
    timing: Timing,
) -> BoxFuture<'static, ()> {
    let api = Api::new(kind, place);
    match kind {
        Kind::Pod => Box::pin(Watch::<wire::Pod>::new(api, handle, clock, timing).run()),
        Kind::Deployment => Box::pin(Watch::<wire::Deployment>::new(api, handle, clock, timing).run()),
        Kind::StatefulSet => Box::pin(Watch::<wire::StatefulSet>::new(api, handle, clock, timing).run()),
        Kind::ReplicaSet => Box::pin(Watch::<wire::ReplicaSet>::new(api, handle, clock, timing).run()),
        Kind::Node => Box::pin(Watch::<wire::Node>::new(api, handle, clock, timing).run()),
        Kind::DaemonSet => Box::pin(Watch::<wire::DaemonSet>::new(api, handle, clock, timing).run()),
        Kind::Job => Box::pin(Watch::<wire::Job>::new(api, handle, clock, timing).run()),
        Kind::Event => Box::pin(Watch::<wire::Event>::new(api, handle, clock, timing).run()),
        Kind::ConfigMap => Box::pin(Watch::<wire::ConfigMap>::new(api, handle, clock, timing).run()),
    }
}

#[cfg(test)]
mod tests;
