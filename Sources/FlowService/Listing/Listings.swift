import FlowRuns

extension FlowService {
    /// Reads all runs of a flow.
    ///
    /// - Throws: ``FlowServiceError`` when the service cannot be read.
    package func runs(of flow: FlowID) async throws(FlowServiceError) -> [ObservedRun] {
        try await allItems("/runs", id: \.id) { next throws(FlowServiceError) in
            try await runs(of: flow, newestFirst: false, after: next)
        }
    }

    /// Reads all flows of the sandbox.
    ///
    /// - Throws: ``FlowServiceError`` when the service cannot be read.
    package func flows() async throws(FlowServiceError) -> [ServiceFlow] {
        try await allItems("/flows", id: \.id) { next throws(FlowServiceError) in try await flows(after: next) }
    }

    /// Collects the items of all pages without duplicates. An item created during the listing can push another one onto
    /// the next page, where it appears again.
    private func allItems<Item, ID: Hashable>(
        _ path: String, id: (Item) -> ID, page: (String?) async throws(FlowServiceError) -> Page<Item>
    ) async throws(FlowServiceError) -> [Item] {
        var items: [Item] = []
        var seen: Set<ID> = []
        var paging = Paging(path)
        while true {
            let page = try await page(paging.next)
            let new = page.items.filter { seen.insert(id($0)).inserted }
            items += new
            guard try paging.advance(after: page, newItems: new.count) else { return items }
        }
    }
}
