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

/// What the executor works with.
#[derive(Clone)]
pub struct Settings {
    /// The clusters, each with its connections.
    pub clusters: Clusters,
    /// The way to Alertmanager.
    pub alertmanager: Resolver,
    /// The namespaces that are looked at; the first is that of a deployment given without one. The sources
    /// follow it.
    pub namespaces: Arc<watch::Sender<Vec<Clean>>>,
    /// The person.
    pub actor: Clean,
    /// Above which share of failing requests a service is in trouble.
    pub rates: Rates,
    /// The steps.
    pub runbook: Arc<Runbook>,
    /// The folder for what is kept: saved logs go into `logs/` in it.
    pub data: PathBuf,
    /// Time.
    pub clock: Clock,
    /// How long one answer may take.
    pub deadline: Duration,
    /// How long a request whose answer was lost may still arrive: more than the minute that an API server
    /// gives it.
    pub patience: Duration,
}
