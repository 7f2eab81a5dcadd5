//! What every request of the API needs.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    habits::Habits,
    occupancy::{Occupancy, is_presence},
};
use crate::{shared::Shared, state::ServerState, wall_clock::WallClock};

pub(super) struct Api {
    pub(super) shared: Arc<Shared>,
    pub(super) clock: WallClock,
    pub(super) habits: Habits,
}

/// The parameters of a query, by name.
pub(super) type Parameters = Arc<BTreeMap<String, String>>;

impl Api {
    pub(super) fn occupancy(&self, channel: &str) -> Occupancy {
        occupancy(&self.shared.hub.state(), channel)
    }

    /// The channels that somebody is subscribed to.
    pub(super) fn occupied(&self) -> BTreeMap<String, Occupancy> {
        let state = self.shared.hub.state();
        state.channels.keys().map(|channel| (channel.clone(), occupancy(&state, channel))).collect()
    }
}

fn occupancy(state: &ServerState, channel: &str) -> Occupancy {
    let users = || state.member_ids(channel).into_iter().map(str::to_owned).collect();
    Occupancy { subscriptions: state.subscribers(channel), users: is_presence(channel).then(users) }
}
