//! Versions of records: which of them a hospital has since corrected.

use amulet_protocol::ids::RecordId;
use std::collections::{BTreeMap, BTreeSet};

/// A record as a version of another; `H` tells hospitals apart.
pub(super) struct Version<H> {
    pub id: RecordId,
    /// Who registered it.
    pub hospital: H,
    /// What it says that it replaces.
    pub replaces: Option<RecordId>,
}

/// Records that the hospital which registered them has replaced. Nobody replaces what another registered.
pub(super) fn outdated<H: PartialEq>(versions: &[Version<H>]) -> BTreeSet<RecordId> {
    let hospitals: BTreeMap<RecordId, &H> =
        versions.iter().map(|version| (version.id, &version.hospital)).collect();
    let replaced = versions.iter().filter_map(|version| {
        let old = version.replaces.filter(|old| *old != version.id)?;
        (hospitals.get(&old) == Some(&&version.hospital)).then_some(old)
    });
    replaced.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outdated_version_is_left_out_and_no_hospital_replaces_anothers_record() {
        let id = |name: &[u8]| RecordId(amulet_crypto::digest::sm3(name));
        let version = |name: &[u8], hospital, replaces: Option<&[u8]>| Version {
            id: id(name),
            hospital,
            replaces: replaces.map(id),
        };
        let versions = [
            version(b"allergy", "here", None),
            version(b"allergy, amended", "here", Some(b"allergy")),
            version(b"medicine", "here", None),
            version(b"a lie", "there", Some(b"medicine")),
            version(b"itself", "there", Some(b"itself")),
            version(b"later", "here", Some(b"not here")),
        ];
        assert_eq!(outdated(&versions), BTreeSet::from([id(b"allergy")]));
    }
}
