//! Locking by itself: a wallet that nobody uses is locked by its core, whatever the page does.

use amulet_app_api::ApiError;
use amulet_app_api::security::{AutoLockView, SetAutoLock};

use super::Service;
use super::error::storage;
use crate::keyfile::Role;
use crate::store::DeviceStore;

/// File with what was chosen, for all wallets of the device.
const AUTO_LOCK_FILE: &str = "auto-lock";
const MINUTE_MS: u64 = 60_000;
/// Minutes that can be chosen.
const CHOICES: [u32; 5] = [1, 2, 5, 15, 60];
/// On a patient's own device.
const PATIENT_MINUTES: u32 = 5;
/// On a workstation that several people use.
const CLINICIAN_MINUTES: u32 = 2;

/// What was chosen on this device.
#[derive(Clone, Copy, Default)]
pub(super) struct Chosen {
    minutes: Option<u32>,
    away: bool,
}

impl Chosen {
    fn text(self) -> String {
        format!("minutes={} away={}", self.minutes.unwrap_or(0), u8::from(self.away))
    }

    /// What a file says. One that cannot be read is as if nothing had been chosen: wallets then lock after the usual time.
    pub fn kept(store: &dyn DeviceStore) -> Self {
        let text = store.read(AUTO_LOCK_FILE).ok().flatten();
        let all = CHOICES.map(Some).into_iter().chain([None]);
        let all = all.flat_map(|minutes| [false, true].map(|away| Self { minutes, away }));
        text.and_then(|text| all.into_iter().find(|chosen| chosen.text().as_bytes() == text))
            .unwrap_or_default()
    }

    fn minutes(self, role: Role) -> u32 {
        self.minutes.unwrap_or(match role {
            Role::Patient => PATIENT_MINUTES,
            Role::Clinician => CLINICIAN_MINUTES,
        })
    }
}

impl Service {
    /// Takes note that the person is there.
    pub(super) fn touch(&self) {
        let now = self.now();
        self.state().used_at = now;
    }

    /// Locks the wallet if nobody has used it for as long as was chosen. A clock that was set back counts as use now. Secrets that
    /// waited too long for their owner to go on are forgotten too.
    pub(super) fn lock_if_idle(&self) {
        let now = self.now();
        let mut state = self.state();
        if state.pending.as_ref().is_some_and(|pending| pending.is_over(now)) {
            state.pending = None;
        }
        if state.pending_move.as_ref().is_some_and(|pending| pending.is_over(now)) {
            state.pending_move = None;
        }
        let Some(role) = state.person.as_ref().map(|person| person.owner.role) else { return };
        if now < state.used_at {
            state.used_at = now;
        }
        let limit = u64::from(state.auto_lock.minutes(role)) * MINUTE_MS;
        if now.millis_since(state.used_at) >= limit {
            state.close();
        }
    }

    /// When the wallet locks by itself.
    pub(super) fn auto_lock(&self) -> AutoLockView {
        let state = self.state();
        let role = state.person.as_ref().map_or(Role::Patient, |person| person.owner.role);
        let chosen = state.auto_lock;
        AutoLockView { minutes: chosen.minutes(role), away: chosen.away, choices: CHOICES.to_vec() }
    }

    /// Chooses when wallets of this device lock by themselves; a time that is none of the choices changes nothing.
    pub(super) fn set_auto_lock(&self, call: &SetAutoLock) -> Result<AutoLockView, ApiError> {
        if !CHOICES.contains(&call.minutes) {
            return Err(amulet_app_api::ErrorCode::BadRequest.into());
        }
        let chosen = Chosen { minutes: Some(call.minutes), away: call.away };
        self.store.write(AUTO_LOCK_FILE, chosen.text().as_bytes()).map_err(storage)?;
        self.state().auto_lock = chosen;
        Ok(self.auto_lock())
    }
}
