import Applier
import FlowRuns
import FlowService
import Foundation
import Ledger
import Manifests
import Planner
import Reports
import SQLiteLedger
import Synchronization

/// The valid manifests of a command line, and the target that the command works on.
struct Workspace {
    let manifests: ManifestSet
    let target: Target
    /// The selected flows of the target, by name.
    let declarations: [FlowDeclaration]
    /// Every flow of the target.
    let allDeclarations: [FlowDeclaration]
    let sources: [SourceFile]

    /// Loads the manifests, and selects a target and its flows.
    ///
    /// - Parameters:
    ///   - selection: The flows to select; `nil` for all.
    ///   - showsWarnings: Whether to print warnings, as for commands about the manifests rather than the ledger.
    ///   - annotates: Whether to print diagnostics as annotations for GitHub instead of text on standard error.
    ///   - files: The files, if they have been read already.
    ///   - asOf: When windows are due, for commands that plan: warns if time-zone sources differ about one of them.
    ///   - whenBroken: Receives the diagnostics of invalid manifests.
    /// - Throws: ``Failure`` with status 65 after the diagnostics are printed.
    static func load(
        _ options: ManifestOptions, _ output: OutputOptions, _ selection: FlowSelection? = nil,
        showsWarnings: Bool = false, annotates: Bool = false, files: ManifestFiles? = nil,
        dueAt asOf: Timestamp? = nil, whenBroken: (DiagnosticsReport) throws(Failure) -> Void = { _ in }
    ) throws(Failure) -> Workspace {
        let files = if let files { files } else { try ManifestFiles.read(options.paths) }
        var (manifests, diagnostics) = try files.load()
        if let asOf, !diagnostics.hasErrors {
            diagnostics = (diagnostics + manifests.zoneWarnings(dueAt: asOf)).sortedByPlace()
        }
        let sources = files.sources
        if annotates {
            DiagnosticsReport(diagnostics, sources: sources).write(.github) { Console.output($0) }
        } else if showsWarnings || diagnostics.hasErrors {
            output.tell(diagnostics, sources)
        }
        guard !diagnostics.hasErrors else {
            var report = DiagnosticsReport(diagnostics, sources: sources)
            report.target = options.target ?? (manifests.targets.count == 1 ? manifests.targets[0].name : nil)
            try whenBroken(report)
            throw Failure(.invalid)
        }
        let named = options.target ?? Self.targetOfEnvironment
        let target = try choose(named, from: manifests.targets, paths: options.paths)
        if selection != nil { output.tell(manifests.flowless([target]), sources) }
        let all = manifests.flows.filter { $0.target == target.name }
        let chosen = try selection?.choose(from: all) { ($0.id, $0.name) } ?? all
        if chosen.count < all.count { output.say("\(grouped(chosen.count)) of \(counted(all.count, "flow")) selected") }
        return Workspace(
            manifests: manifests, target: target, declarations: chosen, allDeclarations: all, sources: sources,
            arguments: CommandArguments(manifests: options.arguments, selection: selection?.arguments ?? []))
    }

    /// The target that `SLUICE_TARGET` names; an empty variable counts as missing.
    private static var targetOfEnvironment: String? {
        ProcessInfo.processInfo.environment["SLUICE_TARGET"].flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func choose(
        _ name: String?, from targets: [Target], paths: [String]
    ) throws(Failure) -> Target {
        let names = targets.map(\.name).joined(separator: ", ")
        if let name {
            guard let target = targets.first(where: { $0.name == name }) else {
                throw Failure(.usage, "target '\(name)' is not declared; declared: \(names.isEmpty ? "none" : names)")
            }
            return target
        }
        guard let target = targets.first else {
            throw Failure(
                .invalid,
                "no target is declared in \(paths.isEmpty ? "the current folder" : paths.listed): let "
                    + "'sluice init' write one, or add a document such as",
                details: sampleTarget)
        }
        guard targets.count == 1 else {
            throw Failure(.usage, "\(targets.count) targets are declared (\(names)): choose one with --target")
        }
        return target
    }

    private static let sampleTarget = """
        apiVersion: sluice/v1
        kind: Target
        metadata: {name: prod}
        spec:
          service: https://platform.adobe.io/data/foundation/flowservice
          organization: 1234@AdobeOrg
          sandbox: prod
          ledger: sqlite:.sluice/prod.sqlite
        """.split(separator: "\n").map(String.init)

    /// Arguments to repeat in suggested commands.
    let arguments: CommandArguments

    /// Returns the workspace with another selection of the target's flows.
    func about(_ flows: Set<FlowID>) -> Workspace {
        Workspace(
            manifests: manifests, target: target, declarations: allDeclarations.filter { flows.contains($0.id) },
            allDeclarations: allDeclarations, sources: sources, arguments: arguments)
    }

    /// Returns the same target with the flows of other manifests.
    func with(_ manifests: ManifestSet, _ selection: FlowSelection) -> Workspace {
        let all = manifests.flows.filter { $0.target == target.name }
        let selected = Set(declarations.map(\.id))
        let chosen = selection.isEmpty ? all : all.filter { selected.contains($0.id) }
        return Workspace(
            manifests: manifests, target: target, declarations: chosen, allDeclarations: all, sources: [],
            arguments: arguments)
    }

    /// The names of the flows that have one.
    var names: [FlowID: String] {
        Dictionary(allDeclarations.compactMap { flow in flow.name.map { (flow.id, $0) } }) { first, _ in first }
    }

    /// The expectations of the flows that declare one.
    var expectations: [FlowID: Expectation] {
        Dictionary(allDeclarations.compactMap { flow in flow.expectation.map { (flow.id, $0) } }) { first, _ in first }
    }

    /// Returns the undeclared flows that the given flows replace. They are read, but never requested.
    func replacedFlows(of declarations: [FlowDeclaration]) -> [FlowDeclaration] {
        var known = Set(allDeclarations.map(\.id))
        return declarations.flatMap { flow in
            flow.replaced.filter { known.insert($0).inserted }.map { id in
                FlowDeclaration(
                    id: id, manifest: flow.manifest, owner: flow.owner, target: flow.target, source: flow.source,
                    acknowledged: flow.acknowledged, place: flow.place)
            }
        }
    }

    /// Plans the selected flows of the target.
    func plan(asOf: Timestamp, ledger: TargetLedger) async throws(LedgerError) -> Plan {
        var flows: [FlowPlan] = []
        let predecessors = try await predecessors(asOf: asOf, ledger: ledger)
        for flow in declarations { flows.append(try await plan(flow, predecessors, asOf: asOf, ledger: ledger)) }
        let plan = Plan(asOf: asOf, target: target, manifests: manifests.digests, flows: flows)
        guard plan.hasRunLimits else { return plan }
        // Daily limits apply to the day of sending, not of the window; a plan for the future uses its own day.
        let day = max(asOf, SystemTime().now())
        return plan.limited(
            by: try await ledger.store.usage(
                allDeclarations.map(\.id),
                acknowledged: Set(allDeclarations.flatMap { $0.acknowledged.somebodyElses }), at: day))
    }

    /// Plans a flow, reading its recorded runs in parts.
    private func plan(
        _ declaration: FlowDeclaration, _ predecessors: [FlowID: Predecessor], asOf: Timestamp, ledger: TargetLedger
    ) async throws(LedgerError) -> FlowPlan {
        let planning = Mutex(
            FlowPlanning(
                declaration, replaced: try await ledger.store.replaced(declaration.replaced),
                predecessors: declaration.predecessors.compactMap { predecessors[$0] }, asOf: asOf))
        let record = Mutex(FlowRecord(id: declaration.id))
        try await ledger.store.scanRuns(declaration.id) { part in
            record.withLock { $0 = part.record }
            planning.withLock { $0.take(part.runs) }
            return true
        }
        let found = record.withLock { $0 }
        return planning.withLock { $0.plan(record: found) }
    }

    /// A flow with its plan and its recorded runs.
    struct PlannedFlow {
        let declaration: FlowDeclaration
        let plan: FlowPlan
        let record: FlowRecord
        /// The recorded runs, with their windows as far as the service reports or the manifest acknowledges them.
        let runs: [RecordedRun]
        /// The recorded runs of the flows that this flow replaces, likewise.
        let replacedRuns: [RecordedRun]
    }

    /// Plans each flow and maps it with `view`; the runs of only one flow are in memory at a time.
    ///
    /// - Parameter findings: Diagnostics to add to the plans.
    func planned<View>(
        asOf: Timestamp, ledger: TargetLedger, findings: [FlowID: [Diagnostic]] = [:], _ view: (PlannedFlow) -> View
    ) async throws(LedgerError) -> [View] {
        let planner = Planner(asOf: asOf)
        // Limits divide the runs of a day among the flows, so each flow's plan depends on all others.
        let hasLimits =
            target.limits.runsPerDay != nil || target.limits.running != nil
            || declarations.contains { $0.runsPerDay != nil }
        let limited = hasLimits ? try await plan(asOf: asOf, ledger: ledger).flows : []
        let plans = Dictionary(limited.map { ($0.id, $0) }) { first, _ in first }
        let predecessors = try await predecessors(asOf: asOf, ledger: ledger)
        var views: [View] = []
        for declaration in declarations {
            let kept = try await ledger.store.snapshot(of: declaration.id)
            let replaced = try await ledger.store.replaced(declaration.replaced)
            let plan =
                plans[declaration.id]
                ?? planner.plan(
                    declaration, record: kept.record, runs: kept.runs, replaced: replaced,
                    predecessors: declaration.predecessors.compactMap { predecessors[$0] })
            views.append(
                view(
                    PlannedFlow(
                        declaration: declaration, plan: plan.adding(findings[declaration.id] ?? []),
                        record: kept.record,
                        runs: declaration.withAcknowledgedWindows(kept.runs),
                        replacedRuns: replaced.flatMap { declaration.withAcknowledgedWindows($0.runs) })))
        }
        return views
    }

    private func predecessors(
        asOf: Timestamp, ledger: TargetLedger
    ) async throws(LedgerError) -> [FlowID: Predecessor] {
        var predecessors: [FlowID: Predecessor] = [:]
        for id in Set(declarations.flatMap(\.predecessors)) {
            predecessors[id] = try await predecessor(id, Planner(asOf: asOf), ledger)
        }
        return predecessors
    }

    /// Plans a flow that others come after; the flow need not be selected.
    private func predecessor(
        _ id: FlowID, _ planner: Planner, _ ledger: TargetLedger
    ) async throws(LedgerError) -> Predecessor? {
        guard let declaration = allDeclarations.first(where: { $0.id == id }) else { return nil }
        let kept = try await ledger.store.snapshot(of: id)
        let replaced = try await ledger.store.replaced(declaration.replaced)
        let plan = planner.plan(declaration, record: kept.record, runs: kept.runs, replaced: replaced)
        return Predecessor(declaration, plan, runs: kept.runs + replaced.flatMap(\.runs))
    }
}
