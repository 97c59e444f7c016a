import NIOCore
import Synchronization

/// The open connections that have already carried a request.
final class Connections: Sendable {
    private let open = Mutex<Set<ObjectIdentifier>>([])

    /// Records a request, and returns whether the connection has carried an earlier one.
    func isReused(_ channel: any Channel) -> Bool {
        let id = ObjectIdentifier(channel)
        guard open.withLock({ $0.insert(id).inserted }) else { return true }
        channel.closeFuture.whenComplete { [weak self] _ in self?.open.withLock { _ = $0.remove(id) } }
        return false
    }
}
