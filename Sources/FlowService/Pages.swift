import FlowRuns

/// A page of a listing.
package struct Page<Item> {
    /// In the order in which the service lists them.
    package let items: [Item]
    /// What to ask for the page after it with; `nil` on the last one.
    package let next: String?

    /// Takes both members as they are.
    package init(items: [Item], next: String?) {
        self.items = items
        self.next = next
    }
}

extension Page: Sendable where Item: Sendable {}

/// In which order a flow's runs are asked for.
package enum RunOrder: Hashable, Sendable {
    /// As the service likes.
    case any
    /// `orderby=-createdAt`. The public OpenAPI document has `orderby`, but does not say by which fields: a service may
    /// refuse it, or ignore it.
    case newestFirst
}

extension FlowService {
    /// All runs of a flow.
    ///
    /// - Parameter turn: waits for a request's turn under a rate limit; called before each page.
    package func runs(
        of flow: FlowID, turn: () async -> Void = {}
    ) async throws(FlowServiceError) -> [ObservedRun] {
        try await everything("runs", id: \.id, turn: turn) { next throws(FlowServiceError) in
            try await runs(of: flow, order: .any, after: next)
        }
    }

    /// A flow's runs, the newest first, no more pages of them than the caller needs. All of them where the service does
    /// not list by time.
    ///
    /// - Parameter isEnough: looks at what was listed so far, after each page. Only it knows whether the order holds.
    package func newestRuns(
        of flow: FlowID, until isEnough: ([ObservedRun]) -> Bool, turn: () async -> Void = {}
    ) async throws(FlowServiceError) -> [ObservedRun] {
        do throws(FlowServiceError) {
            return try await everything("runs", id: \.id, until: isEnough, turn: turn) {
                next throws(FlowServiceError) in
                try await runs(of: flow, order: .newestFirst, after: next)
            }
        } catch .refused(status: 400, _) {
            return try await runs(of: flow, turn: turn)
        }
    }

    /// All flows of the sandbox.
    ///
    /// - Parameter turn: waits for a request's turn under a rate limit; called before each page.
    package func flows(turn: () async -> Void = {}) async throws(FlowServiceError) -> [ServiceFlow] {
        try await everything("flows", id: \.id, turn: turn) { next throws(FlowServiceError) in
            try await flows(after: next)
        }
    }

    /// The items of the pages, each once: one made while the pages are read can push another onto the next page, where
    /// it comes again.
    private func everything<Item, ID: Hashable>(
        _ what: String, id: (Item) -> ID, until isEnough: ([Item]) -> Bool = { _ in false }, turn: () async -> Void,
        page: (String?) async throws(FlowServiceError) -> Page<Item>
    ) async throws(FlowServiceError) -> [Item] {
        var items: [Item] = []
        var seen: Set<ID> = []
        var visited: Set<String> = [""]
        var next: String?
        while true {
            await turn()
            let page = try await page(next)
            items += page.items.filter { seen.insert(id($0)).inserted }
            guard let following = page.next, !isEnough(items) else { return items }
            guard visited.insert(following).inserted else {
                throw .unreadable("the pages of /\(what) lead in a circle")
            }
            next = following
        }
    }
}
