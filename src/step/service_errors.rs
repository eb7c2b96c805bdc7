//! Whether any service fails more of its requests than it may: the shares of 5xx answers now, measured as the
//! panes measure them, against the thresholds of the settings.

use serde_json::Value;

use super::command::line;
use super::input::{InputSpec, Inputs};
use super::{Answer, Ctx, Draft, Read, ReadAs, StepKind, Whom, pages, printed};
use crate::clean::Clean;
use crate::event::{Danger, Output, RateSample, Refusal, ServiceRate, Table};
use crate::units;

const COLUMNS: [&str; 4] = ["SERVICE", "5XX", "THRESHOLD", "REQUESTS/S"];
const WHAT: &str = "the rates of the services";

pub(super) struct ServiceErrors;

impl StepKind for ServiceErrors {
    fn name(&self) -> &'static str {
        "service-errors"
    }

    fn danger(&self) -> Danger {
        Danger::Read
    }

    fn inputs(&self) -> &'static [InputSpec] {
        &[]
    }

    fn judges(&self) -> bool {
        true
    }

    fn asks(&self) -> &'static [Whom] {
        &[Whom::Rates]
    }

    fn plan(&self, _: &Inputs, _: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let command = line(&["warroom", "run", "service-errors"].map(Into::into));
        Ok(Draft::look("the services' shares of 5xx".to_owned(), ctx.cluster(), WHAT, Vec::new(), command))
    }

    fn looks(&self, _: &Inputs, answers: &[Answer], _: &Ctx) -> Result<Vec<Read>, Refusal> {
        let read = Read {
            whom: Whom::Rates,
            path: String::new(),
            what: WHAT.to_owned(),
            is: None,
            required: true,
            wanted: ReadAs::Objects,
        };
        Ok(if answers.is_empty() { vec![read] } else { Vec::new() })
    }

    fn tell(&self, _: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Output, Refusal> {
        let sample = answers.first().and_then(Answer::found).map_or(&Value::Null, |sample| sample);
        let RateSample { services, window, .. } = serde_json::from_value(sample.clone())
            .map_err(|why| Refusal::failed(format!("{WHAT} cannot be read: {why}")))?;
        let mut services: Vec<Service> = services.into_iter().map(|one| Service::of(one, ctx)).collect();
        let share = |one: &Service| one.share.unwrap_or(-1.0);
        services.sort_by(|a, b| b.fails().cmp(&a.fails()).then(share(b).total_cmp(&share(a))));
        let failing: Vec<String> = services.iter().filter(|one| one.fails()).map(Service::told).collect();
        let idle = |one: &&Service| one.share.is_none() && one.requests == Some(0.0);
        let unknown = services.iter().filter(idle).count();
        let unread: Vec<&str> = services
            .iter()
            .filter(|one| one.share.is_none() && !idle(one))
            .map(|one| one.name.as_str())
            .collect();
        let mut table = Table::new(&COLUMNS);
        table.rows = services.iter().map(Service::row).collect();
        let unmeasured = services.is_empty().then(|| Clean::from("no service is measured"));
        let untold = (!unread.is_empty())
            .then(|| Clean::from(format!("whether requests of {} fail is not known", unread.join(", "))));
        let cut = pages::joined(unmeasured.into_iter().chain(untold).chain(pages::shorten(&mut table)));
        let wrong =
            printed::wrong(failing.len(), (services.len(), "service"), "over the threshold", &failing);
        let below = services.len() - failing.len() - unknown - unread.len();
        let without = if unknown == 0 { String::new() } else { format!(", {unknown} without requests") };
        let sum = match services.len() {
            0 => "no service is measured".to_owned(),
            all => format!(
                "{below} of {} below the threshold{without}, over {window} s",
                units::counted(all, "service")
            ),
        };
        Ok(Output { wrong, cut, ..Output::read(sum, table) })
    }
}

struct Service {
    name: Clean,
    /// Share of its requests that fail, 0 to 1; `None` where it has no requests, or it is not known.
    share: Option<f64>,
    requests: Option<f64>,
    threshold: f64,
}

impl Service {
    fn of(ServiceRate { service, rate }: ServiceRate, ctx: &Ctx) -> Self {
        let threshold = ctx.rates.threshold_of(&service);
        Self { share: rate.ratio(), requests: rate.requests, threshold, name: service }
    }

    /// Whether it fails more of its requests than it may.
    fn fails(&self) -> bool {
        self.share.is_some_and(|share| share > self.threshold)
    }

    /// `app 24.8 %`
    fn told(&self) -> String {
        format!("{} {}", self.name, units::percent(self.share))
    }

    fn row(&self) -> Vec<Clean> {
        let share = self.share.map_or_else(|| "no requests".to_owned(), |share| units::percent(Some(share)));
        let requests = self.requests.map_or_else(|| "unknown".to_owned(), |rate| format!("{rate:.1}"));
        let cells = [self.name.to_string(), share, units::percent(Some(self.threshold)), requests];
        cells.map(Clean::from).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::step::samples::ctx;

    fn told(services: &Value) -> Result<Output, Refusal> {
        let sample =
            json!({"at": "2026-11-23T14:46:30Z", "window": 60, "services": services, "errors_5m": null});
        ServiceErrors.tell(&Inputs::default(), &[Answer::Found(sample)], &ctx())
    }

    fn service(name: &str, rate: &Value) -> Value {
        json!({"service": name, "rate": rate})
    }

    #[test]
    fn those_over_their_threshold_stand_first_and_unknown_is_not_below() {
        let output = told(&json!([
            service("idle", &json!({"requests": 0.0})),
            service("app", &json!({"errors": 5.0, "requests": 20.0})),
            service("ocr", &json!({"errors": 0.2, "requests": 20.0})),
        ]))
        .unwrap();
        let rows: Vec<String> = output.table.unwrap().rows.iter().map(|row| row.join("|")).collect();
        assert_eq!(rows, ["app|25.0 %|5.0 %|20.0", "ocr|1.0 %|5.0 %|20.0", "idle|no requests|5.0 %|0.0"]);
        assert_eq!(output.wrong, Some(Clean::new("1 of 3 services is over the threshold: app 25.0 %")));
        assert_eq!(
            output.lines[0].as_str(),
            "1 of 3 services below the threshold, 1 without requests, over 60 s"
        );
        let none = told(&json!([])).unwrap();
        assert_eq!((none.lines[0].as_str(), none.wrong), ("no service is measured", None));
        assert!(ServiceErrors.tell(&Inputs::default(), &[], &ctx()).is_err());
    }
}
