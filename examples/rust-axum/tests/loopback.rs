//! Over real sockets: this client against this server, and transports that misbehave.
use futures_util::{SinkExt, StreamExt};
use pq_websocket::attestation::{Attester, UserData, Verifier};
use pq_websocket::client::{connect, connect_yellowpages, ClientSocket, Transport};
use pq_websocket::crypto::{sha256, Secret, System};
use pq_websocket::failure::Ending;
use pq_websocket::fast_open::offer;
use pq_websocket::hello::Features;
use pq_websocket::identity::{Identity, Pin};
use pq_websocket::kem::{DecapsulationKey, Kem};
use pq_websocket::profile::Profiles;
use pq_websocket::protocol::{Event, Message};
use pq_websocket::server::{router, serve, Accepts, ServerSocket};
use pq_websocket::v1::{ClientOptions, ServerOptions};
use pq_websocket::yellowpages;
use std::io::{BufRead, BufReader};
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::sync::{mpsc, Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite;

const LONGEST: usize = 1 << 20;

/// An echo server in this process; its URL.
async fn echo(profiles: Profiles, most_pending: usize) -> String {
    echo_that(Accepts { profiles, subprotocols: Vec::new(), most_pending }).await
}

async fn echo_that(accepts: Accepts) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback has a port");
    let port = listener.local_addr().expect("it is bound").port();
    tokio::spawn(serve(listener, router(accepts, echo_messages)));
    format!("ws://127.0.0.1:{port}/")
}

async fn echo_messages(mut socket: ServerSocket) {
    while let Some(event) = socket.next().await {
        let Event::Message(message) = event else { continue };
        if let Some(connection) = socket.protocol.v1() {
            connection.send(&message, Instant::now()).expect("open");
        } else if let (Some(connection), Message::Binary(bytes)) = (socket.protocol.yellowpages(), message) {
            connection.send(&bytes).expect("open");
        }
    }
}

fn v1(options: ServerOptions) -> Profiles {
    Profiles::V1(Arc::new(options))
}

async fn first_event(url: &str, options: ClientOptions) -> (ClientSocket, Option<Event>) {
    let mut socket = connect(url, Arc::new(options)).await.expect("the server listens");
    let event = socket.next().await;
    (socket, event)
}

fn failed(code: u16) -> Option<Event> {
    Some(Event::Closed(Ending { found_here: true, ..Ending::unclean(code) }))
}

fn claimed(code: u16) -> Option<Event> {
    Some(Event::Closed(Ending::unclean(code)))
}

/// A bare transport.
async fn open(url: &str, subprotocols: &[&str]) -> Transport {
    let subprotocols = subprotocols.iter().copied().map(str::to_owned).collect();
    pq_websocket::client::open(url, subprotocols, LONGEST).await.expect("the server listens").0
}

/// The close that a server answers these transport messages with.
async fn close_after(url: &str, messages: impl IntoIterator<Item = tungstenite::Message>) -> Option<(u16, String)> {
    let mut transport = open(url, &[]).await;
    for message in messages {
        transport.send(message).await.expect("the server reads");
    }
    while let Some(Ok(message)) = transport.next().await {
        if let tungstenite::Message::Close(close) = message {
            return close.map(|close| (close.code.into(), close.reason.to_string()));
        }
    }
    None
}

/// A process that ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Every case of the client, as it is run against other implementations.
#[test]
fn peer_client_against_peer_server() {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../../test/vectors/extensions.json")).expect("JSON");
    let key = &vectors["keys"][0];
    let common = ["--context", "loopback"];
    let seed = key["seed"].as_str().expect("hex");
    let mut server = Command::new(env!("CARGO_BIN_EXE_peer"));
    server.arg("server").args(common).args(["--identity-seed", seed, "--profile", "both", "--padding", "padme"]);
    let mut server = Process(server.stdout(Stdio::piped()).spawn().expect("the server starts"));
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
    let port = line.trim().strip_prefix("listening ").expect("the line says the port");
    let pin = key["publicKey"].as_str().expect("hex");
    let client = |arguments: &[&str]| {
        let mut client = Command::new(env!("CARGO_BIN_EXE_peer"));
        client.args(["client", &format!("ws://127.0.0.1:{port}/")]).args(arguments).output().expect("the client starts")
    };
    let output = client(&[&common[..], &["--pin", pin]].concat());
    let lines = String::from_utf8(output.stdout).expect("text");
    assert_eq!(lines.lines().filter(|line| line.ends_with(r#""ok":true}"#)).count(), 15, "{lines}");
    assert!(output.status.success(), "{lines}");
    let output = client(&["--context", "another"]);
    assert!(!output.status.success(), "the contexts differ");
}

/// The same with all extensions, each end's clocks running fast.
#[test]
fn peers_with_every_extension() {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../../test/vectors/extensions.json")).expect("JSON");
    let key =
        |name: &str| vectors["keys"].as_array().expect("a list").iter().find(|key| key["name"] == name).expect("a key");
    let text = |name: &str, field: &str| key(name)[field].as_str().expect("hex").to_owned();
    let clocks = ["--exchange-ms", "20", "--heartbeat", "5/20000"].map(str::to_owned);
    let mut server = Command::new(env!("CARGO_BIN_EXE_peer"));
    server.arg("server").args(&clocks).args(["--identity-seed", &text("identity", "seed"), "--padding", "64"]);
    server.args(["--client-keys", &text("other client", "publicKey")]);
    server.args(["--client-keys", &format!("sha256:{}", text("client", "fingerprint").trim_start_matches("sha256:"))]);
    let mut server = Process(server.stdout(Stdio::piped()).spawn().expect("the server starts"));
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
    let port = line.trim().strip_prefix("listening ").expect("the line says the port");
    let client = |identity: &str, pin: &str| {
        let mut client = Command::new(env!("CARGO_BIN_EXE_peer"));
        client.args(["client", &format!("ws://127.0.0.1:{port}/"), "--kem", "mlkem768-x25519"]).args(&clocks);
        client.args(["--identity", &text(identity, "seed"), "--pin", &text(pin, "publicKey")]);
        client.output().expect("the client starts")
    };
    let output = client("client", "identity");
    let lines = String::from_utf8(output.stdout).expect("text");
    assert_eq!(lines.lines().filter(|line| line.ends_with(r#""ok":true}"#)).count(), 26, "{lines}");
    assert!(output.status.success(), "{lines}");
    assert!(!client("stranger", "identity").status.success(), "nobody knows this client");
    assert!(!client("client", "stranger").status.success(), "another server is pinned");
}

#[tokio::test]
async fn identity() {
    let seed = || Secret::take(&mut [7; 32]);
    let public_key = Identity::from_seed(seed()).public_key();
    let other_key = Identity::from_seed(Secret::take(&mut [8; 32])).public_key();
    let pins = |keys: &[&Vec<u8>]| {
        let pins = keys.iter().map(|key| Pin::new(key).expect("a public key")).collect();
        ClientOptions { pins, ..ClientOptions::default() }
    };
    let fingerprint = |key: &[u8]| sha256(&[key]).to_vec();
    let identity = Some(Identity::from_seed(seed()));
    let signing = echo(v1(ServerOptions { identity, ..ServerOptions::default() }), 16).await;
    let identity = Some(Identity::from_seed(seed()));
    let sending = echo(v1(ServerOptions { identity, send_public_key: true, ..ServerOptions::default() }), 16).await;
    let plain = echo(v1(ServerOptions::default()), 16).await;
    assert_eq!(first_event(&signing, pins(&[&other_key, &public_key])).await.1, Some(Event::Open));
    assert_eq!(first_event(&signing, pins(&[])).await.1, Some(Event::Open));
    assert_eq!(first_event(&signing, pins(&[&other_key])).await.1, failed(3770));
    assert_eq!(first_event(&plain, pins(&[&public_key])).await.1, failed(3770));
    assert_eq!(first_event(&sending, pins(&[&other_key, &fingerprint(&public_key)])).await.1, Some(Event::Open));
    assert_eq!(first_event(&sending, pins(&[&fingerprint(&other_key)])).await.1, failed(3770));
    assert_eq!(first_event(&signing, pins(&[&fingerprint(&public_key)])).await.1, failed(3770));
}

/// Each of two attesters needs the other to have begun. On the one thread that this test's runtime has, the second never would.
#[tokio::test]
async fn an_attester_that_takes_its_time_holds_up_its_own_connection_alone() {
    let (second, first) = mpsc::channel();
    let first = Mutex::new(Some(first));
    let attest = move |_: &UserData| {
        let waits = first.lock().ok()?.take();
        let is_met = match waits {
            Some(first) => first.recv_timeout(Duration::from_secs(30)).is_ok(),
            None => second.send(()).is_ok(),
        };
        is_met.then(|| b"document".to_vec())
    };
    let attester = Some(Attester(Box::new(attest)));
    let url = echo(v1(ServerOptions { attester, ..ServerOptions::default() }), 16).await;
    let both = tokio::join!(first_event(&url, ClientOptions::default()), first_event(&url, ClientOptions::default()));
    assert_eq!((both.0 .1, both.1 .1), (Some(Event::Open), Some(Event::Open)));
}

fn yellowpages_server() -> Arc<yellowpages::Options> {
    let attester = Attester(Box::new(|user_data| Some(user_data.bytes.clone())));
    Arc::new(yellowpages::Options::new(yellowpages::Role::Server(Some(attester))))
}

fn yellowpages_client() -> Arc<yellowpages::Options> {
    let verifier = Verifier(Box::new(|document, user_data| document == user_data.bytes));
    Arc::new(yellowpages::Options::new(yellowpages::Role::Client(Some(verifier))))
}

#[tokio::test]
async fn both_profiles_on_one_port() {
    let url = echo(Profiles::Both(Arc::default(), yellowpages_server()), 16).await;
    assert_eq!(first_event(&url, ClientOptions::default()).await.1, Some(Event::Open));

    let mut client = connect_yellowpages(&url, yellowpages_client()).await.expect("the server listens");
    assert_eq!(client.next().await, Some(Event::Open));
    for message in [&b"first"[..], b""] {
        client.protocol.send(message).expect("open");
        assert_eq!(client.next().await, Some(Event::Message(Message::Binary(message.to_vec()))));
    }
}

#[tokio::test]
async fn refusals_reach_the_transport() {
    let mut options = ServerOptions::default();
    options.common.handshake_timeout = Duration::from_millis(200);
    let url = echo(v1(options), 16).await;
    let handshake = Some((3768, "handshake failed".to_owned()));
    assert_eq!(close_after(&url, [tungstenite::Message::text("{}")]).await, handshake);
    assert_eq!(close_after(&url, [tungstenite::Message::binary(vec![1; 40])]).await, handshake);
    assert_eq!(close_after(&url, []).await, Some((3769, "handshake timed out".to_owned())));
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused_with_its_code() {
    let mut options = ServerOptions::default();
    options.common.max_payload = 1000;
    let url = echo(v1(options), 16).await;
    // Over maxPayload, within the limit of frames; then over that too.
    for length in [1001, 1 << 20] {
        let (mut socket, event) = first_event(&url, ClientOptions::default()).await;
        assert_eq!(event, Some(Event::Open));
        socket.protocol.send(&Message::Binary(vec![0; length]), Instant::now()).expect("open");
        assert_eq!(socket.next().await, claimed(3773));
    }
}

#[tokio::test]
async fn tampering_is_refused() {
    let url = echo(v1(ServerOptions::default()), 16).await;
    let (mut socket, event) = first_event(&url, ClientOptions::default()).await;
    assert_eq!(event, Some(Event::Open));
    socket.protocol.send(&Message::Text("hello".into()), Instant::now()).expect("open");
    let queue = &mut pq_websocket::protocol::Protocol::queues(&mut socket.protocol).outgoing;
    let Some(pq_websocket::protocol::Outgoing::Binary(frame)) = queue.back_mut() else { panic!("a record is due") };
    frame[13] ^= 1;
    assert_eq!(socket.next().await, claimed(3771));
    assert_eq!(socket.transport_close, Some((3771, "record refused".to_owned())));
}

#[tokio::test]
async fn the_oldest_pending_socket_makes_room() {
    let url = echo(v1(ServerOptions::default()), 2).await;
    // Open sockets do not count; its echo shows that the server too sees this one open.
    let (mut first, event) = first_event(&url, ClientOptions::default()).await;
    assert_eq!(event, Some(Event::Open));
    first.protocol.send(&Message::Text("open".into()), Instant::now()).expect("open");
    assert_eq!(first.next().await, Some(Event::Message(Message::Text("open".into()))));
    let mut oldest = open(&url, &[]).await;
    let mut second = open(&url, &[]).await;
    let (_third, event) = first_event(&url, ClientOptions::default()).await;
    assert_eq!(event, Some(Event::Open), "a newcomer is never refused");
    let Some(Ok(tungstenite::Message::Close(Some(close)))) = oldest.next().await else { panic!("no close") };
    assert_eq!(u16::from(close.code), 1013);
    second.send(tungstenite::Message::text("{}")).await.expect("still there");
    let Some(Ok(tungstenite::Message::Close(Some(close)))) = second.next().await else { panic!("no close") };
    assert_eq!(u16::from(close.code), 3768, "the second one was still waited for");
    first.protocol.send(&Message::Text("still open".into()), Instant::now()).expect("open");
    assert_eq!(first.next().await, Some(Event::Message(Message::Text("still open".into()))));
}

fn fast() -> ClientOptions {
    ClientOptions { fast_open: true, ..ClientOptions::default() }
}

#[tokio::test]
async fn fast_open() {
    let subprotocols: Vec<String> = ["chat.v1", "chat.v2"].map(str::to_owned).to_vec();
    for profiles in [v1(ServerOptions::default()), Profiles::Both(Arc::default(), yellowpages_server())] {
        let url = echo_that(Accepts { profiles, subprotocols: subprotocols.clone(), most_pending: 16 }).await;
        for (offered, selected) in [(vec![], None), (vec!["chat.v3", "chat.v2"], Some("chat.v2"))] {
            let subprotocols = offered.iter().copied().map(str::to_owned).collect();
            let (mut socket, event) = first_event(&url, ClientOptions { subprotocols, ..fast() }).await;
            assert_eq!(event, Some(Event::Open));
            assert_eq!(socket.subprotocol.as_deref(), selected);
            let hello = Message::Text("hello".into());
            socket.protocol.send(&hello, Instant::now()).expect("open");
            assert_eq!(socket.next().await, Some(Event::Message(hello)));
        }
    }
    let no_fast_open = echo(Profiles::Yellowpages(yellowpages_server()), 16).await;
    let (_, event) = first_event(&no_fast_open, fast()).await;
    assert_eq!(event, claimed(1006), "the server speaks yellowpages alone");
}

#[tokio::test]
async fn no_application_offers_the_layers_subprotocols() {
    let url = echo(v1(ServerOptions::default()), 16).await;
    for name in ["pqws1", "PQWS1", "pqws1.x"] {
        let subprotocols = vec![name.to_owned()];
        assert!(connect(&url, Arc::new(ClientOptions { subprotocols, ..fast() })).await.is_err(), "{name}");
    }
}

/// The server has answered before anything is said: no round trip is added.
#[tokio::test]
async fn the_early_answer_comes_unasked() {
    let url = echo(v1(ServerOptions::default()), 16).await;
    let keys = [DecapsulationKey::generate(Kem::MlKem768, &mut System)];
    let hello = pq_websocket::hello::client(&keys, Features::default(), None);
    let offered = offer(&[], &hello);
    let mut transport = open(&url, &offered.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert!(matches!(transport.next().await, Some(Ok(tungstenite::Message::Text(_)))), "ServerHello");
    assert!(matches!(transport.next().await, Some(Ok(tungstenite::Message::Binary(_)))), "Finished(server)");
    transport.send(tungstenite::Message::text(format!("{hello} "))).await.expect("the server reads");
    let Some(Ok(tungstenite::Message::Close(Some(close)))) = transport.next().await else { panic!("no close") };
    assert_eq!(u16::from(close.code), 3768, "not the same hello");
}
