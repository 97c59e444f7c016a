import FlowService
import NIOCore
import NIOHTTP1
import Synchronization

/// A request body that can be withheld until its bytes are written, and that records whether it may have been sent.
///
/// AsyncHTTPClient requests the bytes of a streamed body only after it has a connection and has written the head.
/// ``SendGate`` checks once more when the bytes are written. A request without its announced body is incomplete, and a
/// server must not process it (RFC 9112, section 6.3). Therefore a request whose body was never released was not
/// accepted, even if the call failed.
final class GuardedBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    /// The reason why the body was withheld.
    enum WithholdReason: Error {
        case late
        case abandoned
    }

    private enum State {
        case waiting
        /// AsyncHTTPClient has received the bytes.
        case handedOver
        case written
        case closed(couldHaveBeenSent: Bool)
    }

    /// A body that is never sent.
    static let neverSent: GuardedBody = {
        let body = GuardedBody("")
        _ = body.close()
        return body
    }()

    let length: Int
    private let bytes: ByteBuffer
    private let isLate: @Sendable () -> Bool
    private let state = Mutex(State.waiting)

    /// - Parameter isLate: whether the body must be withheld. Called when the body is requested, and again before it is
    ///   written.
    init(_ body: String, isLate: @escaping @Sendable () -> Bool = { false }) {
        bytes = ByteBuffer(string: body)
        length = bytes.readableBytes
        self.isLate = isLate
    }

    /// Withholds the body from now on, even if AsyncHTTPClient requests it later.
    ///
    /// - Returns: whether the body may already have been sent.
    func close() -> Bool {
        state.withLock { state in
            let couldHaveBeenSent =
                switch state {
                case .waiting: false
                case .handedOver, .written: true
                case .closed(let couldHaveBeenSent): couldHaveBeenSent
                }
            state = .closed(couldHaveBeenSent: couldHaveBeenSent)
            return couldHaveBeenSent
        }
    }

    /// Checks whether the bytes may be written. Call right before writing them.
    ///
    /// - Returns: the reason why the bytes must not be written; `nil` if they may be written.
    func beginWriting() -> WithholdReason? { advance(to: .written) }

    private func handOver() throws(WithholdReason) -> ByteBuffer {
        if let withheld = advance(to: .handedOver) { throw withheld }
        return bytes
    }

    private func advance(to next: State) -> WithholdReason? {
        state.withLock { state in
            if case .closed = state { return .abandoned }
            guard !isLate() else {
                state = .closed(couldHaveBeenSent: false)
                return .late
            }
            state = next
            return nil
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(body: self) }

    struct Iterator: AsyncIteratorProtocol {
        let body: GuardedBody
        private var isDone = false

        init(body: GuardedBody) { self.body = body }

        mutating func next() async throws -> ByteBuffer? {
            guard !isDone else { return nil }
            isDone = true
            return try body.handOver()
        }
    }
}

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
