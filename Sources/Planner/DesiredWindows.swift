import FlowRuns
import Manifests

/// A window that a manifest asks for, and the place that asks.
struct DesiredWindow: Hashable, Comparable {
    var window: Window
    let place: Place
    /// Of the series that it is cut from, where that is not UTC.
    var timeZone: String?
    /// Cut from a series, and not declared by itself.
    var isOfSeries = false

    /// By window, then by place, so that a plan does not depend on the order of declarations.
    static func < (left: DesiredWindow, right: DesiredWindow) -> Bool {
        left.window == right.window ? left.place < right.place : left.window < right.window
    }
}

/// All windows that a flow declares, explicit ones and due ones of series, merged in order. A series stays arithmetic:
/// its windows are made one at a time.
struct DesiredWindows: Sequence, IteratorProtocol {
    private struct Source {
        var head: DesiredWindow
        var rest: AnyIterator<DesiredWindow>
    }

    /// The source with the smallest head is the last.
    private var sources: [Source] = []

    /// - Parameter series: those of the declaration that are not too long to be walked.
    init(_ declaration: FlowDeclaration, _ series: [Series], asOf: Timestamp) {
        let explicit = declaration.windows.sorted {
            $0.window == $1.window ? ($0.line, $0.column) < ($1.line, $1.column) : $0.window < $1.window
        }
        var approved: Set<Window> = []
        if case .exactly(_, let windows) = declaration.batch { approved = windows }
        add(
            explicit.lazy.map {
                DesiredWindow(
                    window: $0.window, place: declaration.place(of: $0), isOfSeries: approved.contains($0.window))
            })
        for series in series {
            let windows = series.windows(dueAt: asOf).lazy.joined()
            let zone = series.timeZone == "UTC" ? nil : series.timeZone
            add(windows.map { DesiredWindow(window: $0, place: series.place, timeZone: zone, isOfSeries: true) })
        }
    }

    mutating func next() -> DesiredWindow? {
        guard let last = sources.indices.last else { return nil }
        let desired = sources[last].head
        if let head = sources[last].rest.next() {
            sources[last].head = head
            sinkLast()
        } else {
            sources.removeLast()
        }
        return desired
    }

    private mutating func add(_ windows: some Sequence<DesiredWindow>) {
        let rest = AnyIterator(windows.makeIterator())
        guard let head = rest.next() else { return }
        sources.append(Source(head: head, rest: rest))
        sinkLast()
    }

    private mutating func sinkLast() {
        var index = sources.count - 1
        while index > 0, sources[index - 1].head < sources[index].head {
            sources.swapAt(index - 1, index)
            index -= 1
        }
    }
}

/// An iterator that shows its next element before it gives it away.
struct Lookahead<Base: IteratorProtocol>: IteratorProtocol {
    private(set) var head: Base.Element?
    private var base: Base
    /// Read already, after the head.
    private var read: ArraySlice<Base.Element> = []

    init(_ base: Base) {
        self.base = base
        head = self.base.next()
    }

    mutating func next() -> Base.Element? {
        defer { if head != nil { head = read.isEmpty ? base.next() : read.popFirst() } }
        return head
    }

    /// The elements that come next, as long as the predicate holds. They stay.
    mutating func peek(while isWanted: (Base.Element) -> Bool) -> [Base.Element] {
        guard let head, isWanted(head) else { return [] }
        var wanted = [head]
        for element in read {
            guard isWanted(element) else { return wanted }
            wanted.append(element)
        }
        while let element = base.next() {
            read.append(element)
            guard isWanted(element) else { break }
            wanted.append(element)
        }
        return wanted
    }
}
