//! The page of examples/page, in which a browser is the client, and the script that makes its WebSocket secure.
use axum::http::{header, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::Router;
use std::path::{Path, PathBuf};

/// `sockets` answers every other path.
pub fn router(repository: &Path, sockets: Router) -> Router {
    let page = repository.join("examples/page/index.html");
    let router = Router::new().route("/page", get(move || file(page.clone(), "text/html; charset=utf-8")));
    // Each part is fetched by browsers that need it.
    let router = ["polyfill", "kem", "portable", "ml-dsa", "yellowpages"].iter().fold(router, |router, part| {
        let path = format!("/dist/pq-websocket.{part}.min.js");
        let script = repository.join(&path[1..]);
        router.route(&path, get(move || file(script.clone(), "text/javascript; charset=utf-8")))
    });
    router.fallback_service(sockets)
}

async fn file(path: PathBuf, content_type: &'static str) -> Response {
    match std::fs::read(path) {
        Ok(content) => ([(header::CONTENT_TYPE, content_type)], content).into_response(),
        Err(_) => (StatusCode::NOT_FOUND, "not there: npm run build makes the script").into_response(),
    }
}
