//! Where replicas stand: Chinese cities with their distances.

use crate::time::Micros;

/// Name, latitude and longitude in degrees.
const CITIES: [(&str, f64, f64); 20] = [
    ("Beijing", 39.90, 116.40),
    ("Shanghai", 31.23, 121.47),
    ("Guangzhou", 23.13, 113.26),
    ("Chengdu", 30.57, 104.07),
    ("Wuhan", 30.59, 114.30),
    ("Xi'an", 34.34, 108.94),
    ("Shenyang", 41.80, 123.43),
    ("Hangzhou", 30.27, 120.16),
    ("Chongqing", 29.56, 106.55),
    ("Nanjing", 32.06, 118.80),
    ("Zhengzhou", 34.75, 113.63),
    ("Changsha", 28.23, 112.94),
    ("Kunming", 25.04, 102.71),
    ("Harbin", 45.80, 126.53),
    ("Lanzhou", 36.06, 103.83),
    ("Urumqi", 43.83, 87.62),
    ("Jinan", 36.65, 117.12),
    ("Fuzhou", 26.07, 119.30),
    ("Nanning", 22.82, 108.37),
    ("Lhasa", 29.65, 91.14),
];

/// Radius of the earth in kilometres.
const EARTH_KM: f64 = 6_371.0;
/// Kilometres that light in glass, at two thirds of its speed in vacuum, covers in a millisecond.
const KM_PER_MS: f64 = 200.0;
/// Cables are this much longer than the shortest way.
const DETOUR: f64 = 1.4;
/// One way within a city: switches and firewalls.
const WITHIN_CITY: Micros = Micros(300);

/// One-way time between two replicas that are spread over the cities in turn, without jitter.
#[must_use]
pub fn one_way(left: usize, right: usize) -> Micros {
    let (left, right) = (CITIES[left % CITIES.len()], CITIES[right % CITIES.len()]);
    let millis = distance_km(left, right) * DETOUR / KM_PER_MS;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let travel = Micros((millis * 1_000.0) as u64);
    WITHIN_CITY + travel
}

/// The shortest way over the globe (haversine).
fn distance_km((_, lat1, lon1): (&str, f64, f64), (_, lat2, lon2): (&str, f64, f64)) -> f64 {
    let (phi1, phi2) = (lat1.to_radians(), lat2.to_radians());
    let half = |angle: f64| (angle / 2.0).sin().powi(2);
    let chord = half(phi2 - phi1) + phi1.cos() * phi2.cos() * half((lon2 - lon1).to_radians());
    2.0 * EARTH_KM * chord.sqrt().asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_map() {
        let beijing_guangzhou = distance_km(CITIES[0], CITIES[2]);
        assert!((1_850.0..1_930.0).contains(&beijing_guangzhou), "{beijing_guangzhou} km");
        assert_eq!(one_way(0, 20), WITHIN_CITY, "the twenty-first replica is in the first city again");
    }
}
