import FlowRuns
import Manifests
import Text

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
