use super::*;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
}

fn partition(topic: &str, committed: Option<i64>, end: i64, client: Option<&str>) -> PartitionLag {
    let client = client.map(Clean::from);
    PartitionLag {
        topic: topic.into(),
        committed,
        end: Some(end),
        client,
        start: Some(100),
        ..PartitionLag::default()
    }
}

fn reading(members: u32, partitions: Vec<PartitionLag>) -> Vec<GroupLag> {
    vec![GroupLag { group: "g".into(), members: Some(members), partitions }]
}

fn after(readings: impl IntoIterator<Item = (i64, Option<i64>, i64)>) -> Group {
    let mut lag = Lag::default();
    for (second, committed, end) in readings {
        lag.fold(at(second), &reading(1, vec![partition("documents", committed, end, Some("c"))]));
    }
    lag.groups["g"].clone()
}

#[test]
fn a_group_that_never_committed_is_unknown_and_not_the_whole_log() {
    let group = after([(0, None, 1_000_000)]);
    assert_eq!((group.lag(), group.state(), group.seconds_behind()), (None, GroupState::Unknown, None));
}

#[test]
fn growing_three_times_in_a_row_is_trouble_and_a_full_window_of_it_a_warning() {
    let growing = |n: i64| after((0..n).map(|n| (n * 10, Some(n * 1_000), n * 4_000 + 20)));
    assert_eq!(
        (growing(3).in_trouble(), growing(4).in_trouble(), growing(4).state()),
        (false, true, GroupState::Ok)
    );
    assert_eq!(
        (growing(12).lag(), growing(12).growth(), growing(12).seconds_to_drain()),
        (Some(33_020), Some(300.0), None)
    );
    assert_eq!(growing(12).state(), GroupState::Warn);
    let falling = after([(0, Some(0), 6_000), (10, Some(4_000), 8_000)]);
    assert_eq!((falling.state(), falling.seconds_to_drain()), (GroupState::Ok, Some(20.0)));
    let jitter = after(
        (0..40).map(|n| (n * 5, Some(n * 100), n * 100 + [3, 40, 90, 300][usize::try_from(n % 4).unwrap()])),
    );
    assert!(!jitter.in_trouble());
}

#[test]
fn a_group_that_keeps_up_is_drained_and_one_that_does_not_never_is() {
    let busy = after(
        (0..20).map(|n| (n * 5, Some(n * 100), n * 100 + [8, 12, 10, 9][usize::try_from(n % 4).unwrap()])),
    );
    assert_eq!(
        (busy.state(), busy.seconds_to_drain(), busy.drains()),
        (GroupState::Ok, Some(0.0), Drains::In(0.0))
    );
    let slow = after((0..20).map(|n| (n * 5, Some(n * 100), n * 100 + 400 + n % 2)));
    assert_eq!(
        (slow.in_trouble(), slow.seconds_behind().unwrap() > 5.0, slow.drains()),
        (false, true, Drains::Unsaid),
        "it is no more than usual"
    );
    let stopped = after((0..20).map(|n| (n * 5, Some(100), 100 + n * 3)));
    assert_eq!((stopped.state(), stopped.drains()), (GroupState::Stall, Drains::Never));
    let growing = after((0..12).map(|n| (n * 10, Some(n * 1_000), n * 4_000 + 20)));
    assert_eq!(growing.drains(), Drains::Never);
}

#[test]
fn severity_follows_the_state_and_growth_before_it_is_told() {
    let growing = |n: i64| after((0..n).map(|n| (n * 10, Some(n * 1_000), n * 4_000 + 20)));
    assert_eq!(
        [growing(3), growing(4), growing(12)].map(|group| group.severity()),
        [Severity::Ok, Severity::Warn, Severity::Warn]
    );
    assert_eq!([growing(3), growing(12)].map(|group| group.window()), [Some((3, 10)), None]);
    assert_eq!(after((0..20).map(|n| (n * 5, Some(100), 100 + n * 3))).severity(), Severity::Critical);
}

#[test]
fn what_is_unknown_is_counted_beside_the_sum() {
    let mut lag = Lag::default();
    lag.fold(
        at(0),
        &reading(
            1,
            vec![
                partition("a", Some(5), 5, Some("c")),
                PartitionLag { partition: 1, ..partition("a", None, 7, Some("c")) },
            ],
        ),
    );
    assert_eq!((lag.groups["g"].lag(), lag.groups["g"].unknown()), (Some(0), 1));
}

#[test]
fn what_began_to_grow_is_in_trouble_until_it_drops_however_slowly_it_doubles() {
    let grown = |more: &[i64]| {
        let lags = (0..8).map(|n| n * 2_000).chain(more.iter().copied());
        after(lags.enumerate().map(|(n, lag)| (i64::try_from(n).unwrap() * 10, Some(5), 5 + lag)))
    };
    assert!((grown(&[]).growing(), grown(&[14_000, 16_000]).growing()) == (true, true));
    assert!(!grown(&[13_900]).growing());
}

#[test]
fn growth_is_measured_over_half_a_minute() {
    let group = after((0..20).map(|n| (n * 5, Some(n / 6 * 6_000), n * 1_000)));
    assert_eq!(
        group.growth(),
        Some(0.0),
        "commits every half minute are steps, and the lag is the same after each"
    );
}

#[test]
fn seconds_behind_is_the_age_of_the_commit() {
    let group = after([(0, Some(0), 0), (10, Some(500), 4_000), (20, Some(2_000), 8_000)]);
    assert_eq!(group.seconds_behind(), Some(15.0));
}

#[test]
fn lag_without_members_has_stopped_and_goes_on_growing() {
    let mut lag = Lag::default();
    for (n, end) in [(0, 500), (10, 900)] {
        lag.fold(at(n), &reading(0, vec![partition("documents", Some(300), end, None)]));
        assert_eq!((lag.groups["g"].state(), lag.groups["g"].lag()), (GroupState::Stop, Some(end - 300)));
    }
    lag.fold(at(20), &[]);
    assert!(lag.groups.is_empty());
}

#[test]
fn a_topic_that_the_group_left_is_apart_and_one_between_two_owners_is_not() {
    let mut lag = Lag::default();
    let mut read = |n: i64, old: i64, moving: Option<&str>| {
        let old = partition("old", Some(old), 50_000 + n, None);
        let moving = partition("moving", Some(n), n + 20, moving);
        lag.fold(at(n), &reading(2, vec![moving, old, partition("read", Some(n), n + 3, Some("c"))]));
        let group = &lag.groups["g"];
        (group.abandoned.iter().map(ToString::to_string).collect::<Vec<_>>(), group.lag(), group.state())
    };
    assert_eq!(read(0, 7, Some("c")), (vec!["old".to_owned()], Some(23), GroupState::Ok));
    read(5, 7, Some("c"));
    assert_eq!(read(10, 7, None).0, ["old"], "moving has just moved");
    assert_eq!(
        read(15, 8, None).1,
        Some(20 + 3 + 50_015 - 8),
        "somebody committed the old one: it is read after all"
    );
}

#[test]
fn records_that_retention_took_are_counted() {
    let group = after([(0, Some(40), 500)]);
    assert_eq!((group.lost, group.lag()), (Some(60), Some(460)));
}
