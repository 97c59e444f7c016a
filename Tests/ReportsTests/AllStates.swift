import FlowRuns
import Ledger
import Manifests
import Planner

@testable import Reports

/// A sandbox of 15 flows, one in each state, for the golden files of every view.
struct AllStates {
    /// 2026-11-30T12:00:00Z.
    static let asOf = Timestamp(seconds: 1_796_040_000)
    private static let hour = Duration.seconds(3600)
    private static let midnight = asOf - hour * 12

    private static let flows: [(name: String, yaml: String)] = [
        ("orders", "series: [{every: PT1H, from: 2026-11-30, until: now}]"),
        ("contacts", "series: [{every: PT1H, from: 2026-11-29, until: now}]"),
        ("exports", "series: [{every: PT1H, from: 2026-11-30T09:00:00Z, until: now}]"),
        ("order-lines", "after: [contacts]\n    series: [{every: PT1H, from: 2026-11-29T06:00:00Z, until: now}]"),
        (
            "ads",
            "paused: {reason: source is migrated, until: 2027-01-01T00:00:00Z}\n    series: [{every: P1D, from: 2026-11-20, until: now}]"
        ),
        ("sessions", "limits: {runsPerDay: 7}\n    series: [{every: P1D, from: 2026-10-26, until: now}]"),
        ("invoices", "series: [{every: P1D, from: 2026-11-20, until: now}]"),
        ("leads", "expect: {minimumRecords: 100}\n    series: [{every: P1D, from: 2026-11-20, until: now}]"),
        ("events", "series: [{every: PT1H, from: 2026-11-30T06:00:00Z, until: now}]"),
        ("products", "series: [{every: P1D, from: 2026-11-28, until: now}]"),
        ("returns", "retryFailed: 2\n    series: [{every: P1D, from: 2026-11-20, until: now}]"),
        ("prices", "series: [{every: P1D, from: 2026-11-20, until: now}]"),
        ("stock-levels-of-all-warehouses", "series: [{every: P1D, from: 2026-11-20, until: now}]"),
        ("visits", "series: [{every: PT1H, from: 2026-11-30, until: now}]"),
        ("catalog", "series: [{every: P1D, from: 2026-11-20, until: now}]"),
    ]

    let declarations: [FlowDeclaration]
    let target: Target
    let plan: Plan
    let runs: [FlowID: [RecordedRun]]

    init() {
        let yaml = Self.flows.enumerated().map { index, flow in
            "  - flowId: \(Sample.flowID(index + 1))\n    name: \(flow.name)\n    source: file\n    \(flow.yaml)\n"
        }
        let manifest =
            Sample.targetYAML + """
                ---
                apiVersion: sluice/v1
                kind: RunManifest
                metadata: {name: all, owner: data-platform}
                spec:
                  target: prod
                  flows:

                """ + yaml.joined()
        let loaded = ManifestLoader().load([SourceFile(path: "flows.yaml", bytes: Array(manifest.utf8))])
        precondition(!loaded.diagnostics.hasErrors, "\(loaded.diagnostics)")
        let declarations = loaded.manifests.flows
        var runs: [FlowID: [RecordedRun]] = [:]
        for declaration in declarations { runs[declaration.id] = Self.runs(of: declaration) }

        func plan(_ declaration: FlowDeclaration, _ predecessors: [Predecessor]) -> FlowPlan {
            let contacted = declaration.name == "stock-levels-of-all-warehouses" ? nil : Self.asOf - .seconds(60)
            return Planner(asOf: Self.asOf).plan(
                declaration, record: FlowRecord(id: declaration.id, contactedAt: contacted),
                runs: runs[declaration.id] ?? [], predecessors: predecessors)
        }
        let plans = declarations.map { declaration in
            plan(
                declaration,
                declarations.filter { declaration.predecessors.contains($0.id) }.map {
                    Predecessor($0, plan($0, []), runs: runs[$0.id] ?? [])
                })
        }
        self.declarations = declarations
        self.runs = runs
        target = loaded.manifests.targets[0]
        var usage = RunUsage(at: Self.asOf)
        for declaration in declarations { usage.add(runs[declaration.id] ?? [], of: declaration.id) }
        let disabled = Diagnostic(
            .flowDisabled, at: Place(file: "flows.yaml", line: 75, column: 13), "the flow is disabled on the service",
            suggestion: "enable it, or remove it from the manifest")
        self.plan = Plan(asOf: Self.asOf, target: target, manifests: loaded.manifests.digests, flows: plans)
            .limited(by: usage).adding([Sample.flowID(15): [disabled]])
    }

    private static func runs(of declaration: FlowDeclaration) -> [RecordedRun] {
        let windows = declaration.series.flatMap { $0.windows(dueAt: asOf).flatMap(Array.init) }
        let number = (flows.firstIndex { $0.name == declaration.name } ?? 0) + 1
        func run(
            _ index: Int, _ state: RunState = .succeeded, attempt: Int = 1, origin: RunOrigin = .request,
            failure: String? = nil, records: Int64? = 1200
        ) -> RecordedRun {
            Sample.run(
                number, windows[index], state, attempt: attempt, origin: origin,
                id: state.isAccepted
                    ? "2f592d50-0000-4000-8000-\(1_000_000 + number * 10_000 + index * 10 + attempt)" : nil,
                failure: failure, at: windows[index].end + .seconds(300), records: state.hasEnded ? records : nil)
        }
        func all(except last: Int = 0) -> [RecordedRun] { windows.indices.dropLast(last).map { run($0) } }
        switch declaration.name {
        case "contacts":
            let failure = "CONNECTOR-1022-401: the source's credentials have expired"
            return all(except: 2) + (34..<36).map { run($0, .failed, failure: failure) }
        case "exports":
            return [
                Sample.run(
                    number, nil, .succeeded, origin: .service, id: "2f592d50-7c3e-4a51-9d0e-3f0f4c2f8a11",
                    at: asOf - hour)
            ]
        case "order-lines": return all(except: 5)
        case "ads", "sessions", "stock-levels-of-all-warehouses": return []
        case "invoices":
            return all(except: 3) + [run(7, .partial, failure: "MAPPER-3700: 12 records could not be mapped")]
                + (8..<10).map { run($0) }
        case "leads": return all(except: 1) + [run(9, records: 0)]
        case "events":
            return all(except: 3) + [run(3, .inDoubt)]
        case "products":
            return all(except: 1) + [run(1, .rejected, failure: "400 the flow's connection is not authorized")]
        case "returns": return all(except: 1) + [run(9, .failed, failure: "CONNECTOR-2001-500: the source timed out")]
        case "prices":
            return [run(0), run(0, attempt: 2, origin: .service)] + windows.indices.dropFirst().map { run($0) }
        case "visits": return all(except: 2) + (10..<12).map { run($0, .accepted) }
        case "catalog": return all(except: 2)
        default: return all()
        }
    }

    func why(_ declaration: FlowDeclaration, in range: Window?) -> WhyReport {
        let provenance = Provenance(
            file: "flows.yaml", line: 12, commit: "4f2c9ab0d1e2f3a4b5c6", author: "Ada Lovelace")
        let report = status
        let index = declarations.firstIndex(of: declaration) ?? 0
        return WhyReport(
            declaration, plan: plan.flows.first { $0.id == declaration.id }!, status: report.flows[index],
            entries: (runs[declaration.id] ?? []).map {
                LedgerEntry(
                    run: $0, updatedAt: Self.asOf, provenance: $0.origin == .service ? Provenance() : provenance)
            }, range: range, asOf: Self.asOf, arguments: report.arguments)
    }

    var status: StatusReport {
        let flows = declarations.compactMap { declaration -> FlowStatus? in
            guard let plan = plan.flows.first(where: { $0.id == declaration.id }) else { return nil }
            return FlowStatus(
                declaration, plan: plan, runs: runs[declaration.id] ?? [],
                refreshedAt: plan.isVerified ? Self.asOf - .seconds(60) : nil, asOf: Self.asOf)
        }
        return StatusReport(
            target: "prod", sandbox: "1234@AdobeOrg, sandbox prod", asOf: Self.asOf, flows: flows,
            arguments: CommandArguments(manifests: ["manifests/"]))
    }
}
