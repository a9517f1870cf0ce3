//! A canvas that is never shown, to get at the pixels of a video or a picture.

use super::decode::Frame;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, HtmlVideoElement, ImageBitmap};

/// The canvas.
pub struct Canvas {
    canvas: HtmlCanvasElement,
    context: CanvasRenderingContext2d,
}

impl Canvas {
    /// A new one; `None` where the browser has no canvas.
    pub fn new() -> Option<Self> {
        let document = web_sys::window()?.document()?;
        let canvas: HtmlCanvasElement = document.create_element("canvas").ok()?.dyn_into().ok()?;
        let options = js_sys::Object::new();
        js_sys::Reflect::set(&options, &"willReadFrequently".into(), &JsValue::TRUE).ok()?;
        let context = canvas.get_context_with_context_options("2d", &options).ok()??.dyn_into().ok()?;
        Some(Self { canvas, context })
    }

    /// The video's current picture, at most `side_max` pixels on its longer side.
    pub fn video(&self, video: &HtmlVideoElement, side_max: u32) -> Option<Frame> {
        let (width, height) = self.fit(video.video_width(), video.video_height(), side_max)?;
        let (w, h) = (f64::from(width), f64::from(height));
        self.context.draw_image_with_html_video_element_and_dw_and_dh(video, 0.0, 0.0, w, h).ok()?;
        self.read(width, height)
    }

    /// A picture, at most `side_max` pixels on its longer side, on white: a transparent background must not turn black.
    pub fn picture(&self, picture: &ImageBitmap, side_max: u32) -> Option<Frame> {
        let (width, height) = self.fit(picture.width(), picture.height(), side_max)?;
        let (w, h) = (f64::from(width), f64::from(height));
        self.context.set_fill_style_str("#ffffff");
        self.context.fill_rect(0.0, 0.0, w, h);
        self.context.draw_image_with_image_bitmap_and_dw_and_dh(picture, 0.0, 0.0, w, h).ok()?;
        self.read(width, height)
    }

    fn fit(&self, width: u32, height: u32, side_max: u32) -> Option<(u32, u32)> {
        let longer = width.max(height);
        if longer == 0 {
            return None;
        }
        let scale = (f64::from(side_max) / f64::from(longer)).min(1.0);
        let fitted = |side: u32| ((f64::from(side) * scale).round() as u32).max(1);
        let (width, height) = (fitted(width), fitted(height));
        self.canvas.set_width(width);
        self.canvas.set_height(height);
        Some((width, height))
    }

    fn read(&self, width: u32, height: u32) -> Option<Frame> {
        let image = self.context.get_image_data(0.0, 0.0, f64::from(width), f64::from(height)).ok()?;
        Some(Frame { width: width as usize, height: height as usize, rgba: image.data().0 })
    }
}
