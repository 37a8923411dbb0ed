//! Fast open (section 13): ClientHello among the subprotocols of the upgrade request. Nothing here keeps state.
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine;

/// What a server selects where the application offered no subprotocol of its own.
pub const PROTOCOL: &str = "pqws1";
const TOKEN_PREFIX: &str = "pqws1.";
/// Characters (rule 1).
const MAX_TOKEN: usize = 8_000;

/// Whether a hello may travel in an upgrade request; a longer one must not.
pub fn fits(client_hello: &str) -> bool {
    base64::encoded_len(client_hello.len(), false).is_some_and(|length| TOKEN_PREFIX.len() + length <= MAX_TOKEN)
}

/// Whether a subprotocol's name is the layer's: the application offers none such and sees none.
pub fn is_reserved(protocol: &str) -> bool {
    let name = protocol.to_ascii_lowercase();
    name == PROTOCOL || name.starts_with(TOKEN_PREFIX)
}

/// The subprotocols of the upgrade request (rule 1), for a hello that fits.
pub fn offer(application: &[String], client_hello: &str) -> Vec<String> {
    let token = format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(client_hello));
    application.iter().cloned().chain([PROTOCOL.to_owned(), token]).collect()
}

/// What a server reads from the subprotocols of an upgrade request.
#[derive(Debug, PartialEq, Eq)]
pub struct Offer {
    /// The application's own, in order.
    pub application: Vec<String>,
    /// What may be answered early. A token that is malformed or stands there twice counts for nothing; so does a hello that is
    /// refused.
    pub client_hello: Option<String>,
    offered: bool,
}

impl Offer {
    pub fn read<'a>(protocols: impl IntoIterator<Item = &'a str>) -> Self {
        let mut application = Vec::new();
        let mut tokens = Vec::new();
        let mut names = 0;
        for protocol in protocols {
            match protocol.strip_prefix(TOKEN_PREFIX) {
                Some(token) => tokens.push(token),
                None if protocol == PROTOCOL => names += 1,
                None if is_reserved(protocol) => {} // by its case not the layer's, and no application's
                None => application.push(protocol.to_owned()),
            }
        }
        let client_hello = match tokens[..] {
            [token] if names == 1 && TOKEN_PREFIX.len() + token.len() <= MAX_TOKEN => decode(token),
            _ => None,
        };
        Self { application, client_hello, offered: names > 0 }
    }

    /// The subprotocol of the response: the first of the application's that is accepted, and `pqws1` only if the
    /// application offered none (rule 5).
    pub fn select(&self, accepted: &[String]) -> Option<String> {
        let own = self.application.iter().find(|protocol| accepted.contains(protocol)).cloned();
        own.or_else(|| (self.offered && self.application.is_empty()).then(|| PROTOCOL.to_owned()))
    }
}

/// This engine refuses padding, set unused bits and the standard alphabet. The hello itself is judged when it is answered.
fn decode(token: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()
}

/// Whether a client may go on with what the server selected (rule 6). Who asks for fast open offers subprotocols and so
/// needs an answer.
pub fn is_selection_allowed(selected: Option<&str>, application: &[String], fast_open: bool) -> bool {
    match selected {
        None => !fast_open,
        Some(PROTOCOL) => fast_open && application.is_empty(),
        Some(protocol) => !is_reserved(protocol),
    }
}
