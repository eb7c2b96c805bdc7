use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;

const WORDS: [&str; 6] = ["served", "Served 12", r#"{"status":500}"#, "ERROR lost", "", "größer"];

fn view(streams: u16) -> LogView {
    let subject = LogSubject { uid: "u".into(), kind: "deployment", name: "app".into() };
    let mut log = LogView::new(subject, 1, LogExtent { previous: false, minutes: None, lines: TAIL });
    let source = |number| LogSource {
        namespace: "ns".into(),
        pod: format!("app-{number}").into(),
        uid: format!("u{number}").into(),
        container: "app".into(),
    };
    log.add((0..streams).map(source).collect());
    log
}

fn line(second: i64, stream: u16, text: &str) -> LogLine {
    let at = DateTime::UNIX_EPOCH + TimeDelta::seconds(second);
    LogLine { at, stream, level: Level::Unsaid, mark: false, text: Clean::new(text).into() }
}

fn lines(times: std::ops::Range<i64>) -> Vec<LogLine> {
    times.map(|second| line(second, 0, &format!("line {second}"))).collect()
}

/// The view after these batches.
fn told(batches: &[Vec<LogLine>]) -> LogView {
    let mut log = view(3);
    tell(&mut log, batches);
    log
}

fn tell(log: &mut LogView, batches: &[Vec<LogLine>]) {
    for batch in batches {
        log.extend(batch);
    }
}

fn read(log: &LogView, at: usize) -> &str {
    log.rows()[at].line.text.text()
}

/// Lines as they come: of three streams, in batches, each line with a number of its own behind its words.
fn batches() -> impl Strategy<Value = Vec<Vec<LogLine>>> {
    let one = (0_i64..40, 0_u16..3, prop::sample::select(&WORDS[..]));
    prop::collection::vec(prop::collection::vec(one, 0..12), 0..12).prop_map(|batches| {
        let mut number = 0;
        let mut numbered = |(second, stream, word): (i64, u16, &str)| {
            number += 1;
            line(second, stream, &format!("{word} #{number}"))
        };
        batches.into_iter().map(|batch| batch.into_iter().map(&mut numbered).collect()).collect()
    })
}

fn place() -> impl Strategy<Value = Anchor> {
    prop_oneof![
        Just(Anchor::Newest),
        (0_usize..30).prop_map(Anchor::Bottom),
        (0_usize..30).prop_map(Anchor::Top)
    ]
}

proptest! {
    #[test]
    fn every_line_is_there_once_and_each_stream_keeps_its_order(batches in batches()) {
        let log = told(&batches);
        for stream in 0..3 {
            let came: Vec<_> = batches.iter().flatten().filter(|line| line.stream == stream).collect();
            let held: Vec<_> = log.rows().iter().map(|row| &row.line).filter(|line| line.stream == stream).collect();
            prop_assert_eq!(came, held);
        }
        let keys: Vec<_> = log.rows().iter().map(|row| row.key).collect();
        prop_assert!(keys.is_sorted());
        prop_assert_eq!(log.bytes, log.rows().iter().map(LogRow::bytes).sum::<usize>());
    }

    #[test]
    fn what_is_read_stays_whatever_comes(before in batches(), after in batches(), place in place(), at in 0_usize..30) {
        let mut log = told(&before);
        let held = |log: &LogView, at: usize| log.rows().get(at).map(|row| row.line.clone());
        log.place = place;
        log.cursor = (at < log.rows().len()).then_some(at);
        let was = (log.cursor.map(|at| held(&log, at)), place_of(place).and_then(|at| held(&log, at)));
        tell(&mut log, &after);
        let is = (log.cursor.map(|at| held(&log, at)), place_of(log.place).and_then(|at| held(&log, at)));
        prop_assert_eq!(was.0, is.0);
        prop_assert!(was.1.is_none() || was.1 == is.1);
    }

    #[test]
    fn a_search_finds_the_same_typed_at_once_or_letter_by_letter(batches in batches(), text in "!?(s|se|S|served|STATUS=500|status=5|ö|#1){1,2}") {
        let (first, rest) = batches.split_at(batches.len() / 2);
        let mut typed = told(first);
        let mut pasted = told(first);
        for (at, c) in text.char_indices() {
            typed.look_for(&text[..at + c.len_utf8()]);
        }
        pasted.look_for(&text);
        tell(&mut typed, rest);
        tell(&mut pasted, rest);
        prop_assert_eq!(&typed, &pasted);
        prop_assert_eq!(pasted.search.hits, pasted.rows().iter().filter(|row| row.hit).count());
    }

    #[test]
    fn no_movement_leads_out_of_the_rows(
        batches in batches(), moves in prop::collection::vec((-40_isize..40, 0_u8..6), 0..20), page in 1_usize..20,
    ) {
        let mut log = told(&batches);
        log.look_for("served");
        for (by, what) in moves {
            match what {
                0 => log.to_top(),
                1 => log.to_newest(),
                2 => log.toggle_follow(),
                3 => log.search.only ^= true,
                4 => drop(log.jump(by > 0, page, |row| row.hit)),
                _ => log.scroll(by, page),
            }
            prop_assert!(place_of(log.place).is_none_or(|at| at == 0 || at < log.rows().len()));
            prop_assert!(log.cursor.is_none_or(|at| log.rows()[at].hit));
        }
    }
}

fn place_of(place: Anchor) -> Option<usize> {
    match place {
        Anchor::Newest => None,
        Anchor::Bottom(at) | Anchor::Top(at) => Some(at),
    }
}

#[test]
fn the_oldest_lines_go_and_are_counted() {
    let mut log = view(1);
    let text = "x".repeat(64 << 10);
    log.look_for("x");
    (0..100).for_each(|second| log.extend(&[line(second, 0, &text)]));
    assert!(log.bytes <= BYTES);
    assert_eq!(log.rows().len() as u64 + log.dropped, 100);
    assert_eq!(log.search.hits, log.rows().len());
}

#[test]
fn what_is_read_is_not_taken_away_by_a_fast_log_and_the_gap_is_told() {
    let mut log = view(1);
    let text = "x".repeat(64 << 10);
    (0..60).for_each(|second| log.extend(&[line(second, 0, &text)]));
    log.place = Anchor::Top(3);
    let held = log.rows()[3].clone();
    let dropped = log.dropped;
    (60..200).for_each(|second| log.extend(&[line(second, 0, &text)]));
    assert_eq!((&log.rows()[3], log.dropped), (&held, dropped));
    log.to_newest();
    log.extend(&[line(300, 0, "now")]);
    let told: Vec<_> =
        log.rows().iter().filter(|row| row.line.mark).map(|row| row.line.text.text().as_str()).collect();
    let [told] = told[..] else { panic!("{told:?}") };
    assert!(told.contains("lines came while older ones were read"), "{told}");
    assert_eq!(read(&log, log.rows().len() - 1), "now");
}

#[test]
fn scrolling_up_leaves_the_newest_line_and_scrolling_down_comes_back_to_it() {
    let mut log = view(1);
    log.extend(&lines(0..50));
    for (by, place) in [
        (1, Anchor::Newest),
        (-1, Anchor::Bottom(48)),
        (-20, Anchor::Bottom(28)),
        (-19, Anchor::Top(0)),
        (30, Anchor::Top(30)),
        (-3, Anchor::Top(27)),
        (100, Anchor::Newest),
    ] {
        log.scroll(by, 10);
        assert_eq!(log.place, place, "by {by}");
    }
    log.toggle_follow();
    log.extend(&lines(50..60));
    assert_eq!((log.place, log.below(50).count()), (Anchor::Bottom(49), 10));
}

#[test]
fn matches_are_gone_through_from_the_newest_back() {
    let mut log = view(1);
    log.extend(&lines(0..100));
    log.look_for("9");
    assert_eq!(log.search.hits, 19);
    assert!(log.jump(false, 10, |row| row.hit));
    assert_eq!(log.cursor, Some(99));
    assert!(!log.jump(true, 10, |row| row.hit));
    (0..10).for_each(|_| assert!(log.jump(false, 10, |row| row.hit)));
    assert_eq!((log.cursor, log.place), (Some(89), Anchor::Bottom(94)));
    assert!(log.jump(true, 10, |row| row.hit));
    assert_eq!(log.cursor, Some(90));
    log.search.only = true;
    assert_eq!(log.below(0).count(), 19);
    assert_eq!(log.above(50).next(), Some(49));
}

#[test]
fn only_so_many_streams_are_followed_and_the_next_when_one_ends() {
    let mut log = view(u16::try_from(STREAMS).unwrap() + 2);
    assert_eq!((log.streams.len(), log.left_out.len()), (STREAMS, 2));
    log.tell(7, &LogState::Ended(crate::event::LogEnd::Gone));
    let added = log.add(Vec::new());
    assert_eq!(
        added.iter().map(|(number, source)| (*number, source.pod.as_str())).collect::<Vec<_>>(),
        [(50, "app-50")]
    );
    assert_eq!(log.add(vec![added[0].1.clone()]), [], "it is known");
}

#[test]
fn what_is_found_is_shown_where_it_is() {
    for (text, line, places) in [
        ("served", "Served, unserved", vec![(0, 6), (10, 16)]),
        ("Served", "Served, unserved", vec![(0, 6)]),
        ("!served", "Served", vec![]),
        ("ö", "größer", vec![(2, 4)]),
        ("status=500", "ERROR status=500", vec![(6, 16)]),
        ("aa", "aaaa", vec![(0, 2), (2, 4)]),
    ] {
        assert_eq!(Search::new(text).places(line), places, "{text}");
    }
    let json = line(0, 0, r#"{"status":500,"to":"ai"}"#);
    assert!(["status=500", "to=ai", "!to=x"].iter().all(|text| Search::new(text).finds(&json)));
    assert!(!Search::new("status=501").finds(&json));
}
