import FlowRuns
import Foundation
import Ledger
import Manifests
import Planner
import TestSupport
import Testing
import Text

@testable import Reports

@Suite("Coverage")
struct CoverageTests {
    private let day = Sample.day

    private func coverage(_ states: [RunState], from start: Timestamp = Sample.newYear) -> FlowCoverage {
        let runs = states.enumerated().map {
            Sample.run(1, Sample.window(start + day * $0.offset, day), $0.element)
        }
        return FlowCoverage(Sample.flow(1, "contacts"), runs: runs)
    }

    @Test("undeclared time between two windows is a gap")
    func gaps() {
        let runs = [0, 1, 4].map { Sample.run(1, Sample.window(Sample.newYear + day * $0, day), .succeeded) }
        let coverage = FlowCoverage(Sample.flow(1, "contacts"), runs: runs)
        #expect(coverage.counts[.gap] == 1)
        #expect(coverage.gapLength == day * 2)
        #expect(coverage.stretches.last?.start == Sample.newYear + day * 2)
    }

    @Test("overlapping windows leave no gap")
    func overlap() {
        let runs = [(0, 100), (10, 10), (90, 20)].map {
            Sample.window(Timestamp(seconds: $0), .seconds($1))
        }.map {
            Sample.run(1, $0, .succeeded)
        }
        #expect(FlowCoverage(Sample.flow(1, "x"), runs: runs).counts[.gap] == 0)
    }

    @Test("a planned rerun is shown on its window; a refused run is not shown")
    func plannedAndRefused() {
        let window = Sample.window(Timestamp(seconds: 0), day)
        let rerun = PlannedAction(kind: .rerun, window: window, rerun: "fix", reason: "", place: Sample.place(1))
        let refused = Sample.run(1, Sample.window(Timestamp(seconds: 86_400), day), .rejected)
        let coverage = FlowCoverage(
            Sample.flow(1, "x", actions: [rerun]), runs: [Sample.run(1, window, .succeeded), refused])
        #expect(coverage.counts == [.planned: 1])
    }

    @Test("in each column the worst state is shown, with a minimum width")
    func worstShown() throws {
        var states = [RunState](repeating: .succeeded, count: 5000)
        states[3456] = .failed
        let coverage = coverage(states)
        let end = Sample.newYear + day * 5000
        let scale = try #require(CoverageScale([coverage], asOf: end))
        let marks = CoverageLane(coverage, scale).marks
        #expect(marks.map(\.state) == [.succeeded, .failed, .succeeded])
        #expect(marks[1].columns.count == 3)
        #expect(marks[1].start == Sample.newYear + day * 3456)
        #expect(marks[1].count == 1)
    }

    @Test("the marks of a lane cover all its intervals and nothing else", arguments: 1...20)
    func lanesCover(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var start = Sample.newYear
        let runs = (0..<200).map { _ in
            start += day * Int.random(in: 0...3, using: &generator)
            let length = Duration.seconds(Int.random(in: 1...3 * 86_400, using: &generator))
            return Sample.run(
                1, Sample.window(start, length), RunState.allCases.randomElement(using: &generator) ?? .failed)
        }
        let coverage = FlowCoverage(Sample.flow(1, "x"), runs: runs)
        let scale = try #require(CoverageScale([coverage], asOf: start + day * 10))
        let marks = CoverageLane(coverage, scale).marks
        for (left, right) in zip(marks, marks.dropFirst()) {
            #expect(left.columns.upperBound <= right.columns.lowerBound)
        }
        for stretch in coverage.stretches {
            let middle = scale.position(stretch.start + (stretch.end - stretch.start) / 2) * Double(CoverageLane.width)
            #expect(marks.contains { $0.columns.contains(Int(middle)) && $0.state >= stretch.state })
        }
    }

    @Test("a window that ran more often than declared needs attention, and is shown with its run IDs")
    func repeated() {
        let window = Sample.window(Sample.newYear, day)
        let runs = ["a", "b"].map { Sample.run(1, window, .succeeded, id: $0) }
        let declaration = Sample.declaration(1, windows: [window])
        let flow = FlowCoverage(
            Sample.flow(1, "contacts"), runs: runs, repeated: declaration.repeatedWindows(in: runs))
        let page = CoverageReport(target: "prod", asOf: Sample.asOf, flows: [flow]).written(.html)
        #expect(page.contains("1 window needs attention"))
        #expect(page.contains("ingested twice, declared once"))
        #expect(page.contains(#/<code class="run">a<\/code>.*<code class="run">b<\/code>/#.dotMatchesNewlines()))
    }

    @Test("a window with too few records needs attention")
    func tooFewRecords() {
        let window = Sample.window(Sample.newYear, day)
        let declaration = FlowDeclaration(
            id: Sample.flowID(1), manifest: "crm", target: "prod", source: .file,
            expectation: Expectation(minimumRecords: 1), place: Sample.place(1))
        let flow = FlowCoverage(
            Sample.flow(1, "contacts"), runs: [Sample.run(1, window, .succeeded, id: "none", records: 0)],
            declaration: declaration)
        let page = CoverageReport(target: "prod", asOf: Sample.asOf, flows: [flow]).written(.html)
        #expect(page.contains("1 window needs attention"))
        #expect(page.contains("0 records, and at least 1 is expected"))
    }

    @Test("the page and why name the same manifest line for a window of overlapping series, and for a batch")
    func manifestLines() throws {
        for isBatched in [false, true] {
            var manifest = EditedManifest()
            manifest.write("source: file")
            manifest.write("overlap: \(isBatched ? "error" : "allow")")
            manifest.add("{every: P1D, from: 2024-01-01, until: 2024-01-05}", to: "series")
            if isBatched {
                manifest.write("batch: P2D")
            } else {
                manifest.add("{every: P2D, from: 2024-01-01, until: 2024-01-05}", to: "series")
            }
            let declaration = try #require(manifest.declaration)
            let plan = Planner(asOf: Sample.asOf).plan(
                declaration, record: FlowRecord(id: declaration.id, contactedAt: Sample.asOf), runs: [])
            let runs = plan.actions.map { Sample.run(1, $0.window, .succeeded) }
            let recorded = Planner(asOf: Sample.asOf).plan(
                declaration, record: FlowRecord(id: declaration.id, contactedAt: Sample.asOf), runs: runs)
            let coverage = FlowCoverage(recorded, runs: runs, declaration: declaration)
            let why = WhyReport(
                declaration, plan: recorded,
                status: FlowStatus(declaration, plan: recorded, runs: runs, refreshedAt: nil, asOf: Sample.asOf),
                entries: runs.map { LedgerEntry(run: $0, updatedAt: Sample.asOf) }, range: nil, asOf: Sample.asOf)
            let lines = Dictionary(
                uniqueKeysWithValues: why.windows.map { ($0.window, $0.declarations.first?.place.line) })
            #expect(Set(lines.values) == (isBatched ? [12] : [11, 12]))
            #expect(coverage.stretches.count == (isBatched ? 2 : 6))
            for stretch in coverage.stretches {
                let window = try #require(Window(start: stretch.start, end: stretch.end))
                #expect(stretch.line == lines[window], "\(window.inWords)")
            }
        }
    }

    @Test("a window in the far future does not compress the time axis")
    func farFuture() throws {
        let runs = [Sample.run(1, Window(start: Sample.newYear, end: Timestamp(seconds: 16_515_859_567))!, .succeeded)]
        let coverage = FlowCoverage(Sample.flow(1, "x"), runs: runs)
        #expect(try #require(CoverageScale([coverage], asOf: Sample.asOf)).end == Sample.asOf)
    }

    @Test("a few windows long before all others do not compress the time axis")
    func outlier() throws {
        let runs = ([-4000] + Array(0..<20)).map {
            Sample.run(1, Sample.window(Sample.newYear + day * $0, day), .succeeded)
        }
        let scale = try #require(
            CoverageScale([FlowCoverage(Sample.flow(1, "x"), runs: runs)], asOf: Sample.newYear + day * 20))
        #expect(scale.start == Sample.newYear)
        #expect(scale.whole.start == Sample.newYear - day * 4000)
        #expect(scale.outside == 1)
    }

    @Test("lanes are grouped by manifest, or by owner if each manifest has one flow; troubles come first")
    func groups() {
        #expect(CoverageSamples.small.groups.map { $0.flows.map(\.title) } == [["contacts", "leads", "orders"]])
        let yaml = "series: [{every: P1D, from: 2026-11-20, until: now}]"
        let page = CoverageSamples.page((0..<4).map { ("flow-\($0)", yaml) }, flowsPerManifest: 2) { flow, index, _ in
            flow == 3 && index == 2 ? .failed : .succeeded
        }
        #expect(page.groups.map(\.title) == ["manifest-1, owned by team-1", "manifest-0, owned by team-0"])
        #expect(page.flows.map(\.title) == ["flow-3", "flow-2", "flow-0", "flow-1"])
        let single = CoverageSamples.page([("a", yaml)], flowsPerManifest: 1) { _, _, _ in nil }
        #expect(single.groups.map(\.title) == ["owned by team-0"])
    }

    @Test("the headline has the share of due time and the late flows, and each lane its freshness")
    func headline() {
        let page = CoverageSamples.small.written(.html)
        #expect(page.contains(#/<strong>9\d\.\d % of due time is there<\/strong>; /#))
        #expect(page.contains("1 flow is late") && page.contains("5 h late") && page.contains("on time"))
    }

    @Test("flows with few marks leave room for those with many", arguments: [(5, 1), (10, 6), (16, 12), (24, .max)])
    func fairLimit(_ maximum: Int, _ limit: Int) {
        #expect(CoverageData.fairLimit([2, 20, 2], maximum) == limit)
    }

    @Test("200 flows, and five years of hourly windows, fit into less than a megabyte")
    func size() {
        #expect(CoverageSamples.large.written(.html).utf8.count < 1_000_000)
        #expect(CoverageSamples.long.written(.html).utf8.count < 1_000_000)
        let yaml = "series: [{every: PT1H, from: 2026-11-01, until: now}]"
        let dense = CoverageSamples.page((0..<200).map { ("flow-\($0)", yaml) }, flowsPerManifest: 25) { _, index, _ in
            index % 2 == 0 ? .failed : .succeeded
        }
        #expect(dense.written(.html).utf8.count < 1_000_000)
    }

    @Test(
        "the axis has at most twelve ticks for any time span",
        arguments: [1, 90, 4000, 86_400, 40 * 86_400, 900 * 86_400, 20_000_000_000])
    func ticks(_ seconds: Int64) throws {
        let span = Duration.seconds(seconds)
        let runs = [Sample.run(1, Sample.window(Sample.newYear, span), .succeeded)]
        let scale = try #require(
            CoverageScale([FlowCoverage(Sample.flow(1, "x"), runs: runs)], asOf: Sample.newYear + span))
        #expect(scale.ticks.count <= 12)
        #expect(scale.ticks.allSatisfy { (0...1).contains($0.position) })
    }

    @Test("a page without windows has a message")
    func empty() {
        let page = CoverageReport(target: "prod", asOf: Timestamp(seconds: 0), flows: []).written(.html)
        #expect(page.contains("No window is recorded, and none is due."))
    }
}
