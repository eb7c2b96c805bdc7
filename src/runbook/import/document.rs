//! Markdown → the parts of it that a runbook is made from: blocks of code, commands within sentences, tables,
//! links; each with its lines in the file and the headings above it.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// A part of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Headings above it, the outermost first, without the document's own title.
    pub headings: Vec<String>,
    /// What it is.
    pub form: Form,
    /// What introduces it: the sentence before a command, the words of a link; empty where there are none.
    pub title: String,
    /// Its lines, each with its number in the file, from 1.
    pub lines: Vec<(usize, String)>,
}

/// What a part is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A block of code, in the language that its fence names; empty where it names none.
    Code(String),
    /// Code within a sentence.
    Inline,
    /// A table.
    Table,
    /// An address of the web.
    Url(String),
    /// A file beside the document.
    Sibling(String),
}

impl Part {
    /// Returns its text, lines joined.
    pub fn text(&self) -> String {
        self.lines.iter().map(|(_, line)| line.as_str()).collect::<Vec<_>>().join("\n")
    }

    /// Returns the line that it begins in.
    pub fn line(&self) -> usize {
        self.lines.first().map_or(1, |(number, _)| *number)
    }
}

/// Reads a document.
pub(super) fn parts(text: &str) -> Vec<Part> {
    let mut walk = Walk::new(text);
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        walk.event(event, range.start, &text[range]);
    }
    walk.parts
}

struct Walk<'a> {
    text: &'a str,
    headings: Vec<(HeadingLevel, String)>,
    /// Words since the paragraph, item, cell or heading began.
    sentence: String,
    /// The block of code that is open.
    code: Option<Part>,
    /// The link that is open: where it leads, and where its words begin in the sentence.
    link: Option<(String, usize)>,
    /// Lists that are open.
    lists: usize,
    parts: Vec<Part>,
}

impl<'a> Walk<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            headings: Vec::new(),
            sentence: String::new(),
            code: None,
            link: None,
            lists: 0,
            parts: Vec::new(),
        }
    }

    fn event(&mut self, event: Event<'_>, at: usize, source: &str) {
        match event {
            Event::Start(tag) => self.start(tag, at, source),
            Event::End(end) => self.end(end, at),
            Event::Text(text) => match &mut self.code {
                Some(code) => {
                    let from = line_of(self.text, at);
                    code.lines.extend((from..).zip(text.lines().map(str::to_owned)));
                }
                None => self.sentence.push_str(&text),
            },
            Event::Code(code) => {
                let title = phrase(&self.sentence);
                self.push(Form::Inline, title, at, &code);
            }
            Event::SoftBreak | Event::HardBreak => self.sentence.push(' '),
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>, at: usize, source: &str) {
        match tag {
            Tag::Heading { level, .. } => {
                self.headings.retain(|(above, _)| *above < level);
                self.sentence.clear();
            }
            Tag::Paragraph | Tag::Item | Tag::TableCell => self.sentence.clear(),
            Tag::List(_) => {
                self.lists += 1;
            }
            Tag::CodeBlock(kind) => {
                let language = match kind {
                    CodeBlockKind::Fenced(info) => {
                        info.split([' ', ',', '{']).next().unwrap_or_default().to_lowercase()
                    }
                    CodeBlockKind::Indented => String::new(),
                };
                self.code = Some(self.part(Form::Code(language), String::new(), Vec::new()));
            }
            Tag::Table(_) => self.push(Form::Table, String::new(), at, source.trim_end()),
            Tag::Link { dest_url, .. } => self.link = Some((dest_url.to_string(), self.sentence.len())),
            _ => {}
        }
    }

    fn end(&mut self, end: TagEnd, at: usize) {
        match end {
            TagEnd::Heading(level) => {
                let words = unnumbered(self.sentence.trim()).to_owned();
                self.headings.push((level, words));
                self.sentence.clear();
            }
            TagEnd::CodeBlock => {
                self.parts.extend(self.code.take().filter(|code| !code.text().trim().is_empty()));
            }
            TagEnd::Link => {
                if let Some((to, from)) = self.link.take() {
                    let title = phrase(self.sentence.get(from..).unwrap_or_default());
                    self.linked(&to, title, at);
                }
            }
            TagEnd::Item | TagEnd::Paragraph if self.lists > 0 => self.addresses(at),
            TagEnd::List(_) => self.lists -= 1,
            _ => {}
        }
    }

    /// Notes the addresses that stand bare in an item of a list.
    fn addresses(&mut self, at: usize) {
        let sentence = std::mem::take(&mut self.sentence);
        let is_address = |word: &&str| word.starts_with("https://") || word.starts_with("http://");
        let title = phrase(sentence.split("http").next().unwrap_or_default());
        for to in
            sentence.split_whitespace().map(|word| word.trim_matches(['<', '(', ')'])).filter(is_address)
        {
            self.linked(to.trim_end_matches(['.', ',', ')', '>']), title.clone(), at);
        }
    }

    fn linked(&mut self, to: &str, title: String, at: usize) {
        let file = to.split('#').next().unwrap_or_default();
        let form = if to.starts_with("https://") || to.starts_with("http://") {
            Form::Url(to.to_owned())
        } else if !file.contains(':') && file.to_lowercase().ends_with(".md") {
            Form::Sibling(file.to_owned())
        } else {
            return;
        };
        self.push(form, title, at, to);
    }

    fn push(&mut self, form: Form, title: String, at: usize, text: &str) {
        let from = line_of(self.text, at);
        let lines = (from..).zip(text.lines().map(str::to_owned)).collect();
        self.parts.push(self.part(form, title, lines));
    }

    fn part(&self, form: Form, title: String, lines: Vec<(usize, String)>) -> Part {
        let inner = self.headings.iter().filter(|(level, _)| *level > HeadingLevel::H1);
        Part { headings: inner.map(|(_, words)| words.clone()).collect(), form, title, lines }
    }
}

/// The line of an offset, from 1.
fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or(text).matches('\n').count() + 1
}

/// `2. Traffic Diversion` is `Traffic Diversion`.
fn unnumbered(heading: &str) -> &str {
    let rest = heading.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    if rest.len() < heading.len() && rest.starts_with([' ', ')']) {
        rest.trim_start_matches([' ', ')'])
    } else {
        heading
    }
}

/// Words without what joins them to what follows.
pub(super) fn phrase(words: &str) -> String {
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let ends = |c: char| c.is_whitespace() || ":;,.-–—(→#".contains(c);
    words.trim_matches(ends).trim_start_matches("- ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let one = |part: &Part| {
            format!("{} {:?} [{}] {:?}", part.line(), part.form, part.headings.join(" / "), part.text())
        };
        parts(text).iter().map(one).collect()
    }

    #[test]
    fn code_is_found_with_its_lines_and_headings() {
        let text = "# Title\n\n## 1. Look\n\n```Bash title=x\na\n\n  b\n```\n\n1. first\n   ~~~console\n   $ c\n   $ d\n   ~~~\n\n### Deep\n\n    e\n    f\n";
        assert_eq!(
            told(text),
            [
                r#"6 Code("bash") [Look] "a\n\n  b""#,
                r#"13 Code("console") [Look] "$ c\n$ d""#,
                r#"19 Code("") [Look / Deep] "e\nf""#,
            ]
        );
    }

    #[test]
    fn commands_in_sentences_tables_and_links_are_found() {
        let text = "## A\n1. Restart it: `kubectl x`\n\n| a |\n|---|\n| b |\n\n- AWS: https://aws.example/a_b_c.\n- [Down](./down.md#top) and [web](https://x.example)\n";
        assert_eq!(
            told(text),
            [
                r#"2 Inline [A] "kubectl x""#,
                r#"4 Table [A] "| a |\n|---|\n| b |""#,
                r#"8 Url("https://aws.example/a_b_c") [A] "https://aws.example/a_b_c""#,
                r#"9 Sibling("./down.md") [A] "./down.md#top""#,
                r#"9 Url("https://x.example") [A] "https://x.example""#,
            ]
        );
        assert_eq!(parts(text)[0].title, "Restart it");
        assert_eq!(parts(text)[2].title, "AWS");
    }
}
