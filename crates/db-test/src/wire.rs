//! The connection that the driver speaks over: with TLS or without, and watched.

use crate::watch::Watch;
use postgres::Socket;
use postgres::tls::{ChannelBinding, MakeTlsConnect, TlsStream};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres_rustls::MakeRustlsConnect;

/// A TLS session, by the only name it has outside its crate.
pub(crate) type Encrypted = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

enum Channel {
    Plain(Socket),
    Encrypted(Box<Encrypted>),
}

/// A connected socket, ready for the login.
pub(crate) struct Wire {
    channel: Channel,
    watch: Watch,
}

impl Wire {
    pub(crate) fn plain(socket: Socket, watch: Watch) -> Self {
        Wire {
            channel: Channel::Plain(socket),
            watch,
        }
    }

    pub(crate) fn encrypted(session: Encrypted, watch: Watch) -> Self {
        Wire {
            channel: Channel::Encrypted(Box::new(session)),
            watch,
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(match &mut self.channel {
            Channel::Plain(socket) => Pin::new(socket).poll_read(context, buffer),
            Channel::Encrypted(session) => Pin::new(session).poll_read(context, buffer),
        })?;
        let new = buffer.filled().get(before..).unwrap_or_default();
        let seen = self.watch.received(new);
        Poll::Ready(seen.map_err(io::Error::from))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.watch.sent(bytes);
        match &mut self.channel {
            Channel::Plain(socket) => Pin::new(socket).poll_write(context, bytes),
            Channel::Encrypted(session) => Pin::new(session).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.channel {
            Channel::Plain(socket) => Pin::new(socket).poll_flush(context),
            Channel::Encrypted(session) => Pin::new(session).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.channel {
            Channel::Plain(socket) => Pin::new(socket).poll_shutdown(context),
            Channel::Encrypted(session) => Pin::new(session).poll_shutdown(context),
        }
    }
}

impl TlsStream for Wire {
    fn channel_binding(&self) -> ChannelBinding {
        match &self.channel {
            Channel::Plain(_) => ChannelBinding::none(),
            Channel::Encrypted(session) => session.channel_binding(),
        }
    }
}
