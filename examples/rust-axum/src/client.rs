//! The tungstenite side: opens a transport and starts the v1 handshake on it.
use crate::crypto::System;
use crate::record::longest_frame;
use crate::socket::{Socket, HEADROOM};
use crate::v1::{ClientOptions, Connection};
use std::sync::Arc;
use std::time::Instant;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{self, protocol::WebSocketConfig};
use tokio_tungstenite::{connect_async_with_config, MaybeTlsStream, WebSocketStream};

pub type Transport = WebSocketStream<MaybeTlsStream<TcpStream>>;
pub type ClientSocket = Socket<Transport, Connection>;

/// Opens the WebSocket with room for `longest` bytes a message.
pub async fn open(url: &str, longest: usize) -> Result<Transport, tungstenite::Error> {
    let config = WebSocketConfig::default().max_message_size(Some(longest)).max_frame_size(Some(longest));
    let no_delay = true;
    connect_async_with_config(url, Some(config), no_delay).await.map(|(transport, _response)| transport)
}

/// Opens the WebSocket; the first event is `Open`, or `Closed` when the handshake fails.
pub async fn connect(url: &str, options: Arc<ClientOptions>) -> Result<ClientSocket, tungstenite::Error> {
    let transport = open(url, longest_frame(options.common.max_payload) + HEADROOM).await?;
    // The handshake's time starts here, with the transport open.
    Ok(Socket::new(transport, Connection::client(options, Box::new(System), Instant::now())))
}
