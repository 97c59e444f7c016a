import FlowRuns
import Foundation

/// The query of a list request: `property`, `limit`, `orderby`, `continuationToken` and `count`.
package struct ListQuery: Hashable, Sendable {
    /// The filters, all of which an item must match.
    var filters: [PropertyFilter] = []
    /// The maximum number of items on the page, if the query specifies one.
    var limit: Int?
    /// The sort order; `nil` for the default: runs newest first, everything else in the order of addition.
    var order: Order?
    /// The continuation token of the previous page.
    var continuation: String?
    /// Whether the response contains only the number of items.
    var countsOnly = false

    struct Order: Hashable, Sendable {
        let property: String
        let isDescending: Bool

        static let newestFirst = Order(property: "createdAt", isDescending: true)
        static let oldestFirst = Order(property: "createdAt", isDescending: false)
    }

    /// Creates a query for a flow's runs, newest or oldest first.
    package init(flow: FlowID, newestFirst: Bool = true, limit: Int? = nil, after continuation: String? = nil) {
        self.init(flows: [flow], newestFirst: newestFirst, limit: limit, after: continuation)
    }

    /// Creates a query for the runs of several flows, newest or oldest first.
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

    /// Returns the query as the service interprets filters with several values.
    func understood(as meaning: SeveralValuesMeaning) throws(ServiceError) -> ListQuery {
        var query = self
        query.filters = []
        for filter in filters {
            if let filter = try filter.understood(as: meaning) { query.filters.append(filter) }
        }
        return query
    }

    /// Returns the values to which an equality filter limits a property; `nil` without such a filter.
    ///
    /// The values allow a lookup instead of a scan of all items.
    func values(of property: String) -> [String]? { filters.lazy.compactMap { $0.values(of: property) }.first }

    /// Returns the query without the filter for these values, after a lookup has applied that filter.
    func without(_ property: String, values: [String]) -> ListQuery {
        var query = self
        query.filters.removeAll { $0.values(of: property) == values }
        return query
    }
}

/// One page of a list.
package struct ListPage<Item> {
    package let items: [Item]
    /// The continuation token of the next page; `nil` on the last page.
    package let next: String?
    /// The number of items on all pages.
    package let count: Int
}

extension ListQuery {
    /// Selects the page that the query asks for.
    ///
    /// - Parameters:
    ///   - places: The indexes of the items, oldest first.
    ///   - usual: The sort order if the query has none.
    ///   - json: Returns the JSON of an item, to which filters and orders refer.
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

/// A continuation token, which is opaque to clients. It has no `=`, because some clients truncate the link there.
private enum ContinuationToken {
    /// The index of the last item on the previous page.
    case after(Int)
    /// The number of items on all previous pages.
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

    /// Returns the position of the next item; `nil` if the token does not belong to the list.
    func start(in places: [Int]) -> Int? {
        switch self {
        case .after(let place): places.firstIndex(of: place).map { $0 + 1 }
        case .offset(let offset): offset <= places.count ? offset : nil
        }
    }
}
