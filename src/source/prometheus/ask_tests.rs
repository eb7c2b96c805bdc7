use serde::de::DeserializeOwned;

use super::super::answer::JobSeries;
use super::*;
use crate::event::Rate;

fn result<T: DeserializeOwned>(text: &str) -> Vec<T> {
    serde_json::from_str::<Answer<Series<T>>>(&format!(r#"{{"status":"success","data":{{"resultType":"x","result":{text}}}}}"#))
        .unwrap()
        .data
        .result
}

fn rows(text: &str) -> Rows {
    Rows::new(result::<Points>(text), "service", 1.0)
}

fn said(moment: &Moment) -> Vec<(String, Rate)> {
    moment.sample(2, 30).services.into_iter().map(|told| (told.service.to_string(), told.rate)).collect()
}

#[test]
fn what_is_known_unknown_and_absent_is_told_apart() {
    let errors = r#"[{"metric":{"service":"app"},"value":[10,"2.5"]},{"metric":{"service":"odd"},"value":[10,"NaN"]},
        {"metric":{"service":"new"},"value":[10,"1"]}]"#;
    let requests = r#"[{"metric":{"service":"app"},"value":[10,"10"]},{"metric":{"service":"well"},"value":[10,"5"]},
        {"metric":{"service":"odd"},"value":[10,"+Inf"]},{"metric":{},"value":[10,"3"]}]"#;
    let latency = r#"[{"metric":{"service":"app"},"value":[10,"0.25"]},{"metric":{"service":"stranger"},"value":[10,"9"]}]"#;
    let numbers = [errors, requests, latency, "[]"].map(|text| rows(text).single());
    let errors_5m = rows(r#"[{"metric":{"service":"app"},"value":[10,"3"]},{"metric":{},"value":[10,"0.5"]}]"#).single();
    let mut moment = Moment { numbers, shares: false, errors_5m };
    let known = |errors, requests, errors_5m| Rate { errors, requests, errors_5m, ..Rate::default() };
    let expected = [
        ("app", Rate { latency: Some(0.25), ..known(Some(2.5), Some(10.0), Some(3.0)) }),
        ("new", known(Some(1.0), None, None)),
        ("odd", known(None, None, None)),
        ("well", known(Some(0.0), Some(5.0), Some(0.0))),
    ];
    assert_eq!(said(&moment), expected.map(|(name, rate)| (name.to_owned(), rate)));
    assert_eq!(moment.sample(2, 30).errors_5m, Some(3.5));
    assert_eq!(Moment::default().sample(2, 30), RateSample { at: Tier::Fine.at(2), window: 30, services: vec![], errors_5m: None });
    moment.shares = true;
    let ratios: Vec<_> = said(&moment).into_iter().map(|(_, rate)| rate.ratio()).collect();
    assert_eq!(ratios, [Some(1.0), Some(1.0), None, Some(0.0)], "of a query that answers shares");
}

#[test]
fn a_range_falls_into_its_places_with_its_holes() {
    let requests = r#"[{"metric":{"service":"b"},"values":[[10,"2"],[20,"4"]]},{"metric":{"service":"a"},"values":[[15.0004,"0"]]}]"#;
    let errors = r#"[{"metric":{"service":"b"},"values":[[20,"0.5"],[400,"1"]]},{"metric":{"service":"a"},"values":[[15,"NaN"]]}]"#;
    let latency = r#"[{"metric":{"service":"stranger"},"values":[[10,"1"]]}]"#;
    let told = history(
        Tier::Fine,
        2,
        3,
        vec![(Signal::Errors, rows(errors)), (Signal::Requests, rows(requests)), (Signal::Latency, rows(latency))],
    );
    let lines: Vec<_> = told.services.iter().map(|told| (told.service.as_str(), told.lines[0].clone(), told.lines[1].clone())).collect();
    let expected = [("a", vec![], vec![None, Some(0.0), None]), ("b", vec![Some(0.0), None, Some(0.5)], vec![Some(2.0), None, Some(4.0)])];
    assert_eq!(lines, expected);
}

#[test]
fn units_are_turned_into_the_ones_that_are_kept() {
    let row = |unit: Unit| Rows::new(result::<Points>(r#"[{"metric":{"app":"x"},"value":[1,"30"]}]"#), "app", unit.kept().1).single();
    let told = [Unit::Percent, Unit::PerMinute, Unit::Millis, Unit::Cores].map(|unit| row(unit)["x"]);
    assert_eq!(told, [Some(0.3), Some(0.5), Some(0.03), Some(30.0)]);
}

#[test]
fn the_window_follows_the_slowest_scrape_of_what_counts_requests() {
    let targets =
        |text: &str| serde_json::from_str::<Answer<Targets>>(&format!(r#"{{"data":{{"activeTargets":[{text}]}}}}"#)).unwrap().data;
    let jobs = |names: &str| Jobs::new(result::<JobSeries>(names));
    let all = targets(
        r#"{"labels":{"job":"node"},"scrapeInterval":"2s"},{"labels":{"job":"pods"},"scrapeInterval":"30s"},
           {"labels":{"job":"pods"},"scrapeInterval":"1m30s"},{"labels":{"job":"odd"},"scrapeInterval":"often"}"#,
    );
    assert_eq!(all.interval(&jobs(r#"[{"metric":{"job":"pods"}}]"#)), Some(90.0));
    assert_eq!(all.interval(&jobs("[]")), Some(2.0));
    assert_eq!(targets("").interval(&jobs("[]")), None);
    assert_eq!([2.0, 15.0, 0.5, 1e12].map(window), [30, 60, 30, 86_400]);
}
