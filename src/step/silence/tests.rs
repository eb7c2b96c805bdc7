use super::*;
use crate::step::samples::plan;

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn now() -> DateTime<Utc> {
    at("2026-11-23T14:46:32Z")
}

fn answers() -> [Answer; 2] {
    let alert = |fingerprint: &str, service: &str, state: &str| {
        json!({"fingerprint": fingerprint, "labels": {"alertname": "HighErrorRate", "service": service, "severity": "critical"},
               "startsAt": "2026-11-23T14:00:00Z", "status": {"state": state}})
    };
    let alerts = json!([
        alert("f1", "app\tone", "active"),
        alert("f2", "ocr", "active"),
        alert("f3", "old", "suppressed")
    ]);
    [Answer::Found(alerts), Answer::Found(json!([]))]
}

fn drafted(pairs: &[(&str, &str)]) -> Result<Wanted, String> {
    let inputs: Inputs = pairs.iter().copied().collect();
    wanted(&inputs, &answers(), now(), "01X").map_err(|refusal| refusal.reason().to_string())
}

#[test]
fn one_alert_is_silenced_by_all_its_labels_and_a_name_by_what_its_alerts_share() {
    let one = drafted(&[("alert", "f1"), ("for", "1h"), ("comment", "known")]).unwrap();
    assert_eq!(
        (one.name.as_str(), one.labels.len(), one.quieted.len(), one.firing),
        ("HighErrorRate", 3, 1, 2)
    );
    assert_eq!((one.comment.as_str(), one.ends), ("known [warroom 01X]", at("2026-11-23T15:46:32Z")));
    let all = drafted(&[("alert", "HighErrorRate"), ("for", "15m"), ("comment", "known")]).unwrap();
    assert_eq!(
        (all.labels.keys().map(String::as_str).collect::<Vec<_>>(), all.quieted.len()),
        (vec!["alertname", "severity"], 2)
    );
    let some =
        drafted(&[("alert", "f1"), ("labels", "severity"), ("for", "15m"), ("comment", "known")]).unwrap();
    assert_eq!((some.labels.len(), some.quieted.len()), (1, 2));
    let body = body(&one, now(), "dana");
    assert_eq!(
        body["matchers"][1],
        json!({"name": "service", "value": "app\tone", "isRegex": false, "isEqual": true})
    );
    assert_eq!((&body["createdBy"], &body["endsAt"]), (&json!("dana"), &json!("2026-11-23T15:46:32Z")));
}

#[test]
fn a_silence_needs_an_alert_an_end_and_a_reason() {
    for (pairs, why) in [
        (vec![("alert", "nope"), ("for", "1h"), ("comment", "c")], "Alertmanager has no alert \"nope\" now"),
        (vec![("alert", "f1"), ("comment", "c")], "for is needed"),
        (vec![("alert", "f1"), ("for", "1h")], "comment is needed"),
        (vec![("alert", "f1"), ("for", "1h"), ("comment", "  ")], "a comment is needed"),
        (
            vec![("alert", "f1"), ("labels", "pod"), ("for", "1h"), ("comment", "c")],
            "the alert has no label \"pod\"; it has alertname",
        ),
    ] {
        let said = drafted(&pairs).unwrap_err();
        assert!(said.starts_with(why), "{said}");
    }
}

#[test]
fn ends_are_spans_times_of_the_day_and_moments() {
    for (text, ends) in [
        ("15m", "2026-11-23T15:01:32Z"),
        ("1h30m", "2026-11-23T16:16:32Z"),
        ("2d", "2026-11-25T14:46:32Z"),
        ("until 15:30", "2026-11-23T15:30:00Z"),
        ("14:30", "2026-11-24T14:30:00Z"),
        ("2026-11-23T20:00:00Z", "2026-11-23T20:00:00Z"),
    ] {
        assert_eq!(until(text, now()), Ok(at(ends)), "{text}");
    }
    for text in
        ["", "m", "1", "1x", "forever", "31d", "0m", "25:00", "99999999999999999h", "2020-01-01T00:00:00Z"]
    {
        assert!(matches!(until(text, now()), Err(Refusal::Usage(_))), "{text}");
    }
}

#[test]
fn the_draft_is_found_by_its_tag_and_says_whom_it_silences() {
    let draft =
        plan("silence", &[("alert", "f1"), ("for", "1h"), ("comment", "it's known")], &answers()).unwrap();
    assert_eq!(draft.title, "silence HighErrorRate for 1h");
    assert!(draft.touches.starts_with("silences 1 of 2 firing alerts"), "{}", draft.touches);
    let command = draft.command.to_copy().unwrap();
    assert!(
        command.starts_with("amtool --alertmanager.url=http://am:9093 silence add --author=dana"),
        "{command}"
    );
    assert!(command.contains(r"'--comment=it'\''s known [warroom "), "{command}");
}
