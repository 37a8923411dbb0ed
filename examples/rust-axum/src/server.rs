//! The axum side: upgrades requests, counts pending handshakes, and hands each connection to the application.
use crate::fast_open::Offer;
use crate::profile::{Profiles, Server};
use crate::protocol::{Event, Protocol};
use crate::socket::{Socket, HEADROOM};
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::extract::State;
use axum::http::{header, HeaderMap, HeaderValue};
use axum::response::Response;
use axum::routing::any;
use axum::serve::ListenerExt;
use axum::Router;
use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub type ServerSocket = Socket<WebSocket, Server>;

/// The oldest pending socket is at the front. Dropping a sender tells its socket to go.
#[derive(Debug)]
struct Pending {
    most: usize,
    sockets: Mutex<VecDeque<oneshot::Sender<()>>>,
}

impl Pending {
    /// Counts a newcomer in, at the cost of the oldest where there are too many. It counts until it drops the receiver.
    fn enter(&self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.retain(|socket| !socket.is_closed());
        sockets.push_back(sender);
        while sockets.len() > self.most {
            sockets.pop_front();
        }
        receiver
    }
}

/// Serves a router until the process ends.
pub async fn serve(listener: TcpListener, router: Router) -> std::io::Result<()> {
    // Records are written one by one; without this, the second waits for the first one's delayed acknowledgement.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await
}

/// What a server accepts.
#[derive(Clone, Debug)]
pub struct Accepts {
    pub profiles: Profiles,
    /// The application's. None is selected where the client offers none of them, or `pqws1` where it offers fast open.
    pub subprotocols: Vec<String>,
    /// Handshakes under way; over it the oldest is closed.
    pub most_pending: usize,
}

/// A router that answers every path. `application` runs once per connection that opened.
pub fn router<A, F>(accepts: Accepts, application: A) -> Router
where
    A: Fn(ServerSocket) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let pending = Arc::new(Pending { most: accepts.most_pending, sockets: Mutex::default() });
    let handler = move |State(accepts): State<Arc<Accepts>>, headers: HeaderMap, upgrade: WebSocketUpgrade| {
        upgrade_request(accepts, Arc::clone(&pending), application.clone(), read_offer(&headers), upgrade)
    };
    Router::new().fallback(any(handler)).with_state(Arc::new(accepts))
}

/// From the header itself: axum keeps a set, in which a token that stands there twice stands once.
fn read_offer(headers: &HeaderMap) -> Offer {
    let lines = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|line| line.to_str().ok());
    Offer::read(lines.flat_map(|line| line.split(',')).map(str::trim))
}

async fn upgrade_request<A, F>(
    accepts: Arc<Accepts>,
    pending: Arc<Pending>,
    application: A,
    offer: Offer,
    mut upgrade: WebSocketUpgrade,
) -> Response
where
    A: Fn(ServerSocket) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let now = Instant::now();
    let server = Server::new(&accepts.profiles, now);
    let evicted = pending.enter();
    let longest = server.longest_message() + HEADROOM;
    let selected = offer.select(&accepts.subprotocols);
    if let Some(protocol) = selected.as_deref().and_then(|protocol| HeaderValue::from_str(protocol).ok()) {
        upgrade.set_selected_protocol(protocol);
    }
    upgrade.max_message_size(longest).max_frame_size(longest).on_upgrade(move |transport| async move {
        let mut socket = Socket::new(transport, server, selected);
        if let Some(client_hello) = offer.client_hello {
            socket.protocol.answer_early(client_hello, now);
        }
        if opens(&mut socket, evicted).await {
            application(socket).await;
        }
    })
}

/// Runs the handshake; `false` when the connection failed, was closed or had to make room.
async fn opens(socket: &mut ServerSocket, evicted: oneshot::Receiver<()>) -> bool {
    let event = tokio::select! {
        event = socket.next() => event,
        _ = evicted => socket.evict().await,
    };
    event == Some(Event::Open)
}
