//! reputation: clients say how the nodes served, once a week and in tenths; proven lies come from [`crate::evidence`].
//!
//! The rule that makes a score of it is [`amulet_protocol::reputation`]: wallets compute the same.

use crate::state::StateRead;
use crate::step::{Done, Step, Stop, ensure};
use crate::{checks, registry, validators};
use amulet_protocol::ids::{Did, Epoch};
use amulet_protocol::limits::{REPORT_INTERVAL_DAYS, SERVICE_LINES_MAX};
use amulet_protocol::receipt::RefusalCode;
use amulet_protocol::reputation::{
    LedgerDay, ReportService, ReporterState, Reputation, ServiceLine, Voucher,
};
use amulet_protocol::state::{Practitioner, RecordState, StateKey};
use std::collections::BTreeSet;

/// Takes a client's report into the voice of the hospital that vouches for it.
pub(crate) fn report<S: StateRead>(step: &mut Step<'_, S>, call: &ReportService) -> Done<S> {
    let voucher = voucher(step, call.voucher)?;
    let validating = validators::organisations(step).map_err(Stop::Failed)?;
    ensure(validating.contains(&voucher), RefusalCode::NotVouched)?;
    let today = LedgerDay::of(step.now());
    let reporter = StateKey::Reporter(step.sender);
    let last: Option<ReporterState> = step.get(&reporter)?;
    let rested = last.is_none_or(|last| today.days_since(last.reported) >= REPORT_INTERVAL_DAYS);
    ensure(rested, RefusalCode::ReportedLately)?;
    let organisations: Vec<Did> = call.lines.iter().map(|line| line.organisation).collect();
    checks::ascending(&organisations, SERVICE_LINES_MAX)?;
    for line in &call.lines {
        check_line(step, voucher, line)?;
    }
    for line in &call.lines {
        note(step, voucher, line, today, &validating)?;
    }
    step.put(reporter, &ReporterState { reported: today });
    Ok(())
}

/// Marks an organisation as one of whose nodes a lie was proven.
pub(crate) fn convict<S: StateRead>(step: &mut Step<'_, S>, organisation: Did, epoch: Epoch) -> Done<S> {
    change(step, organisation, |reputation, _| reputation.convict(epoch))
}

/// Lets an organisation begin again that was convicted, because the members seat it anew.
pub(crate) fn readmit<S: StateRead>(step: &mut Step<'_, S>, organisation: Did, epoch: Epoch) -> Done<S> {
    change(step, organisation, |reputation, today| reputation.readmit(epoch, today))
}

/// The hospital that knows the sender.
fn voucher<S: StateRead>(step: &Step<'_, S>, voucher: Voucher) -> Done<S, Did> {
    match voucher {
        Voucher::Record(record) => {
            let record: Option<RecordState> = step.get(&StateKey::Record(record))?;
            let own = record.filter(|record| record.patient == step.sender);
            Ok(own.ok_or(RefusalCode::NotVouched)?.provider)
        }
        Voucher::Employer => {
            registry::practitioner(step)?;
            let practitioner: Practitioner = step.get_filled(&StateKey::Practitioner(step.sender))?;
            Ok(practitioner.organisation)
        }
    }
}

fn check_line<S: StateRead>(step: &Step<'_, S>, voucher: Did, line: &ServiceLine) -> Done<S> {
    ensure(line.organisation != voucher, RefusalCode::SelfDealing)?;
    let known = step.exists(&StateKey::Organisation(line.organisation))?;
    ensure(known, RefusalCode::BadOrganisation)?;
    let shares = [line.answered, line.fresh, line.sound];
    Ok(ensure(shares.iter().all(|share| share.is_share()), RefusalCode::BadShare)?)
}

fn note<S: StateRead>(
    step: &mut Step<'_, S>,
    voucher: Did,
    line: &ServiceLine,
    today: LedgerDay,
    validating: &BTreeSet<Did>,
) -> Done<S> {
    let mut others = validating.clone();
    others.remove(&line.organisation);
    change(step, line.organisation, |reputation, _| {
        reputation.settle(today, &others);
        reputation.note(voucher, line);
        true
    })
}

/// Writes an organisation's reputation if `make` says that it has changed it.
fn change<S: StateRead>(
    step: &mut Step<'_, S>,
    organisation: Did,
    make: impl FnOnce(&mut Reputation, LedgerDay) -> bool,
) -> Done<S> {
    let (key, today) = (StateKey::Reputation(organisation), LedgerDay::of(step.now()));
    let mut reputation = step.get(&key)?.unwrap_or_else(|| Reputation::unknown(today));
    if make(&mut reputation, today) {
        step.put(key, &reputation);
    }
    Ok(())
}
