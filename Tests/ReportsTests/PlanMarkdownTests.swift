import FlowRuns
import Manifests
import Planner
import Testing

@testable import Reports

@Suite("Plans as comments on pull requests")
struct PlanMarkdownTests {
    private func render(_ flows: [FlowPlan]) -> String { PlanReport(Sample.plan(flows)).written(.markdown) }

    @Test("all elements of a plan, golden")
    func golden() throws {
        let few = Sample.flow(1, "contacts", actions: Array(Sample.firstRun.actions.prefix(4)), isVerified: false)
        try expectGolden(render([few, Sample.troubled, Sample.held, Sample.quiet]), "plan.md")
        try expectGolden(render([Sample.broken]), "plan-broken.md")
        try expectGolden(render([Sample.quiet]), "plan-nothing.md")
    }

    @Test("the first line is a marker by which bots find the comment")
    func marker() {
        #expect(render([Sample.quiet]).hasPrefix("<!-- sluice:plan target=prod -->\n"))
        let target = Sample.target(WireForm(), name: "a --> b\nc")
        let plan = Plan(asOf: Sample.asOf, target: target, manifests: [], flows: [Sample.quiet])
        let markdown = PlanReport(plan).written(.markdown)
        #expect(markdown.hasPrefix("<!-- sluice:plan target=a - - b␊c -->\n"))
    }

    @Test("a plan of any size fits into a comment, with counts of the omitted parts")
    func bounded() {
        let scattered = Sample.creates(100_000, from: Timestamp(seconds: 0), length: .seconds(3600), gap: .seconds(60))
        let one = render([Sample.flow(1, "contacts", actions: scattered)])
        #expect(one.utf8.count <= 60_000)
        #expect(one.contains("Left out for length:"))
        #expect(one.contains("windows in the picture"))

        let wide = String(repeating: "💧", count: 1000)
        let warnings = (0..<50).map {
            Diagnostic(
                .farFuture, .warning, at: Sample.place($0), String(repeating: "x", count: $0 + 1) + wide)
        }
        let flows = (1...400).map {
            Sample.flow(
                $0, "\(wide)\($0)", actions: Sample.creates(5, from: Timestamp(seconds: 0), gap: .seconds(9)),
                diagnostics: warnings)
        }
        let many = render(flows)
        #expect(many.utf8.count <= 60_000)
        #expect(many.contains(" diagnostics"))
        #expect(many.contains("Plan: 2,000 to request."))
    }

    @Test("two hundred flows with equal cells are one row of the table, and their first runs are one line")
    func manyFlows() throws {
        let flows = (1...200).map { number in
            Sample.flow(
                number, "flow-\(number)", actions: Array(Sample.firstRun.actions.prefix(3)), isVerified: false)
        }
        let text = render(flows)
        #expect(text.contains("| 200 flows: `flow-1` … `flow-200` |"))
        #expect(text.contains("| 3 each |"))
        #expect(text.contains("- 200 flows make their first run, which carries the delta column: `DOB` of 200 flows\n"))
        #expect(!text.contains("Undeclared"))
        let lastRow = try #require(text.range(of: "`flow-200` |"))
        let check = try #require(text.range(of: "200 flows make their first run"))
        #expect(lastRow.upperBound < check.lowerBound)
        let notices = PlanReport(Sample.plan(flows)).written(.github).split(separator: "\n")
        #expect(notices.count == 2, "one of them warns of too many requests")
    }

    @Test("text from manifests and the service has no effect as Markdown")
    func escaping() {
        let name = "x | y\n<script>alert(1)</script> `code` @team #12 ](http://evil)"
        let retry = PlannedAction(
            kind: .retry(of: RunID("</details>```")!), window: Sample.window(Timestamp(seconds: 0), .seconds(60)),
            reason: "**bold** <img> @team #7",
            place: Sample.place(1))
        let markdown = render([Sample.flow(1, name, actions: [retry])])
        let outsideCode = markdown.split(separator: "\n").filter { !$0.hasPrefix("POST") }.map { line in
            line.replacing(#/``.*?``/#, with: "").replacing(#/`[^`]*`/#, with: "")
        }.joined(separator: "\n")
        #expect(!outsideCode.contains("<script>"))
        #expect(!outsideCode.contains("<img>"))
        #expect(!outsideCode.contains("**bold**"))
        #expect(!outsideCode.replacing(#/<code>.*<\/code>/#, with: "").contains("@team"))
        let table = markdown.split(separator: "\n").filter { $0.hasPrefix("| ") }
        #expect(Set(table.map { $0.replacing("\\|", with: "").count { $0 == "|" } }).count == 1)
    }

    @Test("a code fence is longer than the backticks in its contents")
    func fences() {
        #expect(MarkdownText.block(["a````b"], language: "").source == "`````\na````b\n`````\n")
        #expect(("\(code: "a`b")" as MarkdownText).source == "`` a`b ``")
    }
}
