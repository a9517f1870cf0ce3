//! How nodes serve, and what clients say of it.

use amulet_contracts::testing::Actor;
use amulet_protocol::reputation::{Tenths, Voucher};

/// Questions that a client has asked a node by the time it reports.
const QUESTIONS: u32 = 20;

/// How a node serves: out of a thousand questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// Answered in time.
    pub answered: u32,
    /// Not behind.
    pub fresh: u32,
    /// Free of lies that only the asker sees.
    pub sound: u32,
}

impl Service {
    /// A well-run node: now and then a packet is lost or a block is late.
    pub const GOOD: Self = Self { answered: 990, fresh: 980, sound: 1_000 };
    /// An overloaded one.
    pub const SLOW: Self = Self { answered: 700, ..Self::GOOD };
    /// One that lags behind.
    pub const STALE: Self = Self { fresh: 350, ..Self::GOOD };
    /// One that mostly does not answer, and shows old blocks.
    pub const BAD: Self = Self { answered: 400, fresh: 600, sound: 1_000 };
}

/// What a client has in mind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stance {
    /// Says what it measured.
    Honest,
    /// Gives these hospitals the worst and the best, and of the others says what it measured.
    Plotting {
        /// To be ruined.
        down: Option<usize>,
        /// To be lifted.
        up: Option<usize>,
    },
}

/// Somebody who reports each week.
pub struct Client {
    /// Keys.
    pub actor: Actor,
    /// The hospital that registered a record of theirs, if one did.
    pub hospital: Option<usize>,
    /// What they put forward.
    pub voucher: Voucher,
    /// What they have in mind.
    pub stance: Stance,
    /// The weekday on which they report.
    pub weekday: u32,
}

impl Client {
    /// What this client says of a node: answered, fresh, sound.
    pub fn say(&self, node: usize, service: Service, chance: &mut Chance) -> [Tenths; 3] {
        let measured = [service.answered, service.fresh, service.sound].map(|share| {
            let good = (0..QUESTIONS).filter(|_| chance.happens(share)).count();
            Tenths::of(u32::try_from(good).expect("a small number"), QUESTIONS)
        });
        match self.stance {
            Stance::Plotting { down, .. } if down == Some(node) => [Tenths(0); 3],
            Stance::Plotting { up, .. } if up == Some(node) => [Tenths::ALL; 3],
            _ => measured,
        }
    }
}

/// A repeatable sequence of chances (SplitMix64).
pub struct Chance(pub u64);

impl Chance {
    /// Whether something happens that does so `per_mille` times in a thousand.
    pub fn happens(&mut self, per_mille: u32) -> bool {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % 1_000 < u64::from(per_mille)
    }
}
