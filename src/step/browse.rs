//! `open https://…`: a page in a browser, such as a dashboard. Its address is the runbook's; inputs fill in
//! parts of it, percent-encoded, behind the server's name.

use super::command::line;
use super::input::{InputSpec, Inputs};
use super::parameters::{ParameterKind, ParameterSpec, Parameters};
use super::{Answer, Ctx, Draft, Read, Request, StepKind};
use crate::clean::redact::redact_text;
use crate::event::{Browse as Page, Danger, Op, Output, Refusal, Table};
use crate::net::query::escaped;

const PARAMETERS: &[ParameterSpec] =
    &[ParameterSpec { name: "url", kind: ParameterKind::Text, required: true }];

pub(super) struct Browse;

impl StepKind for Browse {
    fn name(&self) -> &'static str {
        "browse"
    }

    fn danger(&self) -> Danger {
        Danger::Read
    }

    fn inputs(&self) -> &'static [InputSpec] {
        &[]
    }

    fn takes_own_inputs(&self) -> bool {
        true
    }

    fn parameters(&self) -> &'static [ParameterSpec] {
        PARAMETERS
    }

    fn fits(&self, with: &Parameters, inputs: &[&str]) -> Result<(), String> {
        let Some(url) = with.text("url") else { return Ok(()) };
        let parts = parts(url)?;
        let unknown = parts.iter().find_map(|part| match part {
            Part::Input(name) if !inputs.contains(name) => Some(name),
            _ => None,
        });
        match unknown {
            Some(name) => Err(format!("url has {{{name}}}, and the step has no input \"{name}\"")),
            None => Ok(()),
        }
    }

    fn example(&self, _: &Inputs, with: &Parameters) -> Option<String> {
        with.text("url").map(|url| format!("open {url}"))
    }

    fn plan(&self, inputs: &Inputs, _: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let address = address(inputs, ctx)?;
        let command = line(&["open", &address].map(Into::into));
        let page = Page { target: ctx.cluster(), address: address.as_str().into() };
        let draft = Draft::look(format!("open {address}"), ctx.cluster(), "", Vec::new(), command);
        let opens = |request: Request| Request { op: Op::Browse(page.clone()), ..request };
        Ok(Draft { requests: draft.requests.into_iter().map(opens).collect(), ..draft })
    }

    fn looks(&self, inputs: &Inputs, _: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        address(inputs, ctx).map(|_| Vec::new())
    }

    fn tell(&self, inputs: &Inputs, _: &[Answer], ctx: &Ctx) -> Result<Output, Refusal> {
        Ok(Output::read(address(inputs, ctx)?, Table::default()))
    }
}

/// A part of an address.
#[derive(Debug, PartialEq)]
enum Part<'a> {
    /// As it stands.
    Plain(&'a str),
    /// What the input of that name says.
    Input(&'a str),
}

/// Splits an address at its `{input}`s.
///
/// # Errors
/// It is none that a browser opens, or an input could say which server it leads to.
fn parts(url: &str) -> Result<Vec<Part<'_>>, String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let rest =
        rest.ok_or_else(|| format!("\"{url}\": give an address that begins with https:// or http://"))?;
    let server = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\'' | '\\' | '<' | '>' | '`');
    if server.is_empty() || server.contains(['{', '}', '@']) || !url.chars().all(plain) {
        return Err(format!("\"{url}\" is no address: the server's name is plain, and blanks are %20"));
    }
    let mut parts = Vec::new();
    let mut rest = url;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or_else(|| format!("\"{url}\": a {{ does not close"))?;
        parts.extend([Part::Plain(before), Part::Input(name)]);
        rest = after;
    }
    parts.push(Part::Plain(rest));
    Ok(parts)
}

/// The address with what the inputs say.
fn address(inputs: &Inputs, ctx: &Ctx) -> Result<String, Refusal> {
    let url = ctx.with.text("url").unwrap_or_default();
    let parts = parts(url).map_err(Refusal::usage)?;
    let filled = parts.into_iter().map(|part| match part {
        Part::Plain(text) => text.to_owned(),
        Part::Input(name) => escaped(inputs.get(name).unwrap_or_default()),
    });
    let address: String = filled.collect();
    if redact_text(&address) != address {
        return Err(Refusal::usage("the address would hold what looks like a secret: it is not opened"));
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::parameters::Parameter;
    use crate::step::samples::ctx;

    fn with(url: &str) -> Parameters {
        [("url", Parameter::Text(url.to_owned()))].into_iter().collect()
    }

    #[test]
    fn inputs_fill_the_address_in_percent_encoded() {
        let ctx = Ctx { with: with("https://grafana/d/x?var-service={service}&from={from}"), ..ctx() };
        let inputs: Inputs = [("service", "a b&c=/é")].into_iter().collect();
        let draft = Browse.plan(&inputs, &[], &ctx).unwrap();
        let address = "https://grafana/d/x?var-service=a%20b%26c%3D%2F%C3%A9&from=";
        let Op::Browse(page) = &draft.requests[0].op else { panic!("it opens nothing") };
        assert_eq!(page.address.as_str(), address);
        assert_eq!(draft.command.to_copy().unwrap().as_str(), format!("open '{address}'"));
        assert_eq!(Browse.tell(&inputs, &[], &ctx).unwrap().lines[0].as_str(), address);
    }

    #[test]
    fn only_what_a_browser_opens_is_an_address_and_no_input_says_where_it_leads() {
        assert_eq!(Browse.fits(&with("https://g/{a}"), &["a"]), Ok(()));
        let why = |url: &str| Browse.fits(&with(url), &["a"]).unwrap_err();
        assert_eq!(why("https://g/{b}"), "url has {b}, and the step has no input \"b\"");
        assert!(why("file:///etc/passwd").contains("begins with https://"));
        assert!(why("javascript:alert(1)").contains("begins with https://"));
        for wrong in
            ["https://{a}/", "https://", "https://g{a}.x/", "https://g/ x", "https://u@g/", "http:///x"]
        {
            assert!(why(wrong).contains("is no address"), "{wrong}");
        }
        assert!(why("https://g/{a").contains("does not close"));
    }
}
