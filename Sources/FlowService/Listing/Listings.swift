import FlowRuns

extension FlowService {
    /// All runs of a flow.
    package func runs(of flow: FlowID) async throws(FlowServiceError) -> [ObservedRun] {
        try await everything("/runs", id: \.id) { next throws(FlowServiceError) in
            try await runs(of: flow, newestFirst: false, after: next)
        }
    }

    /// All flows of the sandbox.
    package func flows() async throws(FlowServiceError) -> [ServiceFlow] {
        try await everything("/flows", id: \.id) { next throws(FlowServiceError) in try await flows(after: next) }
    }

    /// The items of the pages, each once: one made while the pages are read can push another onto the next page, where
    /// it comes again.
    private func everything<Item, ID: Hashable>(
        _ path: String, id: (Item) -> ID, page: (String?) async throws(FlowServiceError) -> Page<Item>
    ) async throws(FlowServiceError) -> [Item] {
        var items: [Item] = []
        var seen: Set<ID> = []
        var paging = Paging(path)
        while true {
            let page = try await page(paging.next)
            let new = page.items.filter { seen.insert(id($0)).inserted }
            items += new
            guard try paging.goOn(after: page, newItems: new.count) else { return items }
        }
    }
}
