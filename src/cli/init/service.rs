//! One service of HTTP: what the settings say, what the cluster has, what somebody types; each is tested
//! before it is written down.

use super::{Chosen, Finder, ask};
use crate::clean::cleaned;
use crate::cli::say;
use crate::config::{Auth, Endpoint, Secret, Where, edit};
use crate::net::discovery::{ServiceKind, test};
use crate::net::failure::Failure;
use crate::net::http::Server;

/// Candidates of the cluster that are shown.
const SHOWN: usize = 9;

impl Finder<'_> {
    /// Finds and tests; asks, where somebody is there.
    pub(super) async fn service(&self, what: ServiceKind) -> color_eyre::Result<Chosen<Endpoint>> {
        let name = what.name();
        let (flagged, set) = match what {
            ServiceKind::Prometheus => (&self.wanted.prometheus, &self.context.config.settings.prometheus),
            ServiceKind::Alertmanager => {
                (&self.wanted.alertmanager, &self.context.config.settings.alertmanager)
            }
        };
        if let Some(place) = flagged.place.clone() {
            let from = if *flagged == *set { "the settings" } else { "the command line or the environment" };
            let tested = self.tested(what, flagged).await;
            tell(name, &format!("{place} of {from}"), &tested)?;
            match (&tested, flagged == set) {
                (Ok(_), true) => return Ok(Chosen::Kept),
                (Ok(_), false) if set.place.is_none() => return Ok(Chosen::New(Box::new(flagged.clone()))),
                // What is set stays set unless somebody says otherwise.
                (Err(_), false) if !self.asks => return Ok(Chosen::Failed),
                _ if !self.asks => return Ok(Chosen::Kept),
                _ => {}
            }
        }
        let candidates = self.candidates(what).await?;
        if self.asks {
            return self.choose(what, &candidates).await;
        }
        Ok(candidates.into_iter().next().map_or(Chosen::Nothing, |best| Chosen::New(Box::new(best))))
    }

    async fn tested(&self, what: ServiceKind, endpoint: &Endpoint) -> Result<String, Failure> {
        let server = match &endpoint.place {
            Some(Where::At(address)) => Server::at(what.name(), address, endpoint, &self.wanted.timing)?,
            Some(Where::In(service)) => {
                Server::within(what.name(), service, self.connection.reader.clone(), &self.wanted.timing)
            }
            None => return Err(Failure::Rejected("it has no address".into())),
        };
        test(what, &server).await
    }

    /// Those of the cluster that answer, the best first; all that look like it are told.
    async fn candidates(&self, what: ServiceKind) -> color_eyre::Result<Vec<Endpoint>> {
        let Ok(catalog) = self.discovery.catalog().await else { return Ok(Vec::new()) };
        let mut good = Vec::new();
        let all = catalog.candidates(what);
        if all.is_empty() {
            say(format_args!(
                "✗ {}: no service of the cluster looks like it; {}",
                what.name(),
                elsewhere(what)
            ))?;
        }
        for service in all.into_iter().take(SHOWN) {
            let endpoint = Endpoint::from(Where::In(service.clone()));
            let tested = self.tested(what, &endpoint).await;
            tell(what.name(), &service.to_string(), &tested)?;
            if tested.is_ok() {
                good.push(endpoint);
            }
        }
        Ok(good)
    }

    /// Lets somebody choose: a number, an address, or nothing.
    async fn choose(
        &self,
        what: ServiceKind,
        candidates: &[Endpoint],
    ) -> color_eyre::Result<Chosen<Endpoint>> {
        let name = what.name();
        for (number, endpoint) in (1..).zip(candidates) {
            say(format_args!("  {number}  {}", place(endpoint)))?;
        }
        let usual = if candidates.is_empty() { "leave it out" } else { "1" };
        loop {
            let Some(typed) =
                ask::line(&format!("{name}: a number, an address, or - to leave it out [{usual}]:"))?
            else {
                return Ok(Chosen::Stop);
            };
            let number = if typed.is_empty() { Some(1) } else { typed.parse::<usize>().ok() };
            match number.and_then(|number| candidates.get(number.checked_sub(1)?)) {
                Some(endpoint) => return Ok(Chosen::New(Box::new(endpoint.clone()))),
                None if typed.is_empty() || typed == "-" => return Ok(Chosen::Nothing),
                None => {}
            }
            let endpoint = match typed.parse::<Where>() {
                Ok(place) => Endpoint::from(place),
                Err(fault) => {
                    say(format_args!("  {}", cleaned(&fault.to_string())))?;
                    continue;
                }
            };
            if let Some(endpoint) = self.let_in(what, endpoint).await? {
                return Ok(Chosen::New(Box::new(endpoint)));
            }
        }
    }

    /// Tests what was typed; asks for credentials where it wants them. `None`: it is not to be used.
    async fn let_in(
        &self,
        what: ServiceKind,
        mut endpoint: Endpoint,
    ) -> color_eyre::Result<Option<Endpoint>> {
        loop {
            let tested = self.tested(what, &endpoint).await;
            tell(what.name(), &place(&endpoint), &tested)?;
            match tested {
                Ok(_) => return Ok(Some(endpoint)),
                Err(failure) if failure.refused() && matches!(endpoint.place, Some(Where::At(_))) => {
                    match self.credentials(what)? {
                        Some(auth) => endpoint.auth = auth,
                        None => return Ok(None),
                    }
                }
                Err(_) => return Ok(ask::insisted("  Use it all the same?")?.then_some(endpoint)),
            }
        }
    }

    /// Asks for credentials, and keeps what was typed in a file of its owner's.
    fn credentials(&self, what: ServiceKind) -> color_eyre::Result<Option<Auth>> {
        let user = ask::line("  user (nothing: a bearer token):")?;
        let Some(user) = user else { return Ok(None) };
        let noun = if user.is_empty() { "token" } else { "password" };
        let typed = ask::secret(&format!(
            "  {noun}, not shown; or $NAME, a variable that holds it (nothing: leave it out):"
        ))?;
        let Some(typed) = typed.filter(|typed| !typed.is_empty()) else { return Ok(None) };
        let secret = match typed.strip_prefix('$') {
            Some(name) => Secret::Env(name.to_owned()),
            None => {
                let path = self.context.paths.config_dir.join(format!("{}.{noun}", what.settings().2));
                edit::write_private(&path, &typed)?;
                say(format_args!("  kept in {}, which only you can read", path.display()))?;
                Secret::File(path)
            }
        };
        Ok(Some(if user.is_empty() { Auth::Bearer(secret) } else { Auth::Basic { user, password: secret } }))
    }
}

/// What there is to do where the cluster has none.
fn elsewhere(what: ServiceKind) -> String {
    let (flag, variable, _) = what.settings();
    format!("if it is elsewhere, give {flag} or {variable}")
}

fn place(endpoint: &Endpoint) -> String {
    endpoint.place.as_ref().map(|place| cleaned(&place.to_string()).into_owned()).unwrap_or_default()
}

pub(super) fn tell(name: &str, at: &str, tested: &Result<String, Failure>) -> std::io::Result<()> {
    match tested {
        Ok(told) => say(cleaned(&format!("✓ {name}: {at}: {told}"))),
        Err(failure) => say(cleaned(&format!("✗ {name}: {at}: {failure}"))),
    }
}
