import NIOCore
import Synchronization

/// A request's body that can be held back until it is put on the wire, and that tells afterwards whether it can have
/// left.
///
/// AsyncHTTPClient asks a streamed body for its bytes only when it has a connection and has written the head; ``LastLook``
/// asks once more when they are written. A request whose announced body never comes is incomplete, and a server must not
/// act on it (RFC 9112, section 6.3). So as long as the body has not passed, the request was surely not taken, whatever
/// went wrong.
final class GuardedBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    /// Why the body was held back.
    enum HeldBack: Error {
        case late
        case abandoned
    }

    private enum State {
        case waiting
        /// The library has the bytes.
        case handedOver
        case written
        case shut(mayHaveLeft: Bool)
    }

    /// Lets nothing pass.
    static let over: GuardedBody = {
        let body = GuardedBody("")
        _ = body.shut()
        return body
    }()

    let length: Int
    private let bytes: ByteBuffer
    private let isLate: @Sendable () -> Bool
    private let state = Mutex(State.waiting)

    /// - Parameter isLate: asked when the body is about to pass, and about to be written; whether it must be held back.
    init(_ body: String, isLate: @escaping @Sendable () -> Bool = { false }) {
        bytes = ByteBuffer(string: body)
        length = bytes.readableBytes
        self.isLate = isLate
    }

    /// Lets nothing pass from now on, also if the library should still ask for it.
    ///
    /// - Returns: whether the body may have left before.
    func shut() -> Bool {
        state.withLock { state in
            let mayHaveLeft =
                switch state {
                case .waiting: false
                case .handedOver, .written: true
                case .shut(let mayHaveLeft): mayHaveLeft
                }
            state = .shut(mayHaveLeft: mayHaveLeft)
            return mayHaveLeft
        }
    }

    /// To be asked right before the bytes are written.
    ///
    /// - Returns: why they must not be written; they surely do not leave then.
    func holdBack() -> HeldBack? { look(becoming: .written) }

    private func pass() throws(HeldBack) -> ByteBuffer {
        if let heldBack = look(becoming: .handedOver) { throw heldBack }
        return bytes
    }

    private func look(becoming next: State) -> HeldBack? {
        state.withLock { state in
            if case .shut = state { return .abandoned }
            guard !isLate() else {
                state = .shut(mayHaveLeft: false)
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
            return try body.pass()
        }
    }
}
