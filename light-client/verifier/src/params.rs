//! What the client's user decides: how long trust lasts and how far clocks may differ.

use core::fmt;
use core::time::Duration;

/// Longest trust period accepted: ten years.
pub const TRUST_PERIOD_MAX: Duration = Duration::from_secs(10 * 366 * 24 * 3_600);
/// Largest difference between clocks accepted: one hour. A header dated further ahead would stop time for the client.
pub const CLOCK_DRIFT_MAX: Duration = Duration::from_secs(3_600);
/// Organisations that must have answered consistently before a header is trusted, at least.
pub const WITNESSES_MIN: usize = 2;

/// Validated parameters of trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustParams {
    trust_period: Duration,
    clock_drift: Duration,
    witnesses: usize,
    threshold: TrustThreshold,
}

/// The part of a trusted validator set of which *more* must have signed before a set that it did not name is believed.
///
/// More than a third holds an honest validator of the trusted set, if no more are faulty than the consortium bears. A
/// threshold of 1 is never exceeded: every set is then learnt from the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustThreshold {
    numerator: u32,
    denominator: u32,
}

/// Why parameters are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TrustParamsError {
    /// The trust period is zero or too long.
    #[error("a trust period of {found:?} is not within a millisecond and {TRUST_PERIOD_MAX:?}")]
    TrustPeriod {
        /// Given.
        found: Duration,
    },
    /// The clock drift is too large.
    #[error("a clock drift of {found:?} is more than {CLOCK_DRIFT_MAX:?}")]
    ClockDrift {
        /// Given.
        found: Duration,
    },
    /// The threshold is no fraction from 1/3 to 1: faulty validators alone could pass it, or nobody could name what it means.
    #[error("a trust threshold of {numerator}/{denominator} is not within 1/3 and 1")]
    Threshold {
        /// Given.
        numerator: u32,
        /// Given.
        denominator: u32,
    },
    /// One organisation alone would be believed.
    #[error("{found} witnesses are fewer than {WITNESSES_MIN}")]
    Witnesses {
        /// Given.
        found: usize,
    },
}

impl TrustParams {
    /// Parameters, checked.
    ///
    /// `trust_period`: how long after its last successful sync the client still relies on the validator set it knows.
    /// It must be shorter than the time for which retired validators are sure to keep their old keys safe.
    /// `clock_drift`: how far ahead of this device's clock a header may be dated.
    /// `witnesses`: how many different organisations must have answered consistently.
    ///
    /// # Errors
    /// [`TrustParamsError`] by variant.
    pub fn new(
        trust_period: Duration,
        clock_drift: Duration,
        witnesses: usize,
    ) -> Result<Self, TrustParamsError> {
        if trust_period < Duration::from_millis(1) || trust_period > TRUST_PERIOD_MAX {
            return Err(TrustParamsError::TrustPeriod { found: trust_period });
        }
        if clock_drift > CLOCK_DRIFT_MAX {
            return Err(TrustParamsError::ClockDrift { found: clock_drift });
        }
        if witnesses < WITNESSES_MIN {
            return Err(TrustParamsError::Witnesses { found: witnesses });
        }
        Ok(Self { trust_period, clock_drift, witnesses, threshold: TrustThreshold::default() })
    }

    /// The same with another threshold.
    #[must_use]
    pub fn with_threshold(self, threshold: TrustThreshold) -> Self {
        Self { threshold, ..self }
    }

    /// The trust period in milliseconds.
    #[must_use]
    pub fn trust_period_ms(&self) -> u64 {
        millis(self.trust_period)
    }

    /// The clock drift in milliseconds.
    #[must_use]
    pub fn clock_drift_ms(&self) -> u64 {
        millis(self.clock_drift)
    }

    /// Organisations that must have answered consistently.
    #[must_use]
    pub fn witnesses(&self) -> usize {
        self.witnesses
    }

    /// The part of a trusted set that must have signed for a set that it did not name.
    #[must_use]
    pub fn threshold(&self) -> TrustThreshold {
        self.threshold
    }
}

impl TrustThreshold {
    /// A threshold, checked.
    ///
    /// # Errors
    /// [`TrustParamsError::Threshold`] for less than a third, for more than 1, and for a denominator of zero.
    pub fn new(numerator: u32, denominator: u32) -> Result<Self, TrustParamsError> {
        let at_least_a_third = u64::from(numerator) * 3 >= u64::from(denominator);
        if denominator == 0 || numerator > denominator || !at_least_a_third {
            return Err(TrustParamsError::Threshold { numerator, denominator });
        }
        Ok(Self { numerator, denominator })
    }

    /// Whether `part` of `whole` is more than this fraction.
    #[must_use]
    pub fn is_exceeded_by(self, part: usize, whole: usize) -> bool {
        part as u128 * u128::from(self.denominator) > whole as u128 * u128::from(self.numerator)
    }
}

impl Default for TrustThreshold {
    /// A third.
    fn default() -> Self {
        Self { numerator: 1, denominator: 3 }
    }
}

impl fmt::Display for TrustThreshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

impl Default for TrustParams {
    /// Two years of trust, so that a device that lay in a drawer for a year works; two minutes of drift, which is what
    /// nodes allow a signed request; two witnesses.
    fn default() -> Self {
        Self {
            trust_period: Duration::from_secs(2 * 365 * 24 * 3_600),
            clock_drift: Duration::from_secs(120),
            witnesses: WITNESSES_MIN,
            threshold: TrustThreshold::default(),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).expect("durations are at most ten years")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn parameters_that_would_switch_a_check_off_are_refused() {
        let zero = Duration::ZERO;
        assert_eq!(TrustParams::new(zero, zero, 2), Err(TrustParamsError::TrustPeriod { found: zero }));
        let long = TRUST_PERIOD_MAX + HOUR;
        assert_eq!(TrustParams::new(long, zero, 2), Err(TrustParamsError::TrustPeriod { found: long }));
        let drift = CLOCK_DRIFT_MAX + Duration::from_millis(1);
        assert_eq!(TrustParams::new(HOUR, drift, 2), Err(TrustParamsError::ClockDrift { found: drift }));
        assert_eq!(TrustParams::new(HOUR, zero, 1), Err(TrustParamsError::Witnesses { found: 1 }));
        assert!(TrustParams::new(HOUR, zero, 2).is_ok());
    }

    #[test]
    fn a_threshold_is_a_fraction_from_a_third_to_one() {
        let refused = |numerator, denominator| {
            let cause = TrustParamsError::Threshold { numerator, denominator };
            assert_eq!(TrustThreshold::new(numerator, denominator), Err(cause));
        };
        refused(33, 100);
        refused(2, 1);
        refused(0, 0);
        refused(1, 0);
        refused(0, 3);
        assert_eq!(TrustThreshold::new(1, 3), Ok(TrustThreshold::default()));
        assert!(TrustThreshold::new(34, 100).is_ok());
        let never = TrustThreshold::new(u32::MAX, u32::MAX).unwrap();
        assert!(!never.is_exceeded_by(100, 100));
    }

    #[test]
    fn a_third_itself_is_not_more_than_a_third() {
        let third = TrustThreshold::default();
        assert!(!third.is_exceeded_by(2, 6));
        assert!(third.is_exceeded_by(3, 6));
        assert!(!third.is_exceeded_by(1, 4));
        assert!(third.is_exceeded_by(2, 4));
        assert!(!third.is_exceeded_by(33, 100));
        assert!(third.is_exceeded_by(34, 100));
    }

    #[test]
    fn the_defaults_pass_their_own_check() {
        let TrustParams { trust_period, clock_drift, witnesses, .. } = TrustParams::default();
        assert_eq!(TrustParams::new(trust_period, clock_drift, witnesses), Ok(TrustParams::default()));
    }
}
