//! The few words that the system shows for the shell: in the tray and in notices. All others are the pages'.

use amulet_app_api::wallet::Language;
use amulet_wallet::service::NoticeKind;

/// The entries of the tray's menu.
pub struct TrayWords {
    /// Show the window.
    pub open: &'static str,
    /// Lock the wallet.
    pub lock: &'static str,
    /// End the program.
    pub quit: &'static str,
}

/// The tray's words.
pub fn tray(language: Language) -> TrayWords {
    match language {
        Language::En => TrayWords { open: "Open Amulet", lock: "Lock now", quit: "Quit" },
        Language::Zh => TrayWords { open: "打开护身符", lock: "立即锁定", quit: "退出" },
    }
}

/// The first line of every notice.
pub fn notice_title(language: Language) -> &'static str {
    match language {
        Language::En => "Amulet: something needs you",
        Language::Zh => "护身符：有事需要您处理",
    }
}

/// What a notice says of an item. Bystanders read it on a locked screen.
pub fn notice(language: Language, kind: NoticeKind) -> &'static str {
    use Language::{En, Zh};
    match (language, kind) {
        (En, NoticeKind::Keys) => "A change to your wallet",
        (Zh, NoticeKind::Keys) => "您的钱包有一项变更",
        (En, NoticeKind::Emergency) => "An emergency access",
        (Zh, NoticeKind::Emergency) => "有一次急救查看",
        (En, NoticeKind::Disagreement) => "Answers that contradict each other",
        (Zh, NoticeKind::Disagreement) => "收到互相矛盾的答复",
        (En, NoticeKind::Request) => "A request is waiting",
        (Zh, NoticeKind::Request) => "有一项请求待处理",
        (En, NoticeKind::Overdue) => "Something is overdue",
        (Zh, NoticeKind::Overdue) => "有事项已逾期",
        (En, NoticeKind::Due) => "Something is due",
        (Zh, NoticeKind::Due) => "有事项待完成",
        (En, NoticeKind::Ending) => "An access ends soon",
        (Zh, NoticeKind::Ending) => "有一项授权即将到期",
    }
}
