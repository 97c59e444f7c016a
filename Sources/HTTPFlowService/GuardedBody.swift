import FlowService
import NIOCore
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
