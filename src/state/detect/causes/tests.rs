use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
}

/// What is broken, and the timeline that tells of it.
#[derive(Clone, Default, PartialEq, Debug)]
struct Story {
    causes: Causes,
    timeline: Timeline,
}

impl Story {
    fn breaks(&mut self, second: i64, thing: &Thing, text: &str, ties: &[CorrelationKey]) {
        let subject = String::from(thing.clone()).split_once('/').unwrap().1.into();
        let news = Finding { thing: thing.clone(), subject, text: text.into(), ties: ties.to_vec() };
        self.causes.begin(at(second), news, &mut self.timeline);
    }

    fn ends(&mut self, second: i64, thing: &Thing) {
        self.causes.end(at(second), thing, "well", &mut self.timeline);
    }

    fn lines(&self) -> Vec<String> {
        let second = |entry: &crate::state::TimelineEntry| (entry.at - DateTime::UNIX_EPOCH).num_seconds();
        self.timeline.lines().map(|e| format!("{} {} {}: {}", second(e), e.kind, e.subject, e.text)).collect()
    }

    /// Every trouble has exactly one line, and the counts on the lines are those of the troubles.
    fn holds(&self) -> Result<(), TestCaseError> {
        for trouble in self.causes.troubles.values() {
            let entry = trouble.entry.and_then(|id| self.timeline.get(id));
            prop_assert!(
                trouble.entry.is_none()
                    || entry.is_some_and(|entry| entry.cause == trouble.cause && entry.ended.is_none())
            );
            prop_assert!(
                trouble.cause.map_or(trouble.entry.is_some(), |id| self.causes.open.contains_key(&id))
            );
        }
        for (id, cause) in &self.causes.open {
            let broken = self.causes.troubles.values().filter(|trouble| trouble.cause == Some(*id)).count();
            prop_assert_eq!(broken, cause.broken as usize);
            prop_assert!(broken > 0, "a cause without a case is closed");
            let line = self.timeline.get(*id).unwrap();
            prop_assert_eq!((line.cases as usize, line.cause), (cause.cases(), None));
        }
        Ok(())
    }
}

/// What breaks, what is said of it, and what ties it to others.
type Told = (Thing, &'static str, Vec<CorrelationKey>);

fn workload(n: usize) -> Thing {
    Thing::Workload(format!("w{n}").into())
}

fn node() -> Thing {
    Thing::Node("n-012".into())
}

fn reason(word: &str) -> CorrelationKey {
    CorrelationKey::Reason(word.into())
}

#[test]
fn a_node_that_stops_is_one_line_with_all_that_stopped_with_it() {
    let on = [CorrelationKey::Node("n-012".into()), reason("not ready")];
    let mut story = Story::default();
    story.breaks(0, &workload(1), "not ready", &on);
    story.breaks(1, &workload(2), "not ready", &on);
    assert_eq!(story.lines().len(), 2, "two workloads on one node are no sign of the node");
    story.breaks(2, &node(), "node not ready: no word", &on[..1]);
    for n in 3..38 {
        story.breaks(3, &workload(n), "not ready", &on);
    }
    assert_eq!(
        story.lines(),
        ["2 trouble n-012: node not ready, 37 workloads with it"],
        "dated by the node, whatever broke before"
    );
    story.ends(60, &node());
    (1..37).for_each(|n| story.ends(70, &workload(n)));
    let ready = "60 recovery n-012: well after 58 s, 37 of 38 not resolved yet";
    assert_eq!(
        story.lines(),
        ["2 trouble n-012: 37 of 38 resolved · node not ready, 37 workloads with it", ready]
    );
    story.ends(90, &workload(37));
    assert_eq!(story.lines()[2], "90 recovery n-012: all 38 resolved after 1 m 28 s");
    assert_eq!((story.causes.troubles.len(), story.causes.open.len(), story.causes.standing()), (0, 0, None));
}

#[test]
fn what_is_tied_is_told_in_one_line() {
    let registry = [CorrelationKey::Registry("reg.example".into()), reason("ImagePullBackOff")];
    let quota = [CorrelationKey::Namespace("prod".into()), reason("FailedCreate")];
    let service = |name: &str| vec![CorrelationKey::Service(name.into())];
    let alert = |service: &str, n: usize| {
        (
            Thing::Alert(format!("f{n}").into()),
            vec![CorrelationKey::Service(service.into()), reason("HighErrorRate")],
        )
    };
    let cases: [(&[Told], &str); 5] = [
        (
            &[
                (workload(1), "ImagePullBackOff", registry.to_vec()),
                (workload(2), "ErrImagePull", registry.to_vec()),
            ],
            "0 trouble reg.example: 2 workloads cannot pull their images: ErrImagePull",
        ),
        (
            &[
                (workload(1), "FailedCreate: quota", quota.to_vec()),
                (workload(2), "FailedCreate: quota", quota.to_vec()),
            ],
            "0 trouble prod: 2 workloads get no pods: FailedCreate: quota",
        ),
        (
            &[
                (Thing::Service("app".into()), "5xx 24.8 % > 5 %", service("app")),
                (alert("app", 1).0, "HighErrorRate", alert("app", 1).1),
            ],
            "0 trouble app: 5xx 24.8 % > 5 % · HighErrorRate",
        ),
        (
            &[1, 2, 3].map(|n| (workload(n), "OOMKilled: exit 137", vec![reason("OOMKilled")])),
            "0 trouble 3 workloads: OOMKilled: exit 137",
        ),
        (
            &[1, 2, 3].map(|n| (alert(&format!("s{n}"), n).0, "HighErrorRate", alert(&format!("s{n}"), n).1)),
            "0 alert HighErrorRate: 3 alerts at once",
        ),
    ];
    for (troubles, line) in cases {
        let mut story = Story::default();
        for (second, (thing, text, ties)) in (0..).zip(troubles) {
            story.breaks(second, thing, text, ties);
        }
        assert_eq!(story.lines(), [line]);
        let head = story.timeline.lines().next().unwrap();
        assert_eq!(
            (head.cases as usize, story.timeline.cases(head.id).count()),
            (troubles.len(), troubles.len())
        );
    }
}

#[test]
fn the_same_reason_at_another_time_or_in_few_workloads_is_another_cause() {
    let mut story = Story::default();
    story.breaks(0, &workload(1), "OOMKilled", &[reason("OOMKilled")]);
    story.breaks(5, &workload(2), "OOMKilled", &[reason("OOMKilled")]);
    story.breaks(61, &workload(3), "OOMKilled", &[reason("OOMKilled")]);
    assert_eq!(story.lines().len(), 3);
    story.breaks(62, &workload(4), "OOMKilled", &[reason("OOMKilled")]);
    assert_eq!(story.lines(), ["0 trouble w1: OOMKilled", "5 trouble 3 workloads: OOMKilled"]);
    story.breaks(200, &workload(5), "OOMKilled", &[reason("OOMKilled")]);
    assert_eq!(story.lines().len(), 3, "too late for that cause");
}

#[test]
fn what_is_learnt_later_parts_what_only_looked_alike() {
    let mut story = Story::default();
    for n in 1..6 {
        story.breaks(0, &workload(n), "not ready", &[reason("not ready")]);
    }
    assert_eq!(story.lines(), ["0 trouble 5 workloads: not ready"]);
    story.breaks(1, &node(), "node not ready", &[CorrelationKey::Node("n-012".into())]);
    for n in 1..4 {
        story.breaks(
            1,
            &workload(n),
            "not ready: no word",
            &[CorrelationKey::Node("n-012".into()), reason("not ready")],
        );
    }
    assert_eq!(
        story.lines(),
        ["0 trouble 2 workloads: not ready", "1 trouble n-012: node not ready, 3 workloads with it"]
    );
    for n in 4..6 {
        story.breaks(
            2,
            &workload(n),
            "ImagePullBackOff",
            &[CorrelationKey::Registry("reg".into()), reason("ImagePullBackOff")],
        );
    }
    story.holds().unwrap();
    assert_eq!(story.lines().len(), 2, "{:?}", story.lines());
    assert!(
        story.lines()[0].ends_with("reg: 2 workloads cannot pull their images: ImagePullBackOff"),
        "{:?}",
        story.lines()
    );
}

#[test]
fn one_that_breaks_again_is_the_same_case_and_flapping_adds_no_line() {
    let on = [CorrelationKey::Registry("reg".into())];
    let mut story = Story::default();
    story.breaks(0, &workload(1), "a", &on);
    story.breaks(0, &workload(2), "b", &on);
    for second in 1..50 {
        story.ends(second * 2, &workload(1));
        story.breaks(second * 2 + 1, &workload(1), "a", &on);
    }
    assert_eq!(story.lines(), ["0 trouble reg: 2 workloads cannot pull their images: a"]);
    assert_eq!(story.timeline.entries().len(), 3);
}

#[test]
fn a_service_says_how_it_got_well_and_what_is_gone_is_over() {
    let tie = [CorrelationKey::Service("app".into())];
    let mut story = Story::default();
    story.breaks(0, &Thing::Service("app".into()), "5xx 6.8 % > 5 %", &tie);
    story.breaks(5, &Thing::Alert("f".into()), "High", &tie);
    story.ends(60, &Thing::Service("app".into()));
    assert_eq!(story.lines()[0], "0 trouble app: 1 of 2 resolved · 5xx 6.8 % > 5 % · High");
    story.ends(65, &Thing::Alert("f".into()));
    assert_eq!(story.lines()[0], "0 trouble app: resolved (was 5xx 6.8 %, threshold 5 % · High)");
    assert_eq!(story.lines()[1], "65 recovery app: well · both resolved after 1 m 05 s");
    story.breaks(70, &workload(1), "x", &[]);
    story.causes.gone(at(71), &workload(1), &mut story.timeline);
    assert_eq!(story.lines().len(), 3);
    assert_eq!((story.causes.troubles.len(), story.causes.open.len(), story.causes.standing()), (0, 0, None));
}

#[test]
fn a_cause_lists_so_many_cases_and_counts_all() {
    let mut story = Story::default();
    for n in 0..LISTED + 50 {
        story.breaks(0, &workload(n), "x", &[CorrelationKey::Registry("r".into())]);
    }
    assert_eq!(
        story.lines(),
        [format!("0 trouble r: {} workloads cannot pull their images: x", LISTED + 50)]
    );
    assert_eq!(story.timeline.entries().len(), LISTED + 1);
    story.holds().unwrap();
}

#[test]
fn a_node_that_is_lost_again_is_news_again() {
    let on = [CorrelationKey::Node("n-012".into())];
    let mut story = Story::default();
    story.breaks(0, &workload(1), "crashes", &on);
    story.breaks(7_200, &node(), "node not ready", &on);
    assert_eq!(story.lines(), ["7200 trouble n-012: node not ready, 1 workload with it"]);
    story.ends(7_227, &node());
    story.breaks(7_253, &node(), "node not ready", &on);
    story.holds().unwrap();
    assert_eq!(
        story.lines(),
        [
            "7200 trouble n-012: node not ready",
            "7227 recovery n-012: well after 27 s, 1 of 2 not resolved yet",
            "7253 trouble n-012: node not ready, 1 workload with it",
        ]
    );
}

#[test]
fn news_stands_where_it_came_and_says_since_when() {
    let tie = [CorrelationKey::Service("app".into())];
    let mut story = Story::default();
    story.breaks(0, &workload(1), "CrashLoopBackOff", &tie);
    story.breaks(7_200, &Thing::Service("app".into()), "5xx 30 %", &tie);
    assert_eq!(story.lines(), ["7200 trouble app: CrashLoopBackOff · 5xx 30 % · since 00:00:00"]);
    story.breaks(7_300, &Thing::Alert("f".into()), "High", &tie);
    story.breaks(9_000, &Thing::Alert("g".into()), "Slow", &tie);
    assert_eq!(
        story.lines(),
        ["9000 trouble app: CrashLoopBackOff · 5xx 30 % · High · Slow · since 00:00:00"]
    );
}

#[test]
fn what_is_deleted_or_silenced_is_not_called_over() {
    let mut story = Story::default();
    (1..8).for_each(|n| story.breaks(0, &workload(n), "rolling out", &[reason("rolling out")]));
    (1..6).for_each(|n| story.causes.gone(at(40), &workload(n), &mut story.timeline));
    assert_eq!(story.lines(), ["0 trouble 7 workloads: 5 of 7 deleted · rolling out"]);
    story.ends(41, &workload(6));
    assert_eq!(story.lines(), ["0 trouble 7 workloads: 1 of 7 resolved, 5 deleted · rolling out"]);
    story.causes.gone(at(42), &workload(7), &mut story.timeline);
    assert_eq!(story.lines()[1], "42 recovery 7 workloads: 1 resolved, 6 deleted after 42 s");
    for n in 1..4 {
        story.breaks(100, &Thing::Alert(format!("f{n}").into()), "High", &[reason("High")]);
    }
    for n in 1..4 {
        story.causes.quiet(
            at(130),
            &Thing::Alert(format!("f{n}").into()),
            "High silenced",
            &mut story.timeline,
        );
    }
    assert_eq!(story.lines()[3], "130 alert-ended High: all 3 silenced after 30 s");
}

#[test]
fn time_is_counted_from_the_oldest_trouble_that_stands() {
    let mut story = Story::default();
    let counted = |story: &Story| (story.causes.standing(), story.causes.began());
    assert_eq!(counted(&story), (None, None));
    story.breaks(0, &workload(1), "a", &[]);
    story.breaks(50, &workload(2), "b", &[]);
    assert_eq!(counted(&story), (Some(at(0)), Some(at(0))));
    story.ends(60, &workload(1));
    assert_eq!(counted(&story), (Some(at(50)), Some(at(50))));
    story.ends(70, &workload(2));
    assert_eq!(
        counted(&story),
        (None, Some(at(0))),
        "read back, it is counted from the incident's beginning"
    );
    story.breaks(900, &workload(1), "a", &[]);
    assert_eq!(counted(&story), (Some(at(900)), Some(at(900))));
}

/// What may happen: a thing breaks (with some of these ties), is well again, or is gone.
fn doings() -> impl Strategy<Value = Vec<(u8, usize, u8, i64)>> {
    prop::collection::vec((0_u8..5, 0_usize..12, 0_u8..16, 0_i64..40), 0..150)
}

fn lived(doings: &[(u8, usize, u8, i64)]) -> Result<Story, TestCaseError> {
    let mut story = Story::default();
    let mut now = 0;
    for (what, n, ties, later) in doings {
        now += later;
        let thing = match n {
            0 => node(),
            1 => Thing::Service("s".into()),
            2..=4 => Thing::Alert(format!("f{n}").into()),
            n => workload(*n),
        };
        let all = [
            CorrelationKey::Node("n-012".into()),
            CorrelationKey::Registry("r".into()),
            CorrelationKey::Service("s".into()),
            reason("x"),
        ];
        let ties: Vec<CorrelationKey> =
            all.into_iter().enumerate().filter(|(bit, _)| ties >> bit & 1 == 1).map(|(_, tie)| tie).collect();
        match what {
            0 => story.ends(now, &thing),
            1 => story.causes.gone(at(now), &thing, &mut story.timeline),
            _ => story.breaks(now, &thing, "text", &ties),
        }
        story.holds()?;
    }
    Ok(story)
}

proptest! {
    #[test]
    fn every_trouble_has_exactly_one_line_and_a_replay_has_the_same(doings in doings()) {
        let story = lived(&doings)?;
        prop_assert_eq!(&story, &lived(&doings)?);
        let read: Causes = serde_json::from_str(&serde_json::to_string(&story.causes).unwrap()).unwrap();
        prop_assert_eq!(&read, &story.causes);
        let ids: BTreeSet<u64> = story.timeline.entries().iter().map(|entry| entry.id).collect();
        prop_assert_eq!(ids.len(), story.timeline.entries().len());
        prop_assert!(story.timeline.entries().is_sorted_by_key(|entry| entry.at));
    }
}
