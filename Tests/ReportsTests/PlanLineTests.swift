import FlowRuns
import Manifests
import Planner
import Testing
import Text

@testable import Reports

@Suite("Lines of a plan")
struct PlanLineTests {
    /// Creates actions that are mostly in rows of equal steps, forwards or backwards, with occasional irregularities.
    private func random(_ generator: inout SeededGenerator) -> [PlannedAction] {
        let day: Int64 = 86_400
        var (start, line) = (Int64.random(in: 0...100, using: &generator) * day, 10)
        let step = generator.happens(0.3) ? -day : generator.happens(0.2) ? day * 2 : day
        return (0..<Int.random(in: 1...40, using: &generator)).map { _ in
            start += generator.happens(0.05) ? day * Int64.random(in: 2...900, using: &generator) : step
            line += 1
            let isRetry = generator.happens(0.1)
            return PlannedAction(
                kind: isRetry ? .retry(of: RunID("run-1")!) : .create,
                window: Window(startSeconds: start, endSeconds: start + (generator.happens(0.05) ? day * 30 : day))!,
                deltaColumn: generator.happens(0.03) ? DeltaColumn(name: "updated") : nil,
                reason: isRetry ? "its run run-1 failed" : "never run",
                refusal: generator.happens(0.03) ? "no" : nil, place: Place(file: "a.yaml", line: line, column: 9),
                timeZone: generator.happens(0.03) ? "Europe/Berlin" : nil, isOfSeries: true)
        }
    }

    @Test("the lines of rows equal the lines of single requests")
    func rows() {
        for seed in 0..<2_000 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let actions = random(&generator)
            let rows = PlannedActions(actions).rows.flatMap(PlanLine.lines)
            #expect(described(rows) == described(actions.map { PlanLine($0, unusual: nil) }), "seed \(seed)")
        }
    }

    @Test("unusual windows are found among few requests and among many")
    func unusual() {
        for seed in 0..<2_000 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let actions = random(&generator)
            let windows = actions.map(\.window)
            let asOf = windows[windows.count / 2].end + .seconds(86_400 * 30)
            let unusual = UnusualWindows(PlannedActions(actions), asOf: asOf)
            for (index, window) in windows.enumerated() where window.end > asOf {
                #expect(unusual[index]?.contains("after this plan") == true, "seed \(seed)")
            }
            let lengths = windows.map(\.length).sorted()
            for (index, window) in windows.enumerated()
            where window.end <= asOf && windows.count >= 3 && window.length >= lengths[lengths.count / 2] * 20 {
                #expect(unusual[index]?.contains("times as long") == true, "seed \(seed)")
            }
            let gaps = zip(windows, windows.dropFirst()).map { max($1.start - $0.end, $0.start - $1.end) }
            if windows == windows.sorted(), let longest = gaps.max(), longest > UnusualWindows.farApart {
                #expect(!unusual.isEmpty, "seed \(seed)")
            }
        }
    }

    private func described(_ lines: [PlanLine]) -> [String] {
        PlanLine.folded(lines).map {
            "\($0.kind) \($0.windows.sizeText) \($0.windows.rangeText("-")) \($0.reason) \($0.timeZone ?? "")"
        }
    }
}
