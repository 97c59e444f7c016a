import FlowRuns

/// A page of a listing.
package struct Page<Item> {
    /// Items in the order of the service's listing.
    package let items: [Item]
    /// Number of items that were dropped, such as runs of other flows.
    package let leftOut: Int
    /// The cursor for the next page; `nil` on the last page.
    package let next: String?
    /// The `Date` header of this answer: the service's time, in whole seconds.
    package let date: Timestamp?
    /// The earliest possible service time of the request: ``date`` minus the round trip. The page includes everything
    /// that the service listed at that time.
    package let requestedAt: Timestamp?

    package init(
        items: [Item], leftOut: Int = 0, next: String?, date: Timestamp? = nil, requestedAt: Timestamp? = nil
    ) {
        self.items = items
        self.leftOut = leftOut
        self.next = next
        self.date = date
        self.requestedAt = requestedAt
    }

    /// Converts the items of the page.
    ///
    /// - Parameter read: converts one item; `nil` drops the item.
    package func map<Other>(
        _ read: (Item, Page<Item>) throws(FlowServiceError) -> Other?
    ) throws(FlowServiceError) -> Page<Other> {
        var others: [Other] = []
        for item in items {
            if let other = try read(item, self) { others.append(other) }
        }
        return Page<Other>(
            items: others, leftOut: items.count - others.count, next: next, date: date, requestedAt: requestedAt)
    }
}

extension Page: Sendable where Item: Sendable {}

/// A run from a listing of several flows.
package struct ListedRun: Hashable, Sendable {
    /// The run's flow; `nil` if the service does not report it.
    package let flow: FlowID?
    package let run: ObservedRun

    package init(flow: FlowID?, run: ObservedRun) {
        self.flow = flow
        self.run = run
    }
}

/// A cursor over the pages of one listing, which detects listings that never end.
///
/// ```swift
/// var (paging, runs) = (Paging("/runs"), Set<RunID>())
/// while true {
///     let page = try await service.runs(of: flow, newestFirst: true, after: paging.next)
///     let new = page.items.filter { runs.insert($0.id).inserted }
///     guard try paging.advance(after: page, newItems: new.count) else { break }
/// }
/// ```
package struct Paging: Sendable {
    /// The cursor for the next page; `nil` for the first page.
    package private(set) var next: String?
    private let path: String
    private var visited: Set<String> = [""]
    private var pagesWithoutNews = 0

    /// Maximum consecutive pages without new items. A run created during the listing can push another one onto the next
    /// page, so one such page is normal; a whole series is not.
    static let maxPagesWithoutNews = 5
    /// Maximum pages of a listing: ten million runs.
    static let maxPages = 100_000

    /// - Parameter path: the listed path, for error messages: `/runs`.
    package init(_ path: String) { self.path = path }

    /// Advances to the next page.
    ///
    /// - Parameters:
    ///   - page: the current page.
    ///   - newItems: number of items on this page that were on no previous page.
    /// - Returns: whether there is another page.
    /// - Throws: ``FlowServiceError/unreadable(_:)`` when the pages form a loop or do not end.
    package mutating func advance<Item>(after page: Page<Item>, newItems: Int) throws(FlowServiceError) -> Bool {
        guard let following = page.next else { return false }
        guard visited.insert(following).inserted else { throw .unreadable("pagination of \(path) loops") }
        pagesWithoutNews = newItems == 0 && page.leftOut == 0 ? pagesWithoutNews + 1 : 0
        guard pagesWithoutNews < Self.maxPagesWithoutNews else {
            throw .unreadable("pagination of \(path) stalls: \(pagesWithoutNews) consecutive pages without new items")
        }
        guard visited.count <= Self.maxPages else {
            throw .unreadable("pagination of \(path) does not end: 100,000 pages were read")
        }
        next = following
        return true
    }
}

/// Limits of a filter with several values, such as `id==A,B`.
package enum SeveralValues {
    /// Maximum IDs per filter. Keeps the URL below 2,000 characters, which all servers accept.
    package static let maxIDs = 50
}

extension FlowService {
    /// Reads all flows of the sandbox.
    ///
    /// - Throws: ``FlowServiceError`` when the service cannot be read.
    package func flows() async throws(FlowServiceError) -> [ServiceFlow] {
        var (flows, seen): ([ServiceFlow], Set<FlowID>) = ([], [])
        var paging = Paging("/flows")
        while true {
            let page = try await self.flows(after: paging.next)
            // A flow created during the listing can push another one onto the next page, where it appears again.
            let new = page.items.filter { seen.insert($0.id).inserted }
            flows += new
            guard try paging.advance(after: page, newItems: new.count) else { return flows }
        }
    }
}
