import FlowRuns
import TestSupport
import Testing

@testable import Reports

@Suite("A sandbox with all states")
struct AllStatesTests {
    @Test("the status is one line per flow, trouble first, with each cause and remedy, golden", arguments: [80, 120])
    func status(width: Int) throws {
        let report = AllStates().status
        let text = report.written(.text, TextStyle(width: width))
        try expectGolden(text, "all-states.status-\(width).txt")
        // Commands are never wrapped, so that they can be pasted.
        let wrapped = text.split(separator: "\n").filter { !$0.hasPrefix("      sluice ") }
        #expect(wrapped.allSatisfy { String($0).columns <= width })
        #expect(report.needsPerson)
    }

    @Test("--only-problems hides healthy flows, and --all lists each run, golden")
    func options() throws {
        var report = AllStates().status
        report.onlyProblems = true
        report.listsRuns = true
        try expectGolden(report.written(.text, TextStyle(width: 80)), "all-states.status-problems.txt")
    }

    @Test("every trouble is in Markdown, JSON and OpenMetrics, golden")
    func formats() throws {
        let report = AllStates().status
        try expectGolden(report.written(.markdown), "all-states.status.md")
        try expectGolden(report.written(.openMetrics), "all-states.status.metrics")
        try expectGolden(report.written(.json), "all-states.status.json")
        #expect(try SchemaValidator.faults(in: [.init("status", report.written(.json))]) == [nil])
        let kinds = Set(report.flows.flatMap { $0.troubles.map(\.kind) })
        for kind in Trouble.Kind.allCases where kind != .notCompared {
            #expect(kinds.contains(kind))
            #expect(report.written(.json).contains(#""kind":"\#(kind.rawValue)""#))
            #expect(report.written(.openMetrics).contains(#"kind="\#(kind.rawValue)""#))
        }
    }

    @Test("why explains each flow as a whole and each kind of window, golden")
    func why() throws {
        let states = AllStates()
        var text = ""
        for declaration in states.declarations {
            text += "$ sluice why \(declaration.title)\n"
            text += states.why(declaration, in: nil).written(.text, TextStyle(width: 80)) + "\n"
        }
        try expectGolden(text, "all-states.why.txt")
        let jsons = states.declarations.map { states.why($0, in: nil).written(.json) }
        try expectGolden(jsons[1], "all-states.why.json")
        #expect(try SchemaValidator.faults(in: jsons.map { .init("why", $0) }).allSatisfy { $0 == nil })
    }

    @Test("why names a window that is not due, and a time that no manifest declares")
    func absent() throws {
        let states = AllStates()
        let orders = try #require(states.declarations.first { $0.name == "orders" })
        func answer(_ start: Timestamp) -> String? {
            states.why(orders, in: Window(start: start, end: start + .milliseconds(1))).emptyText
        }
        #expect(
            answer(AllStates.asOf + .seconds(60))
                == "not due yet: 2026-11-30T12:00:00Z to 2026-11-30T13:00:00Z of the series is due at 2026-11-30T13:00:00Z"
        )
        #expect(answer(AllStates.asOf - Sample.day * 30) == "no window is declared or recorded there")
    }

    @Test("the plan, golden", arguments: [80, 120])
    func plan(width: Int) throws {
        let report = PlanReport(AllStates().plan, arguments: CommandArguments(manifests: ["manifests/"]))
        try expectGolden(report.written(.text, TextStyle(width: width)), "all-states.plan-\(width).txt")
    }

    @Test("the plan's comment, golden")
    func comment() throws {
        let report = PlanReport(AllStates().plan, arguments: CommandArguments(manifests: ["manifests/"]))
        try expectGolden(report.written(.markdown), "all-states.plan.md")
    }
}
