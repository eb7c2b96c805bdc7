//! What can go wrong in the simulated cluster, as data: the named scenarios and the releases that cause them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A named incident of the simulated cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Nothing happens.
    Calm,
    /// A release of the app that fails a quarter of its requests.
    BadRelease,
    /// `ocr-service` crashes over and over, the app fails a fifth of its requests.
    OcrCrash,
    /// Documents arrive faster than one worker can take them.
    LagBuildUp,
}

impl Scenario {
    /// Every scenario, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Calm, Self::BadRelease, Self::OcrCrash, Self::LagBuildUp];

    /// One line: what happens, and what ends it.
    pub fn description(self) -> &'static str {
        match self {
            Self::Calm => "nothing is wrong",
            Self::BadRelease => {
                "release v1.3.0 fails a quarter of the app's requests; rolling it back ends it"
            }
            Self::OcrCrash => {
                "ocr-service crash-loops and the app fails a fifth of its requests; FEATURE_OCR_PROCESSING=false or a rollback ends it"
            }
            Self::LagBuildUp => {
                "documents come in at 400 a second and one worker takes 100; scaling worker-service to 6 or more ends it"
            }
        }
    }

    /// What is released when the incident begins.
    pub(super) fn release(self) -> Option<Release> {
        match self {
            Self::Calm => None,
            Self::BadRelease => Some(Release::version("v1.3.0")),
            Self::OcrCrash => Some(Release::fault("ocr-service", ServiceFault::Crash)),
            Self::LagBuildUp => Some(Release::produce_rate(400)),
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Calm => "calm",
            Self::BadRelease => "bad-release",
            Self::OcrCrash => "ocr-crash",
            Self::LagBuildUp => "lag",
        })
    }
}

/// The name is not that of a scenario.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("there is no scenario \"{0}\"; there are calm, bad-release, ocr-crash and lag")]
pub struct UnknownScenario(pub String);

impl FromStr for Scenario {
    type Err = UnknownScenario;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|scenario| scenario.to_string() == name)
            .ok_or_else(|| UnknownScenario(name.to_owned()))
    }
}

/// How a service misbehaves, as the variable `FAULT` of its container says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceFault {
    /// Exits with 1 ten seconds after each start.
    Crash,
    /// Answers 503 on `/health`.
    Unhealthy,
    /// Grows until the kernel kills it.
    Leak,
    /// Writes terminal escape sequences and broken UTF-8 to its log.
    Hostile,
    /// Takes ten seconds to answer on `/health`.
    Slow,
}

impl ServiceFault {
    const ALL: [Self; 5] = [Self::Crash, Self::Unhealthy, Self::Leak, Self::Hostile, Self::Slow];

    /// The value of `FAULT`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Unhealthy => "unhealthy",
            Self::Leak => "leak",
            Self::Hostile => "hostile",
            Self::Slow => "slow",
        }
    }

    pub(super) fn from_env(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.as_str() == value)
    }
}

/// What a deploy installs: the values of the chart. [`Release::default`] is the good state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Version of the app; `v1.3.0` is the bad one.
    pub version: String,
    /// Faults by service.
    pub faults: BTreeMap<String, ServiceFault>,
    /// Documents produced a second.
    pub produce_rate: u32,
}

impl Default for Release {
    fn default() -> Self {
        Self { version: "v1.2.3".to_owned(), faults: BTreeMap::new(), produce_rate: 50 }
    }
}

impl Release {
    /// The good state with another version of the app.
    pub fn version(version: &str) -> Self {
        Self { version: version.to_owned(), ..Self::default() }
    }

    /// The good state with one faulty service.
    pub fn fault(service: &str, fault: ServiceFault) -> Self {
        Self { faults: BTreeMap::from([(service.to_owned(), fault)]), ..Self::default() }
    }

    /// The good state with another rate of documents, in documents a second.
    pub fn produce_rate(rate: u32) -> Self {
        Self { produce_rate: rate, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_is_found_by_the_name_it_shows() {
        for scenario in Scenario::ALL {
            assert_eq!(scenario.to_string().parse(), Ok(scenario));
        }
        assert_eq!("lagg".parse::<Scenario>(), Err(UnknownScenario("lagg".to_owned())));
    }
}
