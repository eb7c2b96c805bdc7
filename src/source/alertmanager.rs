//! Alertmanager: the alerts that are there now, and the silences.

use futures::FutureExt;
use futures::future::BoxFuture;

use super::Start;
use super::handle::SourceHandle;
use crate::event::alertmanager::{alerts, silences};
use crate::event::{Alert, Event, Silence};
use crate::net::clock::Clock;
use crate::net::failure::Failure;
use crate::net::http::Server;
use crate::net::resolver::Resolver;
use crate::net::timing::Timing;

/// Starts reading alerts and silences.
pub(super) fn start(start: Start, handle: SourceHandle) -> BoxFuture<'static, ()> {
    let Start { settings, clock, timing, .. } = start;
    run(settings.alertmanager, handle, clock, timing).boxed()
}

/// Reads alerts and silences every few seconds and tells them when they change, until it is stopped.
pub async fn run(resolver: Resolver, mut handle: SourceHandle, clock: Clock, timing: Timing) {
    let server = handle.server(&resolver).await;
    let mut told = (None, None);
    loop {
        match read(&server).await {
            Ok((alerts, silences)) => {
                // Told first, so that live means read; silences before the alerts that they keep quiet.
                if told.0.as_ref() != Some(&silences) {
                    handle.tell(Event::Silences(silences.clone())).await;
                    told.0 = Some(silences);
                }
                if told.1.as_ref() != Some(&alerts) {
                    handle.tell(Event::Alerts(alerts.clone())).await;
                    told.1 = Some(alerts);
                }
                handle.live(None).await;
            }
            Err(failure) => handle.fail(&failure).await,
        }
        clock.sleep(timing.metrics).await;
    }
}

async fn read(server: &Server) -> Result<(Vec<Alert>, Vec<Silence>), Failure> {
    let query = [("active", "true"), ("silenced", "true"), ("inhibited", "true"), ("unprocessed", "true")];
    let alerts = alerts(server.ask(server.get("api/v2/alerts", &query)).await?);
    Ok((alerts, silences(server.ask(server.get("api/v2/silences", &[])).await?)))
}
