import FlowService

/// A cache of the flow specifications that one apply or refresh has read. Many flows share a specification, so each is
/// read only once, even by concurrent flows.
actor RunSpecifications {
    private enum Entry {
        /// The specification is being read. Other readers wait here.
        case asked([CheckedContinuation<Void, Never>])
        case known(RunSpecification?)
    }

    private let service: any FlowService
    private var entries: [String: Entry] = [:]

    init(_ service: any FlowService) { self.service = service }

    /// Returns the specification; `nil` when it has no `runSpec` or the service does not return it. A client without
    /// the right to read specifications may still request runs; only the check against the specification is skipped.
    func read(_ id: String) async throws(FlowServiceError) -> RunSpecification? {
        while case .asked = entries[id] { await wait(for: id) }
        if case .known(let specification) = entries[id] { return specification }
        entries[id] = .asked([])
        do throws(FlowServiceError) {
            let specification = try await ask(id)
            settle(id, as: .known(specification))
            return specification
        } catch {
            // Waiting readers retry on their own.
            settle(id, as: nil)
            throw error
        }
    }

    private func ask(_ id: String) async throws(FlowServiceError) -> RunSpecification? {
        do throws(FlowServiceError) { return try await service.runSpecification(id) } catch {
            switch error {
            case .refused, .unreadable, .malformed, .stale: return nil
            case .unavailable, .unauthorized, .stopped: throw error
            }
        }
    }

    private func wait(for id: String) async {
        await withCheckedContinuation { continuation in
            guard case .asked(let waiting) = entries[id] else { return continuation.resume() }
            entries[id] = .asked(waiting + [continuation])
        }
    }

    private func settle(_ id: String, as entry: Entry?) {
        if case .asked(let waiting) = entries[id] { for continuation in waiting { continuation.resume() } }
        entries[id] = entry
    }
}
