//! Events of a personal history in another order, or left out.

use crate::{between, client};
use amulet_light_client::client::Standing;
use amulet_light_client::{Clock, Forgery, LightError, SystemClock};
use amulet_protocol::history::HistoryHead;
use amulet_protocol::light::LightResponse;
use amulet_tests::lies::Twist;
use amulet_tests::localnet::Localnet;
use amulet_tests::people;
use std::sync::Arc;

/// The hospital is named, and another one gives the true order.
pub async fn in_another_order(net: &Localnet) {
    let twist: Twist = Arc::new(|_, mut answer| {
        if let LightResponse::History(entries) = &mut answer {
            entries.reverse();
        }
        answer
    });
    let light = client(&between(net, &[1], twist).await);
    light.sync(SystemClock.now()).await.unwrap();
    let patient = people::keys_of(net, "wang-fang").did;
    let history = light.history(patient, HistoryHead::default()).await.unwrap();
    assert!(history.entries.len() > 1);
    assert!(history.entries.windows(2).all(|two| two[0].number + 1 == two[1].number));
    let standing = &light.standings()[0];
    assert!(matches!(standing, Standing::Lied(Forgery::History(_))), "{standing:?}");
}

/// Also if all hospitals leave the same entry out, none of them is believed.
pub async fn without_an_entry_by_everybody(net: &Localnet) {
    let twist: Twist = Arc::new(|_, mut answer| {
        if let LightResponse::History(entries) = &mut answer {
            entries.pop();
        }
        answer
    });
    let light = client(&between(net, &[1, 2, 3, 4], twist).await);
    light.sync(SystemClock.now()).await.unwrap();
    let patient = people::keys_of(net, "wang-fang").did;
    let error = light.history(patient, HistoryHead::default()).await.unwrap_err();
    assert!(matches!(error, LightError::Forged { forgery: Forgery::History(_), .. }), "{error:?}");
}
