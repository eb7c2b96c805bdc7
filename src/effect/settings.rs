//! What the executor works with.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::clusters::Clusters;
use crate::clean::Clean;
use crate::config::Rates;
use crate::net::clock::Clock;
use crate::net::resolver::Resolver;
use crate::runbook::Runbook;

pub(super) const BROKEN: &str = "warroom itself broke down over this; please report it";

/// Settings of the executor.
#[derive(Clone)]
pub struct Settings {
    /// Clusters, each with its connections.
    pub clusters: Clusters,
    /// Resolver of Alertmanager.
    pub alertmanager: Resolver,
    /// Resolver of Prometheus.
    pub prometheus: Resolver,
    /// Namespaces that are watched; the first is that of a deployment given without one. The sources follow
    /// it.
    pub namespaces: Arc<watch::Sender<Vec<Clean>>>,
    /// Name of the person who acts.
    pub actor: Clean,
    /// Settings of rates: the share of failing requests above which a service is in trouble.
    pub rates: Rates,
    /// Steps that can be taken.
    pub runbook: Arc<Runbook>,
    /// Data folder: saved logs go into `logs/` in it.
    pub data: PathBuf,
    /// Clock that all waiting goes by.
    pub clock: Clock,
    /// Deadline of one answer.
    pub deadline: Duration,
    /// Time that a request whose answer was lost may still arrive: more than the minute that an API server
    /// gives it.
    pub patience: Duration,
}
