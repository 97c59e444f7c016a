import FlowRuns
import Text

extension SimulatedSandbox {
    /// `GET /runs`: the runs that a list shows by now.
    ///
    /// - Throws: ``ServiceError``: the query's token is none of this list.
    package func runs(_ query: ListQuery, at now: Timestamp) throws(ServiceError) -> ListPage<SimulatedRun> {
        var query = try query.understood(as: configuration.severalValues)
        var places = places(of: nil)
        if let flows = query.values(of: "flowId") {
            places = self.places(ofAny: flows.compactMap { FlowID($0) })
            query = query.without("flowId", flows)
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

    /// A run as filters and orders see it. The guide on filtering names `state` as a run's property, which the run's
    /// own answer does not have.
    private func runForQueries(_ run: SimulatedRun, at now: Timestamp) -> JSONValue {
        guard case .object(var members) = JSONValue(runAnswer(run, at: now)) else { return .null }
        members["state"] = .string(run.status(at: now))
        members["name"] = flow(run.flow).map { .string($0.name) }
        return .object(members)
    }
}

/// The envelope of every list, and of one item, too.
enum ListEnvelope {
    /// - Parameter path: where the next page is asked for. Its `href` holds only the token, so a client has to send its
    ///   own filters again.
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

    /// As `GET /runs/{id}` and its like answer.
    static func text(ofOne item: String) -> String {
        text(ListPage(items: [item], next: nil, count: 1), path: "", countsOnly: false) { $0 }
    }
}
