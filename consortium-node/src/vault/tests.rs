//! One suite for every place where ciphertexts can lie.

#![allow(clippy::unwrap_used)]

use super::fake_s3::FakeS3;
use super::streams::INCOMING;
use super::*;
use futures::TryStreamExt;
use tempfile::TempDir;

/// A vault, and how to damage what is in it.
struct Place {
    vault: Vault,
    bucket: Option<FakeS3>,
    folder: TempDir,
}

impl Place {
    fn in_folder() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { vault: Vault::open(&folder.path().join("v")).unwrap(), bucket: None, folder }
    }

    async fn in_bucket() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (bucket, vault) = FakeS3::start_with_vault(folder.path()).await;
        Self { vault, bucket: Some(bucket), folder }
    }

    async fn all() -> [Self; 2] {
        [Self::in_folder(), Self::in_bucket().await]
    }

    /// What the store holds now, by its own names.
    fn names(&self) -> Vec<String> {
        if let Some(bucket) = &self.bucket {
            return bucket.names().iter().map(|name| name.replace("b/city/", "")).collect();
        }
        let mut names = Vec::new();
        for part in std::fs::read_dir(self.folder.path().join("v")).unwrap().flatten() {
            for file in std::fs::read_dir(part.path()).unwrap().flatten() {
                let (part, file) = (part.file_name(), file.file_name());
                names.push(format!("{}/{}", part.to_string_lossy(), file.to_string_lossy()));
            }
        }
        names
    }

    fn replace(&self, id: BlobId, bytes: &'static [u8]) {
        match &self.bucket {
            Some(bucket) => bucket.replace(&format!("b/city/{}", place(id)), bytes),
            None => std::fs::write(self.folder.path().join(format!("v/{}", place(id))), bytes).unwrap(),
        }
    }
}

/// Larger than one part.
fn large() -> Vec<u8> {
    (0..9 * 1024 * 1024_u32).map(|at| (at / 1_000).to_le_bytes()[0]).collect()
}

async fn write(vault: &Vault, bytes: &[u8]) -> Incoming {
    let mut incoming = vault.begin().await.unwrap();
    for piece in bytes.chunks(100_000) {
        incoming.write(piece).await.unwrap();
    }
    incoming
}

async fn read(outgoing: Outgoing) -> Vec<u8> {
    let pieces: Vec<_> = outgoing.pieces.try_collect().await.unwrap();
    pieces.concat()
}

#[tokio::test]
async fn what_is_put_comes_back_until_it_is_removed() {
    for place in Place::all().await {
        let vault = &place.vault;
        let id = vault.put(b"ciphertext".to_vec()).await.unwrap();
        assert_eq!(vault.put(b"ciphertext".to_vec()).await.unwrap(), id);
        assert_eq!(vault.get(id).await.unwrap().as_deref(), Some(&b"ciphertext"[..]));
        assert_eq!(place.names(), [super::place(id).to_string()], "under its digest, and nowhere else");
        assert!(vault.has(id).await.unwrap());
        assert_eq!(vault.check(id, None).await.unwrap(), Found::Whole(10));
        vault.remove(id).await.unwrap();
        vault.remove(id).await.unwrap();
        assert_eq!(vault.get(id).await.unwrap(), None);
        assert!(!vault.has(id).await.unwrap());
        assert_eq!(vault.check(id, None).await.unwrap(), Found::Missing);
    }
}

#[tokio::test]
async fn changed_bytes_are_noticed_and_an_oversized_ciphertext_refused() {
    for place in Place::all().await {
        let vault = &place.vault;
        let id = vault.put(b"ciphertext".to_vec()).await.unwrap();
        place.replace(id, b"other");
        assert!(matches!(vault.get(id).await, Err(VaultError::Damaged { blob }) if blob == id));
        assert_eq!(vault.check(id, None).await.unwrap(), Found::Damaged);
        vault.put(b"ciphertext".to_vec()).await.unwrap();
        assert_eq!(vault.check(id, None).await.unwrap(), Found::Whole(10), "putting it again repairs it");
        let found = BLOB_BYTES_MAX + 1;
        let refused = vault.put(vec![0; found]).await;
        assert!(matches!(refused, Err(VaultError::TooLarge { found: f }) if f == found));
    }
}

#[tokio::test]
async fn a_stream_is_kept_under_its_digest_and_read_from_anywhere() {
    let bytes = large();
    for place in Place::all().await {
        let vault = &place.vault;
        let id = write(vault, &bytes).await.finish().await.unwrap();
        assert_eq!(id, blob_id(&bytes));
        assert_eq!(place.names(), [super::place(id).to_string()]);
        let whole = vault.stream(id, 0).await.unwrap().unwrap();
        assert_eq!(whole.size, bytes.len() as u64);
        assert!(read(whole).await == bytes);
        let rest = vault.stream(id, 8_000_000).await.unwrap().unwrap();
        assert!(read(rest).await == bytes[8_000_000..]);
        assert_eq!(vault.piece(id, 5_000_000, 3).await.unwrap().unwrap(), bytes[5_000_000..5_000_003]);
        let size = bytes.len() as u64;
        assert_eq!(vault.piece(id, size - 1, 10).await.unwrap().unwrap().len(), 1);
        assert_eq!(vault.piece(id, size, 10).await.unwrap(), Some(Vec::new()));
        assert!(vault.stream(id, size).await.unwrap().is_none());
        assert!(matches!(vault.get(id).await, Err(VaultError::TooLarge { .. })), "never whole in memory");
    }
}

#[tokio::test]
async fn a_stream_that_is_not_what_was_expected_or_is_given_up_leaves_nothing() {
    let bytes = large();
    for place in Place::all().await {
        let vault = &place.vault;
        let expected = blob_id(b"something else");
        let refused = write(vault, &bytes).await.finish_as(expected).await;
        let found = blob_id(&bytes);
        assert!(
            matches!(refused, Err(VaultError::OtherContent { expected: e, found: f }) if (e, f) == (expected, found))
        );
        write(vault, &bytes).await.abort().await;
        assert_eq!(place.names(), Vec::<String>::new());
        assert_eq!(place.bucket.map_or(0, |bucket| bucket.unended()), 0);
        write(vault, &bytes).await.finish_as(found).await.unwrap();
        assert_eq!(vault.check(found, None).await.unwrap(), Found::Whole(bytes.len() as u64));
    }
}

#[tokio::test]
async fn everything_old_is_listed_over_several_pages() {
    for place in Place::all().await {
        let mut ids = Vec::new();
        for number in 0..5_u8 {
            ids.push(place.vault.put(vec![number]).await.unwrap());
        }
        ids.sort();
        let (mut old, unended) = place.vault.written_before(Timestamp(u64::MAX)).await.unwrap();
        old.sort();
        assert_eq!((old, unended), (ids, Vec::new()));
    }
}

#[test]
fn what_an_abrupt_stop_left_in_a_folder_is_removed_a_day_later_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let part = folder.path().join(INCOMING);
    std::fs::create_dir(&part).unwrap();
    let old = SystemTime::now() - Duration::from_millis(2 * UNNAMED_KEPT_MS);
    for (name, written) in [("a#1", old), ("b#2", SystemTime::now()), ("c", old), ("d#x", old)] {
        let file = std::fs::File::create(part.join(name)).unwrap();
        file.set_modified(written).unwrap();
    }
    remove_cut_off(folder.path());
    let mut left: Vec<_> = std::fs::read_dir(&part).unwrap().flatten().map(|file| file.file_name()).collect();
    left.sort();
    assert_eq!(left, ["b#2", "c", "d#x"]);
}

#[tokio::test]
async fn streams_that_never_ended_are_found_by_a_sweep_and_are_no_ciphertexts() {
    let place = Place::in_bucket().await;
    let staged = ObjectPath::from(format!("{INCOMING}/0123"));
    place.vault.store.put(&staged, PutPayload::from_static(b"half")).await.unwrap();
    let (old, unended) = place.vault.written_before(Timestamp(u64::MAX)).await.unwrap();
    assert_eq!((old, unended), (Vec::new(), vec![staged]));
}

#[tokio::test]
async fn a_vault_of_an_earlier_version_is_read_as_it_is() {
    let data = tempfile::tempdir().unwrap();
    let id = blob_id(b"ciphertext");
    let name = id.to_string();
    std::fs::create_dir_all(data.path().join("vault").join(&name[..2])).unwrap();
    std::fs::write(data.path().join("vault").join(&name[..2]).join(&name), b"ciphertext").unwrap();
    let vault = Vault::configured(data.path(), &VaultConfig::default()).unwrap();
    assert_eq!(vault.get(id).await.unwrap().as_deref(), Some(&b"ciphertext"[..]));
}

#[tokio::test]
async fn a_bucket_that_lets_nobody_in_or_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (_bucket, url) = FakeS3::start().await;
    std::fs::write(folder.path().join("s3.toml"), "access_key = \"no\"\nsecret_key = \"hunter2\"\n").unwrap();
    let text = format!("bucket = \"b\"\nendpoint = \"{url}\"\ncredentials = \"s3.toml\"");
    let vault = Vault::configured(folder.path(), &toml::from_str(&text).unwrap()).unwrap();
    let refused = vault.probe().await.unwrap_err();
    assert!(matches!(refused, VaultError::Unreachable { .. }));
    assert!(!refused.to_string().contains("hunter2"), "{refused}");
}
