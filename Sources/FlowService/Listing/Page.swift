import FlowRuns

/// A page of a listing.
package struct Page<Item> {
    /// In the order in which the service lists them.
    package let items: [Item]
    /// How many more items the page had that were not asked for: runs of other flows.
    package let leftOut: Int
    /// What to ask for the page after it with; `nil` on the last one.
    package let next: String?
    /// The `Date` of this very answer: the service's time, in whole seconds.
    package let date: Timestamp?
    /// The service's time when the page was asked for, at the earliest: the ``date`` less the round trip. Whatever the
    /// service listed at that time, the page can show.
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

    /// - Parameter read: reads one item of this page; `nil` leaves it out.
    func map<Other>(
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

/// A run as a listing of several flows has it.
package struct ListedRun: Hashable, Sendable {
    /// `nil` where the service does not tell.
    package let flow: FlowID?
    package let run: ObservedRun

    package init(flow: FlowID?, run: ObservedRun) {
        self.flow = flow
        self.run = run
    }
}

/// Follows the pages of one listing, and ends those that never end.
///
/// ```swift
/// var paging = Paging("/runs")
/// repeat {
///     let page = try await service.runs(of: flow, newestFirst: true, after: paging.next)
///     let new = …
/// } while try paging.goOn(after: page, newItems: new.count)
/// ```
package struct Paging: Sendable {
    /// What to ask for the next page with; `nil` for the first.
    package private(set) var next: String?
    private let path: String
    private var visited: Set<String> = [""]
    private var pagesWithoutNews = 0

    /// A run made while pages are read can push one onto the next page, where it comes again: one such page is usual,
    /// so many in a row are not.
    static let mostPagesWithoutNews = 5
    /// Ten million runs.
    static let mostPages = 100_000

    /// - Parameter path: what is listed, for the error: `/runs`.
    package init(_ path: String) { self.path = path }

    /// - Parameter newItems: how many of the page's items no page before had.
    /// - Returns: whether there is another page.
    /// - Throws: ``FlowServiceError/unreadable(_:)`` for pages that lead in a circle or to no end.
    package mutating func goOn<Item>(after page: Page<Item>, newItems: Int) throws(FlowServiceError) -> Bool {
        guard let following = page.next else { return false }
        guard visited.insert(following).inserted else { throw .unreadable("the pages of \(path) lead in a circle") }
        pagesWithoutNews = newItems == 0 && page.leftOut == 0 ? pagesWithoutNews + 1 : 0
        guard pagesWithoutNews < Self.mostPagesWithoutNews else {
            throw .unreadable("\(pagesWithoutNews) pages of \(path) in a row bring nothing new")
        }
        guard visited.count <= Self.mostPages else {
            throw .unreadable("the pages of \(path) do not end: \(Self.mostPages) were read")
        }
        next = following
        return true
    }
}
