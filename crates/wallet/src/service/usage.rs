//! What was exchanged with the hospitals, hour by hour: what checking costs in a day and in a month.

use amulet_app_api::checking::UsageView;
use amulet_protocol::codec;
use std::collections::BTreeMap;

use super::Service;
use crate::store::DeviceStore;

/// File with the hours, for all wallets of the device.
const USAGE_FILE: &str = "usage";
const HOUR_MS: u64 = 3_600_000;
/// Hours kept: a month of 31 days, and one more day for whoever's month begins at another hour than ours.
const HOURS_KEPT: usize = 32 * 24;
/// Bytes of the file: two numbers for each hour.
const USAGE_BYTES_MAX: usize = 4 + HOURS_KEPT * 16;
/// Bytes that nobody exchanges in an hour: a file that says so is damaged. The sum of all hours stays a number that a page can show.
const HOUR_BYTES_MAX: u64 = 1 << 43;
/// How often it is written at most, in milliseconds: an abrupt end costs a minute's count and nothing else.
const WRITE_EVERY_MS: u64 = 60_000;

/// Bytes by hour.
#[derive(Default)]
pub(super) struct Usage {
    hours: BTreeMap<u64, u64>,
    /// What the light client had counted when it was last looked at.
    counted: u64,
    written_at: u64,
}

impl Usage {
    /// What was kept. A file that cannot be read, and an hour that cannot be, begins anew: it is a count, and nothing rests on it.
    pub(super) fn kept(store: &dyn DeviceStore) -> Self {
        let bytes = store.read(USAGE_FILE).ok().flatten().unwrap_or_default();
        let hours: Vec<(u64, u64)> = codec::decode(&bytes, USAGE_BYTES_MAX).unwrap_or_default();
        let can_be = |(hour, bytes): &(u64, u64)| *hour <= u64::MAX / HOUR_MS && *bytes <= HOUR_BYTES_MAX;
        Self { hours: hours.into_iter().filter(can_be).collect(), ..Self::default() }
    }

    /// Counts what came since the last look.
    fn count(&mut self, total: u64, now: u64) {
        let more = total.saturating_sub(self.counted);
        self.counted = total;
        if more > 0 {
            let hour = self.hours.entry(now / HOUR_MS).or_default();
            *hour = hour.saturating_add(more);
        }
        while self.hours.len() > HOURS_KEPT {
            self.hours.pop_first();
        }
    }

    fn encode(&self) -> Vec<u8> {
        let hours: Vec<(u64, u64)> = self.hours.iter().map(|(hour, bytes)| (*hour, *bytes)).collect();
        codec::encode(&hours)
    }
}

impl Service {
    /// Takes note of what was exchanged until now.
    pub(super) fn note_usage(&self) {
        let total = self.client.traffic().iter().map(|one| one.sent + one.received).sum();
        let now = self.now().0;
        let mut state = self.state();
        let usage = &mut state.usage;
        usage.count(total, now);
        if now.abs_diff(usage.written_at) >= WRITE_EVERY_MS {
            usage.written_at = now;
            let bytes = usage.encode();
            drop(state);
            // What cannot be kept is counted until the app is closed.
            let _ = self.store.write(USAGE_FILE, &bytes);
        }
    }

    /// The hours in which something was exchanged, the oldest first.
    pub(super) fn usage(&self) -> Vec<UsageView> {
        self.note_usage();
        let state = self.state();
        state
            .usage
            .hours
            .iter()
            .map(|(hour, bytes)| UsageView { hour: hour * HOUR_MS, bytes: *bytes })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::store::MemoryStore;

    #[test]
    fn a_month_is_kept_hour_by_hour_and_survives_a_restart_that_counts_from_nothing() {
        let store = MemoryStore::default();
        let mut usage = Usage::kept(&store);
        usage.count(100, 5 * HOUR_MS);
        usage.count(130, 5 * HOUR_MS + 1);
        usage.count(130, 6 * HOUR_MS);
        assert_eq!(usage.hours, BTreeMap::from([(5, 130)]), "an hour without traffic is none");
        store.write(USAGE_FILE, &usage.encode()).unwrap();
        let mut again = Usage::kept(&store);
        again.count(7, 5 * HOUR_MS);
        assert_eq!(again.hours[&5], 137);
        for hour in 0..2 * HOURS_KEPT as u64 {
            again.count(8 + hour, hour * HOUR_MS);
        }
        assert_eq!((again.hours.len(), again.hours.contains_key(&5)), (HOURS_KEPT, false));
        assert!(again.encode().len() <= USAGE_BYTES_MAX);
        let damaged = vec![(u64::MAX, 1), (1, u64::MAX), (2, 5)];
        store.write(USAGE_FILE, &codec::encode(&damaged)).unwrap();
        assert_eq!(Usage::kept(&store).hours, BTreeMap::from([(2, 5)]));
        store.write(USAGE_FILE, b"not a list").unwrap();
        assert!(Usage::kept(&store).hours.is_empty());
    }
}
