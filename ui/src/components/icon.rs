//! Line icons, drawn on a 24 by 24 grid. They accompany words and are hidden from screen readers.

use dioxus::prelude::*;

/// The icons there are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    Home,
    Records,
    Sharing,
    Card,
    Log,
    Scan,
    Ask,
    Key,
    Inbox,
    Check,
    Clock,
    Warning,
    Emergency,
    Person,
    Back,
    Next,
    Search,
    Lock,
    Print,
    Camera,
    Picture,
    Plus,
    Cross,
    Globe,
    Offline,
    File,
    Refresh,
    Bell,
}

impl Icon {
    fn paths(self) -> &'static [&'static str] {
        match self {
            Self::Home => &["M4 11 12 4l8 7", "M6 10v10h12V10", "M10 20v-6h4v6"],
            Self::Records => &["M6 3h9l4 4v14H6z", "M14 3v5h5", "M9 12h7", "M9 16h7"],
            Self::Sharing => &[
                "M8 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7z",
                "M2 20c0-4 3-6 6-6s6 2 6 6",
                "M15 8h7",
                "M19 5l3 3-3 3",
            ],
            Self::Card => &["M3 5h18v14H3z", "M8 9v6", "M5 12h6", "M14 10h4", "M14 14h4"],
            Self::Log => &["M12 21a9 9 0 1 0-9-9", "M3 7v5h5", "M12 8v4l3 2"],
            Self::Scan => &["M4 8V4h4", "M16 4h4v4", "M20 16v4h-4", "M8 20H4v-4", "M4 12h16"],
            Self::Ask => &["M4 5h16v11H10l-4 4v-4H4z", "M8 9h8", "M8 12h5"],
            Self::Key => &["M8 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8z", "M12 12h9", "M18 12v4"],
            Self::Inbox => &["M12 3v10", "M8 9l4 4 4-4", "M4 14v6h16v-6"],
            Self::Check => &["M5 12.500 10 17.500 19 7"],
            Self::Clock => &["M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z", "M12 7v5l3.500 2"],
            Self::Warning => &["M12 3 22 20H2z", "M12 9v5", "M12 17v.500"],
            Self::Emergency => &["M9 3h6v6h6v6h-6v6H9v-6H3V9h6z"],
            Self::Person => &["M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8z", "M4 21c0-4 4-6 8-6s8 2 8 6"],
            Self::Back => &["M15 5l-7 7 7 7"],
            Self::Next => &["M9 5l7 7-7 7"],
            Self::Search => &["M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14z", "M16 16l5 5"],
            Self::Lock => &["M6 11h12v9H6z", "M8.500 11V8a3.500 3.500 0 0 1 7 0v3"],
            Self::Print => &["M7 9V3h10v6", "M5 9h14v8h-3", "M8 17H5V9", "M8 14h8v7H8z"],
            Self::Camera => &["M4 8h4l2-3h4l2 3h4v11H4z", "M12 16a3 3 0 1 0 0-6 3 3 0 0 0 0 6z"],
            Self::Picture => &["M4 5h16v14H4z", "M4 16l5-5 4 4 3-3 4 4", "M15.500 9h.010"],
            Self::Plus => &["M12 5v14", "M5 12h14"],
            Self::Cross => &["M6 6l12 12", "M18 6 6 18"],
            Self::Globe => &[
                "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z",
                "M3 12h18",
                "M12 3c3 3 3 15 0 18",
                "M12 3c-3 3-3 15 0 18",
            ],
            Self::Offline => &[
                "M3 3l18 18",
                "M5 12a10 10 0 0 1 5-2.700",
                "M19 12a10 10 0 0 0-3-2",
                "M8.500 15.500a5 5 0 0 1 6.500-.500",
                "M12 19h.010",
            ],
            Self::File => &["M6 3h9l4 4v14H6z", "M14 3v5h5"],
            Self::Bell => &["M6 17V11a6 6 0 0 1 12 0v6", "M4 17h16", "M10 20.500h4"],
            Self::Refresh => &["M20 11a8 8 0 1 0-2 6", "M20 5v6h-6"],
        }
    }
}

/// An icon at the size of the text beside it, or larger.
#[component]
pub fn Glyph(icon: Icon, #[props(default = 20)] size: u32) -> Element {
    rsx! {
        svg {
            class: "glyph",
            width: "{size}",
            height: "{size}",
            view_box: "0 0 24 24",
            fill: "none",
            stroke: "currentColor",
            stroke_width: "2",
            stroke_linecap: "round",
            stroke_linejoin: "round",
            "aria-hidden": "true",
            for path in icon.paths() {
                path { d: "{path}" }
            }
        }
    }
}
