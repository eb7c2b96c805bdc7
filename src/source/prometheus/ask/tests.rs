use axum::extract::Query as Parameters;
use http::StatusCode;
use serde::de::DeserializeOwned;

use super::super::answer::JobSeries;
use super::*;
use crate::config;
use crate::event::Rate;
use crate::net::timing::Timing;
use crate::source::prometheus::answer::Points;

fn result<T: DeserializeOwned>(text: &str) -> Vec<T> {
    serde_json::from_str::<Answer<Series<T>>>(&format!(
        r#"{{"status":"success","data":{{"resultType":"x","result":{text}}}}}"#
    ))
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
    let errors_5m =
        rows(r#"[{"metric":{"service":"app"},"value":[10,"3"]},{"metric":{},"value":[10,"0.5"]}]"#).single();
    let mut moment = Moment { numbers, errors_5m, ..Moment::default() };
    let known = |errors, requests, errors_5m| Rate { errors, requests, errors_5m, ..Rate::default() };
    let expected = [
        ("app", Rate { latency: Some(0.25), ..known(Some(2.5), Some(10.0), Some(3.0)) }),
        ("new", known(Some(1.0), None, None)),
        ("odd", known(None, None, None)),
        ("well", known(Some(0.0), Some(5.0), Some(0.0))),
    ];
    assert_eq!(said(&moment), expected.map(|(name, rate)| (name.to_owned(), rate)));
    assert_eq!(moment.sample(2, 30).errors_5m, Some(3.5));
    assert_eq!(
        Moment::default().sample(2, 30),
        RateSample { at: Tier::Fine.at(2), window: 30, services: vec![], errors_5m: None }
    );
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
        vec![
            (Signal::Errors, rows(errors)),
            (Signal::Requests, rows(requests)),
            (Signal::Latency, rows(latency)),
        ],
    );
    let lines: Vec<_> = told
        .services
        .iter()
        .map(|told| (told.service.as_str(), told.lines[0].clone(), told.lines[1].clone()))
        .collect();
    let expected = [
        ("a", vec![], vec![None, Some(0.0), None]),
        ("b", vec![Some(0.0), None, Some(0.5)], vec![Some(2.0), None, Some(4.0)]),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn units_are_turned_into_the_ones_that_are_kept() {
    let row = |unit: Unit| {
        Rows::new(result::<Points>(r#"[{"metric":{"app":"x"},"value":[1,"30"]}]"#), "app", unit.kept().1)
            .single()
    };
    let told = [Unit::Percent, Unit::PerMinute, Unit::Millis, Unit::Cores].map(|unit| row(unit)["x"]);
    assert_eq!(told, [Some(0.3), Some(0.5), Some(0.03), Some(30.0)]);
}

#[test]
fn the_window_follows_the_slowest_scrape_of_what_counts_requests() {
    let targets = |text: &str| {
        serde_json::from_str::<Answer<Targets>>(&format!(r#"{{"data":{{"activeTargets":[{text}]}}}}"#))
            .unwrap()
            .data
    };
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

/// A Prometheus that has these series for a query that ends so, the same at every moment; any other it cannot
/// read.
async fn asker(rates: config::Rates, known: &'static [(&'static str, String)]) -> Arc<Asker> {
    let answer = move |request: axum::extract::Request| async move {
        let path = request.uri().path().to_owned();
        let body = axum::body::to_bytes(request.into_body(), 1 << 16).await.unwrap();
        let form = format!("/?{}", String::from_utf8(body.to_vec()).unwrap()).parse().unwrap();
        let Parameters(form) = Parameters::<Vec<(String, String)>>::try_from_uri(&form).unwrap();
        if !path.starts_with("/api/v1/query") {
            return (StatusCode::OK, r#"{"status":"success","data":[]}"#.to_owned());
        }
        match known.iter().find(|(text, _)| form[0].1 == *text) {
            Some((_, series)) => (
                StatusCode::OK,
                format!(r#"{{"status":"success","data":{{"resultType":"x","result":[{series}]}}}}"#),
            ),
            None => (
                StatusCode::BAD_REQUEST,
                r#"{"status":"error","errorType":"bad_data","error":"1:4: parse error"}"#.to_owned(),
            ),
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });
    let server = Server::new("Prometheus", &address, &Timing::default()).unwrap();
    Arc::new(Asker::find(&Arc::new(server), &rates).await.unwrap())
}

/// These queries, over 30 s, by service.
fn set<const N: usize>(queries: [(Signal, &str, Unit); N]) -> config::Rates {
    let query = |(signal, text, unit): (Signal, &str, Unit)| {
        (signal, config::Query { query: text.into(), unit, threshold: None })
    };
    config::Rates { window: Some(30), queries: queries.map(query).into(), ..config::Rates::default() }
}

/// A series whose number is the same at every moment.
fn series(labels: &str, number: f64) -> String {
    format!(r#"{{"metric":{{{labels}}},"value":[10,"{number}"],"values":[[10,"{number}"]]}}"#)
}

/// The place 2, of the past.
fn piece() -> Chunk {
    let mut backlog = crate::source::prometheus::backlog::Backlog::default();
    backlog.add(Some(1), 3);
    backlog.next().unwrap()
}

fn known<const N: usize>(known: [(&'static str, String); N]) -> &'static [(&'static str, String)] {
    Box::leak(Box::new(known))
}

const APP: &str = r#""service":"app""#;

#[tokio::test]
async fn the_line_of_errors_is_of_the_unit_that_the_errors_of_now_are_of() {
    let second = Unit::PerSecond;
    let minute = Unit::PerMinute;
    for (errors, requests, share) in
        [(second, second, 0.1), (minute, minute, 0.1), (minute, second, 0.1 / 60.0), (second, minute, 6.0)]
    {
        let answers = known([
            ("fails", series(APP, 1.0)),
            ("all", series(APP, 10.0)),
            ("(fails) / (all)", series(APP, 0.1)),
        ]);
        let asker =
            asker(set([(Signal::Errors, "fails", errors), (Signal::Requests, "all", requests)]), answers)
                .await;
        let now = asker.now(2).await.unwrap().0.services[0].rate.ratio().unwrap();
        let then = asker.history(piece()).await.1.unwrap().services[0].lines[0][0].unwrap();
        assert!(
            (then - share).abs() < 1e-6 && (now - share.min(1.0)).abs() < 1e-6,
            "{errors} of {requests}: {now}, {then}"
        );
    }
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_told_and_the_others_go_on() {
    let answers = || known([("all", series(APP, 10.0)), ("slow", series(APP, 0.2))]);
    let queries = [
        (Signal::Errors, "sum(", Unit::PerSecond),
        (Signal::Requests, "all", Unit::PerSecond),
        (Signal::Latency, "slow", Unit::Seconds),
    ];
    let asker = asker(set(queries), answers()).await;
    let (sample, faults) = asker.now(2).await.unwrap();
    let rate = Rate { requests: Some(10.0), latency: Some(0.2), ..Rate::default() };
    assert_eq!(
        sample.services,
        [crate::event::ServiceRate { service: "app".into(), rate }],
        "how many fail is not known"
    );
    let why = "Prometheus answers 400 Bad Request: 1:4: parse error".to_owned();
    let misasked = Fault::Misasked { signal: Signal::Errors, why };
    assert_eq!(misasked.to_string(), "rates.errors: Prometheus answers 400 Bad Request: 1:4: parse error");
    assert_eq!(faults, BTreeMap::from([(Signal::Errors, misasked)]));
    let told = asker.history(piece()).await.1.unwrap();
    assert_eq!(told.services[0].lines, [vec![], vec![Some(10.0)], vec![Some(0.2)], vec![]]);
}

#[tokio::test]
async fn a_label_that_no_series_has_is_named() {
    let answers = known([("fails", String::new()), ("all", series("", 10.0))]);
    let queries =
        set([(Signal::Errors, "fails", Unit::PerSecond), (Signal::Requests, "all", Unit::PerSecond)]);
    let asker = asker(config::Rates { label: Some("app".into()), ..queries }, answers).await;
    let (sample, faults) = asker.now(2).await.unwrap();
    assert_eq!(sample.services, []);
    let unlabelled = Fault::Unlabelled { signal: Signal::Requests, label: "app".to_owned() };
    assert_eq!(faults, BTreeMap::from([(Signal::Requests, unlabelled)]));
}
