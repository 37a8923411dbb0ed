//! The command line.
use pq_websocket::crypto::Secret;
use pq_websocket::identity::{Identity, Pin};
use pq_websocket::record::Padding;
use pq_websocket::v1::{ClientOptions, Context, Options, ServerOptions};
use std::path::PathBuf;
use std::time::Duration;

pub const USAGE: &str = "\
peer server [--port N] [--profile v1|yellowpages|both] [--original] [--identity-seed HEX32] [--page REPOSITORY] [OPTION]...
peer client URL [--profile v1|yellowpages] [--original] [--fast-open] [--pin HEX|sha256:HEX]... [--case NAME]... [OPTION]...
peer features
OPTION: --context TEXT, --padding N|padme, --max-payload N, --handshake-timeout Nms";

/// What test/interop asks before it runs anything.
pub const FEATURES: &str = r#"{"server":["v1","identity","fingerprint","fast-open","yellowpages","original","page"],"client":["v1","identity","fingerprint","fast-open","yellowpages","original"]}"#;

pub struct Listen {
    pub port: u16,
    pub profile: String,
    /// Of yellowpages, the use that the original system makes of it: one request, answered with a close code alone.
    pub original: bool,
    /// The repository's folder, whose page is served at /page.
    pub page: Option<PathBuf>,
    pub options: ServerOptions,
}

pub enum ClientProfile {
    V1,
    Yellowpages,
    Original,
}

pub enum Command {
    Server(Box<Listen>),
    Client { url: String, profile: ClientProfile, options: Box<ClientOptions>, only: Vec<String> },
    Features,
}

pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    match arguments.next().as_deref() {
        Some("server") => parse_server(arguments),
        Some("client") => parse_client(arguments),
        Some("features") => Ok(Command::Features),
        _ => Err("the first argument is server, client or features".into()),
    }
}

fn parse_server(mut arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let (port, profile, options) = (0, "v1".into(), ServerOptions::default());
    let mut listen = Listen { port, profile, original: false, page: None, options };
    while let Some(name) = arguments.next() {
        if name == "--original" {
            listen.original = true;
            continue;
        }
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--page" => listen.page = Some(value.into()),
            "--port" => listen.port = value.parse().map_err(|_| "--port is a number up to 65535")?,
            "--profile" if ["v1", "yellowpages", "both"].contains(&value.as_str()) => listen.profile = value,
            "--identity-seed" => {
                let mut seed =
                    from_hex(&value).filter(|seed| seed.len() == 32).ok_or("--identity-seed is 32 bytes in hex")?;
                listen.options.identity = Some(Identity::from_seed(Secret::take(&mut seed)));
                listen.options.send_public_key = true;
            }
            _ => common(&mut listen.options.common, &name, &value)?,
        }
    }
    Ok(Command::Server(Box::new(listen)))
}

fn parse_client(mut arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let url = arguments.next().ok_or("client needs a URL")?;
    let mut options = ClientOptions::default();
    let mut only = Vec::new();
    let (mut profile, mut original) = (String::from("v1"), false);
    while let Some(name) = arguments.next() {
        if let Some(flag) = match name.as_str() {
            "--original" => Some(&mut original),
            "--fast-open" => Some(&mut options.fast_open),
            _ => None,
        } {
            *flag = true;
            continue;
        }
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--profile" if ["v1", "yellowpages"].contains(&value.as_str()) => profile = value,
            "--case" => only.push(value),
            "--pin" => {
                let (digits, is_fingerprint) = match value.strip_prefix("sha256:") {
                    Some(digits) => (digits, true),
                    None => (&value[..], false),
                };
                let pin = from_hex(digits)
                    .and_then(|bytes| Pin::new(&bytes))
                    .filter(|pin| matches!(pin, Pin::Fingerprint(_)) == is_fingerprint)
                    .ok_or("--pin is a public key, 1,952 bytes in hex, or sha256: and its fingerprint in hex")?;
                options.pins.push(pin);
            }
            _ => common(&mut options.common, &name, &value)?,
        }
    }
    let profile = match (profile.as_str(), original) {
        ("v1", false) => ClientProfile::V1,
        ("v1", true) => return Err("--original is of the profile yellowpages".into()),
        (_, false) => ClientProfile::Yellowpages,
        (_, true) => ClientProfile::Original,
    };
    Ok(Command::Client { url, profile, options: Box::new(options), only })
}

fn common(options: &mut Options, name: &str, value: &str) -> Result<(), String> {
    match name {
        "--context" => {
            Context::new(value).map(|context| options.context = Some(context)).map_err(|error| error.to_string())
        }
        "--padding" => {
            padding(value).map(|padding| options.padding = padding).ok_or_else(|| "--padding: N or padme".into())
        }
        "--max-payload" => {
            value.parse().map(|bytes| options.max_payload = bytes).map_err(|_| "--max-payload is a number".into())
        }
        "--handshake-timeout" => {
            let milliseconds = value.strip_suffix("ms").and_then(|digits| digits.parse().ok());
            milliseconds
                .map(|milliseconds| options.handshake_timeout = Duration::from_millis(milliseconds))
                .ok_or_else(|| "--handshake-timeout is such as 500ms".into())
        }
        _ => Err(format!("unknown option or value: {name} {value}")),
    }
}

/// A block size, `0` for none, or `padme`.
pub fn padding(text: &str) -> Option<Padding> {
    match text {
        "0" => Some(Padding::Off),
        "padme" => Some(Padding::Padme),
        size => Padding::block(size.parse().ok()?).ok(),
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        text.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    Some(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
