import FlowRuns
import Manifests
import Planner

@testable import Reports

/// Coverage pages of several sizes, computed from manifests in the same way as `sluice report` does.
enum CoverageSamples {
    /// 2026-11-30T12:00:00Z.
    static let asOf = AllStates.asOf

    /// The page of ``AllStates``.
    static let allStates: CoverageReport = {
        let states = AllStates()
        let flows = states.declarations.compactMap { declaration in
            states.plan.flows.first { $0.id == declaration.id }.map { plan in
                FlowCoverage(
                    plan, runs: states.runs[plan.id] ?? [],
                    repeated: declaration.repeatedWindows(in: states.runs[plan.id] ?? []), declaration: declaration,
                    refreshedAt: plan.isVerified ? asOf - .seconds(60) : nil)
            }
        }
        return CoverageReport(
            target: "prod", asOf: asOf, flows: flows, runLink: try? RunLink("https://example.org/runs/{run}"),
            status: states.status)
    }()

    /// Three flows: one with nothing amiss, one with a failure in a time zone of its own, and one that is late.
    static let small = page(
        [
            ("orders", "series: [{every: PT1H, from: 2026-11-24, until: now}]"),
            ("contacts", "series: [{every: P1D, from: 2026-10-01, until: now, timeZone: Europe/Berlin}]"),
            ("leads", "series: [{every: PT1H, from: 2026-11-24, until: now}]"),
        ]) { flow, index, count in
            if flow == 1, index == count - 4 { return .failed }
            return flow == 2 && index >= count - 5 ? nil : .succeeded
        }

    /// Two hundred flows in eight manifests, some with trouble.
    static let large = page(
        (0..<200).map { number in
            (
                "flow-\(number)",
                number % 3 == 0
                    ? "series: [{every: P1D, from: 2025-12-01, until: now}]"
                    : "series: [{every: PT1H, from: 2026-11-01, until: now}]"
            )
        }, flowsPerManifest: 25
    ) { flow, index, count in
        if flow % 7 == 0, (index + flow) % 23 == 0 { return .failed }
        if flow % 11 == 0, index >= count - flow % 5 { return nil }
        return flow % 13 == 0 && index % 31 == 0 ? .partial : .succeeded
    }

    /// One flow with five years of hourly windows.
    static let long = page([("events", "series: [{every: PT1H, from: 2021-12-01, until: now}]")]) { _, index, _ in
        index % 997 == 0 ? .failed : .succeeded
    }

    /// Builds a page.
    ///
    /// - Parameters:
    ///   - flows: The names of the flows and their YAML.
    ///   - flowsPerManifest: The number of flows that one manifest declares.
    ///   - state: Returns the state of a flow's window, from the flow's number, the window's, and the number of windows;
    ///     `nil` for no run.
    static func page(
        _ flows: [(name: String, yaml: String)], flowsPerManifest: Int = .max,
        state: (Int, Int, Int) -> RunState?
    ) -> CoverageReport {
        let flowsPerManifest = min(flows.count, flowsPerManifest)
        let manifests = flows.chunks(of: flowsPerManifest).enumerated().map { number, flows in
            """
            ---
            apiVersion: sluice/v1
            kind: RunManifest
            metadata: {name: manifest-\(number), owner: team-\(number)}
            spec:
              target: prod
              flows:

            """
                + flows.enumerated().map { index, flow in
                    "  - flowId: \(Sample.flowID(number * flowsPerManifest + index + 1))\n"
                        + "    name: \(flow.name)\n    source: file\n    \(flow.yaml)\n"
                }.joined()
        }
        let text = Sample.targetYAML + manifests.joined()
        let loaded = ManifestLoader().load([SourceFile(path: "flows.yaml", bytes: Array(text.utf8))])
        precondition(!loaded.diagnostics.hasErrors, "\(loaded.diagnostics)")
        let pairs = loaded.manifests.flows.map { declaration in
            let number = flows.firstIndex { $0.name == declaration.name } ?? 0
            let windows = declaration.series.flatMap { $0.windows(dueAt: asOf).flatMap(Array.init) }
            let runs = windows.enumerated().compactMap { index, window in
                state(number, index, windows.count).map { state in
                    Sample.run(
                        number + 1, window, state,
                        id: "2f592d50-0000-4000-8000-\(100_000_000 + number * 100_000 + index)",
                        failure: state == .succeeded ? nil : "CONNECTOR-2001-500: the source timed out",
                        at: window.end + .seconds(300), records: state == .succeeded ? 1200 + Int64(index) : 0)
                }
            }
            let plan = Planner(asOf: asOf).plan(
                declaration, record: FlowRecord(id: declaration.id, contactedAt: asOf - .seconds(60)), runs: runs)
            return (
                FlowCoverage(plan, runs: runs, declaration: declaration, refreshedAt: asOf - .seconds(60)),
                FlowStatus(declaration, plan: plan, runs: runs, refreshedAt: asOf - .seconds(60), asOf: asOf)
            )
        }
        let status = StatusReport(
            target: "prod", asOf: asOf, flows: pairs.map(\.1), arguments: CommandArguments(manifests: ["manifests/"]))
        return CoverageReport(
            target: "prod", asOf: asOf, flows: pairs.map(\.0), runLink: try? RunLink("https://example.org/runs/{run}"),
            status: status)
    }
}
