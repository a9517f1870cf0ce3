//! What the last checks found, hospital by hospital: for the person who wants to know what "checked" means.

use amulet_app_api::ApiError;
use amulet_app_api::checking::{
    CheckingView, ContradictionView, HospitalAnswer, HospitalCheckView, MemoryTrouble, ToldAnswer, ToldView,
};
use amulet_app_api::wallet::TimeMs;
use amulet_light_client::store::{StoreError, StoredFork, Told};
use amulet_light_client::{Disagreement, LightError, NodeIndex, NodeVerdict, SyncReport, TransportError};
use amulet_protocol::ids::Height;
use amulet_protocol::light::ForkFinding;
use std::collections::BTreeMap;

use super::Service;
use super::error::light;

/// The newest check with the hospitals, successful or not.
#[derive(Clone, Default)]
pub(super) struct NewestCheck {
    trouble: Option<ApiError>,
    hospitals: Vec<HospitalCheckView>,
    trusts_until: Option<TimeMs>,
}

impl NewestCheck {
    /// Whether something else answered in the hospitals' place, such as the sign-in page of a network.
    pub(super) fn signs_in(&self) -> bool {
        self.hospitals.iter().any(|check| check.answer == HospitalAnswer::Elsewhere)
    }
}

impl Service {
    /// What the last checks found.
    pub(super) fn checking(&self) -> CheckingView {
        let (checked, newest_check, memory) = {
            let state = self.state();
            (state.checked.clone(), state.newest_check.clone(), state.memory)
        };
        let NewestCheck { trouble, hospitals, trusts_until } = newest_check;
        CheckingView {
            checked,
            trouble,
            hospitals,
            contradictions: self.client.forks().iter().map(|fork| self.contradiction(fork)).collect(),
            chain: self.network.chain().to_string(),
            epoch: self.client.epoch().0,
            trusts_until,
            memory,
        }
    }

    fn contradiction(&self, kept: &StoredFork) -> ContradictionView {
        let entry = |side: usize| {
            let header = &kept.fork.sides()[side].header;
            (header.height.0, header.hash().to_string())
        };
        let told = kept.told.iter().map(|(organisation, told)| {
            let answer = match told {
                Told::Found(ForkFinding::Convicts { .. }) => ToldAnswer::Convicts,
                Told::Found(ForkFinding::Suspects { .. }) => ToldAnswer::Alarmed,
                Told::Denied => ToldAnswer::Denied,
            };
            ToldView { hospital: self.hospital_view(organisation), answer }
        });
        ContradictionView { found_at: kept.found_at.0, entries: [entry(0), entry(1)], told: told.collect() }
    }

    /// Takes note of how a check went.
    pub(super) fn note_check(&self, synced: &Result<SyncReport, LightError>) {
        let answers = match synced {
            Ok(report) => answers(&report.nodes, report.head.height()),
            Err(LightError::TooFewWitnesses { nodes, .. }) => answers(nodes, newest(nodes)),
            Err(LightError::Disagreement(found)) => contradicting(found),
            Err(LightError::ClockBehind { .. }) => {
                let nodes = self.client.asked_nodes().into_iter();
                nodes.map(|node| (node, HospitalAnswer::AheadOfClock)).collect()
            }
            // Nobody answered, or what is wrong is of no hospital's making.
            Err(LightError::Unreachable { .. }) => {
                let nodes = self.client.asked_nodes().into_iter();
                nodes.map(|node| (node, HospitalAnswer::Silent)).collect()
            }
            Err(_) => Vec::new(),
        };
        let hospitals = answers.into_iter().filter_map(|(node, answer)| {
            Some(HospitalCheckView { hospital: self.hospital_at(node)?, answer })
        });
        let trouble = synced.as_ref().err();
        let newest_check = NewestCheck {
            hospitals: hospitals.collect(),
            trouble: trouble.map(|error| light(error.clone(), |node| self.hospital_at(node))),
            trusts_until: self.client.trusts_until().map(|until| until.0),
        };
        let mut state = self.state();
        state.newest_check = newest_check;
        let trouble = synced.as_ref().ok().and_then(|report| report.store_trouble.as_ref());
        state.memory = state.memory.or(trouble.map(memory_trouble));
    }
}

fn memory_trouble(trouble: &StoreError) -> MemoryTrouble {
    match trouble {
        StoreError::Corrupt
        | StoreError::Version { .. }
        | StoreError::Foreign
        | StoreError::Damaged
        | StoreError::Vanished => MemoryTrouble::Rebuilt,
        StoreError::InUse | StoreError::Backend { .. } | StoreError::NoStorage | StoreError::Full => {
            MemoryTrouble::NotKept
        }
    }
}

fn answers(nodes: &[(NodeIndex, NodeVerdict)], newest: Height) -> Vec<(NodeIndex, HospitalAnswer)> {
    nodes.iter().map(|(node, verdict)| (*node, answer(verdict, newest))).collect()
}

fn answer(verdict: &NodeVerdict, newest: Height) -> HospitalAnswer {
    match verdict {
        NodeVerdict::NotAsked => HospitalAnswer::NotAsked,
        NodeVerdict::Agrees { height } if *height < newest => {
            HospitalAnswer::Behind { blocks: newest.0 - height.0 }
        }
        NodeVerdict::Agrees { .. } => HospitalAnswer::Agrees,
        NodeVerdict::Unproven { .. } => HospitalAnswer::Unproven,
        NodeVerdict::NothingYet => HospitalAnswer::NothingYet,
        // Who speaks another protocol there is not the hospital.
        NodeVerdict::Unreachable(
            TransportError::Intercepted { .. }
            | TransportError::Protocol
            | TransportError::Status { .. }
            | TransportError::Decode(_),
        ) => HospitalAnswer::Elsewhere,
        NodeVerdict::Unreachable(_) => HospitalAnswer::Silent,
        NodeVerdict::Refused(_) => HospitalAnswer::Refused,
        NodeVerdict::AheadOfClock { .. } => HospitalAnswer::AheadOfClock,
        NodeVerdict::Forged(_) => HospitalAnswer::Forged,
        NodeVerdict::UnknownValidators { .. } => HospitalAnswer::OtherGroup,
    }
}

/// The highest block of those that agree.
fn newest(nodes: &[(NodeIndex, NodeVerdict)]) -> Height {
    let heights = nodes.iter().filter_map(|(_, verdict)| match verdict {
        NodeVerdict::Agrees { height } => Some(*height),
        _ => None,
    });
    heights.max().unwrap_or_default()
}

/// Which of the two is in the wrong cannot be told, so all that stand by either are named, and what the others did.
fn contradicting(found: &Disagreement) -> Vec<(NodeIndex, HospitalAnswer)> {
    let sides = found.left.nodes.iter().chain(&found.right.nodes);
    let mut answers: BTreeMap<NodeIndex, HospitalAnswer> =
        answers(&found.others, newest(&found.others)).into_iter().collect();
    answers.extend(sides.map(|node| (*node, HospitalAnswer::Contradicts)));
    answers.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use amulet_light_client::Interception;

    #[test]
    fn a_hospital_that_is_behind_is_told_from_one_that_lies_and_from_a_sign_in_page() {
        let nodes = [
            NodeVerdict::Agrees { height: Height(7) },
            NodeVerdict::Agrees { height: Height(5) },
            NodeVerdict::Unreachable(TransportError::Connect),
            NodeVerdict::Unreachable(TransportError::Intercepted { by: Interception::Redirect }),
            NodeVerdict::NotAsked,
            NodeVerdict::Forged(amulet_light_client::Forgery::Count { asked: 1, found: 2 }),
        ];
        let nodes: Vec<_> =
            nodes.into_iter().enumerate().map(|(at, verdict)| (NodeIndex(at), verdict)).collect();
        let found: Vec<_> = answers(&nodes, newest(&nodes)).into_iter().map(|(_, answer)| answer).collect();
        let expected = [
            HospitalAnswer::Agrees,
            HospitalAnswer::Behind { blocks: 2 },
            HospitalAnswer::Silent,
            HospitalAnswer::Elsewhere,
            HospitalAnswer::NotAsked,
            HospitalAnswer::Forged,
        ];
        assert_eq!(found, expected);
    }
}
