//! curl: a query of Prometheus is a step of that kind; any other request is left to the external command.

use percent_encoding::percent_decode_str;

use super::args::Args;
use super::draft::{Cannot, Draft, by_hand};
use super::lex::Word;

/// Flags with a value.
const WITH_VALUE: &[&str] = &[
    "-X",
    "--request",
    "-d",
    "--data",
    "--data-raw",
    "--data-binary",
    "--data-urlencode",
    "-H",
    "--header",
    "-u",
    "--user",
    "-o",
    "--output",
    "-m",
    "--max-time",
    "--connect-timeout",
    "-w",
    "--write-out",
    "-F",
    "--form",
    "-T",
    "--upload-file",
    "--cacert",
    "--cert",
    "--key",
    "--retry",
];

/// Makes a step of a call of curl, `words` without the program.
pub(super) fn curl(words: &[Word]) -> Result<Draft, Cannot> {
    let args = Args::of(words, WITH_VALUE);
    let path =
        args.words.first().and_then(|word| word.split_once('?').map(|(path, query)| (path, Some(query))));
    let (path, query) = match path {
        Some(found) => found,
        None => (args.text(0).to_owned(), None),
    };
    if path.ends_with("/api/v1/query") {
        let given = args.value(&["--data-urlencode", "-d", "--data"]);
        let query = [given, query.as_ref()].into_iter().flatten().find_map(promql);
        return match query {
            Some(query) => Ok(Draft::read("query", "Ask Prometheus").default("query", query)),
            None => by_hand("a query of Prometheus that only a shell could put together"),
        };
    }
    Err(Cannot::Native)
}

/// `query=…`, as it was before it was encoded.
fn promql(word: &Word) -> Option<String> {
    let text = word.literal()?;
    let query = text.split_once("query=")?.1;
    Some(percent_decode_str(query).decode_utf8().ok()?.into_owned())
}
