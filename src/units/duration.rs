//! Durations as people type them and Prometheus writes them: the only parser of them.

/// Milliseconds of a duration as Prometheus writes it: `15s`, `1m30s`, `500ms`, `2w`; `None` for anything
/// else.
pub fn parse_milliseconds(text: &str) -> Option<i64> {
    const UNITS: [(&str, i64); 6] =
        [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)];
    let mut rest = text;
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let (digits, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let (name, next) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        let (_, unit) = UNITS.into_iter().find(|(unit, _)| *unit == name)?;
        total = total.checked_add(digits.parse::<i64>().ok()?.checked_mul(unit)?)?;
        rest = next;
    }
    (!text.is_empty()).then_some(total)
}
