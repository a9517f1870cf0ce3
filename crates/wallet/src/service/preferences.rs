//! What a patient has settled beforehand: categories that are given to nobody, and those that are asked about each time.
//!
//! Kept on the device alone: on the ledger they would say what somebody has to hide. So they bind this wallet, and nobody else.

use amulet_app_api::ApiError;
use amulet_app_api::preferences::PreferencesView;
use amulet_app_api::records::Category as ShownCategory;
use amulet_protocol::consent::Category;
use std::collections::BTreeSet;

use super::Service;
use super::session::Owner;
use crate::convert;

/// The preferences of a wallet, for who makes a grant.
pub(super) struct Settled {
    never: BTreeSet<Category>,
    ask: BTreeSet<Category>,
}

impl Settled {
    pub(super) fn of(owner: &Owner) -> Self {
        let device = owner.device();
        Self { never: device.never.iter().copied().collect(), ask: device.ask.iter().copied().collect() }
    }

    /// Whether records of a category may be given at all.
    pub(super) fn gives(&self, category: Category) -> bool {
        !self.never.contains(&category)
    }

    /// Those of these categories of which records to come may be opened.
    pub(super) fn standing<'a>(&self, categories: impl Iterator<Item = &'a Category>) -> Vec<Category> {
        categories.copied().filter(|category| self.gives(*category) && !self.ask.contains(category)).collect()
    }

    /// Those of these categories that are given to nobody.
    pub(super) fn withheld<'a>(&self, categories: impl Iterator<Item = &'a Category>) -> Vec<ShownCategory> {
        categories.filter(|category| !self.gives(**category)).map(|c| convert::category(*c)).collect()
    }

    /// Those of these categories that are asked about.
    pub(super) fn asked_about<'a>(
        &self,
        categories: impl Iterator<Item = &'a Category>,
    ) -> Vec<ShownCategory> {
        categories.filter(|category| self.ask.contains(category)).map(|c| convert::category(*c)).collect()
    }
}

impl Service {
    /// The preferences.
    pub(super) fn preferences(&self) -> Result<PreferencesView, ApiError> {
        let person = self.patient()?;
        let shown = |list: &[Category]| list.iter().map(|category| convert::category(*category)).collect();
        let device = person.owner.device();
        Ok(PreferencesView { never: shown(&device.never), ask: shown(&device.ask) })
    }

    /// Replaces the preferences. What is never given is not asked about.
    pub(super) fn set_preferences(&self, wanted: &PreferencesView) -> Result<PreferencesView, ApiError> {
        let person = self.patient()?;
        let set = |list: &[ShownCategory]| -> BTreeSet<Category> {
            list.iter().map(|category| convert::ledger_category(*category)).collect()
        };
        let (never, ask) = (set(&wanted.never), set(&wanted.ask));
        let mut device = person.owner.device();
        device.ask = ask.difference(&never).copied().collect();
        device.never = never.into_iter().collect();
        self.save_device(&person.owner, &mut device)?;
        drop(device);
        self.preferences()
    }
}
