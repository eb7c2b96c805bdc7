//! The part of `PromQL` that a war room asks for: selectors, `rate` and `increase`, `sum … by`,
//! `max_over_time` of a subquery, `histogram_quantile`, numbers and arithmetic between them. Parsing only;
//! [`super::eval`] gives the answers.

use regex::Regex;

/// An expression.
#[derive(Debug)]
pub(crate) enum Expr {
    Number(f64),
    Selector(Selector),
    /// Over a range in milliseconds; per second or in all.
    Increase {
        selector: Selector,
        range: i64,
        per_second: bool,
    },
    Sum {
        of: Box<Expr>,
        by: Vec<String>,
    },
    /// The greatest of an expression's values over a range, asked at every multiple of `step`, in
    /// milliseconds.
    MaxOverTime {
        of: Box<Expr>,
        range: i64,
        step: i64,
    },
    /// A quantile of the buckets of histograms.
    Quantile {
        share: f64,
        of: Box<Expr>,
    },
    Binary {
        left: Box<Expr>,
        operator: char,
        right: Box<Expr>,
    },
}

/// Which series are wanted.
#[derive(Debug)]
pub(crate) struct Selector {
    matchers: Vec<Matcher>,
}

#[derive(Debug)]
struct Matcher {
    label: String,
    test: Test,
}

#[derive(Debug)]
enum Test {
    Is(String, bool),
    Matches(Regex, bool),
}

impl Selector {
    /// A label that is absent counts as empty, as in Prometheus.
    pub(crate) fn matches(&self, labels: &super::tsdb::Labels) -> bool {
        self.matchers.iter().all(|matcher| {
            let value = labels.get(&matcher.label).map_or("", String::as_str);
            match &matcher.test {
                Test::Is(wanted, equal) => (value == wanted) == *equal,
                Test::Matches(pattern, equal) => pattern.is_match(value) == *equal,
            }
        })
    }
}

/// Why an expression was not understood.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("1:{at}: parse error: {what}")]
pub(crate) struct ParseError {
    at: usize,
    what: String,
}

/// Reads an expression.
pub(crate) fn parse(text: &str) -> Result<Expr, ParseError> {
    let mut parser = Parser { text, at: 0 };
    let expr = parser.sum_of_terms()?;
    parser.skip_space();
    if parser.at < text.len() {
        Err(parser.error(&format!("unexpected {:?}", &text[parser.at..])))
    } else {
        Ok(expr)
    }
}

/// Reads a duration such as `5m`, `1h30m` or `250ms`, in milliseconds.
pub(crate) fn duration(text: &str) -> Option<i64> {
    crate::units::duration::parse_milliseconds(text).filter(|milliseconds| *milliseconds > 0)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn error(&self, what: &str) -> ParseError {
        ParseError { at: self.at + 1, what: what.to_owned() }
    }

    fn skip_space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn take(&mut self, token: &str) -> bool {
        self.skip_space();
        let found = self.text[self.at..].starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    fn expect(&mut self, token: &str) -> Result<(), ParseError> {
        if self.take(token) { Ok(()) } else { Err(self.error(&format!("expected {token:?}"))) }
    }

    fn while_chars(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        self.skip_space();
        let rest = &self.text[self.at..];
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn word(&mut self) -> &'a str {
        self.while_chars(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
    }

    fn sum_of_terms(&mut self) -> Result<Expr, ParseError> {
        let left = self.product()?;
        self.chain(left, &['+', '-'], Self::product)
    }

    fn product(&mut self) -> Result<Expr, ParseError> {
        let left = self.operand()?;
        self.chain(left, &['*', '/'], Self::operand)
    }

    fn chain(
        &mut self,
        mut left: Expr,
        operators: &[char],
        next: fn(&mut Self) -> Result<Expr, ParseError>,
    ) -> Result<Expr, ParseError> {
        while let Some(operator) = operators.iter().copied().find(|operator| self.take(&operator.to_string()))
        {
            left = Expr::Binary { left: Box::new(left), operator, right: Box::new(next(self)?) };
        }
        Ok(left)
    }

    fn operand(&mut self) -> Result<Expr, ParseError> {
        if self.take("(") {
            let inner = self.sum_of_terms()?;
            self.expect(")")?;
            return Ok(inner);
        }
        let start = self.at;
        match self.word() {
            "sum" => self.sum(),
            "rate" => self.increase(true),
            "increase" => self.increase(false),
            "max_over_time" => self.max_over_time(),
            "histogram_quantile" => self.quantile(),
            word if word.starts_with(|c: char| c.is_ascii_digit()) => {
                self.at = start;
                self.number().map(Expr::Number)
            }
            name => self.selector(name).map(Expr::Selector),
        }
    }

    fn number(&mut self) -> Result<f64, ParseError> {
        let number = self.while_chars(|c| c.is_ascii_digit() || c == '.');
        number.parse().map_err(|_| self.error("bad number"))
    }

    /// A duration up to a sign.
    fn duration(&mut self) -> Result<i64, ParseError> {
        duration(self.while_chars(|c| c.is_ascii_alphanumeric())).ok_or_else(|| self.error("bad duration"))
    }

    /// `max_over_time(…[2m:15s])`, over a subquery.
    fn max_over_time(&mut self) -> Result<Expr, ParseError> {
        self.expect("(")?;
        let of = Box::new(self.operand()?);
        self.expect("[")?;
        let range = self.duration()?;
        self.expect(":")?;
        let step = self.duration()?;
        self.expect("]")?;
        self.expect(")")?;
        Ok(Expr::MaxOverTime { of, range, step })
    }

    /// `histogram_quantile(0.95, …)`
    fn quantile(&mut self) -> Result<Expr, ParseError> {
        self.expect("(")?;
        self.skip_space();
        let share = self.number()?;
        self.expect(",")?;
        let of = Box::new(self.sum_of_terms()?);
        self.expect(")")?;
        Ok(Expr::Quantile { share, of })
    }

    /// `sum(…)`, `sum(…) by (…)` or `sum by (…) (…)`.
    fn sum(&mut self) -> Result<Expr, ParseError> {
        let before = self.grouping()?;
        self.expect("(")?;
        let of = Box::new(self.sum_of_terms()?);
        self.expect(")")?;
        let by = if before.is_empty() { self.grouping()? } else { before };
        Ok(Expr::Sum { of, by })
    }

    fn grouping(&mut self) -> Result<Vec<String>, ParseError> {
        if !self.take("by") {
            return Ok(Vec::new());
        }
        self.expect("(")?;
        let mut labels = Vec::new();
        while !self.take(")") {
            labels.push(self.word().to_owned());
            if !self.take(",") {
                self.expect(")")?;
                break;
            }
        }
        Ok(labels)
    }

    fn increase(&mut self, per_second: bool) -> Result<Expr, ParseError> {
        self.expect("(")?;
        let name = self.word();
        let selector = self.selector(name)?;
        self.expect("[")?;
        let range = duration(self.word()).ok_or_else(|| self.error("bad duration"))?;
        self.expect("]")?;
        self.expect(")")?;
        Ok(Expr::Increase { selector, range, per_second })
    }

    fn selector(&mut self, name: &str) -> Result<Selector, ParseError> {
        let mut matchers = Vec::new();
        if !name.is_empty() {
            matchers.push(Matcher { label: "__name__".to_owned(), test: Test::Is(name.to_owned(), true) });
        }
        if self.take("{") {
            while !self.take("}") {
                matchers.push(self.matcher()?);
                if !self.take(",") {
                    self.expect("}")?;
                    break;
                }
            }
        }
        if matchers.is_empty() {
            Err(self.error("expected a metric, a function or a number"))
        } else {
            Ok(Selector { matchers })
        }
    }

    fn matcher(&mut self) -> Result<Matcher, ParseError> {
        let label = self.word().to_owned();
        let operator = ["=~", "!~", "!=", "="]
            .into_iter()
            .find(|operator| self.take(operator))
            .ok_or_else(|| self.error("expected a matcher"))?;
        let value = self.string()?;
        let equal = operator.starts_with('=');
        let test = if operator.ends_with('~') {
            let pattern =
                Regex::new(&format!("^(?:{value})$")).map_err(|error| self.error(&error.to_string()))?;
            Test::Matches(pattern, equal)
        } else {
            Test::Is(value, equal)
        };
        Ok(Matcher { label, test })
    }

    fn string(&mut self) -> Result<String, ParseError> {
        let quote = ['"', '\'', '`']
            .into_iter()
            .find(|quote| self.take(&quote.to_string()))
            .ok_or_else(|| self.error("expected a string"))?;
        let mut value = String::new();
        let mut escaped = false;
        for c in self.text[self.at..].chars() {
            self.at += c.len_utf8();
            match c {
                '\\' if !escaped && quote != '`' => escaped = true,
                c if c == quote && !escaped => return Ok(value),
                c => {
                    value.push(c);
                    escaped = false;
                }
            }
        }
        Err(self.error("unterminated string"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_does_not_know_is_an_error_with_its_place() {
        for text in [
            "",
            "sum(",
            "rate(x)",
            "rate(x[0s])",
            "x{a}",
            "x{a=\"b}",
            "x{a=~\"(\"}",
            "x y",
            "sum(rate(x[5q]))",
            "1 +",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(parse("x y").unwrap_err().to_string(), "1:3: parse error: unexpected \"y\"");
    }

    #[test]
    fn the_forms_of_the_runbook_are_understood() {
        let forms = [
            r#"sum(rate(http_requests_total{status=~"5.."}[5m]))"#,
            r#"sum by (service) (rate(http_requests_total{status!~"2..",method='GET'}[30s]))"#,
            "sum(rate(a[1h30m])) by (service, status) / sum(rate(a[30s])) by (service) * 100",
            "up",
            r#"{__name__="up"}"#,
            "max_over_time((sum by (service) (rate(a[30s])) / sum by (service) (rate(b[30s])))[120s:15s])",
            "histogram_quantile(0.95, sum by (service, le) (rate(a_bucket[30s])))",
        ];
        for form in forms {
            parse(form).unwrap_or_else(|error| panic!("{form}: {error}"));
        }
    }

    #[test]
    fn durations() {
        for (text, expected) in [
            ("30s", Some(30_000)),
            ("1h30m", Some(5_400_000)),
            ("250ms", Some(250)),
            ("5", None),
            ("m", None),
            ("", None),
        ] {
            assert_eq!(duration(text), expected, "{text}");
        }
    }
}
