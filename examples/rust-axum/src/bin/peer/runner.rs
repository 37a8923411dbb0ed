//! Runs a client's cases and prints a line of JSON for each.
use std::cell::Cell;
use std::future::Future;
use std::time::Duration;
use tokio::time::timeout;

const CASE_TIMEOUT: Duration = Duration::from_secs(60);

/// What was wrong, without repeating megabytes.
pub type Outcome = Result<(), String>;

pub struct Runner {
    only: Vec<String>,
    ran: Cell<bool>,
    failed: Cell<bool>,
}

impl Runner {
    /// Of the cases in `only` alone, unless that is empty.
    pub fn new(only: Vec<String>) -> Self {
        Self { only, ran: Cell::new(false), failed: Cell::new(false) }
    }

    /// Whether a case ran and all passed.
    pub fn passed(&self) -> bool {
        self.ran.get() && !self.failed.get()
    }

    pub async fn case(&self, name: &str, run: impl Future<Output = Outcome>) {
        if !self.only.is_empty() && !self.only.iter().any(|chosen| chosen == name) {
            return;
        }
        self.ran.set(true);
        let outcome = timeout(CASE_TIMEOUT, run).await.unwrap_or_else(|_| Err("took too long".into()));
        let line = match &outcome {
            Ok(()) => serde_json::json!({ "case": name, "ok": true }),
            Err(detail) => serde_json::json!({ "case": name, "ok": false, "detail": detail }),
        };
        println!("{line}");
        self.failed.set(self.failed.get() || outcome.is_err());
    }
}

pub fn check(condition: bool, what: &str) -> Outcome {
    if condition {
        Ok(())
    } else {
        Err(what.to_owned())
    }
}
