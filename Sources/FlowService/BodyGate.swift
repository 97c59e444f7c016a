import FlowRuns
import NIOCore
import Synchronization

/// Stands between a request's body and the wire: the last moment at which the request can still be held back, and
/// afterwards the proof whether it can have left.
///
/// AsyncHTTPClient asks a streamed body for its bytes only when it has a connection and has written the head. A request
/// whose announced body never comes is incomplete, and a server must not act on it (RFC 9112, section 6.3). So as long
/// as the body has not passed, the request was surely not taken, whatever went wrong.
final class BodyGate: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    /// Why the body was held back.
    enum Held: Error {
        case late
        case abandoned
    }

    private enum State {
        case waiting
        case passed
        case shut
    }

    let length: Int
    private let bytes: ByteBuffer
    private let deadline: Timestamp
    private let now: @Sendable () -> Timestamp
    private let state = Mutex(State.waiting)

    /// - Parameter deadline: the last moment at which the body may pass.
    init(_ body: String, deadline: Timestamp, now: @escaping @Sendable () -> Timestamp) {
        bytes = ByteBuffer(string: body)
        length = bytes.readableBytes
        self.deadline = deadline
        self.now = now
    }

    /// Lets nothing pass from now on, also if the library should still ask for it.
    ///
    /// - Returns: whether the body had passed before.
    func shut() -> Bool {
        state.withLock { state in
            if case .passed = state { return true }
            state = .shut
            return false
        }
    }

    private func pass() throws(Held) -> ByteBuffer {
        let held: Held? = state.withLock { state in
            guard case .waiting = state else { return .abandoned }
            guard now() <= deadline else {
                state = .shut
                return .late
            }
            state = .passed
            return nil
        }
        if let held { throw held }
        return bytes
    }

    func makeAsyncIterator() -> Iterator { Iterator(gate: self) }

    struct Iterator: AsyncIteratorProtocol {
        let gate: BodyGate
        private var isDone = false

        init(gate: BodyGate) { self.gate = gate }

        mutating func next() async throws -> ByteBuffer? {
            guard !isDone else { return nil }
            isDone = true
            return try gate.pass()
        }
    }
}
