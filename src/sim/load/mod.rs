//! A very large cluster, beside the full simulation, which lives each pod's life and is too slow for fifty
//! thousand of them: here a pod is a few bytes and a place in a template of 7 kB, made into text when it is
//! sent. It can be listed, streamed, watched and looked at, not changed; it changes by itself, so many pods a
//! second.
//!
//! `object` has the pods and their text, `model` what changes, `server` the answers.

mod model;
mod object;
mod server;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio::time::MissedTickBehavior;

use self::model::Model;
pub use self::object::NAMESPACE;
use self::object::{App, Object, PODS_OF_APP, Pod};
use self::server::Shared;
use super::SimError;
use super::server::accept;

/// How often pods change: often enough to be a stream and not a pulse.
const STEP: Duration = Duration::from_millis(20);

/// A running load; it ends, with all its connections, when this is dropped.
pub struct Load {
    address: SocketAddr,
    tasks: Vec<AbortHandle>,
}

impl Load {
    /// Starts the server: so many pods, 100 of a `Deployment` and 250 on a node, of which so many change each
    /// second.
    pub async fn start(pods: usize, changes: u32) -> Result<Self, SimError> {
        let shared = Arc::new(Shared::new(Model::new(pods)));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let answers = shared.clone();
        let served = accept(listener, move |request| server::handle(answers.clone(), request));
        let tasks =
            vec![tokio::spawn(served).abort_handle(), tokio::spawn(live(shared, changes)).abort_handle()];
        Ok(Self { address, tasks })
    }

    /// `http://127.0.0.1:PORT` of the API server.
    pub fn kubernetes_url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// A line of a watch that says of the pod at this place how often it has restarted: what decoders are
/// measured with.
pub fn pod_line(place: usize, restarts: u32) -> String {
    server::added(&Object::Pod(Pod { place, serial: place as u64, restarts, ready: true }))
}

/// The lines of a watch that say that an app has all its pods: its `Deployment`, its `ReplicaSet`.
pub fn app_lines(place: usize) -> [String; 2] {
    let app = App { place, replicas: PODS_OF_APP, ready: PODS_OF_APP };
    [Object::Deployment(app), Object::ReplicaSet(app)].map(|object| server::added(&object))
}

impl Drop for Load {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

/// Changes pods for ever, the same number every second.
async fn live(shared: Arc<Shared>, changes: u32) {
    let steps = u32::try_from(Duration::from_secs(1).as_millis() / STEP.as_millis()).unwrap_or(1);
    let mut ticks = tokio::time::interval(STEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut owed = 0;
    loop {
        ticks.tick().await;
        owed += changes;
        if owed >= steps {
            shared.change(owed / steps);
            owed %= steps;
        }
    }
}
