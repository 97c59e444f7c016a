import FlowRuns
import Foundation
import Text

/// The query of a list: `property`, `limit`, `orderby`, `continuationToken`, `count`.
struct ListQuery: Hashable, Sendable {
    let flow: FlowID?
    let limit: Int
    let newestFirst: Bool
    /// The place of the last item of the page before.
    let after: Int?
    let counts: Bool

    /// - Parameter pageSize: the most that a page holds.
    init(_ query: [URLQueryItem], pageSize: Int) throws(ServiceError) {
        var flow: FlowID?
        var limit = pageSize
        var newestFirst = true
        var after: Int?
        var counts = false
        for item in query {
            let value = item.value ?? ""
            switch item.name {
            case "property":
                let prefix = "flowId=="
                guard value.hasPrefix(prefix) else { throw .badQuery("Cannot filter by property '\(value)'.") }
                let text = value.dropFirst(prefix.count)
                guard let id = FlowID(text) else { throw .badQuery("flowId '\(text)' is not a UUID.") }
                flow = id
            case "limit":
                guard let number = Int(value), number > 0 else {
                    throw .badQuery("limit must be a positive integer.")
                }
                limit = min(number, pageSize)
            case "orderby":
                guard ["createdAt", "-createdAt"].contains(value) else {
                    throw .badQuery("Cannot order by '\(value)'; createdAt and -createdAt are known.")
                }
                newestFirst = value.hasPrefix("-")
            case "continuationToken":
                guard let place = ContinuationToken.place(value) else {
                    throw .badContinuation
                }
                after = place
            case "count": counts = value == "true"
            default: break
            }
        }
        (self.flow, self.limit, self.newestFirst, self.after, self.counts) = (flow, limit, newestFirst, after, counts)
    }
}

/// Opaque to clients: the place of the last item seen, so that what is added in between moves no page.
private enum ContinuationToken {
    static func text(_ place: Int) -> String { "p" + String(place, radix: 36) }

    static func place(_ text: String) -> Int? {
        guard text.hasPrefix("p"), let place = Int(text.dropFirst(), radix: 36), place >= 0 else { return nil }
        return place
    }
}

extension SimulatedSandbox {
    /// `GET /runs`. The next page's `href` holds only the token, so a client has to send its own filters again.
    ///
    /// - Parameter isVisible: whether a run shows already; a listing may lag behind.
    func listRuns(
        _ query: ListQuery, at now: Timestamp, isVisible: (_ place: Int, SimulatedRun) -> Bool
    ) throws(ServiceError) -> String {
        let answers = answers(at: now)
        var places = places(of: query.flow).filter { isVisible($0, runs[$0]) }
        if query.newestFirst { places.reverse() }
        return try page(of: places, query, path: "/runs") { answers.listed(runs[$0], of: flow(runs[$0].flow)) }
    }

    /// `GET /flows`.
    func listFlows(_ query: ListQuery, at now: Timestamp) throws(ServiceError) -> String {
        try page(of: Array(flows.indices), query, path: "/flows") { flowAnswer(flows[$0], at: now) }
    }

    /// A list envelope of one item, as `GET /runs/{id}` and its like answer.
    func envelope(_ item: String) -> String {
        var json = JSONText()
        json.object {
            $0.array("items") { $0.element(json: item) }
            $0.object("_links") { _ in }
        }
        return json.text
    }

    /// `GET /flows/{id}`'s item.
    func flowAnswer(_ flow: SimulatedFlow, at now: Timestamp) -> String {
        let column = deltaColumn(of: flow.id)
        let version = column == flow.deltaColumn ? 1 : 2
        var json = JSONText()
        json.object {
            $0.member("id", flow.id.description)
            $0.member("createdAt", 1_651_584_991_000)
            $0.member("updatedAt", 1_651_584_991_000)
            configuration.writeOwners(to: &$0)
            flow.writeDefinition(to: &$0, column: column)
            $0.member("version", "1.\(version)")
            $0.member("etag", "\"\(hexadecimal(stableHash(flow.id.description) >> 32, 8))-0000-0200-0000-\(version)\"")
            let connections = Seed(value: stableHash(flow.id.description))
            $0.array("sourceConnectionIds") { $0.element(connections.uuid(.runID, 0)) }
            $0.array("targetConnectionIds") { $0.element(connections.uuid(.runID, 1)) }
            if let last = places(of: flow.id).last.map({ runs[$0] }) {
                let stage = last.stage(at: now, pace: configuration.pace)
                $0.object("lastRunDetails") {
                    $0.member("id", last.id)
                    $0.member("state", last.status(at: stage))
                    switch stage {
                    case .scheduled: break
                    case .inProgress(let began): $0.member("startedAtUTC", began.milliseconds)
                    case .ended(let began, let ended):
                        $0.member("startedAtUTC", began.milliseconds)
                        $0.member("completedAtUTC", ended.milliseconds)
                    }
                }
            }
        }
        return json.text
    }

    private func page(
        of places: [Int], _ query: ListQuery, path: String, item: (Int) -> String
    ) throws(ServiceError) -> String {
        var start = 0
        if let after = query.after {
            guard let index = places.firstIndex(of: after) else { throw .badContinuation }
            start = index + 1
        }
        let page = places[start...].prefix(query.limit)
        var json = JSONText()
        json.object {
            $0.array("items") { for place in page { $0.element(json: item(place)) } }
            $0.object("_links") {
                guard page.endIndex < places.endIndex, let last = page.last else { return }
                $0.object("next") { $0.member("href", "\(path)?continuationToken=\(ContinuationToken.text(last))") }
            }
            if query.counts { $0.member("count", places.count) }
        }
        return json.text
    }
}
