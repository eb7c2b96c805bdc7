//! JSON laid out as `jq .` lays it out: the names in the order in which they came.

/// Lays out a text that is JSON, line by line.
pub(super) fn laid_out(json: &str) -> Vec<String> {
    let mut layout = Layout::default();
    let mut chars = json.chars().peekable();
    while let Some(c) = chars.next() {
        if layout.string {
            layout.within_string(c);
            continue;
        }
        match c {
            '{' | '[' => {
                while chars.next_if(char::is_ascii_whitespace).is_some() {}
                layout.line.push(c);
                match chars.next_if(|next| matches!(next, '}' | ']')) {
                    Some(close) => layout.line.push(close),
                    None => layout.open(),
                }
            }
            '}' | ']' => layout.close(c),
            ',' => {
                layout.line.push(c);
                layout.next();
            }
            ':' => layout.line.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => {
                layout.string = c == '"';
                layout.line.push(c);
            }
        }
    }
    layout.lines.push(layout.line);
    layout.lines
}

/// What is laid out so far.
#[derive(Default)]
struct Layout {
    lines: Vec<String>,
    line: String,
    depth: usize,
    string: bool,
    escaped: bool,
}

impl Layout {
    fn within_string(&mut self, c: char) {
        self.line.push(c);
        self.string = self.escaped || c != '"';
        self.escaped = !self.escaped && c == '\\';
    }

    fn next(&mut self) {
        self.lines.push(std::mem::replace(&mut self.line, "  ".repeat(self.depth)));
    }

    fn open(&mut self) {
        self.depth += 1;
        self.next();
    }

    fn close(&mut self, c: char) {
        self.depth = self.depth.saturating_sub(1);
        self.next();
        self.line.push(c);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn json_is_laid_out_as_jq_does_in_its_own_order() {
        let laid = laid_out("{\"z\":[ 1, {} ],\"a\":{\"q\":\"x,\\\":{\\\\\"},\"e\":[ ]}\n");
        let lines = [
            "{",
            "  \"z\": [",
            "    1,",
            "    {}",
            "  ],",
            "  \"a\": {",
            r#"    "q": "x,\":{\\""#,
            "  },",
            "  \"e\": []",
            "}",
        ];
        assert_eq!(laid, lines);
    }

    #[test]
    fn it_agrees_with_serde_where_the_names_are_sorted() {
        let value: Value = json!({"a": [[], [1.5, "\"\\"], null], "b": {"c": {"d": true}}, "e": ""});
        let laid = laid_out(&value.to_string()).join("\n");
        assert_eq!(laid, serde_json::to_string_pretty(&value).unwrap());
    }
}
