//! `intake review`: what waits for a person at the hospital's node, and the decisions about it.

use crate::cli::{Failure, say};
use crate::http_client::{self, Request};
use crate::intake::review::{DecisionRequest, Verdict};
use clap::{Args, Subcommand};
use serde_json::Value;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum ReviewCommand {
    /// List what waits.
    List {
        #[command(flatten)]
        node: NodeArgs,
        /// Decided items as well.
        #[arg(long)]
        all: bool,
        /// Items after this number.
        #[arg(long, default_value_t = 0)]
        after: u64,
    },
    /// Show one item with the resource as it came.
    Show {
        #[command(flatten)]
        node: NodeArgs,
        /// Its number.
        id: u64,
    },
    /// Register these items as they are.
    Approve(DecideArgs),
    /// Do not take these items.
    Reject(DecideArgs),
}

#[derive(Debug, Args)]
pub(super) struct NodeArgs {
    /// The hospital's node.
    #[arg(long, default_value = "http://127.0.0.1:8101")]
    node: String,
    /// File with the hospital's intake token (`keys/intake.token` in the node's folder).
    #[arg(long)]
    token_file: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct DecideArgs {
    #[command(flatten)]
    node: NodeArgs,
    /// Who decides.
    #[arg(long)]
    who: String,
    /// Why.
    #[arg(long)]
    reason: String,
    /// Another class for the records: public, internal, sensitive or core.
    #[arg(long)]
    class: Option<String>,
    /// Numbers of the items.
    #[arg(required = true)]
    ids: Vec<u64>,
}

impl NodeArgs {
    async fn send(&self, path: &str, body: Option<Vec<u8>>) -> Result<Value, Failure> {
        let token = std::fs::read_to_string(&self.token_file)?;
        let url = format!("{}/api/v1/review{path}", self.node.trim_end_matches('/'));
        let request = match body {
            Some(body) => Request::post(&url, "application/json", body),
            None => Request::get(&url),
        };
        let answer = http_client::send(request.bearer(token.trim())).await?;
        Ok(serde_json::from_slice(&answer.body)?)
    }
}

pub(super) async fn run(command: ReviewCommand) -> Result<(), Failure> {
    match command {
        ReviewCommand::List { node, all, after } => {
            let items = node.send(&format!("?after={after}&all={all}"), None).await?;
            let items = items.as_array().cloned().unwrap_or_default();
            items.iter().for_each(line);
            say(format_args!("{} items", items.len()));
        }
        ReviewCommand::Show { node, id } => {
            say(serde_json::to_string_pretty(&node.send(&format!("/{id}"), None).await?)?);
        }
        ReviewCommand::Approve(args) => decide(args, Verdict::Approve).await?,
        ReviewCommand::Reject(args) => decide(args, Verdict::Reject).await?,
    }
    Ok(())
}

async fn decide(args: DecideArgs, verdict: Verdict) -> Result<(), Failure> {
    let DecideArgs { node, who, reason, class, ids } = args;
    let body = serde_json::to_vec(&DecisionRequest { verdict, who, reason, class })?;
    for id in ids {
        line(&node.send(&format!("/{id}"), Some(body.clone())).await?);
    }
    Ok(())
}

/// One item on one line, and its findings below.
fn line(item: &Value) {
    let text = |key: &str| item[key].as_str().unwrap_or_default();
    let state = match &item["decision"] {
        Value::Null => "waits".to_owned(),
        decision => format!(
            "{}: {} ({})",
            decision["verdict"].as_str().unwrap_or_default(),
            decision["who"].as_str().unwrap_or_default(),
            decision["reason"].as_str().unwrap_or_default()
        ),
    };
    let (id, resource) = (&item["id"], text("resource"));
    say(format_args!("{id} {resource} \"{}\" {} {} {state}", text("title"), text("class"), text("patient")));
    for finding in item["findings"].as_array().into_iter().flatten() {
        let part = |key: &str| finding[key].as_str().unwrap_or_default();
        say(format_args!("    {} {}: {}", part("severity"), part("code"), part("en")));
    }
}
