//! The ledger's blocks, newest first.

use super::ask::use_answer;
use super::{Console, show};
use crate::components::icon::Icon;
use crate::components::page::Empty;
use crate::i18n::{tr, use_translator};
use crate::route::Route;
use amulet_app_api::console::{BLOCKS_PATH, BlockLine, BlocksView};
use dioxus::prelude::*;

/// The page.
#[component]
pub fn ConsoleBlocks(page: u64) -> Element {
    let t = use_translator();
    rsx! {
        Console { title: tr!(t, "console-blocks-title"), Blocks { page } }
    }
}

#[component]
fn Blocks(page: u64) -> Element {
    let page = page.max(1);
    let answer = use_answer::<BlocksView>(format!("{BLOCKS_PATH}?page={page}"));
    show(answer, |view| rsx! { Page { view: view.clone() } })
}

#[component]
fn Page(view: BlocksView) -> Element {
    let t = use_translator();
    if view.blocks.is_empty() {
        return rsx! {
            Empty { icon: Icon::Log, title: tr!(t, "console-no-blocks"), text: tr!(t, "console-no-blocks-text") }
        };
    }
    rsx! {
        div { class: "trend-table", "data-testid": "console-block-list",
            table {
                caption { {tr!(t, "console-page-of", page = view.page, pages = view.pages)} }
                thead {
                    tr {
                        th { scope: "col", {tr!(t, "console-height")} }
                        th { scope: "col", {tr!(t, "console-block-time")} }
                        th { scope: "col", {tr!(t, "console-proposer")} }
                        th { scope: "col", {tr!(t, "console-transactions")} }
                    }
                }
                tbody {
                    for block in view.blocks {
                        Line { key: "{block.height}", block }
                    }
                }
            }
        }
        nav { class: "row", "aria-label": tr!(t, "console-pages"),
            if view.page > 1 {
                Link { class: "button second", to: Route::ConsoleBlocks { page: view.page - 1 }, "data-testid": "console-newer", {tr!(t, "console-newer")} }
            }
            if view.page < view.pages {
                Link { class: "button second", to: Route::ConsoleBlocks { page: view.page + 1 }, "data-testid": "console-older", {tr!(t, "console-older")} }
            }
        }
    }
}

#[component]
fn Line(block: BlockLine) -> Element {
    let t = use_translator();
    let transactions = match block.transactions {
        None => tr!(t, "console-removed"),
        Some(kinds) if kinds.is_empty() => tr!(t, "console-none"),
        Some(kinds) => {
            let kinds: Vec<String> =
                kinds.iter().map(|kind| format!("{} × {}", kind.kind, kind.count)).collect();
            t.list(&kinds)
        }
    };
    rsx! {
        tr {
            th { scope: "row", "{block.height}" }
            td { {t.date_time(block.time)} }
            td { "{block.proposer}" }
            td { {transactions} }
        }
    }
}
