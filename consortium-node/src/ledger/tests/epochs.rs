//! Validator sets that change, each new one certified by the old.

use super::*;
use amulet_contracts::testing::addition;
use amulet_protocol::certificate::CertificateError;
use amulet_protocol::governance::{ApproveMembership, ProposalId, ProposeMembership};
use amulet_protocol::ids::Epoch;

/// A fifth hospital is admitted: proposed in one block, decided in the next, which is the last of epoch 0.
pub(super) fn admit(chain: &mut Chain) -> Height {
    let newcomer = Actor::new(4);
    let change = addition(&newcomer, chain.ledger.chain());
    let propose = Call::ProposeMembership(Box::new(ProposeMembership { change, not_before: Height(0) }));
    let propose = chain.hospital(propose);
    let proposal = ProposalId(chain.commit(vec![propose])[0]);
    let approvals: Vec<_> = [1, 2]
        .map(|member: usize| {
            let approve = Call::ApproveMembership(ApproveMembership { proposal });
            chain.hospitals[member].sign(chain.ledger.chain(), approve)
        })
        .into();
    chain.commit(approvals);
    chain.hospitals.push(newcomer);
    chain.ledger.tip().height
}

#[test]
fn the_old_set_certifies_the_last_block_of_its_epoch_and_the_new_set_the_next() {
    let mut chain = Chain::new();
    let last = admit(&mut chain);
    let header = chain.ledger.header(last).unwrap().unwrap();
    assert_ne!(header.validators_hash, header.next_validators_hash);
    assert_eq!(header.next_validators_hash, chain.ledger.validators().hash());
    let epoch = chain.ledger.epoch();
    assert_eq!((epoch.epoch, epoch.first, epoch.validators.members().len()), (Epoch(1), last.next(), 5));
    let block = chain.propose(vec![]);
    assert_eq!(block.header().validators_hash, epoch.hash);
    assert!(!block.ends_epoch());
    let old_quorum = certificate(&chain.hospitals[..3], block.header());
    let error = chain.ledger.commit(&block, old_quorum).unwrap_err();
    assert!(matches!(error, CommitError::Certificate(CertificateError::TooFew { found: 3, needed: 4 })));
    chain.ledger.commit(&block, chain.certificate(&block)).unwrap();
    for (height, members) in [(Height(1), 4), (last, 4), (last.next(), 5), (last.next().next(), 5)] {
        let set = chain.ledger.validators_at(height).unwrap().unwrap();
        assert_eq!(set.members().len(), members, "{height}");
    }
    assert!(chain.ledger.validators_at(Height(last.0 + 3)).unwrap().is_none());
    let path = chain.folder.path().join("ledger");
    let Chain { ledger, genesis, folder: _folder, .. } = chain;
    drop(ledger);
    let reopened = Ledger::open(&path, &genesis).unwrap();
    assert_eq!(reopened.epoch(), epoch);
}

#[test]
fn an_epoch_that_begins_in_an_uncommitted_parent_is_in_force_on_top_of_it() {
    let mut chain = Chain::new();
    let newcomer = Actor::new(4);
    let change = addition(&newcomer, chain.ledger.chain());
    let propose = Call::ProposeMembership(Box::new(ProposeMembership { change, not_before: Height(0) }));
    let propose = chain.hospital(propose);
    let proposal = ProposalId(propose.id());
    let mut transactions = vec![propose];
    for member in [1, 2] {
        let approve = Call::ApproveMembership(ApproveMembership { proposal });
        transactions.push(chain.hospitals[member].sign(chain.ledger.chain(), approve));
    }
    let ending = Arc::new(chain.propose(transactions));
    assert!(ending.ends_epoch());
    let parents = [ending.clone()];
    let (time, view) = (ending.header().time.plus_millis(1), View(4));
    // In view 4 the primary is replica 4, whom the set of epoch 0 does not know.
    let input = ProposalInput { transactions: vec![], time, proposer: ReplicaId(4), view };
    let next = chain.ledger.execute(&parents, input).unwrap();
    assert_eq!(next.epoch(), ending.next_epoch());
    assert_eq!(next.header().validators_hash, ending.header().next_validators_hash);
    assert!(chain.ledger.validate(&parents, next.block().clone(), None, &()).is_ok());
    assert_eq!(chain.ledger.epoch().epoch, Epoch(0), "nothing is committed yet");
    let mut claims_old = next.block().clone();
    claims_old.header.validators_hash = ending.header().validators_hash;
    let refused = chain.ledger.validate(&parents, claims_old, None, &());
    assert!(matches!(refused, Err(BlockRefusal::Root { root: HeaderRoot::Validators, .. })));
    chain.ledger.commit(&ending, chain.certificate(&ending)).unwrap();
    chain.hospitals.push(newcomer);
    chain.ledger.commit(&next, chain.certificate(&next)).unwrap();
    assert_eq!(chain.ledger.epoch().epoch, Epoch(1));
}
