//! The tungstenite side: opens a transport and starts a handshake on it.
use crate::crypto::System;
use crate::fast_open::{fits, is_reserved, offer};
use crate::record::longest_frame;
use crate::socket::{Socket, HEADROOM};
use crate::{v1, yellowpages};
use std::io;
use std::sync::Arc;
use std::time::Instant;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::{ClientRequestBuilder, IntoClientRequest};
use tokio_tungstenite::tungstenite::http::{header, Response};
use tokio_tungstenite::tungstenite::{self, protocol::WebSocketConfig};
use tokio_tungstenite::{connect_async_with_config, MaybeTlsStream, WebSocketStream};

pub type Transport = WebSocketStream<MaybeTlsStream<TcpStream>>;
pub type ClientSocket = Socket<Transport, v1::Connection>;
pub type YellowpagesSocket = Socket<Transport, yellowpages::Connection>;

/// Opens the WebSocket with room for `longest` bytes a message, and gives the subprotocol that the server selected.
pub async fn open(
    url: &str,
    subprotocols: Vec<String>,
    longest: usize,
) -> Result<(Transport, Option<String>), tungstenite::Error> {
    let config = WebSocketConfig::default().max_message_size(Some(longest)).max_frame_size(Some(longest));
    let no_delay = true;
    let request = ClientRequestBuilder::new(url.parse()?);
    let request = subprotocols.into_iter().fold(request, ClientRequestBuilder::with_sub_protocol);
    let (transport, response) =
        connect_async_with_config(request.into_client_request()?, Some(config), no_delay).await?;
    Ok((transport, selected(&response)))
}

fn selected<B>(response: &Response<B>) -> Option<String> {
    let value = response.headers().get(header::SEC_WEBSOCKET_PROTOCOL)?;
    value.to_str().ok().map(str::to_owned)
}

/// Opens the WebSocket; the first event is `Open`, or `Closed` when the handshake fails.
pub async fn connect(url: &str, options: Arc<v1::ClientOptions>) -> Result<ClientSocket, tungstenite::Error> {
    if options.subprotocols.iter().any(|protocol| is_reserved(protocol)) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "pqws1 is no application's subprotocol").into());
    }
    let longest = longest_frame(options.common.max_payload) + HEADROOM;
    // Before the transport, since with fast open the upgrade request has the hello in it.
    let mut connection = v1::Connection::client(Arc::clone(&options), Box::new(System), Instant::now());
    let subprotocols = match connection.client_hello() {
        Some(hello) if options.fast_open && !fits(hello) => {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the hello is too long for fast open").into());
        }
        Some(hello) if options.fast_open => offer(&options.subprotocols, hello),
        _ => options.subprotocols.clone(),
    };
    let (transport, selected) = open(url, subprotocols, longest).await?;
    connection.transport_opened(selected.as_deref(), Instant::now());
    Ok(Socket::new(transport, connection, selected))
}

/// The same with the profile yellowpages.
pub async fn connect_yellowpages(
    url: &str,
    options: Arc<yellowpages::Options>,
) -> Result<YellowpagesSocket, tungstenite::Error> {
    let longest = options.longest_message() + HEADROOM;
    let (transport, selected) = open(url, Vec::new(), longest).await?;
    let connection = yellowpages::Connection::new(options, Box::new(System), Instant::now());
    Ok(Socket::new(transport, connection, selected))
}
