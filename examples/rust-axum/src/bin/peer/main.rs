//! `peer server` and `peer client`: the two ends that the interoperability tests run against each other.
#![forbid(unsafe_code)]

mod arguments;
mod cases;
mod cases_extensions;
mod cases_yellowpages;
mod echo;
mod page;
mod runner;

use arguments::{ClientProfile, Command, Listen, FEATURES};
use pq_websocket::attestation::{Attester, Verifier};
use pq_websocket::profile::Profiles;
use pq_websocket::server::{self, Accepts};
use pq_websocket::{v1, yellowpages};
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
        Ok(Command::Client { url, profile, options, wanted }) => {
            let passed = match profile {
                ClientProfile::V1 => cases::run(&url, Arc::new(*options), wanted).await,
                ClientProfile::Yellowpages => {
                    cases_yellowpages::run(&url, yellowpages_client(&options.common), wanted.only).await
                }
                ClientProfile::Original => {
                    cases_yellowpages::run_original(&url, yellowpages_client(&options.common), wanted.only).await
                }
            };
            if passed {
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
    let mut yellowpages = yellowpages::Options::new(yellowpages::Role::Server(Some(attester())));
    apply(&mut yellowpages, &listen.options.common);
    if listen.original {
        yellowpages.max_payload = echo::LONGEST_REQUEST;
    }
    let yellowpages = Arc::new(yellowpages);
    let v1: Arc<v1::ServerOptions> = Arc::new(listen.options);
    let profiles = match listen.profile.as_str() {
        "yellowpages" => Profiles::Yellowpages(yellowpages),
        "both" => Profiles::Both(v1, yellowpages),
        _ => Profiles::V1(v1),
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, listen.port)).await?;
    println!("listening {}", listener.local_addr()?.port());
    let accepts = Accepts { profiles, subprotocols: Vec::new(), most_pending: MOST_PENDING };
    let sockets = if listen.original {
        server::router(accepts, echo::answer_one_request)
    } else {
        server::router(accepts, echo::run)
    };
    let router = match &listen.page {
        Some(repository) => page::router(repository, sockets),
        None => sockets,
    };
    server::serve(listener, router).await
}

/// This peer runs in no enclave: its documents say what they should and prove nothing.
fn attester() -> Attester {
    Attester(Box::new(|user_data| Some(user_data.bytes.clone())))
}

/// Demands a document of that kind, so that what it covers is compared all the same.
fn yellowpages_client(common: &v1::Options) -> Arc<yellowpages::Options> {
    let verifier = Verifier(Box::new(|document, user_data| document == user_data.bytes));
    let mut options = yellowpages::Options::new(yellowpages::Role::Client(Some(verifier)));
    apply(&mut options, common);
    Arc::new(options)
}

/// What the command line says for both profiles.
fn apply(options: &mut yellowpages::Options, common: &v1::Options) {
    options.max_payload = common.max_payload;
    if common.handshake_timeout != v1::Options::default().handshake_timeout {
        options.step_timeout = common.handshake_timeout;
    }
}
