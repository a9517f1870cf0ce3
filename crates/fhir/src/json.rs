//! A reader for one resource's JSON that changes nothing it shows.
//!
//! `serde_json::Value` would turn `1.50` into `1.5`, refuse `1e400` and let the second of two equal keys win in silence.
//! A medical value has to be shown as it was written, and a record that two readers understand differently must not be
//! kept, so this reader keeps numbers as text and refuses repeated keys. Syntax is checked by `serde_json` first.

use std::borrow::Cow;

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::limits::{MAX_RESOURCE_NESTING, MAX_RESOURCE_VALUES};

/// One JSON value. Accessors never fail: what is missing or of another shape reads as [`Json::Null`] or nothing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    /// The number exactly as written.
    Number(&'a str),
    Text(Cow<'a, str>),
    List(Vec<Json<'a>>),
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

/// Why a JSON text cannot be read as one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JsonError {
    Syntax { line: usize, column: usize, cut_off: bool },
    TooDeep,
    TooManyValues,
    RepeatedKey(String),
    BadText,
}

static NULL: Json<'static> = Json::Null;

impl<'a> Json<'a> {
    /// Reads one JSON value from bytes of any origin.
    pub(crate) fn from_bytes(bytes: &'a [u8]) -> Result<Self, JsonError> {
        let text = std::str::from_utf8(bytes).map_err(|_| JsonError::BadText)?;
        Self::from_valid(check_syntax(text)?.get())
    }

    /// Reads text whose syntax `serde_json` has checked. Other text gives an error, never a panic.
    pub(crate) fn from_valid(text: &'a str) -> Result<Self, JsonError> {
        let mut reader = Reader { text, at: 0, values: 0 };
        let value = reader.value(MAX_RESOURCE_NESTING)?;
        reader.skip_space();
        if reader.at == text.len() { Ok(value) } else { Err(reader.broken()) }
    }

    pub(crate) fn get(&self, key: &str) -> &Json<'a> {
        match self {
            Json::Object(members) => members.iter().find(|(k, _)| k == key).map_or(&NULL, |(_, v)| v),
            _ => &NULL,
        }
    }

    /// The members of a list; one object where FHIR wants a list counts as a list of one (other versions differ).
    pub(crate) fn items(&self) -> &[Json<'a>] {
        match self {
            Json::List(items) => items,
            Json::Null => &[],
            single => std::slice::from_ref(single),
        }
    }

    pub(crate) fn first(&self) -> &Json<'a> {
        self.items().first().unwrap_or(&NULL)
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Text or number, as written.
    pub(crate) fn scalar(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            Json::Number(number) => Some(number),
            Json::Bool(true) => Some("true"),
            Json::Bool(false) => Some("false"),
            _ => None,
        }
    }

    pub(crate) fn text_at(&self, key: &str) -> Option<&str> {
        self.get(key).text()
    }

    /// Same meaning: members in any order, numbers as written, lists in order.
    pub(crate) fn is_same_as(&self, other: &Json<'_>) -> bool {
        match (self, other) {
            (Json::Object(a), Json::Object(b)) => {
                let mut theirs: Vec<_> = b.iter().collect();
                let mut ours: Vec<_> = a.iter().collect();
                ours.sort_by(|x, y| x.0.cmp(&y.0));
                theirs.sort_by(|x, y| x.0.cmp(&y.0));
                ours.len() == theirs.len()
                    && ours.iter().zip(theirs).all(|((key, value), (k, v))| key == k && value.is_same_as(v))
            }
            (Json::List(a), Json::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(x, y)| x.is_same_as(y))
            }
            (Json::Text(a), Json::Text(b)) => a == b,
            (Json::Number(a), Json::Number(b)) => a == b,
            (Json::Bool(a), Json::Bool(b)) => a == b,
            (Json::Null, Json::Null) => true,
            _ => false,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Json::Null)
    }

    pub(crate) fn is_true(&self) -> bool {
        matches!(self, Json::Bool(true))
    }

    /// Calls `visit` for this value and every value below it.
    pub(crate) fn walk(&self, visit: &mut impl FnMut(&Json<'a>)) {
        visit(self);
        match self {
            Json::List(items) => items.iter().for_each(|item| item.walk(visit)),
            Json::Object(members) => members.iter().for_each(|(_, value)| value.walk(visit)),
            _ => {}
        }
    }
}

/// Checks the syntax of a whole text, without recursion, and gives the value without space around it.
pub(crate) fn check_syntax(text: &str) -> Result<&RawValue, JsonError> {
    serde_json::from_str::<&RawValue>(text).map_err(|error| JsonError::Syntax {
        line: error.line(),
        column: error.column(),
        cut_off: error.is_eof(),
    })
}

/// The deepest nesting of objects and lists in a text whose syntax was checked.
pub(crate) fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Picks some members of an object as untouched text, ignoring the others. The error is a key that came twice.
pub(crate) fn pick<'a, const N: usize>(
    object: &'a str,
    keys: [&'static str; N],
) -> Result<[Option<&'a RawValue>; N], Option<&'static str>> {
    struct Pick<'k, const N: usize>(&'k [&'static str; N]);
    impl<'de, const N: usize> Visitor<'de> for Pick<'_, N> {
        type Value = Result<[Option<&'de RawValue>; N], &'static str>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = [None; N];
            let mut repeated = None;
            while let Some(key) = map.next_key::<String>()? {
                match self.0.iter().position(|wanted| *wanted == key) {
                    Some(slot) => {
                        if found[slot].replace(map.next_value::<&RawValue>()?).is_some() {
                            repeated = Some(self.0[slot]);
                        }
                    }
                    None => drop(map.next_value::<IgnoredAny>()?),
                }
            }
            Ok(repeated.map_or(Ok(found), Err))
        }
    }
    serde_json::Deserializer::from_str(object).deserialize_map(Pick(&keys)).map_err(|_| None)?.map_err(Some)
}

/// The items of a list as untouched text, at most `limit` of them, and how many there are in all.
pub(crate) fn list_items(list: &str, limit: usize) -> Option<(Vec<&RawValue>, usize)> {
    struct Items(usize);
    impl<'de> Visitor<'de> for Items {
        type Value = (Vec<&'de RawValue>, usize);

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut items = Vec::new();
            while items.len() < self.0 {
                match seq.next_element::<&RawValue>()? {
                    Some(item) => items.push(item),
                    None => {
                        let count = items.len();
                        return Ok((items, count));
                    }
                }
            }
            let mut count = items.len();
            while seq.next_element::<IgnoredAny>()?.is_some() {
                count += 1;
            }
            Ok((items, count))
        }
    }
    serde_json::Deserializer::from_str(list).deserialize_seq(Items(limit)).ok()
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    values: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn broken(&self) -> JsonError {
        JsonError::Syntax { line: 1, column: self.at + 1, cut_off: self.at >= self.text.len() }
    }

    fn eat(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.broken())
        }
    }

    fn value(&mut self, depth_left: usize) -> Result<Json<'a>, JsonError> {
        self.values += 1;
        if self.values > MAX_RESOURCE_VALUES {
            return Err(JsonError::TooManyValues);
        }
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.object(depth_left.checked_sub(1).ok_or(JsonError::TooDeep)?),
            Some(b'[') => self.list(depth_left.checked_sub(1).ok_or(JsonError::TooDeep)?),
            Some(b'"') => self.string().map(Json::Text),
            Some(_) => self.word(),
            None => Err(self.broken()),
        }
    }

    fn object(&mut self, depth_left: usize) -> Result<Json<'a>, JsonError> {
        self.eat(b'{')?;
        let mut members: Vec<(Cow<'a, str>, Json<'a>)> = Vec::new();
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Json::Object(members));
        }
        loop {
            self.skip_space();
            let key = self.string()?;
            self.skip_space();
            self.eat(b':')?;
            members.push((key, self.value(depth_left)?));
            self.skip_space();
            if self.peek() == Some(b',') {
                self.at += 1;
            } else {
                self.eat(b'}')?;
                break;
            }
        }
        let mut keys: Vec<&str> = members.iter().map(|(key, _)| key.as_ref()).collect();
        keys.sort_unstable();
        match keys.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(JsonError::RepeatedKey(pair[0].to_owned())),
            None => Ok(Json::Object(members)),
        }
    }

    fn list(&mut self, depth_left: usize) -> Result<Json<'a>, JsonError> {
        self.eat(b'[')?;
        let mut items = Vec::new();
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value(depth_left)?);
            self.skip_space();
            if self.peek() == Some(b',') {
                self.at += 1;
            } else {
                self.eat(b']')?;
                return Ok(Json::List(items));
            }
        }
    }

    fn string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        let start = self.at;
        self.eat(b'"')?;
        let mut escaped = false;
        loop {
            match self.peek().ok_or_else(|| self.broken())? {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    self.at += 2;
                }
                _ => self.at += 1,
            }
        }
        self.at += 1;
        let quoted = self.text.get(start..self.at).ok_or(JsonError::BadText)?;
        if escaped {
            // A lone surrogate such as \ud800 passes the syntax check but is no text.
            serde_json::from_str::<String>(quoted).map(Cow::Owned).map_err(|_| JsonError::BadText)
        } else {
            Ok(Cow::Borrowed(&quoted[1..quoted.len() - 1]))
        }
    }

    fn word(&mut self) -> Result<Json<'a>, JsonError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'+' | b'-' | b'.')) {
            self.at += 1;
        }
        match &self.text[start..self.at] {
            "null" => Ok(Json::Null),
            "true" => Ok(Json::Bool(true)),
            "false" => Ok(Json::Bool(false)),
            number if number.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
                Ok(Json::Number(number))
            }
            _ => Err(self.broken()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_keep_their_written_precision() {
        let json = Json::from_bytes(br#" {"a": 1.50, "b": [1e400, -0], "c": "\u4e2d\n"} "#).unwrap();
        assert_eq!(json.get("a").scalar(), Some("1.50"));
        assert_eq!(json.get("b").items()[0].scalar(), Some("1e400"));
        assert_eq!(json.get("c").text(), Some("中\n"));
        assert_eq!(json.get("missing").get("deeper").first().text(), None);
    }

    #[test]
    fn what_two_readers_would_understand_differently_is_refused() {
        assert_eq!(
            Json::from_bytes(br#"{"a":{"b":1,"\u0062":2}}"#),
            Err(JsonError::RepeatedKey("b".to_owned()))
        );
        assert_eq!(Json::from_bytes(br#"{"a":"\ud800"}"#), Err(JsonError::BadText));
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let deep = |n: usize| "[".repeat(n) + &"]".repeat(n);
        assert!(Json::from_bytes(deep(MAX_RESOURCE_NESTING).as_bytes()).is_ok());
        assert_eq!(Json::from_bytes(deep(MAX_RESOURCE_NESTING + 1).as_bytes()), Err(JsonError::TooDeep));
        assert_eq!(Json::from_bytes(deep(1_000_000).as_bytes()), Err(JsonError::TooDeep));
        assert_eq!(nesting(&deep(777)), 777);
        assert_eq!(nesting(r#"{"a":"[[[\"[["}"#), 1);
        let many = format!("[{}0]", "0,".repeat(MAX_RESOURCE_VALUES));
        assert_eq!(Json::from_bytes(many.as_bytes()), Err(JsonError::TooManyValues));
    }

    #[test]
    fn syntax_errors_say_where() {
        assert_eq!(
            Json::from_bytes(b"{\n \"a\": ,}"),
            Err(JsonError::Syntax { line: 2, column: 7, cut_off: false })
        );
        assert!(matches!(Json::from_bytes(b"{\"a\""), Err(JsonError::Syntax { cut_off: true, .. })));
    }
}
