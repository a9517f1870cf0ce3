//! A protocol that only validators are offered.

use either::Either;
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent,
    ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::task::{Context, Poll};

/// A behaviour that has no part in the connections of anybody but the members: others are not even offered its protocol,
/// so that they cannot make the node read what it would throw away.
pub(super) struct MembersOnly<B> {
    inner: B,
    members: BTreeSet<PeerId>,
    open: BTreeMap<PeerId, BTreeSet<ConnectionId>>,
}

/// Connections of one member: both sides may dial at once, over both transports, and old ones may linger.
const CONNECTIONS_PER_MEMBER_MAX: usize = 8;

/// A member has as many connections as it may have.
#[derive(Debug, thiserror::Error)]
#[error("{peer} has {CONNECTIONS_PER_MEMBER_MAX} connections already")]
struct TooManyConnections {
    peer: PeerId,
}

impl<B> MembersOnly<B> {
    /// `inner` for these peers.
    pub fn new(inner: B, members: BTreeSet<PeerId>) -> Self {
        Self { inner, members, open: BTreeMap::new() }
    }

    fn room_for(&self, peer: PeerId) -> Result<(), ConnectionDenied> {
        match self.open.get(&peer) {
            Some(open) if open.len() >= CONNECTIONS_PER_MEMBER_MAX => {
                Err(ConnectionDenied::new(TooManyConnections { peer }))
            }
            _ => Ok(()),
        }
    }
}

impl<B> Deref for MembersOnly<B> {
    type Target = B;

    fn deref(&self) -> &B {
        &self.inner
    }
}

impl<B> DerefMut for MembersOnly<B> {
    fn deref_mut(&mut self) -> &mut B {
        &mut self.inner
    }
}

impl<B: NetworkBehaviour> NetworkBehaviour for MembersOnly<B> {
    type ConnectionHandler = Either<THandler<B>, dummy::ConnectionHandler>;
    type ToSwarm = B::ToSwarm;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        if !self.members.contains(&peer) {
            return Ok(Either::Right(dummy::ConnectionHandler));
        }
        self.room_for(peer)?;
        self.inner.handle_established_inbound_connection(connection, peer, local, remote).map(Either::Left)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        self.inner.handle_pending_outbound_connection(connection, peer, addresses, role)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        if !self.members.contains(&peer) {
            return Ok(Either::Right(dummy::ConnectionHandler));
        }
        let handler =
            self.inner.handle_established_outbound_connection(connection, peer, address, role, port);
        handler.map(Either::Left)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        let peer = match &event {
            FromSwarm::ConnectionEstablished(event) => Some(event.peer_id),
            FromSwarm::ConnectionClosed(event) => Some(event.peer_id),
            FromSwarm::AddressChange(event) => Some(event.peer_id),
            _ => None,
        };
        if peer.is_none_or(|peer| self.members.contains(&peer)) {
            match &event {
                FromSwarm::ConnectionEstablished(event) => {
                    self.open.entry(event.peer_id).or_default().insert(event.connection_id);
                }
                FromSwarm::ConnectionClosed(event) => {
                    self.open.entry(event.peer_id).or_default().remove(&event.connection_id);
                }
                _ => {}
            }
            self.inner.on_swarm_event(event);
        }
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {
            Either::Left(event) => self.inner.on_connection_handler_event(peer, connection, event),
            Either::Right(never) => match never {},
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<B::ToSwarm, THandlerInEvent<Self>>> {
        self.inner.poll(cx).map(|action| action.map_in(Either::Left))
    }
}
