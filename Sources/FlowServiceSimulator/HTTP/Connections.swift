import NIOCore
import Synchronization

/// Which open connections have carried a request before.
final class Connections: Sendable {
    private let open = Mutex<Set<ObjectIdentifier>>([])

    /// Whether this is not the connection's first request.
    func isReused(_ channel: any Channel) -> Bool {
        let id = ObjectIdentifier(channel)
        guard open.withLock({ $0.insert(id).inserted }) else { return true }
        channel.closeFuture.whenComplete { [weak self] _ in self?.open.withLock { _ = $0.remove(id) } }
        return false
    }
}
