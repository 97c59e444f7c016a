import FlowRuns
import Foundation

/// The query of a list: `property`, `limit`, `orderby`, `continuationToken`, `count`.
package struct ListQuery: Hashable, Sendable {
    /// All must fit.
    var filters: [PropertyFilter] = []
    /// Items on the page, where the query says so.
    var limit: Int?
    /// `nil`: as the list likes, which is runs newest first, all else as it was added.
    var order: Order?
    /// What the page before named as the next.
    var continuation: String?
    /// Whether only the number of items is asked for.
    var countsOnly = false

    struct Order: Hashable, Sendable {
        let property: String
        let isDescending: Bool

        static let newestFirst = Order(property: "createdAt", isDescending: true)
        static let oldestFirst = Order(property: "createdAt", isDescending: false)
    }

    /// A flow's runs, the newest first or the oldest.
    package init(flow: FlowID, newestFirst: Bool = true, limit: Int? = nil, after continuation: String? = nil) {
        self.init(flows: [flow], newestFirst: newestFirst, limit: limit, after: continuation)
    }

    /// The runs of several flows.
    package init(flows: [FlowID], newestFirst: Bool = true, limit: Int? = nil, after continuation: String? = nil) {
        let ids = flows.map(\.description).joined(separator: ",")
        filters = (try? PropertyFilter("flowId==\(ids)")).map { [$0] } ?? []
        order = newestFirst ? .newestFirst : .oldestFirst
        self.limit = limit
        self.continuation = continuation
    }

    init(_ query: [URLQueryItem]) throws(ServiceError) {
        for item in query {
            let value = item.value ?? ""
            switch item.name {
            case "property": filters.append(try PropertyFilter(value))
            case "limit":
                guard let number = Int(value), number > 0 else {
                    throw .badQuery("limit must be a positive integer.")
                }
                limit = number
            case "orderby":
                let property = value.drop { $0 == "-" || $0 == "+" || $0 == " " }
                guard Self.sortable.contains(String(property)) else {
                    throw .badQuery("Cannot order by '\(value)'; known: \(Self.sortable.joined(separator: ", ")).")
                }
                order = Order(property: String(property), isDescending: value.hasPrefix("-"))
            case "continuationToken": continuation = value
            case "count": countsOnly = value.lowercased() == "true"
            default: break
            }
        }
    }

    private static let sortable = ["createdAt", "updatedAt", "id", "name", "state"]

    /// The same query as the service understands it.
    func understood(as meaning: SeveralValuesMeaning) throws(ServiceError) -> ListQuery {
        var query = self
        query.filters = []
        for filter in filters {
            if let filter = try filter.understood(as: meaning) { query.filters.append(filter) }
        }
        return query
    }

    /// The values that alone a property may have, so that only their items are looked at.
    func values(of property: String) -> [String]? { filters.lazy.compactMap { $0.values(of: property) }.first }

    /// The same query for a list of what has one of these values.
    func without(_ property: String, _ values: [String]) -> ListQuery {
        var query = self
        query.filters.removeAll { $0.values(of: property) == values }
        return query
    }
}

/// One page of a list.
package struct ListPage<Item> {
    package let items: [Item]
    /// The continuation token of the page after it; `nil` on the last.
    package let next: String?
    /// Of all pages.
    package let count: Int
}

extension ListQuery {
    /// - Parameters:
    ///   - places: what may be listed, oldest first.
    ///   - usual: where the query names no order.
    ///   - json: how an item shows, for filters and orders.
    func page(
        of places: [Int], order usual: Order, limit most: Int, paging: Paging, json: (Int) -> JSONValue
    ) throws(ServiceError) -> ListPage<Int> {
        let order = order ?? usual
        var places =
            filters.isEmpty
            ? places
            : places.filter { place in
                let item = json(place)
                return filters.allSatisfy { $0.matches(item) }
            }
        if order.property != "createdAt" {
            let keyed = places.map { (place: $0, key: json($0)[order.property] ?? .null) }
            places = keyed.sorted {
                let result = $0.key.isInOrder(after: $1.key)
                return result == .orderedSame ? $0.place < $1.place : result == .orderedAscending
            }.map(\.place)
        }
        if order.isDescending { places.reverse() }
        let start =
            try continuation.map { text throws(ServiceError) in
                guard let start = ContinuationToken(text)?.start(in: places) else { throw .badContinuation }
                return start
            } ?? 0
        let page = places[start...].prefix(min(limit ?? most, most))
        let next: ContinuationToken? =
            if page.endIndex < places.endIndex, let last = page.last {
                paging == .stable ? .after(last) : .offset(page.endIndex)
            } else { nil }
        return ListPage(items: Array(page), next: next?.text, count: places.count)
    }
}

/// Opaque to clients, and without `=`, at which some clients cut it from the link.
private enum ContinuationToken {
    /// The place of the last item seen.
    case after(Int)
    /// How many items were seen.
    case offset(Int)

    init?(_ text: String) {
        guard let number = Int(text.dropFirst(), radix: 36), number >= 0 else { return nil }
        switch text.first {
        case "p": self = .after(number)
        case "o": self = .offset(number)
        default: return nil
        }
    }

    var text: String {
        switch self {
        case .after(let place): "p" + String(place, radix: 36)
        case .offset(let offset): "o" + String(offset, radix: 36)
        }
    }

    /// `nil` when it is none of this list.
    func start(in places: [Int]) -> Int? {
        switch self {
        case .after(let place): places.firstIndex(of: place).map { $0 + 1 }
        case .offset(let offset): offset <= places.count ? offset : nil
        }
    }
}
