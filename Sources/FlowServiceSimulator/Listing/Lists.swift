import FlowRuns
import Text

extension SimulatedSandbox {
    /// Answers `GET /runs` with the runs that are listed at `now`.
    ///
    /// - Throws: ``ServiceError`` if the continuation token does not belong to the list, or a filter is rejected.
    package func runs(_ query: ListQuery, at now: Timestamp) throws(ServiceError) -> ListPage<SimulatedRun> {
        var query = try query.understood(as: configuration.severalValues)
        var places = places(of: nil)
        if let flows = query.values(of: "flowId") {
            places = self.places(ofAny: flows.compactMap { FlowID($0) })
            query = query.without("flowId", values: flows)
        } else if let ids = query.values(of: "id") {
            places = self.places(ofRuns: ids)
        }
        let listed = places.filter { runs[$0].listedAt <= now }
        let page = try query.page(
            of: listed, order: .newestFirst, limit: configuration.pageSize, paging: configuration.paging
        ) { runForQueries(runs[$0], at: now) }
        return ListPage(items: page.items.map { runs[$0] }, next: page.next, count: page.count)
    }

    func flows(_ query: ListQuery, at now: Timestamp) throws(ServiceError) -> ListPage<SimulatedFlow> {
        let query = try query.understood(as: configuration.severalValues)
        let places = query.values(of: "id").map(places(ofFlows:)) ?? Array(flows.indices)
        let page = try query.page(
            of: places, order: .oldestFirst, limit: configuration.pageSize, paging: configuration.paging
        ) { JSONValue(flowAnswer(flows[$0], at: now)) }
        return ListPage(items: page.items.map { flows[$0] }, next: page.next, count: page.count)
    }

    func specifications(_ query: ListQuery) throws(ServiceError) -> ListPage<FlowSpecification> {
        let page = try query.page(
            of: Array(specifications.indices), order: .oldestFirst, limit: configuration.pageSize,
            paging: configuration.paging
        ) { JSONValue(specifications[$0].answer) }
        return ListPage(items: page.items.map { specifications[$0] }, next: page.next, count: page.count)
    }

    /// Returns a run in the form to which filters and orders refer.
    ///
    /// The guide on filtering documents a property `state`, which the JSON of a run does not have.
    private func runForQueries(_ run: SimulatedRun, at now: Timestamp) -> JSONValue {
        guard case .object(var members) = JSONValue(runAnswer(run, at: now)) else { return .null }
        members["state"] = .string(run.status(at: now))
        members["name"] = flow(run.flow).map { .string($0.name) }
        return .object(members)
    }
}

/// The envelope of a list in a response, which also encloses a single item.
enum ListEnvelope {
    /// Formats a page.
    ///
    /// - Parameter path: The path in the link to the next page. The link contains only the token, so a client must
    ///   repeat its filters.
    static func text<Item>(
        _ page: ListPage<Item>, path: String, countsOnly: Bool, item: (Item) -> String
    ) -> String {
        var json = JSONText()
        json.object {
            guard !countsOnly else { return $0.member("count", page.count) }
            $0.array("items") { for each in page.items { $0.element(json: item(each)) } }
            $0.object("_links") {
                guard let next = page.next else { return }
                $0.object("next") { $0.member("href", "\(path)?continuationToken=\(next)") }
            }
        }
        return json.text
    }

    /// Formats a single item, as `GET /runs/{id}` and similar requests return it.
    static func text(ofOne item: String) -> String {
        text(ListPage(items: [item], next: nil, count: 1), path: "", countsOnly: false) { $0 }
    }
}
