//! The libp2p protocol of light clients: its name and its codec, shared by this client and the node that answers.

use amulet_protocol::codec::{self, DecodeError};
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_protocol::limits::{LIGHT_REQUEST_BYTES_MAX, LIGHT_RESPONSE_BYTES_MAX};
use borsh::{BorshDeserialize, BorshSerialize};
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::StreamProtocol;
use libp2p::request_response;
use std::io;

/// Name of the protocol, with its version.
pub const LIGHT_PROTOCOL: StreamProtocol = StreamProtocol::new("/amulet/light/1");

/// One question and one answer on a stream, each borsh-encoded and ended by closing the stream. Questions have at most
/// [`LIGHT_REQUEST_BYTES_MAX`] bytes, answers at most [`LIGHT_RESPONSE_BYTES_MAX`]; reading stops one byte beyond.
#[derive(Clone, Copy, Debug, Default)]
pub struct LightCodec;

impl request_response::Codec for LightCodec {
    type Protocol = StreamProtocol;
    type Request = LightRequest;
    type Response = LightResponse;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<LightRequest>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io, LIGHT_REQUEST_BYTES_MAX).await
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<LightResponse>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io, LIGHT_RESPONSE_BYTES_MAX).await
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        request: LightRequest,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, &request, LIGHT_REQUEST_BYTES_MAX).await
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        response: LightResponse,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, &response, LIGHT_RESPONSE_BYTES_MAX).await
    }
}

/// Reads one message; what is refused comes back as a [`DecodeError`] inside the [`io::Error`].
async fn read<M, T>(io: &mut T, limit: usize) -> io::Result<M>
where
    M: BorshDeserialize,
    T: AsyncRead + Unpin + Send,
{
    let mut bytes = Vec::new();
    io.take(limit as u64 + 1).read_to_end(&mut bytes).await?;
    codec::decode(&bytes, limit).map_err(refused)
}

async fn write<M, T>(io: &mut T, message: &M, limit: usize) -> io::Result<()>
where
    M: BorshSerialize + Sync,
    T: AsyncWrite + Unpin + Send,
{
    let bytes = codec::encode(message);
    if bytes.len() > limit {
        return Err(refused(DecodeError::TooLarge { found: bytes.len(), limit }));
    }
    io.write_all(&bytes).await?;
    io.close().await
}

fn refused(error: DecodeError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
