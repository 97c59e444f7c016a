import FlowRuns
import Planner
import Reports

@testable import Manifests

extension FuzzTarget {
    /// Loads manifests: diagnostics must be about places in the file, windows must be within the limits, and valid
    /// manifests must be planned, rendered, saved and read back.
    static let manifest = FuzzTarget(name: "Manifest") { bytes in
        let file = SourceFile(path: "fuzz.yaml", bytes: bytes)
        let (set, diagnostics) = ManifestLoader().load([file])
        let places = FilePlaces(bytes)
        for diagnostic in diagnostics { try check(diagnostic, places) }
        try expect(diagnostics == diagnostics.sortedByPlace(), "diagnostics are not by place")
        let report = DiagnosticsReport(diagnostics, sources: [file])
        try expect(
            !report.written().unicodeScalars.contains { $0 != "\n" && $0.properties.generalCategory == .control },
            "a control character is shown")
        show(report)
        let asOf = Timestamp(seconds: 1_767_225_600)
        var count = 0
        for flow in set.flows { count += try check(flow, asOf) }
        guard !diagnostics.hasErrors, count <= 2_000 else { return }
        for target in set.targets {
            let flows = set.flows.filter { $0.target == target.name }.map {
                Planner(asOf: asOf).plan($0, record: FlowRecord(id: $0.id), runs: [])
            }
            // A saved plan does not contain the link to runs.
            let plan = Plan(asOf: asOf, target: target.withoutRunLink, manifests: set.digests, flows: flows)
            for diagnostic in plan.diagnostics { try check(diagnostic, places) }
            try expect(try readPlan(planJSON(plan)) == plan, "a plan reads otherwise than it was written")
            show(PlanReport(plan))
        }
    }

    private static func check(_ diagnostic: Diagnostic, _ places: FilePlaces?) throws {
        let texts = [diagnostic.message, diagnostic.suggestion].compactMap(\.self) + diagnostic.notes.map(\.message)
        for text in texts {
            try expect(!text.isEmpty && !text.hasSuffix("."), "not a sentence: \(text)")
        }
        for place in [diagnostic.place].compactMap(\.self) + diagnostic.notes.map(\.place) {
            try expect(place.file == "fuzz.yaml", "\(diagnostic.message) is in another file, \(place.file)")
            try expect(
                places?.contains(line: place.line, column: place.column, length: place.length) ?? true,
                "\(diagnostic.message) is at \(place), \(place.length) long, outside of the file")
        }
    }

    /// Checks a flow.
    ///
    /// - Returns: The number of its windows.
    private static func check(_ flow: FlowDeclaration, _ asOf: Timestamp) throws -> Int {
        let windows = flow.windows.map(\.window) + flow.reruns.map(\.window) + flow.acknowledged.compactMap(\.window)
        for window in windows {
            try expect(
                TimeText.start <= window.start && window.start < window.end && window.end <= TimeText.end,
                "the window \(window) is beyond the limits")
        }
        var count = windows.count
        for series in flow.series where series.excess(dueAt: asOf) == nil {
            var last = series.from
            for progression in series.windows(dueAt: asOf) {
                try expect(
                    progression.start >= last && progression.length > .zero && progression.end <= asOf - series.lag,
                    "a series cuts \(progression)")
                last = progression.end
                count += progression.count
            }
            try expect(count <= Series.maxWindows + windows.count, "a series cuts \(count) windows")
        }
        return count
    }
}

extension Target {
    fileprivate var withoutRunLink: Target {
        Target(
            name: name, service: service, organization: organization, sandbox: sandbox, ledger: ledger,
            wireForm: wireForm, limits: limits, place: place)
    }
}

/// Renders a report in all formats.
func show(_ report: some Report) {
    func show<Shown: Report>(_ report: Shown) { for format in Shown.formats { _ = report.written(format) } }
    show(report)
}
