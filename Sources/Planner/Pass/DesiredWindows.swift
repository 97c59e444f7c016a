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
        var rest: Rest

        mutating func advance() -> Bool {
            guard let next = rest.next() else { return false }
            head = next
            return true
        }
    }

    private enum Rest {
        case explicit(ExplicitWindows)
        case series(AnyIterator<DesiredWindow>)

        mutating func next() -> DesiredWindow? {
            switch self {
            case .series(let windows): return windows.next()
            case .explicit(var windows):
                // Move the value out while it changes, to avoid a copy.
                self = .explicit(ExplicitWindows())
                defer { self = .explicit(windows) }
                return windows.next()
            }
        }
    }

    /// The sources in descending order of their heads, so that the smallest is last.
    private var sources: [Source] = []

    /// - Parameter series: the declaration's series, without those that have too many windows.
    init(_ declaration: FlowDeclaration, _ series: [Series], asOf: Timestamp) {
        add(.explicit(ExplicitWindows(declaration)))
        for series in series {
            let windows = series.windows(dueAt: asOf).lazy.joined()
            let zone = series.timeZone == "UTC" ? nil : series.timeZone
            let desired = windows.map {
                DesiredWindow(window: $0, place: series.place, timeZone: zone, isOfSeries: true)
            }
            add(.series(AnyIterator(desired.makeIterator())))
        }
    }

    mutating func next() -> DesiredWindow? {
        guard let last = sources.indices.last else { return nil }
        let desired = sources[last].head
        if sources[last].advance() { sinkLast() } else { sources.removeLast() }
        return desired
    }

    private mutating func add(_ windows: Rest) {
        var rest = windows
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

/// The explicit windows of a flow, in order.
private struct ExplicitWindows: IteratorProtocol {
    private var windows: [DeclaredWindow] = []
    private var position = 0
    private var file = ""
    /// The windows of approved batches, which were cut from a series.
    private var approved: Set<Window> = []

    init() {}

    init(_ declaration: FlowDeclaration) {
        file = declaration.place.file
        windows = declaration.windows
        // Fast path: the windows are usually already in order.
        if !windows.indices.dropFirst().allSatisfy({ windows[$0 - 1].window < windows[$0].window }) {
            windows.sort {
                $0.window == $1.window ? ($0.line, $0.column) < ($1.line, $1.column) : $0.window < $1.window
            }
        }
        if case .exactly(_, let windows, _) = declaration.batch { approved = windows }
    }

    mutating func next() -> DesiredWindow? {
        guard position < windows.count else { return nil }
        defer { position += 1 }
        let declared = windows[position]
        return DesiredWindow(
            window: declared.window,
            place: Place(file: file, line: Int(declared.line), column: Int(declared.column)),
            isOfSeries: !approved.isEmpty && approved.contains(declared.window))
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
