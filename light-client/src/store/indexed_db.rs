//! The browser's store: IndexedDB, one object store with the slots' names as keys. The database is opened for each access
//! and closed after it, so that two pages can use it in turn and one that hangs does not lock the other out.

use super::{ClientStore, Slot, StoreError};
use js_sys::{Function, Promise, Reflect, Uint8Array};
use std::cell::Cell;
use std::io::ErrorKind;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DomException, IdbDatabase, IdbFactory, IdbObjectStore, IdbOpenDbRequest, IdbRequest, IdbTransactionMode,
    IdbVersionChangeEvent,
};

/// The only object store.
const OBJECT_STORE: &str = "slots";
/// Version of the database: the values in it have their own.
const DATABASE_VERSION: u32 = 1;
/// Bytes of the largest value: a store with more in a slot holds what this program did not write.
const VALUE_BYTES_MAX: u32 = 2 * 1024 * 1024;

/// Keeps all in a database of the page's origin.
#[derive(Debug)]
pub struct IndexedDbStore {
    name: String,
    /// Whether the database was there when it was last used: if it is new the next time, somebody deleted it.
    was_there: AtomicBool,
}

/// An open database, closed when this is dropped.
struct Open(IdbDatabase);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl IndexedDbStore {
    /// The store under `name`, which tells apart the networks that one origin serves. What an earlier version kept in
    /// `localStorage` is removed: it can be fetched again.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let old = web_sys::window().and_then(|window| window.local_storage().ok().flatten());
        if let Some(old) = old {
            let _ = old.remove_item(&format!("amulet.trusted-header.{name}"));
        }
        Self { name: Self::database(name), was_there: AtomicBool::new(false) }
    }

    /// Name of the database.
    #[must_use]
    pub fn database(name: &str) -> String {
        format!("amulet.light-client.{name}")
    }

    /// Opens the database, making it, or making it anew, if need be; and what was wrong with it.
    async fn open(&self) -> Result<(Open, Option<StoreError>), StoreError> {
        let (open, trouble) = match self.try_open().await {
            Err(StoreError::Damaged) => {
                let deleting = factory()?.delete_database(&self.name).map_err(|error| failure(&error))?;
                settled(&deleting).await?;
                (self.try_open().await?.0, Some(StoreError::Damaged))
            }
            opened => {
                let (open, is_new) = opened?;
                let vanished = is_new && self.was_there.load(Ordering::Relaxed);
                (open, vanished.then_some(StoreError::Vanished))
            }
        };
        self.was_there.store(true, Ordering::Relaxed);
        Ok((open, trouble))
    }

    /// Opens the database, and says whether it is new.
    async fn try_open(&self) -> Result<(Open, bool), StoreError> {
        let request =
            factory()?.open_with_u32(&self.name, DATABASE_VERSION).map_err(|error| failure(&error))?;
        let is_new = Rc::new(Cell::new(false));
        let upgrade = on_upgrade(&request, Rc::clone(&is_new));
        request.set_onupgradeneeded(Some(upgrade.as_ref().unchecked_ref()));
        let opened = settled(&request).await?;
        let open = Open(opened.unchecked_into());
        if open.0.object_store_names().contains(OBJECT_STORE) {
            return Ok((open, is_new.get()));
        }
        Err(StoreError::Damaged)
    }

    async fn change(
        &self,
        change: impl FnOnce(&IdbObjectStore) -> Result<IdbRequest, JsValue>,
    ) -> Result<Option<StoreError>, StoreError> {
        let (open, trouble) = self.open().await?;
        let transaction = open
            .0
            .transaction_with_str_and_mode(OBJECT_STORE, IdbTransactionMode::Readwrite)
            .map_err(|error| failure(&error))?;
        let slots = transaction.object_store(OBJECT_STORE).map_err(|error| failure(&error))?;
        let done = promise(|resolve, reject| {
            transaction.set_oncomplete(Some(resolve));
            transaction.set_onabort(Some(reject));
        });
        change(&slots).map_err(|error| failure(&error))?;
        if JsFuture::from(done).await.is_err() {
            return Err(transaction.error().map_or_else(broken, |error| failure(&error)));
        }
        Ok(trouble)
    }
}

#[async_trait::async_trait(?Send)]
impl ClientStore for IndexedDbStore {
    async fn read(&self, slot: Slot) -> Result<Option<Vec<u8>>, StoreError> {
        let (open, trouble) = self.open().await?;
        if let Some(trouble) = trouble {
            return Err(trouble);
        }
        let transaction = open.0.transaction_with_str(OBJECT_STORE).map_err(|error| failure(&error))?;
        let slots = transaction.object_store(OBJECT_STORE).map_err(|error| failure(&error))?;
        let request = slots.get(&slot.name().into()).map_err(|error| failure(&error))?;
        let value = settled(&request).await?;
        if value.is_undefined() {
            return Ok(None);
        }
        let bytes: Uint8Array = value.dyn_into().map_err(|_| StoreError::Corrupt)?;
        // Other pages of this origin can write here too.
        if bytes.length() > VALUE_BYTES_MAX {
            return Err(StoreError::Corrupt);
        }
        Ok(Some(bytes.to_vec()))
    }

    async fn write(&self, slot: Slot, bytes: Vec<u8>) -> Result<(), StoreError> {
        let bytes = Uint8Array::from(&bytes[..]);
        let trouble = self.change(|slots| slots.put_with_key(&bytes, &slot.name().into())).await?;
        trouble.map_or(Ok(()), Err)
    }

    async fn remove(&self, slot: Slot) -> Result<(), StoreError> {
        self.change(|slots| slots.delete(&slot.name().into())).await?.map_or(Ok(()), Err)
    }

    async fn clear(&self) -> Result<(), StoreError> {
        // Nothing is lost that was not to be.
        self.change(IdbObjectStore::clear).await.map(|_| ())
    }
}

/// Makes the object store in a database that is new, or was made by an earlier version.
fn on_upgrade(
    request: &IdbOpenDbRequest,
    is_new: Rc<Cell<bool>>,
) -> Closure<dyn FnMut(IdbVersionChangeEvent)> {
    let request = request.clone();
    Closure::new(move |event: IdbVersionChangeEvent| {
        is_new.set(event.old_version() < 1.0);
        let Ok(database) = request.result().map(JsCast::unchecked_into::<IdbDatabase>) else { return };
        let names = database.object_store_names();
        for name in (0..names.length()).filter_map(|index| names.get(index)) {
            let _ = database.delete_object_store(&name);
        }
        // If it fails, the object store is missing when the database is open, and that is noticed.
        let _ = database.create_object_store(OBJECT_STORE);
    })
}

/// The page's databases; a worker has them in another place than a window.
fn factory() -> Result<IdbFactory, StoreError> {
    let found = Reflect::get(&js_sys::global(), &"indexedDB".into()).map_err(|_| StoreError::NoStorage)?;
    found.dyn_into().map_err(|_| StoreError::NoStorage)
}

/// A promise that one of two handlers settles.
fn promise(mut handlers: impl FnMut(&Function, &Function)) -> Promise {
    Promise::new(&mut |resolve, reject| handlers(&resolve, &reject))
}

/// The result of a request.
async fn settled(request: &IdbRequest) -> Result<JsValue, StoreError> {
    let done = promise(|resolve, reject| {
        request.set_onsuccess(Some(resolve));
        request.set_onerror(Some(reject));
    });
    match JsFuture::from(done).await {
        Ok(_) => request.result().map_err(|error| failure(&error)),
        Err(_) => Err(request.error().ok().flatten().map_or_else(broken, |error| failure(&error))),
    }
}

/// What an exception means, by its standard name.
fn failure(error: &JsValue) -> StoreError {
    let name = error.dyn_ref::<DomException>().map(DomException::name).unwrap_or_default();
    match name.as_str() {
        "QuotaExceededError" => StoreError::Full,
        "SecurityError" | "InvalidStateError" | "NotAllowedError" => StoreError::NoStorage,
        // The first: a later version of this program was here.
        "VersionError" | "NotFoundError" | "UnknownError" | "DataError" => StoreError::Damaged,
        _ => broken(),
    }
}

fn broken() -> StoreError {
    StoreError::Backend { kind: ErrorKind::Other }
}
