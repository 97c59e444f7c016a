import FlowRuns
import Manifests
import Text

/// A policy for new windows that partly overlap a recorded or declared one.
///
/// Calls arrive in the order of windows. A new window stays open until no later window can overlap it, so one pass with
/// little memory is enough.
protocol OverlapPolicy {
    /// Handles a declared window that no recorded run covers.
    mutating func declare(_ new: DesiredWindow, into builder: inout FlowPlanBuilder)
    /// Handles a window with a run that the service accepted, or may have accepted.
    mutating func record(_ window: Window, by run: RecordedRun, into builder: inout FlowPlanBuilder)
    /// Handles the end of the windows.
    mutating func finish(into builder: inout FlowPlanBuilder)
}

extension FlowDeclaration.Overlap {
    func makePolicy() -> any OverlapPolicy {
        switch self {
        case .allow: AllowOverlap()
        case .error: RefuseOverlap()
        case .trim: TrimOverlap()
        }
    }
}

/// The policy `overlap: allow`, which requests every window unchanged.
struct AllowOverlap: OverlapPolicy {
    func declare(_ new: DesiredWindow, into builder: inout FlowPlanBuilder) { builder.create(new) }
    func record(_ window: Window, by run: RecordedRun, into builder: inout FlowPlanBuilder) {}
    func finish(into builder: inout FlowPlanBuilder) {}
}

/// The policy `overlap: error`. Compares each new window only with the earlier window that ends last: one comparison
/// per window, regardless of the number of overlaps.
struct RefuseOverlap: OverlapPolicy {
    private struct Open {
        let new: DesiredWindow
        /// Whether the window overlaps an earlier declared window.
        let isRefused: Bool
    }

    private var open: [Open] = []
    private var lastEndingNew: DesiredWindow?
    private var lastEndingRecorded: (window: Window, run: RecordedRun)?
    /// The requests in doubt. A window that overlaps one is held until the doubt is settled.
    private var doubts: [RecordedRun] = []

    mutating func declare(_ new: DesiredWindow, into builder: inout FlowPlanBuilder) {
        if let lastEndingNew, lastEndingNew.window.end <= new.window.start { finish(into: &builder) }
        var isRefused = false
        if let earlier = lastEndingNew, earlier.window.overlaps(new.window) {
            builder.refuse(new, overlapping: .declared(earlier))
            isRefused = true
        }
        if let (window, run) = lastEndingRecorded, window.overlaps(new.window) {
            builder.refuse(new, overlapping: .recorded(window, run))
        } else {
            open.append(Open(new: new, isRefused: isRefused))
        }
        if new.window.end > lastEndingNew?.window.end ?? .min { lastEndingNew = new }
    }

    mutating func record(_ window: Window, by run: RecordedRun, into builder: inout FlowPlanBuilder) {
        guard !run.state.isDoubtful else { return doubts.append(run) }
        for open in open {
            if open.new.window.overlaps(window) {
                builder.refuse(open.new, overlapping: .recorded(window, run))
            } else {
                close(open, into: &builder)
            }
        }
        open.removeAll(keepingCapacity: true)
        if window.end > lastEndingRecorded?.window.end ?? .min { lastEndingRecorded = (window, run) }
    }

    mutating func finish(into builder: inout FlowPlanBuilder) {
        for open in open { close(open, into: &builder) }
        open.removeAll(keepingCapacity: true)
    }

    private func close(_ open: Open, into builder: inout FlowPlanBuilder) {
        guard !open.isRefused else { return }
        if let doubt = doubts.first(overlapping: open.new.window) {
            builder.hold(doubt, window: open.new.window, of: open.new)
        } else {
            builder.create(open.new)
        }
    }
}

/// The policy `overlap: trim`, which requests only the pieces that neither a recorded run nor an earlier declared
/// window covers.
struct TrimOverlap: OverlapPolicy {
    private struct Open {
        let new: DesiredWindow
        /// The start of the part that is not examined yet.
        var start: Timestamp
        /// The pieces before `start` that nothing covers.
        var pieces: [Window] = []
    }

    /// The open windows. Their remaining parts, from `firstOpen` on, are disjoint and in order.
    private var open: [Open] = []
    private var firstOpen = 0
    private var coveredUntil = Timestamp.min
    /// The requests in doubt, which cover nothing yet. A window with a piece that overlaps one is held as a whole.
    private var doubts: [RecordedRun] = []

    mutating func declare(_ new: DesiredWindow, into builder: inout FlowPlanBuilder) {
        if coveredUntil <= new.window.start { finish(into: &builder) }
        guard coveredUntil < new.window.end else {
            builder.recordedCount += 1
            return
        }
        open.append(Open(new: new, start: max(new.window.start, coveredUntil)))
        coveredUntil = new.window.end
    }

    mutating func record(_ window: Window, by run: RecordedRun, into builder: inout FlowPlanBuilder) {
        guard !run.state.isDoubtful else { return doubts.append(run) }
        cover(from: window.start, until: window.end, into: &builder)
        coveredUntil = max(coveredUntil, window.end)
    }

    mutating func finish(into builder: inout FlowPlanBuilder) { cover(from: .max, until: .max, into: &builder) }

    /// Keeps the open parts before `start` as pieces, discards the open parts before `end`, and closes the windows that
    /// have none left.
    private mutating func cover(from start: Timestamp, until end: Timestamp, into builder: inout FlowPlanBuilder) {
        while firstOpen < open.count, open[firstOpen].start < end {
            let windowEnd = open[firstOpen].new.window.end
            if let piece = Window(start: open[firstOpen].start, end: min(start, windowEnd)) {
                open[firstOpen].pieces.append(piece)
            }
            guard windowEnd <= end else {
                open[firstOpen].start = end
                break
            }
            close(open[firstOpen], into: &builder)
            firstOpen += 1
        }
        if firstOpen == open.count {
            open.removeAll(keepingCapacity: true)
            firstOpen = 0
        }
    }

    private func close(_ open: Open, into builder: inout FlowPlanBuilder) {
        if open.pieces.isEmpty {
            builder.recordedCount += 1
        } else if let doubt = open.pieces.lazy.compactMap(doubts.first(overlapping:)).first {
            builder.hold(doubt, window: open.new.window, of: open.new)
        } else {
            builder.create(open.pieces, of: open.new)
        }
    }
}

extension [RecordedRun] {
    fileprivate func first(overlapping window: Window) -> RecordedRun? {
        first { $0.window.map(window.overlaps) ?? false }
    }
}

/// The window that a new window partly overlaps.
enum OverlapSource {
    case recorded(Window, RecordedRun)
    case declared(DesiredWindow)

    var code: DiagnosticCode {
        switch self {
        case .recorded: .windowOverlapsRecorded
        case .declared: .windowOverlapsDeclared
        }
    }
}

/// The series windows that partly overlap others. The overlaps of one series have one cause, such as another length or
/// time zone, and are reported as one.
struct SeriesOverlaps {
    private struct Overlaps {
        let first: DesiredWindow
        let other: OverlapSource
        var last: Window
        var count = 1
    }

    /// Overlaps with recorded windows, by the position of the series.
    private var recorded: [Place: Overlaps] = [:]
    /// Overlaps with declared windows, by the position of the series.
    private var declared: [Place: Overlaps] = [:]

    mutating func add(_ new: DesiredWindow, with other: OverlapSource) {
        func add(to overlaps: inout [Place: Overlaps]) {
            guard overlaps[new.place] != nil else {
                return overlaps[new.place] = Overlaps(first: new, other: other, last: new.window)
            }
            overlaps[new.place]?.last = new.window
            overlaps[new.place]?.count += 1
        }
        switch other {
        case .recorded: add(to: &recorded)
        case .declared: add(to: &declared)
        }
    }

    var diagnostics: [Diagnostic] {
        (Array(recorded.values) + declared.values).sorted { $0.first < $1.first }.map { overlaps in
            guard overlaps.count > 1 else { return .overlap(of: overlaps.first, with: overlaps.other) }
            return .overlaps(of: overlaps.first, with: overlaps.other, count: overlaps.count, until: overlaps.last)
        }
    }
}

extension Diagnostic {
    static func overlap(of new: DesiredWindow, with other: OverlapSource) -> Diagnostic {
        switch other {
        case .recorded(let window, let run):
            Diagnostic(
                other.code, at: new.place,
                "the new window \(new.window.inWords) partly overlaps \(window.inWords), recorded as \(run.inWords)",
                suggestion: trimSuggestion)
        case .declared(let earlier):
            Diagnostic(
                other.code, at: new.place,
                "the window \(new.window.inWords) partly overlaps \(earlier.window.inWords), which is also declared",
                suggestion: trimSuggestion, notes: [Note(place: earlier.place, message: "the other window")])
        }
    }

    fileprivate static func overlaps(
        of first: DesiredWindow, with other: OverlapSource, count: Int, until last: Window
    ) -> Diagnostic {
        let span = "\(first.window.start) to \(last.end)"
        switch other {
        case .recorded(let window, let run):
            return Diagnostic(
                other.code, at: first.place,
                "\(count.grouped) new windows of this series, from \(span), partly overlap recorded ones; the first, "
                    + "\(first.window.inWords), overlaps \(window.inWords), recorded as \(run.inWords)",
                suggestion: trimSuggestion)
        case .declared(let earlier):
            return Diagnostic(
                other.code, at: first.place,
                "\(count.grouped) windows of this series, from \(span), partly overlap others that are declared; the first, "
                    + "\(first.window.inWords), overlaps \(earlier.window.inWords)",
                suggestion: trimSuggestion, notes: [Note(place: earlier.place, message: "the other window")])
        }
    }

    private static let trimSuggestion = "write 'overlap: trim' in the flow to request only what is not covered"
}
