import FlowRuns
import Ledger
import Manifests
import Planner
import Testing
import Text

@testable import Reports

/// Hostile text from manifests, the service and the file system, in every view and every format.
@Suite("Text from outside")
struct HostileTextTests {
    private static let hostile =
        "\n::error::x\r\u{1B}[31m\u{9B}2J\u{202E}\u{2066}\u{E0041}\u{0} ##[error]y @team #12 GH-12 "
        + "https://evil.example www.evil.example <img src=x> </code> [a](b) |`|``|\\| --> **b**"

    private static let run = RunID(hostile) ?? RunID("run")!

    private static var flow: FlowPlan {
        let window = Sample.window(Sample.newYear, .seconds(3600))
        let retry = PlannedAction(
            kind: .retry(of: run), window: window, attempt: 2, reason: hostile, refusal: hostile,
            place: Place(file: hostile, line: 3, column: 4))
        let create = PlannedAction(
            kind: .create, window: Sample.window(Sample.newYear + .seconds(9999), .seconds(3600)),
            deltaColumn: DeltaColumn(name: hostile, dateFormat: hostile), reason: hostile, place: Sample.place(1))
        return Sample.flow(
            1, hostile, actions: [retry, create],
            held: [
                HeldWindow(
                    window: Sample.window(Timestamp(seconds: 0), .seconds(60)), reason: hostile, place: Sample.place(2))
            ],
            undeclared: [recorded],
            diagnostics: [
                Diagnostic(
                    .deltaColumnFixed, .warning, at: Place(file: hostile, line: 1, column: 1), hostile,
                    suggestion: hostile,
                    notes: [.init(place: Place(file: hostile, line: 1, column: 1), message: hostile)])
            ], isVerified: false)
    }

    private static var recorded: RecordedRun {
        Sample.run(
            1, Sample.window(Timestamp(seconds: 0), .seconds(60)), .failed, rerun: hostile, origin: .service,
            id: hostile, failure: hostile)
    }

    private static var plan: PlanReport {
        let target = Target(
            name: hostile, service: .address("https://evil.example/\(hostile)"), organization: hostile,
            sandbox: hostile, ledger: .sqlite(path: hostile), place: Sample.place(1))
        return PlanReport(Plan(asOf: Sample.asOf, target: target, manifests: [], flows: [flow]), digest: hostile)
    }

    private static var history: HistoryReport {
        let provenance = Provenance(
            file: hostile, line: 1, commit: hostile, author: hostile, ciRun: hostile, reason: hostile)
        let entry = LedgerEntry(
            run: recorded, request: hostile, response: hostile, status: hostile, updatedAt: Sample.asOf,
            provenance: provenance)
        return HistoryReport([entry], names: [Sample.flowID(1): hostile], showsRequests: true)
    }

    private static var status: StatusReport {
        let twice = [hostile, hostile + "2"].map {
            Sample.run(1, Sample.window(Timestamp(seconds: 0), .seconds(60)), .succeeded, id: $0)
        }
        let flow = FlowStatus(
            Sample.declaration(1, windows: []), plan: flow, runs: twice + [recorded], refreshedAt: nil,
            asOf: Sample.asOf)
        return StatusReport(target: hostile, asOf: Sample.asOf, flows: [flow])
    }

    private static var diagnostics: DiagnosticsReport {
        let source = SourceFile(path: hostile, bytes: Array("::error::\u{1B}[31m\u{202E}##[x]".utf8))
        return DiagnosticsReport(flow.diagnostics, sources: [source])
    }

    private static func all(_ format: ReportFormat, _ style: TextStyle = TextStyle()) -> [String] {
        func written(_ report: some Report) -> String { report.written(format, style) }
        return [written(plan), written(history), written(status), written(diagnostics)].filter { !$0.isEmpty }
    }

    @Test(
        "no output contains control characters or direction characters",
        arguments: [ReportFormat.text, .json, .markdown, .github, .html])
    func controls(_ format: ReportFormat) {
        var outputs = Self.all(format) + (format == .text ? Self.all(format, TextStyle(width: 60)) : [])
        if format == .html {
            let coverage = FlowCoverage(Self.flow, runs: [Self.recorded])
            outputs = [CoverageReport(target: Self.hostile, asOf: Sample.asOf, flows: [coverage]).written(.html)]
        }
        #expect(!outputs.isEmpty)
        for output in outputs {
            // In Markdown, the program itself inserts zero-width spaces.
            let scalars = output.unicodeScalars.filter { $0 != "\n" && !(format == .markdown && $0 == "\u{200B}") }
            let controls = scalars.filter(\.isInvisibleControl)
            #expect(controls.isEmpty, "\(output)")
        }
    }

    @Test("no line of text or JSON is a workflow command", arguments: [ReportFormat.text, .json])
    func workflowCommands(_ format: ReportFormat) {
        for output in Self.all(format) + Self.all(format, TextStyle(width: 50)) {
            for line in output.split(separator: "\n") {
                let text = line.drop { $0.isWhitespace }
                #expect(!text.hasPrefix("::"), "\(line)")
                #expect(!line.contains("##["), "\(line)")
            }
        }
        let bare = TextStyle().lines("::error::x") + TextStyle().lines("  ::add-mask::y ##[group]")
        #expect(bare.page == ": :error::x\n  : :add-mask::y # #[group]\n")
    }

    @Test("an annotation is one command with three or four properties")
    func annotations() {
        let lines = Self.all(.github).joined().split(separator: "\n")
        #expect(lines.count == 3)
        for line in lines {
            let properties = line.split(separator: "::", maxSplits: 1)[0].split(separator: ",")
            let areNamed = properties.allSatisfy { $0.contains(#/^(\w+ )?(file|line|col|endColumn|title)=/#) }
            #expect(areNamed, "\(line)")
        }
    }

    @Test("in Markdown outside of code, no address, mention, reference, element or link is active")
    func markdown() {
        for output in Self.all(.markdown) {
            var isBlock = false
            for line in output.split(separator: "\n") {
                if line.hasPrefix("```") { isBlock.toggle() }
                guard !isBlock, !line.hasPrefix("<!-- sluice:plan ") else { continue }
                let prose = withoutCode(line).replacing(#/<code>.*?<\/code>/#, with: "")
                let alive = #/@[a-z]|#\d|GH-\d|:\/\/|www\.|<img|[^\\]\]\(|<\/code>|[^\\*]\*\*b/#
                #expect(!prose.contains(alive), "\(prose)")
            }
        }
        let marker = Self.plan.written(.markdown).split(separator: "\n")[0]
        #expect(marker.ranges(of: "--").count == 2)
    }

    @Test("bars and backslashes in cells do not change a table's cells")
    func cells() {
        let row = MarkdownText.row([
            "\(code: "a|b")", "\(code: "a\\|b")", "\(code: "a\\\\|b")", "\("a|b")", "\("a\\|b")",
        ])
        var (cells, isEscaped) = (0, false)
        for character in row.source {
            if character == "|", !isEscaped { cells += 1 }
            isEscaped = character == "\\" && !isEscaped
        }
        #expect(cells == 6)
    }

    @Test("a plan shows the address that receives the access token")
    func destination() {
        let plan = PlanReport(Sample.everything)
        let address = "https://platform.adobe.io/data/foundation/flowservice"
        #expect(plan.written().contains("Requests and the access token go to \(address)."))
        #expect(plan.written(.markdown).contains("Requests and the access token go to `\(address)`."))
    }

    /// Removes the code spans of a line, as defined by CommonMark.
    private func withoutCode(_ line: Substring) -> String {
        var prose = ""
        var rest = line
        while let character = rest.first {
            let run = rest.prefix { $0 == "`" }
            let after = rest.dropFirst(run.count)
            if character == "\\" {
                prose += rest.prefix(2)
                rest = rest.dropFirst(2)
            } else if !run.isEmpty, let end = closing(run.count, in: after) {
                rest = after[end...]
            } else {
                prose += run.isEmpty ? rest.prefix(1) : run
                rest = rest.dropFirst(max(1, run.count))
            }
        }
        return prose
    }

    private func closing(_ length: Int, in text: Substring) -> Substring.Index? {
        var rest = text
        while let start = rest.firstIndex(of: "`") {
            let run = rest[start...].prefix { $0 == "`" }
            if run.count == length { return run.endIndex }
            rest = text[run.endIndex...]
        }
        return nil
    }
}
