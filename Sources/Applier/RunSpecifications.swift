import FlowService
import Synchronization

/// The flow specifications that one apply or refresh has read. Many flows share one, so each is asked for once (or a
/// few times, by flows that begin together).
final class RunSpecifications: Sendable {
    private let service: any FlowService
    private let known = Mutex<[String: RunSpecification?]>([:])

    init(_ service: any FlowService) { self.service = service }

    /// `nil` when the specification has none, or the service does not tell it: whoever may not read specifications may
    /// still request runs; only the check against them is lost then.
    ///
    /// - Parameter turn: waits for a request's turn under the rate limit.
    func read(_ id: String, turn: () async -> Void) async throws(FlowServiceError) -> RunSpecification? {
        if let specification = known.withLock({ $0[id] }) { return specification }
        await turn()
        var specification: RunSpecification?
        do throws(FlowServiceError) { specification = try await service.runSpecification(id) } catch {
            switch error {
            case .refused, .unreadable: break
            case .unavailable, .unauthorized: throw error
            }
        }
        known.withLock { [specification] in $0[id] = .some(specification) }
        return specification
    }
}
