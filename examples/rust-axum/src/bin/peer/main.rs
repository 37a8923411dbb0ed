//! `peer server` and `peer client`: the two ends that the interoperability tests run against each other.
#![forbid(unsafe_code)]

mod arguments;
mod cases;
mod echo;
mod page;

use arguments::{Command, Listen, FEATURES};
use pq_websocket::attestation::Attester;
use pq_websocket::profile::Profiles;
use pq_websocket::{server, v1, yellowpages};
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;

const MOST_PENDING: usize = 256;

#[tokio::main]
async fn main() -> ExitCode {
    match arguments::parse(std::env::args().skip(1)) {
        Ok(Command::Server(listen)) => match serve(*listen).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        },
        Ok(Command::Features) => {
            println!("{FEATURES}");
            ExitCode::SUCCESS
        }
        Ok(Command::Client { url, options, only }) => {
            if cases::run(&url, Arc::new(*options), only).await {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("{error}\n\n{}", arguments::USAGE);
            ExitCode::from(2)
        }
    }
}

async fn serve(listen: Listen) -> std::io::Result<()> {
    // This peer runs in no enclave: its documents say what they should and prove nothing.
    let attester = Attester(Box::new(|user_data| Some(user_data.to_vec())));
    let yellowpages = Arc::new(yellowpages::Options::new(yellowpages::Role::Server(attester)));
    let v1: Arc<v1::ServerOptions> = Arc::new(listen.options);
    let profiles = match listen.profile.as_str() {
        "yellowpages" => Profiles::Yellowpages(yellowpages),
        "both" => Profiles::Both(v1, yellowpages),
        _ => Profiles::V1(v1),
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, listen.port)).await?;
    println!("listening {}", listener.local_addr()?.port());
    let sockets = server::router(profiles, MOST_PENDING, echo::run);
    let router = match &listen.page {
        Some(repository) => page::router(repository, sockets),
        None => sockets,
    };
    server::serve(listener, router).await
}
