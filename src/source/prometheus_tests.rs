use super::answer::{JobSeries, Points};
use super::*;
use serde::de::DeserializeOwned;

fn result<T: DeserializeOwned>(text: &str) -> Vec<T> {
    serde_json::from_str::<Answer<Series<T>>>(&format!(r#"{{"status":"success","data":{{"resultType":"x","result":{text}}}}}"#))
        .unwrap()
        .data
        .result
}

/// `(seconds, services as (name, errors, requests), errors over 5 minutes)`
type Plain = (i64, Vec<(String, Option<f64>, Option<f64>)>, Option<f64>);

fn plain(errors: &str, requests: &str, total: &str) -> Vec<Plain> {
    let all = samples(30, result::<Points>(errors), result::<Points>(requests), result::<Points>(total));
    let services = |sample: &RateSample| sample.services.iter().map(|s| (s.service.to_string(), s.errors, s.requests)).collect();
    all.iter().map(|sample| (sample.at.timestamp(), services(sample), sample.errors_5m)).collect()
}

#[test]
fn what_is_known_unknown_and_absent_is_told_apart() {
    let errors = r#"[{"metric":{"service":"app"},"value":[10,"2.5"]},{"metric":{"service":"odd"},"value":[10,"NaN"]},
        {"metric":{"service":"new"},"value":[10,"1"]}]"#;
    let requests = r#"[{"metric":{"service":"app"},"value":[10,"10"]},{"metric":{"service":"well"},"value":[10,"5"]},
        {"metric":{"service":"odd"},"value":[10,"+Inf"]},{"metric":{},"value":[10,"3"]}]"#;
    let expected = vec![
        ("app".to_owned(), Some(2.5), Some(10.0)),
        ("new".to_owned(), Some(1.0), None),
        ("odd".to_owned(), None, None),
        ("well".to_owned(), Some(0.0), Some(5.0)),
    ];
    assert_eq!(plain(errors, requests, r#"[{"metric":{},"value":[10,"3.5"]}]"#), [(10, expected, Some(3.5))]);
    assert_eq!(plain("[]", "[]", "[]"), []);
}

#[test]
fn a_range_is_told_in_the_order_of_time_with_its_holes() {
    let requests = r#"[{"metric":{"service":"b"},"values":[[20,"2"],[40,"4"]]},{"metric":{"service":"a"},"values":[[20.0004,"1"]]}]"#;
    let known = |name: &str, rate| (name.to_owned(), Some(0.0), Some(rate));
    assert_eq!(plain("[]", requests, "[]"), [(20, vec![known("a", 1.0), known("b", 2.0)], None), (40, vec![known("b", 4.0)], None)]);
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

#[test]
fn a_moment_is_written_as_prometheus_reads_it() {
    assert_eq!(DateTime::from_timestamp_millis(1_795_413_107_042).map(seconds).as_deref(), Some("1795413107.042"));
}
