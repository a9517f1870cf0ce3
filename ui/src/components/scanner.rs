//! A QR scanner: the camera's picture, a picture file, and what to do when there is no camera.

use crate::components::error::ErrorNotice;
use crate::components::icon::{Glyph, Icon};
use crate::i18n::{tr, use_translator};
use crate::platform::{self, PickedFile};
use crate::scan::camera::{Camera, CameraTrouble};
use crate::scan::picture;
use amulet_app_api::ApiError;
use dioxus::prelude::*;

/// Pause between two looks through the camera.
const LOOK_EVERY_MS: u32 = 150;

const VIDEO_ID: &str = "camera";
const PICTURE_ID: &str = "picture-file";

#[derive(Clone, Copy, PartialEq)]
enum CameraState {
    Starting,
    Live,
    Trouble(CameraTrouble),
}

/// The scanner. It reports each new code once and looks away while `paused`; `onpicture` says that a picture was chosen, so
/// that the page takes back what it said of an earlier code.
#[component]
pub fn Scanner(
    paused: bool,
    oncode: EventHandler<String>,
    #[props(default)] onpicture: EventHandler<()>,
) -> Element {
    let t = use_translator();
    let mut state = use_signal(|| CameraState::Starting);
    let mut resting = use_signal(|| paused);
    let mut picture_error = use_signal(|| None::<ApiError>);
    use_effect(use_reactive!(|(paused,)| {
        resting.set(paused);
        if paused {
            // Another code is being read: what was said of the last picture is over.
            picture_error.set(None);
        }
    }));
    use_future(move || async move {
        let camera = match Camera::start(VIDEO_ID).await {
            Ok(camera) => camera,
            Err(trouble) => return state.set(CameraState::Trouble(trouble)),
        };
        state.set(CameraState::Live);
        let mut last = String::new();
        loop {
            platform::sleep_ms(LOOK_EVERY_MS).await;
            let seen = if *resting.peek() { None } else { camera.look() };
            if let Some(code) = seen.filter(|code| *code != last) {
                last.clone_from(&code);
                oncode.call(code);
            }
        }
    });
    let pick = move |_| {
        let Some(file) = PickedFile::take(PICTURE_ID) else { return };
        picture_error.set(None);
        onpicture.call(());
        spawn(async move {
            match picture::read(&file).await {
                Ok(code) => oncode.call(code),
                Err(error) => picture_error.set(Some(error)),
            }
        });
    };
    let trouble = match state() {
        CameraState::Trouble(CameraTrouble::Absent) => Some(tr!(t, "camera-absent")),
        CameraState::Trouble(CameraTrouble::Refused) => Some(tr!(t, "camera-refused")),
        CameraState::Starting | CameraState::Live => None,
    };
    rsx! {
        div { class: "stack tight",
            if let Some(trouble) = trouble {
                div { class: "notice wait", role: "status", "data-testid": "no-camera",
                    Glyph { icon: Icon::Camera, size: 24 }
                    p { {trouble} }
                }
            } else {
                div { class: "viewfinder", "data-testid": "viewfinder",
                    video { id: VIDEO_ID, "playsinline": "true", muted: true, autoplay: true, "aria-label": tr!(t, "camera-label") }
                    div { class: "viewfinder-frame", "aria-hidden": "true" }
                    p { class: "viewfinder-hint", role: "status",
                        if state() == CameraState::Live { {tr!(t, "camera-live")} } else { {tr!(t, "camera-starting")} }
                    }
                }
            }
            label { class: "button second file-button",
                Glyph { icon: Icon::Picture }
                {tr!(t, "picture-choose")}
                input { id: PICTURE_ID, class: "visually-hidden", "data-testid": "picture-file", r#type: "file", accept: "image/*", onchange: pick }
            }
            if let Some(error) = picture_error.read().clone() {
                ErrorNotice { error }
            }
        }
    }
}
