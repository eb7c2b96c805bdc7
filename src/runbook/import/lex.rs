//! A shell's words, as far as a runbook has them: quotes, variables, placeholders, operators. Nothing is
//! expanded: what only a shell could work out is marked as that.

/// A piece of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Text as it is.
    Text(String),
    /// Something that whoever runs the step must give: `<pod-name>`, `$POD`, `[description]`.
    Hole(String),
    /// What only a shell works out: `$(date)`, `*.log`, `~`.
    Expands(String),
}

/// A word of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word(pub Vec<Piece>);

/// A word, or what stands between words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A word.
    Word(Word),
    /// `|`, `||`, `&&`, `;`, `&`, `(`, `)`.
    Operator(&'static str),
    /// `>`, `2>`, `<`, `<<`, … ; what follows says where to.
    Redirect(String),
}

impl Word {
    /// Creates a word of text.
    pub fn text(text: &str) -> Self {
        Self(vec![Piece::Text(text.to_owned())])
    }

    /// Returns the text of a word that is nothing else.
    pub fn literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Returns the name of the hole that the whole word is.
    pub fn hole(&self) -> Option<&str> {
        if let [Piece::Hole(name)] = self.0.as_slice() { Some(name) } else { None }
    }

    /// Returns what only a shell could work out of it.
    pub fn expands(&self) -> Option<&str> {
        self.0
            .iter()
            .find_map(|piece| if let Piece::Expands(text) = piece { Some(text.as_str()) } else { None })
    }

    /// Splits it at the first such character, which must stand in the text before any hole.
    pub fn split_once(&self, at: char) -> Option<(String, Self)> {
        let Some(Piece::Text(text)) = self.0.first() else { return None };
        let (head, tail) = text.split_once(at)?;
        let first = (!tail.is_empty()).then(|| Piece::Text(tail.to_owned()));
        Some((head.to_owned(), Self(first.into_iter().chain(self.0[1..].iter().cloned()).collect())))
    }

    /// Splits it at the last such character, which must stand in text.
    pub fn split_last(&self, at: char) -> Option<(Self, Self)> {
        let found = |piece: &Piece| matches!(piece, Piece::Text(text) if text.contains(at));
        let place = self.0.iter().rposition(found)?;
        let Piece::Text(text) = &self.0[place] else { return None };
        let (head, tail) = text.rsplit_once(at)?;
        let of = |text: &str| (!text.is_empty()).then(|| Piece::Text(text.to_owned()));
        let before = self.0[..place].iter().cloned().chain(of(head)).collect();
        let after = of(tail).into_iter().chain(self.0[place + 1..].iter().cloned()).collect();
        Some((Self(before), Self(after)))
    }

    /// Returns it with a variable's value in the place of its holes.
    pub fn with(&self, name: &str, value: &Self) -> Self {
        let put = |piece: &Piece| match piece {
            Piece::Hole(hole) if hole == name => value.0.clone(),
            other => vec![other.clone()],
        };
        let mut joined = Self::default();
        self.0.iter().flat_map(put).for_each(|piece| joined.push(piece));
        joined
    }

    fn push(&mut self, piece: Piece) {
        match (self.0.last_mut(), piece) {
            (Some(Piece::Text(text)), Piece::Text(more)) => text.push_str(&more),
            (_, piece) => self.0.push(piece),
        }
    }
}

/// Why a text is no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a quote does not close")]
pub(super) struct Unclosed;

/// Splits a line into words.
///
/// # Errors
/// A quote or a substitution does not close.
pub(super) fn tokens(line: &str) -> Result<Vec<Token>, Unclosed> {
    let mut lexer = Lexer { rest: line, word: None, tokens: Vec::new() };
    while let Some(c) = lexer.rest.chars().next() {
        lexer.next(c)?;
    }
    lexer.finish();
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    rest: &'a str,
    /// The word that has begun.
    word: Option<Word>,
    tokens: Vec<Token>,
}

const OPERATORS: [&str; 9] = ["||", "&&", ";;", "|", ";", "&", "(", ")", "\n"];

impl<'a> Lexer<'a> {
    fn next(&mut self, c: char) -> Result<(), Unclosed> {
        if let Some((name, length)) = self.placeholder(c) {
            self.take(length);
            self.put(Piece::Hole(name));
            return Ok(());
        }
        match c {
            ' ' | '\t' => {
                self.finish();
                self.take(1);
            }
            '#' if self.word.is_none() => {
                self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
            }
            '\'' => {
                let inside = self.until('\'')?;
                self.quoted(inside, false)?;
            }
            '"' => {
                let inside = self.until('"')?;
                self.quoted(inside, true)?;
            }
            '\\' => {
                let escaped = self.rest.chars().nth(1);
                self.take(1 + escaped.map_or(0, char::len_utf8));
                if let Some(escaped) = escaped.filter(|escaped| *escaped != '\n') {
                    self.put(Piece::Text(escaped.to_string()));
                }
            }
            '$' | '`' => self.dollar()?,
            '>' | '<' => self.redirect(),
            '&' if self.rest.starts_with("&>") => self.redirect(),
            _ => match OPERATORS.into_iter().find(|operator| self.rest.starts_with(operator)) {
                Some(operator) => {
                    self.finish();
                    self.take(operator.len());
                    self.tokens.push(Token::Operator(if operator == "\n" { ";" } else { operator }));
                }
                None => {
                    self.take(c.len_utf8());
                    let expands = c == '*' || (c == '~' && self.word.is_none());
                    let text = c.to_string();
                    self.put(if expands { Piece::Expands(text) } else { Piece::Text(text) });
                }
            },
        }
        Ok(())
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        taken
    }

    fn put(&mut self, piece: Piece) {
        self.word.get_or_insert_default().push(piece);
    }

    fn finish(&mut self) {
        self.tokens.extend(self.word.take().map(Token::Word));
    }

    /// Takes what stands between two quotes.
    fn until(&mut self, quote: char) -> Result<&'a str, Unclosed> {
        let inside = &self.rest[1..];
        let mut escaped = false;
        let end = inside.char_indices().find(|(_, c)| {
            let ends = *c == quote && !escaped;
            escaped = quote == '"' && *c == '\\' && !escaped;
            ends
        });
        let (end, _) = end.ok_or(Unclosed)?;
        self.take(end + 2);
        Ok(&inside[..end])
    }

    /// What stands in quotes: placeholders are holes there too, variables only in double ones.
    fn quoted(&mut self, inside: &'a str, double: bool) -> Result<(), Unclosed> {
        self.word.get_or_insert_default();
        let outside = std::mem::replace(&mut self.rest, inside);
        while let Some(c) = self.rest.chars().next() {
            if let Some((name, length)) = angled(self.rest) {
                self.take(length);
                self.put(Piece::Hole(name));
            } else if double && (c == '$' || c == '`') {
                self.dollar()?;
            } else {
                let escaped = self.rest.chars().nth(1).filter(|next| double && "\"\\$`\n".contains(*next));
                let taken = escaped.filter(|_| c == '\\').unwrap_or(c);
                let skipped = usize::from(c == '\\' && escaped.is_some());
                self.take(skipped + taken.len_utf8());
                self.put(Piece::Text(taken.to_string()));
            }
        }
        self.rest = outside;
        Ok(())
    }

    /// A variable, or what a shell would run or work out.
    fn dollar(&mut self) -> Result<(), Unclosed> {
        if self.rest.starts_with("$(") || self.rest.starts_with('`') {
            let end = if self.rest.starts_with('`') {
                self.rest[1..].find('`').map(|at| at + 2)
            } else {
                closing(self.rest)
            };
            let text = self.take(end.ok_or(Unclosed)?).to_owned();
            self.put(Piece::Expands(text));
            return Ok(());
        }
        let braced = self.rest.strip_prefix("${").and_then(|rest| rest.split_once('}'));
        let bare = &self.rest[1..];
        let name = braced.map_or_else(|| leading_name(bare), |(inside, _)| leading_name(inside));
        let length = braced.map_or(1 + name.len(), |(inside, _)| inside.len() + 3);
        let plain = braced
            .is_none_or(|(inside, _)| inside.len() == name.len() || inside[name.len()..].starts_with(":-"));
        if name.is_empty()
            && braced.is_none()
            && !bare.starts_with(|c: char| c.is_ascii_digit() || "?!@*#$".contains(c))
        {
            self.take(1);
            self.put(Piece::Text("$".to_owned()));
            return Ok(());
        }
        let length = if name.is_empty() && braced.is_none() { 2 } else { length };
        let taken = self.take(length).to_owned();
        self.put(if plain && !name.is_empty() {
            Piece::Hole(name.to_owned())
        } else {
            Piece::Expands(taken)
        });
        Ok(())
    }

    fn redirect(&mut self) {
        let digits = self.word.as_ref().and_then(Word::literal).filter(|word| ["1", "2"].contains(word));
        let mut sign = digits.unwrap_or_default().to_owned();
        if !sign.is_empty() {
            self.word = None;
        }
        self.finish();
        let length = self.rest.find(|c| !"<>&-".contains(c)).unwrap_or(self.rest.len());
        sign.push_str(self.take(length));
        self.tokens.push(Token::Redirect(sign));
    }

    /// A placeholder that begins here: `<pod>` anywhere, `[pod]` and `{pod}` only as a word of their own.
    fn placeholder(&self, c: char) -> Option<(String, usize)> {
        match c {
            '<' => angled(self.rest),
            '[' | '{' if self.word.is_none() => bracketed(self.rest),
            _ => None,
        }
    }
}

/// `<pod-name>`
fn angled(text: &str) -> Option<(String, usize)> {
    let (name, _) = text.strip_prefix('<')?.split_once('>')?;
    let fits = |c: char| c.is_alphanumeric() || " _-./:|".contains(c);
    (name.starts_with(char::is_alphabetic) && name.chars().all(fits))
        .then(|| (name.to_owned(), name.len() + 2))
}

/// `[SEV1-4]`, `{pod}`, `{{ pod }}`
fn bracketed(text: &str) -> Option<(String, usize)> {
    let (open, close) = if text.starts_with('[') {
        ("[", "]")
    } else if text.starts_with("{{") {
        ("{{", "}}")
    } else {
        ("{", "}")
    };
    let (name, rest) = text.strip_prefix(open)?.split_once(close)?;
    let inner = if open == "{{" { name.trim() } else { name };
    let fits = |c: char| c.is_alphanumeric() || " _-".contains(c);
    let alone = rest.is_empty() || rest.starts_with(char::is_whitespace);
    (alone && inner.starts_with(char::is_alphabetic) && inner.chars().all(fits))
        .then(|| (inner.to_owned(), name.len() + open.len() + close.len()))
}

fn leading_name(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    if text.starts_with(|c: char| c.is_ascii_digit()) { "" } else { &text[..end] }
}

/// Where `$(…)` ends.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    text.char_indices().find_map(|(at, c)| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        (c == ')' && depth == 0).then_some(at + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> Vec<String> {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Hole(name) => format!("‹{name}›"),
            Piece::Expands(text) => format!("!{text}!"),
        };
        let one = |token: &Token| match token {
            Token::Word(word) => word.0.iter().map(piece).collect(),
            Token::Operator(operator) => format!("op {operator}"),
            Token::Redirect(sign) => format!("to {sign}"),
        };
        tokens(line).unwrap().iter().map(one).collect()
    }

    #[test]
    fn words_quotes_and_operators() {
        assert_eq!(told(r#"a 'b $x' "c \" $y" d\ e # no"#), ["a", "b $x", "c \" ‹y›", "d e"]);
        assert_eq!(
            told("a|b||c&&d;e 2>&1 >f 2>/dev/null"),
            [
                "a",
                "op |",
                "b",
                "op ||",
                "c",
                "op &&",
                "d",
                "op ;",
                "e",
                "to 2>&",
                "1",
                "to >",
                "f",
                "to 2>",
                "/dev/null"
            ]
        );
        assert_eq!(tokens("echo 'it"), Err(Unclosed));
        assert_eq!(tokens("$(date"), Err(Unclosed));
    }

    #[test]
    fn what_must_be_given_is_a_hole_and_what_a_shell_works_out_is_marked() {
        assert_eq!(
            told("deployment/<service-name> $NS ${POD:-x} {pod} {{ name }} [SEV1-4] [ -f x ]"),
            [
                "deployment/‹service-name›",
                "‹NS›",
                "‹POD›",
                "‹pod›",
                "‹name›",
                "‹SEV1-4›",
                "[",
                "-f",
                "x",
                "]"
            ]
        );
        assert_eq!(
            told("./h-$(date +%s).bin *.log ~/x $1 ${x%y} a$ '$(no)'"),
            ["./h-!$(date +%s)!.bin", "!*!.log", "!~!/x", "!$1!", "!${x%y}!", "a$", "$(no)"]
        );
        assert_eq!(
            told("http://p/api?query='sum(x{s=~\"5..\"}[5m])'"),
            ["http://p/api?query=sum(x{s=~\"5..\"}[5m])"]
        );
    }
}
