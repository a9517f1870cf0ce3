//! A QR code in a picture file.

use super::decode::decode;
use super::pixels::Canvas;
use crate::platform::PickedFile;
use amulet_app_api::{ApiError, ErrorCode};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::ImageBitmap;

/// Sizes the picture is tried at, in pixels of its longer side: a photograph is often read best when it is made
/// smaller, a screenshot with a small code only when it is not.
const SIDES: [u32; 3] = [900, 1800, 500];

/// The text of the QR code in a picture.
///
/// # Errors
/// [`ErrorCode::NoQrInPicture`] when the file is no picture or holds no code that can be read.
pub async fn read(file: &PickedFile) -> Result<String, ApiError> {
    text_in(file).await.ok_or_else(|| ApiError::new(ErrorCode::NoQrInPicture).with("name", file.name()))
}

async fn text_in(file: &PickedFile) -> Option<String> {
    let pending = web_sys::window()?.create_image_bitmap_with_blob(file.blob()).ok()?;
    let picture: ImageBitmap = JsFuture::from(pending).await.ok()?.dyn_into().ok()?;
    let canvas = Canvas::new()?;
    SIDES.iter().find_map(|side| decode(&canvas.picture(&picture, *side)?))
}
