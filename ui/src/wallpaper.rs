//! The emergency card as a picture for the lock screen of a phone, drawn by the browser: it has fonts for every script.

use js_sys::encode_uri_component;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, HtmlImageElement};

/// A phone's screen, in pixels; phones cut it to theirs.
const WIDTH: u32 = 1080;
const HEIGHT: u32 = 2340;
/// Clock and notifications cover the upper part of a lock screen.
const TOP: f64 = 900.0;
const MARGIN: f64 = 90.0;
const CODE: f64 = 640.0;
const LINE: f64 = 58.0;
/// Facts that find room beside the code and below the clock.
pub const FACTS_MAX: usize = 5;
const FONT: &str = "system-ui, 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif";
const PNG: &str = "image/png";

/// What the picture says.
pub struct Wallpaper<'a> {
    /// The banner, in both languages.
    pub banner: String,
    /// The person's name.
    pub name: &'a str,
    /// Facts in words, at most [`FACTS_MAX`].
    pub facts: Vec<String>,
    /// The code as SVG markup of the wallet's own.
    pub code_svg: &'a str,
    /// The code to type.
    pub typed_code: &'a str,
}

/// Draws the picture; a PNG as base64, or `None` where this browser can't.
pub async fn draw(what: &Wallpaper<'_>) -> Option<String> {
    let canvas = canvas()?;
    let context: CanvasRenderingContext2d = canvas.get_context("2d").ok()??.dyn_into().ok()?;
    context.set_fill_style_str("#0f1b1a");
    context.fill_rect(0.0, 0.0, f64::from(WIDTH), f64::from(HEIGHT));
    let inner = f64::from(WIDTH) - 2.0 * MARGIN;
    context.set_fill_style_str("#b01e17");
    context.fill_rect(MARGIN, TOP, inner, 110.0);
    write(&context, &what.banner, 50.0, TOP + 74.0, inner - 60.0)?;
    write(&context, what.name, 64.0, TOP + 200.0, inner)?;
    let mut below = TOP + 200.0;
    for fact in what.facts.iter().take(FACTS_MAX) {
        below += LINE;
        write(&context, fact, 40.0, below, inner)?;
    }
    let top = below + 40.0;
    let left = (f64::from(WIDTH) - CODE) / 2.0;
    let image = image(what.code_svg).await?;
    context.draw_image_with_html_image_element_and_dw_and_dh(&image, left, top, CODE, CODE).ok()?;
    write(&context, what.typed_code, 34.0, top + CODE + 60.0, inner)?;
    let address = canvas.to_data_url_with_type(PNG).ok()?;
    address.split_once(";base64,").map(|(_, data)| data.to_owned())
}

fn canvas() -> Option<HtmlCanvasElement> {
    let canvas: HtmlCanvasElement =
        web_sys::window()?.document()?.create_element("canvas").ok()?.dyn_into().ok()?;
    canvas.set_width(WIDTH);
    canvas.set_height(HEIGHT);
    Some(canvas)
}

/// One line in the middle, made narrower if it is too long.
fn write(context: &CanvasRenderingContext2d, text: &str, size: f64, baseline: f64, width: f64) -> Option<()> {
    context.set_font(&format!("600 {size}px {FONT}"));
    context.set_text_align("center");
    context.set_fill_style_str("#ffffff");
    context.fill_text_with_max_width(text, f64::from(WIDTH) / 2.0, baseline, width).ok()
}

/// The code as an image that can be drawn.
async fn image(svg: &str) -> Option<HtmlImageElement> {
    let image = HtmlImageElement::new().ok()?;
    // Without a size of its own some browsers draw nothing.
    let sized = svg.replacen("<svg ", &format!("<svg width=\"{CODE}\" height=\"{CODE}\" "), 1);
    let encoded: String = encode_uri_component(&sized).into();
    image.set_src(&format!("data:image/svg+xml,{encoded}"));
    let decoded: Result<JsValue, JsValue> = JsFuture::from(image.decode()).await;
    decoded.ok().map(|_| image)
}
