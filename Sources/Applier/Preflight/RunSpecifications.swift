import FlowService

/// The flow specifications that one apply or refresh has read. Many flows share one, so each is asked for once, also by
/// flows that begin together.
actor RunSpecifications {
    private enum Entry {
        /// Somebody is asking; the others wait here.
        case asked([CheckedContinuation<Void, Never>])
        case known(RunSpecification?)
    }

    private let service: any FlowService
    private var entries: [String: Entry] = [:]

    init(_ service: any FlowService) { self.service = service }

    /// `nil` when the specification has none, or the service does not tell it: whoever may not read specifications may
    /// still request runs; only the check against them is lost then.
    func read(_ id: String) async throws(FlowServiceError) -> RunSpecification? {
        while case .asked = entries[id] { await wait(for: id) }
        if case .known(let specification) = entries[id] { return specification }
        entries[id] = .asked([])
        do throws(FlowServiceError) {
            let specification = try await ask(id)
            settle(id, as: .known(specification))
            return specification
        } catch {
            // Those who wait try for themselves.
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
