import FlowRuns
import Manifests

/// A policy for new windows that partly overlap a recorded or declared one.
///
/// Calls arrive in the order of windows. A new window stays open until no later window can overlap it, so one pass with
/// little memory is enough.
protocol OverlapPolicy {
    /// Handles a declared window that no recorded run covers.
    mutating func declare(_ new: DesiredWindow, into found: inout FlowFindings)
    /// Handles a window with a run that the service accepted, or may have accepted.
    mutating func record(_ window: Window, by run: RecordedRun, into found: inout FlowFindings)
    /// Handles the end of the windows.
    mutating func finish(into found: inout FlowFindings)
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
    func declare(_ new: DesiredWindow, into found: inout FlowFindings) { found.create(new) }
    func record(_ window: Window, by run: RecordedRun, into found: inout FlowFindings) {}
    func finish(into found: inout FlowFindings) {}
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

    mutating func declare(_ new: DesiredWindow, into found: inout FlowFindings) {
        if let lastEndingNew, lastEndingNew.window.end <= new.window.start { finish(into: &found) }
        var isRefused = false
        if let earlier = lastEndingNew, earlier.window.overlaps(new.window) {
            found.refuse(new, .declared(earlier))
            isRefused = true
        }
        if let (window, run) = lastEndingRecorded, window.overlaps(new.window) {
            refuse(new, window, run, into: &found)
        } else {
            open.append(Open(new: new, isRefused: isRefused))
        }
        if new.window.end > lastEndingNew?.window.end ?? .min { lastEndingNew = new }
    }

    mutating func record(_ window: Window, by run: RecordedRun, into found: inout FlowFindings) {
        for open in open {
            if open.new.window.overlaps(window) {
                refuse(open.new, window, run, into: &found)
            } else if !open.isRefused {
                found.create(open.new)
            }
        }
        open.removeAll(keepingCapacity: true)
        if window.end > lastEndingRecorded?.window.end ?? .min { lastEndingRecorded = (window, run) }
    }

    /// A request in doubt is settled before its overlap is judged.
    private func refuse(_ new: DesiredWindow, _ window: Window, _ run: RecordedRun, into found: inout FlowFindings) {
        if run.state.isDoubtful {
            found.hold(run, new.window, of: new)
        } else {
            found.refuse(new, .recorded(window, run))
        }
    }

    mutating func finish(into found: inout FlowFindings) {
        for open in open where !open.isRefused { found.create(open.new) }
        open.removeAll(keepingCapacity: true)
    }
}

/// The policy `overlap: trim`, which requests only the pieces that neither a recorded run nor an earlier declared
/// window covers.
struct TrimOverlap: OverlapPolicy {
    private struct Open {
        let new: DesiredWindow
        /// The start of the part that is neither covered nor requested yet.
        var start: Timestamp
        var hasPieces = false
    }

    /// The open windows. Their remaining parts, from `firstOpen` on, are disjoint and in order.
    private var open: [Open] = []
    private var firstOpen = 0
    private var coveredUntil = Timestamp.min
    /// The request in doubt, if any: a flow has at most one open claim.
    private var doubts: [(window: Window, run: RecordedRun)] = []

    mutating func declare(_ new: DesiredWindow, into found: inout FlowFindings) {
        if let doubt = doubts.first(where: { $0.window.overlaps(new.window) }) {
            return found.hold(doubt.run, new.window, of: new)
        }
        if coveredUntil <= new.window.start { finish(into: &found) }
        guard coveredUntil < new.window.end else {
            found.recordedCount += 1
            return
        }
        open.append(Open(new: new, start: max(new.window.start, coveredUntil)))
        coveredUntil = new.window.end
    }

    /// A request in doubt covers nothing yet: what it overlaps waits until it is settled.
    mutating func record(_ window: Window, by run: RecordedRun, into found: inout FlowFindings) {
        if run.state.isDoubtful {
            doubts.append((window, run))
            let held = open[firstOpen...].filter { $0.new.window.overlaps(window) }
            for open in held { found.hold(run, open.new.window, of: open.new) }
            open.removeSubrange(..<firstOpen)
            firstOpen = 0
            open.removeAll { $0.new.window.overlaps(window) }
            return
        }
        cover(from: window.start, until: window.end, into: &found)
        coveredUntil = max(coveredUntil, window.end)
    }

    mutating func finish(into found: inout FlowFindings) { cover(from: .max, until: .max, into: &found) }

    /// Requests the open parts before `start`, and discards the open parts before `end`.
    private mutating func cover(from start: Timestamp, until end: Timestamp, into found: inout FlowFindings) {
        while firstOpen < open.count, open[firstOpen].start < end {
            let new = open[firstOpen].new
            if let piece = Window(start: open[firstOpen].start, end: min(start, new.window.end)) {
                found.create(piece, of: new)
                open[firstOpen].hasPieces = true
            }
            guard new.window.end <= end else {
                open[firstOpen].start = end
                break
            }
            if !open[firstOpen].hasPieces { found.recordedCount += 1 }
            firstOpen += 1
        }
        if firstOpen == open.count {
            open.removeAll(keepingCapacity: true)
            firstOpen = 0
        }
    }
}
