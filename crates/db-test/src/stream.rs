//! The stream that the driver uses: with TLS or without, and read along by the sniffer.

use crate::auth_sniffer::AuthSniffer;
use postgres::Socket;
use postgres::tls::{ChannelBinding, MakeTlsConnect, TlsStream};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres_rustls::MakeRustlsConnect;

/// The TLS session type, which `tokio-postgres-rustls` exports only as this associated type.
pub(crate) type Encrypted = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

enum Channel {
    Plain(Socket),
    Encrypted(Box<Encrypted>),
}

pub(crate) struct SniffedStream {
    channel: Channel,
    sniffer: AuthSniffer,
    /// Whether something was received since the last pause.
    has_received: bool,
}

impl SniffedStream {
    pub(crate) fn plain(socket: Socket, sniffer: AuthSniffer) -> Self {
        SniffedStream {
            channel: Channel::Plain(socket),
            sniffer,
            has_received: false,
        }
    }

    pub(crate) fn encrypted(session: Encrypted, sniffer: AuthSniffer) -> Self {
        SniffedStream {
            channel: Channel::Encrypted(Box::new(session)),
            sniffer,
            has_received: false,
        }
    }
}

impl AsyncRead for SniffedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (before, has_room) = (buffer.filled().len(), buffer.remaining() > 0);
        let result = ready!(match &mut self.channel {
            Channel::Plain(socket) => Pin::new(socket).poll_read(context, buffer),
            Channel::Encrypted(session) => Pin::new(session).poll_read(context, buffer),
        });
        let new = buffer.filled().get(before..).unwrap_or_default();
        if new.is_empty() && has_room {
            // A pause: the driver reports an end before it looks at the last message, which has the server's reason.
            if std::mem::take(&mut self.has_received) {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            // The driver has no typed error for an end within a message.
            return Poll::Ready(result.and(Err(io::ErrorKind::UnexpectedEof.into())));
        }
        result?;
        self.has_received = true;
        Poll::Ready(self.sniffer.received(new).map_err(io::Error::from))
    }
}

impl AsyncWrite for SniffedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.sniffer.sent(bytes);
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

impl TlsStream for SniffedStream {
    fn channel_binding(&self) -> ChannelBinding {
        match &self.channel {
            Channel::Plain(_) => ChannelBinding::none(),
            Channel::Encrypted(session) => session.channel_binding(),
        }
    }
}
