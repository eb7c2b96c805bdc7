//! Requests of curl and wget: which of them only read.

use super::flags::Known;

const CURL: Known = Known {
    bare: "sSfkLivIgG46#Nn0",
    valued: "XdFTHuAemrbowDEx",
    long_bare: "silent show-error fail fail-with-body insecure location include head verbose get globoff \
                compressed ipv4 ipv6 http1.1 http2 no-progress-meter no-buffer no-keepalive progress-bar \
                netrc retry-connrefused retry-all-errors path-as-is tlsv1.2 tlsv1.3",
    long_valued: "request data data-raw data-binary data-urlencode data-ascii json form form-string \
                  upload-file header user user-agent referer max-time connect-timeout write-out output \
                  cacert capath cert key retry retry-delay retry-max-time resolve connect-to proxy \
                  noproxy url url-query cookie max-redirs range interface oauth2-bearer limit-rate \
                  dump-header",
};

const WGET: Known = Known {
    bare: "qSnv46",
    valued: "OTtU",
    long_bare: "quiet no-verbose server-response spider no-check-certificate no-cache no-proxy",
    long_valued: "output-document timeout tries header user-agent user ca-certificate",
};

/// Flags of curl with which something goes along in the address where `-G` says so.
const DATA: &[&str] = &["d", "data", "data-raw", "data-binary", "data-urlencode", "data-ascii"];
/// Flags of curl with which something is sent in any case.
const SENDS: &[&str] = &["json", "F", "form", "form-string", "T", "upload-file"];

/// Whether a call of curl only reads: by its methods, what it sends, and where its answer goes.
pub(super) fn curl_reads(args: &[String]) -> bool {
    let Some(given) = CURL.read(args) else { return false };
    let gets = |method: &&str| ["GET", "HEAD"].contains(&method.to_uppercase().as_str());
    // `%output{file}` of a format writes what follows to that file.
    let formats = given.values(&["w", "write-out"]).iter().all(|format| !format.contains("%output"));
    let addresses = given.values(&["url"]);
    given.values(&["X", "request"]).iter().all(gets)
        && !given.has(SENDS)
        && (!given.has(DATA) || given.has(&["G", "get"]))
        && given.values(&["o", "output", "D", "dump-header"]).iter().all(|file| goes_nowhere(file))
        && formats
        && given.words.iter().chain(&addresses).all(|address| is_web(address))
}

/// Whether a call of wget only reads: it writes a file unless it is told not to.
pub(super) fn wget_reads(args: &[String]) -> bool {
    let Some(given) = WGET.read(args) else { return false };
    let files = given.values(&["O", "output-document"]);
    let kept = files.iter().any(|file| !goes_nowhere(file));
    !kept && (!files.is_empty() || given.has(&["spider"])) && given.words.iter().all(|one| is_web(one))
}

fn goes_nowhere(file: &str) -> bool {
    ["-", "/dev/null", "/dev/stdout"].contains(&file)
}

/// Whether an address is of the web: by gopher, dict or telnet a request is whatever its address says.
fn is_web(address: &str) -> bool {
    let scheme = address.split_once("://").map(|(scheme, _)| scheme.to_lowercase());
    scheme.is_none_or(|scheme| scheme == "http" || scheme == "https")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_request_that_sends_or_keeps_something_does_not_only_read() {
        for line in [
            "-s http://x",
            "-sX GET x",
            "--request=HEAD x",
            "-sG x --data-urlencode q=1",
            "-sSfL -m5 -o /dev/null -w %{http_code} https://x",
            "-I -H a:b --url http://x",
        ] {
            assert!(curl_reads(&args(line)), "{line}");
        }
        for line in [
            "-sX POST x",
            "-sX DELETE x",
            "-sXPUT x",
            "--request PATCH x",
            "--json {} x",
            "-sd{} x",
            "-X GET -d {} x",
            "--data-raw y x",
            "-Fa=b x",
            "-T f x",
            "--upload-file f x",
            "-G --json {} x",
            "-K f x",
            "-so /etc/x x",
            "-O x",
            "-w %output{f} x",
            "gopher://redis:6379/_FLUSHALL",
            "--frobnicate x",
        ] {
            assert!(!curl_reads(&args(line)), "{line}");
        }
        for line in
            ["-qO- x:8080/health", "-q -O - x", "--spider -T 2 x", "-nv --output-document=/dev/null x"]
        {
            assert!(wget_reads(&args(line)), "{line}");
        }
        for line in ["x", "-O f x", "-qO- --post-data=y x", "--method=DELETE -O- x", "-i f -O-"] {
            assert!(!wget_reads(&args(line)), "{line}");
        }
    }
}
