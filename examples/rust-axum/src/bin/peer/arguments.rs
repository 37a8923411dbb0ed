//! The command line.
use pq_websocket::crypto::Secret;
use pq_websocket::identity::{ClientKeys, Identity, Pin};
use pq_websocket::kem::{Kem, Kems};
use pq_websocket::record::Padding;
use pq_websocket::v1::{ClientOptions, Context, ExchangePolicy, HeartbeatPolicy, Options, ServerOptions};
use std::path::PathBuf;
use std::time::Duration;

pub const USAGE: &str = "\
peer server [--port N] [--profile v1|yellowpages|both] [--original] [--identity-seed HEX32] [--client-keys HEX|sha256:HEX]...
            [--page REPOSITORY] [OPTION]...
peer client URL [--profile v1|yellowpages] [--original] [--fast-open] [--pin HEX|sha256:HEX]... [--identity HEX32]
            [--case NAME]... [OPTION]...
peer features
OPTION: --context TEXT, --padding N|padme, --max-payload N, --handshake-timeout Nms, --kem NAME (may be repeated),
        --exchange-ms N (0: off), --heartbeat INTERVAL/TIMEOUT in ms, or off, --no-extensions";

/// What test/interop asks before it runs anything.
pub const FEATURES: &str = r#"{"server":["v1","identity","fingerprint","fast-open","kem","exchange","client-identity","heartbeat","yellowpages","original","page"],"client":["v1","identity","fingerprint","fast-open","kem","exchange","client-identity","heartbeat","yellowpages","original"]}"#;

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

/// Which cases a client runs: those named, or all of v1 and of the extensions that the command line has options of.
#[derive(Default)]
pub struct Wanted {
    pub only: Vec<String>,
    pub kem: bool,
    pub exchange: bool,
    pub identity: bool,
    pub heartbeat: bool,
}

pub enum Command {
    Server(Box<Listen>),
    Client { url: String, profile: ClientProfile, options: Box<ClientOptions>, wanted: Wanted },
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
    let (mut extensions, mut client_keys) = (Extensions::default(), Vec::new());
    while let Some(name) = arguments.next() {
        match name.as_str() {
            "--original" => listen.original = true,
            "--no-extensions" => extensions.none = true,
            _ => {
                let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
                match name.as_str() {
                    "--page" => listen.page = Some(value.into()),
                    "--port" => listen.port = value.parse().map_err(|_| "--port is a number up to 65535")?,
                    "--profile" if ["v1", "yellowpages", "both"].contains(&value.as_str()) => listen.profile = value,
                    "--identity-seed" => {
                        listen.options.identity = Some(identity(&value)?);
                        listen.options.send_public_key = true;
                    }
                    "--client-keys" => client_keys.push(pin(&value)?),
                    _ => common(&mut listen.options.common, &mut extensions, &name, &value)?,
                }
            }
        }
    }
    if !client_keys.is_empty() {
        listen.options.client_keys = Some(ClientKeys::new(client_keys, None).map_err(|error| error.to_string())?);
    }
    extensions.apply(&mut listen.options.common, &mut listen.options.kems)?;
    Ok(Command::Server(Box::new(listen)))
}

fn parse_client(mut arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let url = arguments.next().ok_or("client needs a URL")?;
    let mut options = ClientOptions::default();
    let mut wanted = Wanted::default();
    let mut extensions = Extensions::default();
    let (mut profile, mut original) = (String::from("v1"), false);
    while let Some(name) = arguments.next() {
        if let Some(flag) = match name.as_str() {
            "--original" => Some(&mut original),
            "--fast-open" => Some(&mut options.fast_open),
            "--no-extensions" => Some(&mut extensions.none),
            _ => None,
        } {
            *flag = true;
            continue;
        }
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--profile" if ["v1", "yellowpages"].contains(&value.as_str()) => profile = value,
            "--case" => wanted.only.push(value),
            "--identity" => options.identity = Some(identity(&value)?),
            "--pin" => options.pins.push(pin(&value)?),
            _ => common(&mut options.common, &mut extensions, &name, &value)?,
        }
    }
    wanted.kem = !extensions.kems.is_empty();
    wanted.exchange = extensions.exchange.is_some_and(|exchange| exchange.is_some());
    wanted.identity = options.identity.is_some();
    wanted.heartbeat = extensions.heartbeat.is_some_and(|heartbeat| heartbeat != HeartbeatPolicy::Off);
    extensions.apply(&mut options.common, &mut options.kems)?;
    let profile = match (profile.as_str(), original) {
        ("v1", false) => ClientProfile::V1,
        ("v1", true) => return Err("--original is of the profile yellowpages".into()),
        (_, false) => ClientProfile::Yellowpages,
        (_, true) => ClientProfile::Original,
    };
    Ok(Command::Client { url, profile, options: Box::new(options), wanted })
}

/// What the command line says of the extensions.
#[derive(Default)]
struct Extensions {
    none: bool,
    kems: Vec<Kem>,
    exchange: Option<Option<ExchangePolicy>>,
    heartbeat: Option<HeartbeatPolicy>,
}

impl Extensions {
    fn apply(self, options: &mut Options, kems: &mut Kems) -> Result<(), String> {
        if self.none {
            *kems = Kems::offered();
            (options.exchange, options.heartbeat, options.grease) = (None, HeartbeatPolicy::Off, false);
        }
        if !self.kems.is_empty() {
            *kems = Kems::new(self.kems).map_err(|error| error.to_string())?;
        }
        options.exchange = self.exchange.unwrap_or(options.exchange);
        options.heartbeat = self.heartbeat.unwrap_or(options.heartbeat);
        Ok(())
    }
}

fn identity(text: &str) -> Result<Identity, String> {
    let mut seed = from_hex(text).filter(|seed| seed.len() == 32).ok_or("a seed is 32 bytes in hex")?;
    Ok(Identity::from_seed(Secret::take(&mut seed)))
}

/// A public key, or the fingerprint of one.
fn pin(text: &str) -> Result<Pin, String> {
    let (digits, is_fingerprint) = match text.strip_prefix("sha256:") {
        Some(digits) => (digits, true),
        None => (text, false),
    };
    from_hex(digits)
        .and_then(|bytes| Pin::new(&bytes))
        .filter(|pin| matches!(pin, Pin::Fingerprint(_)) == is_fingerprint)
        .ok_or_else(|| "a public key, 1,952 bytes in hex, or sha256: and its fingerprint in hex".into())
}

/// Interval and timeout.
fn heartbeat(text: &str) -> Option<HeartbeatPolicy> {
    if text == "off" {
        return Some(HeartbeatPolicy::Off);
    }
    let (interval, timeout) = text.split_once('/')?;
    let time = |text: &str| text.parse().ok().filter(|n| *n > 0).map(Duration::from_millis);
    Some(HeartbeatPolicy::Beat { interval: time(interval)?, timeout: time(timeout)? })
}

fn common(options: &mut Options, extensions: &mut Extensions, name: &str, value: &str) -> Result<(), String> {
    match name {
        "--kem" => {
            let kem = Kem::from_name(value);
            kem.map(|kem| extensions.kems.push(kem)).ok_or_else(|| format!("there is no KEM {value}"))
        }
        "--exchange-ms" => {
            let after = value.parse().map(Duration::from_millis).map_err(|_| "--exchange-ms is a number")?;
            let policy = ExchangePolicy { after, ..ExchangePolicy::default() };
            extensions.exchange = Some((!after.is_zero()).then_some(policy));
            Ok(())
        }
        "--heartbeat" => heartbeat(value)
            .map(|heartbeat| extensions.heartbeat = Some(heartbeat))
            .ok_or_else(|| "--heartbeat is such as 30000/10000, in milliseconds, or off".into()),
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
