//! The description of the interface, made from the handlers themselves.

use super::error::ErrorBody;
use super::{duties, fhir, light, metrics, review, shl, status, vault, web};
use axum::Json;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(title = "Amulet hospital node", description = "Light clients, FHIR intake and operations of one hospital."),
    paths(
        light::light,
        fhir::fhir,
        duties::overdue,
        review::list,
        review::show,
        review::decide,
        vault::file,
        vault::read,
        vault::held,
        vault::erased,
        vault::scrub,
        vault::begin_scrub,
        shl::manifest,
        shl::single_file,
        shl::file,
        status::status,
        status::block,
        status::health,
        metrics::metrics,
        openapi,
        web::network,
        web::demo
    ),
    components(schemas(ErrorBody)),
    modifiers(&Schemes)
)]
struct Description;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        let token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The token of the hospital's own systems."))
            .build();
        components.add_security_scheme("token", SecurityScheme::Http(token));
        let signed = ApiKeyValue::with_description(
            "Authorization",
            "`Amulet <base64 of the borsh encoding of a signed IntakeRequest>`: a practitioner of the hospital.",
        );
        components.add_security_scheme("practitioner", SecurityScheme::ApiKey(ApiKey::Header(signed)));
    }
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "operations",
    responses((status = 200, description = "OpenAPI", body = serde_json::Value)))]
pub(super) async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Description::openapi())
}
