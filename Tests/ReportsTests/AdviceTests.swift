import FlowRuns
import Ledger
import Manifests
import Planner
import TestSupport
import Testing
import Text

@testable import Reports

/// The reruns and acknowledgements that `status` and `why` suggest, pasted into the manifest as printed, in generated situations.
@Suite("Advice")
struct AdviceTests {
    /// A flow of a few hours, some of which were requested already, by Sluice or by somebody else.
    private struct Situation {
        private static let hour = Duration.seconds(3600)
        private var random: SeededGenerator
        private let hours: Int
        private(set) var yaml: String
        private(set) var runs: [RecordedRun] = []

        init(seed: UInt64) {
            random = SeededGenerator(seed: seed)
            hours = Int.random(in: 2...5, using: &random)
            yaml = ""
            yaml = manifest()
            for number in 0..<hours { recordRuns(from: number, to: number + 1) }
            if random.happens(0.3) { recordForeignRun() }
            if random.happens(0.3) { recordSurplus() }
        }

        private mutating func manifest() -> String {
            var lines = [
                "apiVersion: sluice/v1", "kind: RunManifest", "metadata: {name: crm}", "spec:", "  target: prod",
                "  flows:", "  - flowId: \(Sample.flowID(1))", "    source: file",
            ]
            if random.happens(0.5) { lines.append("    retryFailed: \(Int.random(in: 1...2, using: &random))") }
            if random.happens(0.5) { lines.append("    expect: {minimumRecords: 100}") }
            if random.happens(0.3) { lines.append("    overlap: trim") }
            if random.happens(0.3) { lines.append("    batch: PT\(Int.random(in: 2...3, using: &random))H") }
            if lines.contains(where: { $0.contains("batch") }) || random.happens(0.4) {
                let end = Sample.newYear + Self.hour * hours
                lines.append("    series: [{every: PT1H, from: \(Sample.newYear), until: \(end)}]")
            } else {
                lines.append("    windows:")
                for number in 0..<hours {
                    let window = Self.window(number, number + 1)
                    lines.append("    - {start: \(window.start), end: \(window.end)}")
                }
            }
            if random.happens(0.3) {
                let window = Self.window(0, 1)
                lines += [
                    "    rerun:",
                    "      - {start: \(window.start), end: \(window.end), id: again-1, reason: late files}",
                ]
            }
            return lines.joined(separator: "\n") + "\n"
        }

        private static func window(_ start: Int, _ end: Int) -> Window {
            Sample.window(Sample.newYear + hour * start, hour * (end - start))
        }

        private mutating func recordRuns(from start: Int, to end: Int) {
            for attempt in 1...Int.random(in: 1...3, using: &random) {
                guard random.happens(0.8) else { return }
                let state = [RunState.failed, .failed, .succeeded, .partial, .accepted].randomElement(using: &random)
                record(Self.window(start, end), state ?? .failed, attempt: attempt)
                guard state == .failed else { return }
            }
        }

        private mutating func recordForeignRun() {
            let start = Int.random(in: 0..<hours, using: &random)
            let end = Int.random(in: start + 1...hours, using: &random)
            let state: RunState = random.happens(0.5) ? .failed : .succeeded
            guard !runs.contains(where: { $0.window == Self.window(start, end) }) else { return }
            record(Self.window(start, end), state, origin: .service)
        }

        /// Adds a second run of a window that was ingested.
        private mutating func recordSurplus() {
            guard let run = runs.filter({ $0.state == .succeeded }).randomElement(using: &random),
                let window = run.window
            else { return }
            let attempts = runs.filter { $0.window == window }.map(\.identity.attempt)
            record(window, .succeeded, attempt: (attempts.max() ?? 0) + 1, origin: .service)
        }

        private mutating func record(
            _ window: Window, _ state: RunState, attempt: Int = 1, origin: RunOrigin = .request
        ) {
            runs.append(
                Sample.run(
                    1, window, state, attempt: attempt, origin: origin, id: "run-\(runs.count)",
                    records: state.hasEnded && state != .failed ? [0, 500].randomElement(using: &random) : nil))
        }

        func declaration() -> FlowDeclaration? { loadedFlow(yaml) }

        func plan(_ declaration: FlowDeclaration) -> FlowPlan {
            let record = FlowRecord(id: declaration.id, contactedAt: Sample.asOf)
            return Planner(asOf: Sample.asOf).plan(
                declaration, record: record,
                runs: runs.sorted { Self.order($0).lexicographicallyPrecedes(Self.order($1)) })
        }

        private static func order(_ run: RecordedRun) -> [String] {
            [
                run.window?.start.description ?? "", run.window?.end.description ?? "", run.identity.rerun ?? "",
                String(run.identity.attempt),
            ]
        }

        /// Lets every planned run succeed with enough records, and every running one end.
        mutating func apply(_ declaration: FlowDeclaration) {
            for index in runs.indices where runs[index].state == .accepted { runs[index].state = .succeeded }
            for _ in 0..<5 {
                let plan = plan(declaration)
                guard !plan.diagnostics.hasErrors, !plan.actions.isEmpty else { return }
                for action in plan.actions {
                    runs.append(
                        RecordedRun(
                            identity: action.identity(in: declaration.id), state: .succeeded,
                            id: RunID("run-\(runs.count)"), recordedAt: Sample.asOf, records: 1000))
                }
            }
        }

        func why(_ declaration: FlowDeclaration) -> WhyReport {
            let plan = plan(declaration)
            return WhyReport(
                declaration, plan: plan,
                status: FlowStatus(declaration, plan: plan, runs: runs, refreshedAt: Sample.asOf, asOf: Sample.asOf),
                entries: runs.map { LedgerEntry(run: $0, updatedAt: Sample.asOf) }, range: nil, asOf: Sample.asOf)
        }

        /// The report as it is printed, and the reruns in it: their windows, and the lines.
        func report(
            _ report: Printed, of declaration: FlowDeclaration
        ) -> (windows: [Window], text: String, lines: [String]) {
            let plan = plan(declaration)
            let why = why(declaration)
            let style = TextStyle(width: 80)
            let text =
                switch report {
                case .status: StatusReport(target: "prod", asOf: Sample.asOf, flows: [why.flow]).written(.text, style)
                case .why: why.written(.text, style)
                }
            let printed = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            let first = printed.firstIndex { line in
                line == "    rerun:" || ["      - start: ", "      - from: "].contains { line.hasPrefix($0) }
            }
            let lines =
                first.map { printed[$0...].prefix { $0.hasPrefix("    rerun:") || $0.hasPrefix("      ") } } ?? []
            let search = TroubleSearch(declaration, plan: plan, runs: runs)
            let stretches = lines.isEmpty ? [] : RerunChoice(search).stretches
            return (stretches.map(\.window), text, Array(lines))
        }

        /// The acknowledgements in a printed report.
        func acknowledgements(_ text: String) -> [String] {
            let printed = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            let first = printed.firstIndex { $0 == "    acknowledged:" || $0.hasPrefix("      - run: ") }
            return first.map {
                Array(printed[$0...].prefix { $0.hasPrefix("    acknowledged:") || $0.hasPrefix("      ") })
            } ?? []
        }

        /// Pastes acknowledgements where the report says: as a new key of the flow, or into the list.
        mutating func acknowledge(_ lines: [String]) {
            let anchor = lines.first == "    acknowledged:" ? "    source: file\n" : "    acknowledged:\n"
            yaml = yaml.replacing(anchor, with: anchor + lines.joined(separator: "\n") + "\n", maxReplacements: 1)
        }

        mutating func paste(_ lines: [String]) { yaml += lines.joined(separator: "\n") + "\n" }

        /// How often each hour was ingested.
        var ingested: [Int] {
            (0..<hours).map { number in
                runs.count {
                    $0.state.isAccepted && $0.state != .failed
                        && $0.window?.overlaps(Self.window(number, number + 1)) ?? false
                }
            }
        }

        /// The hours of a window.
        func hours(of window: Window) -> [Int] {
            (0..<hours).filter { Self.window($0, $0 + 1).overlaps(window) }
        }
    }

    /// The reports that print advice.
    enum Printed: CaseIterable {
        case status, why
    }

    @Test(
        "following what a report suggests ends the trouble, and ingests nothing more often than the manifest declares",
        arguments: Printed.allCases)
    func followed(_ report: Printed) throws {
        var (followed, acknowledged, announced) = (0, 0, 0)
        for seed in 0..<600 as Range<UInt64> {
            var situation = Situation(seed: seed)
            var declaration = try #require(situation.declaration())
            guard !situation.plan(declaration).diagnostics.hasErrors else { continue }
            // What an apply would ingest without any advice.
            var withoutAdvice = situation
            withoutAdvice.apply(declaration)
            var most = withoutAdvice.ingested
            // Some people apply before they follow the advice, and others after.
            if seed % 2 == 0 { situation.apply(declaration) }
            for _ in 0..<5 {
                let text = situation.report(report, of: declaration).text
                let lines = situation.acknowledgements(text)
                if lines.isEmpty { break }
                situation.acknowledge(lines)
                declaration = try #require(situation.declaration())
                acknowledged += 1
                let plan = situation.plan(declaration)
                #expect(!plan.diagnostics.hasErrors, "seed \(seed): \(plan.diagnostics)\n\(situation.yaml)")
            }
            let troubles = FlowStatus(
                declaration, plan: situation.plan(declaration), runs: situation.runs, refreshedAt: Sample.asOf,
                asOf: Sample.asOf
            ).troubles
            #expect(
                !troubles.contains { $0.kind == .ingestedTooOften && !($0.remedy?.lines.isEmpty ?? true) },
                "seed \(seed): the trouble lasts\n\(situation.yaml)")
            var advised: [Window] = []
            while true {
                let status = situation.report(report, of: declaration)
                guard !status.windows.isEmpty else { break }
                try #require(advised.count < 20, "seed \(seed): the advice never ends\n\(status.text)")
                try #require(
                    !status.windows.contains(where: advised.contains),
                    "seed \(seed): advised again\n\(status.text)\n\(situation.yaml)")
                // A window that was ingested, with too few records, is ingested once more. A failed one was not.
                let shown = status.windows.prefix(Remedies.maxEntries)
                for hour in shown.flatMap(situation.hours) {
                    most[hour] = max(1, most[hour] + (situation.ingested[hour] > 0 ? 1 : 0))
                }
                situation.paste(status.lines)
                declaration = try #require(situation.declaration())
                let plan = situation.plan(declaration)
                #expect(!plan.diagnostics.hasErrors, "seed \(seed): \(plan.diagnostics)\n\(situation.yaml)")
                situation.apply(declaration)
                advised += shown
                followed += 1
                #expect(
                    shown.flatMap(situation.hours).allSatisfy { situation.ingested[$0] > 0 },
                    "seed \(seed): \(shown) are not ingested\n\(status.text)\n\(situation.yaml)")
                let after = FlowStatus(
                    declaration, plan: situation.plan(declaration), runs: situation.runs, refreshedAt: Sample.asOf,
                    asOf: Sample.asOf)
                let left = after.troubles.filter { [.failed, .tooFewRecords].contains($0.kind) }.flatMap(\.windows)
                #expect(
                    !left.contains { window in shown.contains { $0.overlaps(window) } },
                    "seed \(seed): the trouble lasts\n\(status.text)\n\(situation.yaml)")
            }
            if report == .why { announced += try expectAnnouncedRequests(situation, declaration, seed) }
            situation.apply(declaration)
            #expect(
                zip(situation.ingested, most).allSatisfy(<=),
                "seed \(seed): \(situation.ingested), at most \(most)\n\(situation.yaml)")
        }
        #expect(followed >= 200, "\(followed)")
        #expect(acknowledged >= 50, "\(acknowledged)")
        #expect(report != .why || announced >= 200, "\(announced)")
    }

    /// Checks that `why` announces each request of the next apply, and no other one.
    ///
    /// - Returns: The number of announced windows.
    private func expectAnnouncedRequests(
        _ situation: Situation, _ declaration: FlowDeclaration, _ seed: UInt64
    ) throws -> Int {
        let plan = situation.plan(declaration)
        guard !plan.diagnostics.hasErrors else { return 0 }
        let announced = situation.why(declaration).windows.filter { $0.next.hasSuffix("by the next apply") }
        for window in announced.map(\.window) {
            #expect(
                plan.actions.contains { $0.window.contains(window) }, "seed \(seed): \(window)\n\(situation.yaml)")
        }
        for action in plan.actions {
            #expect(
                announced.contains { $0.window == action.window },
                "seed \(seed): \(action.window)\n\(situation.yaml)")
        }
        return announced.count
    }
}
