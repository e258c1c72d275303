"""No web page drives the emulator.

Ministack lets every page of a browser call it (CORS), and through ECS a call runs containers with the rights of the
Docker engine. No AWS client sends these headers.
"""

from .asgi import App, Message, Receive, Send, answer, headers_of


def refused(app: App) -> App:
    """The application without requests that a browser sends for a page."""

    async def guard(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http" and {"origin", "sec-fetch-site"} & headers_of(scope).keys():
            body = b"requests of web pages are refused\n"
            await answer(send, 403, {"content-type": "text/plain", "content-length": str(len(body))}, body)
        else:
            await app(scope, receive, send)

    return guard
