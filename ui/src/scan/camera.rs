//! The device's camera.

use super::decode::decode;
use super::pixels::Canvas;
use crate::platform::member;
use js_sys::{Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlVideoElement, MediaStream, MediaStreamConstraints, MediaStreamTrack};

/// Frames are looked at in this size: enough for a card at arm's length, and quick on a cheap phone.
const SIDE_MAX: u32 = 800;

/// Why there is no camera picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CameraTrouble {
    /// No camera, or a page that may not use one.
    Absent,
    /// The person or the system said no.
    Refused,
}

/// A running camera; dropping it switches it off.
pub struct Camera {
    stream: MediaStream,
    video: HtmlVideoElement,
    canvas: Canvas,
}

impl Camera {
    /// Switches the camera on and shows it in the `<video>` with this id.
    ///
    /// # Errors
    /// Why it cannot.
    pub async fn start(video_id: &str) -> Result<Self, CameraTrouble> {
        let stream = open_stream().await?;
        let camera = video(video_id).zip(Canvas::new());
        let Some((video, canvas)) = camera else {
            stop(&stream);
            return Err(CameraTrouble::Absent);
        };
        video.set_src_object(Some(&stream));
        // From here on dropping the camera switches it off.
        let camera = Self { stream, video, canvas };
        match camera.video.play() {
            // A page that was left meanwhile interrupts playing; there is nobody left to tell.
            Ok(playing) => drop(JsFuture::from(playing).await),
            Err(_) => return Err(CameraTrouble::Absent),
        }
        Ok(camera)
    }

    /// The text of a QR code in front of the camera just now.
    pub fn look(&self) -> Option<String> {
        decode(&self.canvas.video(&self.video, SIDE_MAX)?)
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        self.video.set_src_object(None);
        stop(&self.stream);
    }
}

fn video(id: &str) -> Option<HtmlVideoElement> {
    web_sys::window()?.document()?.get_element_by_id(id)?.dyn_into().ok()
}

fn stop(stream: &MediaStream) {
    for track in stream.get_tracks() {
        if let Ok(track) = track.dyn_into::<MediaStreamTrack>() {
            track.stop();
        }
    }
}

async fn open_stream() -> Result<MediaStream, CameraTrouble> {
    let navigator = web_sys::window().ok_or(CameraTrouble::Absent)?.navigator();
    // Outside a secure page the browser hides the whole interface.
    member(&navigator, "mediaDevices").ok_or(CameraTrouble::Absent)?;
    let devices = navigator.media_devices().map_err(|_| CameraTrouble::Absent)?;
    let pending =
        devices.get_user_media_with_constraints(&constraints()).map_err(|_| CameraTrouble::Absent)?;
    let stream = JsFuture::from(pending).await.map_err(|error| trouble(&error))?;
    stream.dyn_into().map_err(|_| CameraTrouble::Absent)
}

/// The camera at the back, if there are two.
fn constraints() -> MediaStreamConstraints {
    let video = Object::new();
    // Setting a property of a fresh plain object cannot fail.
    let _ = Reflect::set(&video, &"facingMode".into(), &"environment".into());
    let constraints = MediaStreamConstraints::new();
    constraints.set_video(&video);
    constraints.set_audio(&JsValue::FALSE);
    constraints
}

fn trouble(error: &JsValue) -> CameraTrouble {
    match member(error, "name").and_then(|name| name.as_string()).as_deref() {
        Some("NotAllowedError" | "SecurityError") => CameraTrouble::Refused,
        _ => CameraTrouble::Absent,
    }
}
