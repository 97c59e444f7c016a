import FlowRuns
import Manifests
import Planner
import Testing

@Suite("Plan advice")
struct PlanAdviceTests {
    /// The diagnostics whose suggestions are followed, each at least 200 times.
    private static let codes: [DiagnosticCode] = [
        .deltaColumnMissing, .deltaColumnFixed, .windowDeclaredTwice, .windowOverlapsRecorded, .windowOverlapsDeclared,
        .rerunOfNothing, .runOfUnknownWindow, .windowRunTwice, .runTakenForRerun, .acknowledgedWindowContradicted,
        .windowsIngestedTwice,
    ]

    @Test("following what plan suggests ends the trouble, and ingests nothing more often than was wanted")
    func followed() throws {
        var followed: [DiagnosticCode: Int] = [:]
        for seed in 0..<8000 as Range<UInt64> {
            if Self.codes.allSatisfy({ followed[$0, default: 0] >= 200 }) { break }
            var flow = AdvisedFlow(seed: seed)
            var declaration = try #require(flow.manifest.declaration)
            // Some people apply before they follow the advice, and others after.
            if seed % 2 == 0 { flow.apply(declaration) }
            var log: [String] = []
            func story() -> String { "seed \(seed)\n\(log.joined(separator: "\n"))\n\(flow.manifest.yaml)" }
            while true {
                let plan = flow.plan(declaration)
                guard let advice = flow.advice(of: plan).first else {
                    if plan.actions.isEmpty { break }
                    flow.apply(declaration)
                    continue
                }
                log.append("\(advice.code.rawValue) \(advice.message): \(advice.help)")
                try #require(log.count < 60, "the advice never ends: \(story())")
                flow.follow(advice)
                declaration = try #require(flow.manifest.declaration, "\(story())")
                try #require(
                    !flow.advice(of: flow.plan(declaration)).contains(advice), "advised again: \(story())")
                if seed % 3 == 0 { flow.apply(declaration) }
                followed[advice.code, default: 0] += 1
            }
            let end = flow.apply(declaration)
            #expect(!end.diagnostics.hasErrors && end.held.isEmpty, "\(end.diagnostics) \(end.held) \(story())")
            let allowed = flow.allowed(by: declaration)
            #expect(zip(flow.ingested, allowed).allSatisfy(<=), "\(flow.ingested), allowed \(allowed) \(story())")
            #expect(flow.declared.allSatisfy { flow.ingested[$0] > 0 }, "\(flow.ingested) \(story())")
        }
        for code in Self.codes { #expect(followed[code, default: 0] >= 200, "\(followed)") }
    }
}
