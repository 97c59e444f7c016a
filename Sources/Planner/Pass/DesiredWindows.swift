import FlowRuns
import Manifests

/// A window that a manifest requests, and the position of its declaration.
struct DesiredWindow: Hashable, Comparable {
    var window: Window
    let place: Place
    /// The time zone of the window's series, unless UTC.
    var timeZone: String?
    /// Whether the window is cut from a series, and not declared explicitly.
    var isOfSeries = false

    /// Orders by window, then by position, so that a plan does not depend on the order of declarations.
    static func < (left: DesiredWindow, right: DesiredWindow) -> Bool {
        left.window == right.window ? left.place < right.place : left.window < right.window
    }
}

/// All windows that a flow declares, explicit ones and due ones of series, merged in order. The windows of a series are
/// generated one at a time.
struct DesiredWindows: Sequence, IteratorProtocol {
    private struct Source {
        var head: DesiredWindow
        let rest: AnyIterator<DesiredWindow>
    }

    /// The sources in descending order of their heads, so that the smallest is last.
    private var sources: [Source] = []

    /// - Parameters:
    ///   - demand: the flow's demand.
    ///   - series: the demanded series, without those that have too many windows.
    ///   - asOf: the instant up to which windows are due.
    init(_ demand: FlowDemand, _ series: [Series], asOf: Timestamp) {
        add(Self.explicit(demand))
        for series in series {
            let windows = series.windows(dueAt: asOf).lazy.joined()
            let zone = series.timeZone == "UTC" ? nil : series.timeZone
            let desired = windows.map {
                DesiredWindow(window: $0, place: series.place, timeZone: zone, isOfSeries: true)
            }
            add(AnyIterator(desired.makeIterator()))
        }
    }

    /// The explicit windows of a flow, in order.
    private static func explicit(_ demand: FlowDemand) -> AnyIterator<DesiredWindow> {
        var windows = demand.windows
        // Fast path: the windows are usually already in order.
        if !windows.indices.dropFirst().allSatisfy({ windows[$0 - 1].window < windows[$0].window }) {
            windows.sort {
                $0.window == $1.window ? ($0.line, $0.column) < ($1.line, $1.column) : $0.window < $1.window
            }
        }
        let (file, ofSeries) = (demand.place.file, demand.approvedSeriesWindows)
        let desired = windows.lazy.map { declared in
            DesiredWindow(
                window: declared.window,
                place: Place(file: file, line: Int(declared.line), column: Int(declared.column)),
                isOfSeries: !ofSeries.isEmpty && ofSeries.contains(declared.window))
        }
        return AnyIterator(desired.makeIterator())
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

    private mutating func add(_ windows: AnyIterator<DesiredWindow>) {
        guard let head = windows.next() else { return }
        sources.append(Source(head: head, rest: windows))
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

/// An iterator that exposes its next two elements.
struct Lookahead<Base: IteratorProtocol>: IteratorProtocol {
    private(set) var head: Base.Element?
    private(set) var second: Base.Element?
    private var base: Base

    init(_ base: Base) {
        self.base = base
        head = self.base.next()
        second = head == nil ? nil : self.base.next()
    }

    mutating func next() -> Base.Element? {
        guard let next = head else { return nil }
        head = second
        if second != nil { second = base.next() }
        return next
    }
}
