import NIOCore
import NIOHTTP1
import Synchronization

/// Asks each body once more whether it is late, on the thread of its connection and right before its bytes are encoded
/// and written.
///
/// AsyncHTTPClient takes a body's bytes on another thread than the one that writes them, and a process may be stopped
/// between the two for as long as it takes to switch threads. From here to the system call there is nothing but the
/// encoding of the bytes.
final class LastLook: ChannelOutboundHandler {
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = HTTPClientRequestPart

    private let bodies: BodiesUnderWay
    private var body: GuardedBody?

    private init(_ bodies: BodiesUnderWay) { self.bodies = bodies }

    /// Adds it to a connection of the library's.
    static func add(to channel: any Channel, for bodies: BodiesUnderWay) -> EventLoopFuture<Void> {
        channel.eventLoop.submit {
            let pipeline = channel.pipeline.syncOperations
            let encoder = try pipeline.handler(type: HTTPRequestEncoder.self)
            try pipeline.addHandler(LastLook(bodies), position: .after(encoder))
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            body = head.headers.first(name: BodiesUnderWay.header).map(bodies.body)
            head.headers.remove(name: BodiesUnderWay.header)
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body:
            guard let heldBack = body?.holdBack() else { return context.write(data, promise: promise) }
            promise?.fail(heldBack)
            context.fireErrorCaught(heldBack)
            context.close(promise: nil)
        case .end:
            context.write(data, promise: promise)
        }
    }
}

/// The bodies of the requests that are under way. A header that never leaves the process tells which is whose.
final class BodiesUnderWay: Sendable {
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

    /// One that lets nothing pass when the request is over.
    func body(_ key: String) -> GuardedBody { state.withLock { $0.bodies[key] } ?? .over }

    func remove(_ key: String) { state.withLock { $0.bodies[key] = nil } }
}
