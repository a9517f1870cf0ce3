//! Reading blood groups, for the summary and for the rule that they do not change.

/// LOINC: ABO and Rh group in blood (882-1), and its panel (34530-6).
pub(crate) const ABO_AND_RH: &[&str] = &["882-1", "34530-6"];
/// LOINC: ABO group in blood (883-9).
pub(crate) const ABO: &[&str] = &["883-9"];
/// LOINC: Rh in blood (10331-7), D antigen (1305-2).
pub(crate) const RH: &[&str] = &["10331-7", "1305-2"];

/// The ABO group in a text such as `A Rh(D) positive`, `AB+`, `O型` or `Blood group B`.
pub(crate) fn letters(value: &str) -> Option<&'static str> {
    let upper = value.to_uppercase();
    upper.split(|c: char| !c.is_ascii_alphanumeric()).find_map(|word| match word {
        "AB" => Some("AB"),
        "A" | "A1" | "A2" => Some("A"),
        "B" => Some("B"),
        "O" | "0" => Some("O"),
        _ => None,
    })
}

/// The Rh sign in such a text.
pub(crate) fn sign(value: &str) -> Option<bool> {
    let lower = value.to_lowercase();
    if lower.contains("neg")
        || lower.contains('阴')
        || lower.contains('−')
        || lower.trim_end().ends_with(['-', '－'])
    {
        Some(false)
    } else if lower.contains("pos") || lower.contains('阳') || lower.contains(['+', '＋']) {
        Some(true)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blood_groups_are_read_in_both_languages() {
        for (text, abo, rh) in [
            ("A Rh(D) positive", Some("A"), Some(true)),
            ("AB-", Some("AB"), Some(false)),
            ("O型 RhD阳性", Some("O"), Some(true)),
            ("Blood group B", Some("B"), None),
            ("Rh negative", None, Some(false)),
        ] {
            assert_eq!((letters(text), sign(text)), (abo, rh), "{text}");
        }
    }
}
