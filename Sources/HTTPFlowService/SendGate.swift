import FlowService
import NIOCore
import NIOHTTP1
import Synchronization

/// A channel handler that checks the deadline of each body on the connection's event loop, right before the bytes are
/// encoded and written.
///
/// AsyncHTTPClient obtains a body's bytes on a different thread from the one that writes them, and the process may be
/// suspended in between. Between this check and the system call, only the encoding of the bytes remains.
final class SendGate: ChannelOutboundHandler {
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = HTTPClientRequestPart

    private let bodies: BodiesInFlight
    private var body: GuardedBody?

    private init(_ bodies: BodiesInFlight) { self.bodies = bodies }

    /// Adds the handler to a connection of AsyncHTTPClient.
    static func add(to channel: any Channel, for bodies: BodiesInFlight) -> EventLoopFuture<Void> {
        channel.eventLoop.submit {
            let pipeline = channel.pipeline.syncOperations
            let encoder = try pipeline.handler(type: HTTPRequestEncoder.self)
            try pipeline.addHandler(SendGate(bodies), position: .after(encoder))
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            body = head.headers.first(name: BodiesInFlight.header).map(bodies.body)
            head.headers.remove(name: BodiesInFlight.header)
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body:
            guard let withheld = body?.beginWriting() else { return context.write(data, promise: promise) }
            promise?.fail(withheld)
            context.fireErrorCaught(withheld)
            context.close(promise: nil)
        case .end:
            context.write(data, promise: promise)
        }
    }
}

/// Bodies of the requests in flight. An internal header, which is removed before sending, identifies the body of each
/// request.
final class BodiesInFlight: Sendable {
    static let header = "Sluice-Body"

    private struct State {
        var next = 0
        var bodies: [String: GuardedBody] = [:]
    }

    private let state = Mutex(State())

    func add(_ body: GuardedBody) -> String {
        state.withLock { state in
            state.next += 1
            let key = String(state.next)
            state.bodies[key] = body
            return key
        }
    }

    /// Returns the body for a key, or a body that is never sent if the request has ended.
    func body(_ key: String) -> GuardedBody { state.withLock { $0.bodies[key] } ?? .neverSent }

    func remove(_ key: String) { state.withLock { $0.bodies[key] = nil } }
}
